"""Marks of tests."""
import pytest

from command import ROOT
from servers.haproxy import haproxy_version

# ./check runs the whole suite in the build with sanitizers. In the everyday build it runs the tests of this mark: they are
# timed, race, or stop certrebind at each point, so their result may depend on the build.
both_builds = pytest.mark.both_builds
needs_root = pytest.mark.skipif(not ROOT, reason="needs root")


def since_haproxy(*version):
    """For what HAProxy has from this version on: scripts/newer-haproxy runs it."""
    return pytest.mark.skipif(haproxy_version() < version, reason=f"this HAProxy is older than {version}")
