"""Fixtures of the live tests. `place` ends everything that a test started, also when it fails."""
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from command import BINARY  # noqa: E402
from fixtures import authority, place  # noqa: E402, F401
from servers.haproxy import haproxy_version  # noqa: E402
from stages.one_site import OneSite  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "both_builds: ./check runs this test in the everyday build, too")
    config.addinivalue_line("markers", "since_haproxy(version): needs this HAProxy or a later one")
    if hasattr(config, "workerinput") and os.getpid() == 1:  # with namespaces of its own: see live_tests in ./check
        # Squid gives its shared memory the same names each time, and two at once take it from each other.
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/dev/shm"], check=True)


def pytest_collection_modifyitems(config, items):
    """Takes out what the HAProxy at hand cannot run. Begins with the crash sweeps, which take longest: at the end all
    workers then have short tests left."""
    present = haproxy_version()
    too_new = [item for item in items if any(mark.args[0] > present for mark in item.iter_markers("since_haproxy"))]
    if too_new:
        config.hook.pytest_deselected(items=too_new)
        items[:] = [item for item in items if item not in set(too_new)]
    items.sort(key=lambda item: "share" not in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session", autouse=True)
def binary():
    assert os.access(BINARY, os.X_OK), f"no certrebind at {BINARY}: set CERTREBIND"


@pytest.fixture
def one(place, authority):
    """One nginx, one site that serves OLD, NEW beside in new/."""
    return OneSite(place, authority)


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    """The preload, with what a sanitized program needs to accept it."""
    source = pathlib.Path(__file__).with_name("crash_shim.c")
    library = tmp_path_factory.mktemp("shim") / "crash_shim.so"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    options = os.environ.get("ASAN_OPTIONS", "")
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0"}
