"""Which points the crash sweeps try. A sweep kills certrebind, or fails a call of it, at one point after the other.

CERTREBIND_SWEEP=full tries every point, also of the recovery. Unset: every point of a rebind, and every few of the
recovery. CERTREBIND_SWEEP=few, for slow builds: every third point of a rebind, too.
"""
import os

SWEEP = os.environ.get("CERTREBIND_SWEEP", "")
FULL = SWEEP == "full"


def points(last):
    """The calls, counted from 1, at which a sweep fails."""
    return range(1, last + 1, 3 if SWEEP == "few" else 1)
