"""Which points the crash sweeps try. A sweep kills certrebind, or fails a call of it, at one point after the other.

CERTREBIND_SWEEP=full tries every point, also of the recovery. Unset: every point of a rebind, and some of the
recovery. `./check` has not the time for that: CERTREBIND_SWEEP=few tries every third point of a rebind, and =fewest,
for slow builds and `./check --fast`, every sixteenth. `scripts/sweep` tries all.
"""
import os

import pytest

SWEEP = os.environ.get("CERTREBIND_SWEEP", "")
FULL = SWEEP == "full"

FIRST, STEP = {"few": (2, 3), "fewest": (1, 16)}.get(SWEEP, (1, 1))

# A sweep is several tests, so that several workers share it: each tries every SHARES-th of its points.
SHARES = {"few": 2, "fewest": 1}.get(SWEEP, 4)
in_shares = pytest.mark.parametrize("share", range(SHARES))


def points(last, share):
    """The calls, counted from 1, at which this share of a sweep fails. Where not all are tried, each share has the first
    and the last, too: before the one nothing has happened, before the other everything."""
    chosen = range(FIRST, last + 1, STEP)[share::SHARES]
    return chosen if STEP == 1 else sorted({1, *chosen, last - 1})


def some_of(places, share):
    """This share of the places where a kind of call begins: all of them, but with CERTREBIND_SWEEP=fewest a quarter."""
    if SWEEP != "fewest":
        return places[share::SHARES]
    return [*places[::4], places[-1]]
