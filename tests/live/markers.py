"""Marks of tests."""
import pytest

from command import ROOT

# ./check runs the whole suite in the build with sanitizers. In the everyday build it runs the tests of this mark: they are
# timed, race, or stop certrebind at each point, so their result may depend on the build.
both_builds = pytest.mark.both_builds
needs_root = pytest.mark.skipif(not ROOT, reason="needs root")


def since_haproxy(*version):
    """For what HAProxy has from this version on. With an older one conftest.py takes the test out of the run, as if it
    were not there; scripts/newer-haproxy runs it."""
    return pytest.mark.since_haproxy(version)
