"""Which points the crash sweeps try. A sweep kills certrebind, or fails a call of it, at one point after the other.

CERTREBIND_SWEEP=full tries every point, also of the recovery. Unset: every point of a rebind, and some of the
recovery. CERTREBIND_SWEEP=few, for slow builds and `./check --fast`: every third point of a rebind only.
"""
import os

import pytest

SWEEP = os.environ.get("CERTREBIND_SWEEP", "")
FULL = SWEEP == "full"

# A sweep is several tests, so that several workers share it: each tries every SHARES-th of its points.
SHARES = 2 if SWEEP == "few" else 4
in_shares = pytest.mark.parametrize("share", range(SHARES))


def points(last, share):
    """The calls, counted from 1, at which this share of a sweep fails."""
    return range(1, last + 1, 3 if SWEEP == "few" else 1)[share::SHARES]
