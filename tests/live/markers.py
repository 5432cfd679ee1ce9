"""Marks of tests."""
import pytest

from command import ROOT

# ./check runs the whole suite in the build with sanitizers. In the everyday build it runs the tests of this mark: they are
# timed, race, or stop certrebind at each point, so their result may depend on the build.
both_builds = pytest.mark.both_builds
needs_root = pytest.mark.skipif(not ROOT, reason="needs root")
