"""Fixtures of the live tests. `place` ends everything that a test started, also when it fails."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def binary():
    assert os.access(harness.BINARY, os.X_OK), f"no certrebind at {harness.BINARY}: set CERTREBIND"


@pytest.fixture(scope="session")
def authority():
    return harness.Authority()


@pytest.fixture
def place():
    place = harness.Place()
    yield place
    place.end()


@pytest.fixture
def one(place, authority):
    """One nginx, one site that serves OLD, NEW beside in new/."""
    return harness.OneSite(place, authority)


needs_root = pytest.mark.skipif(not harness.ROOT, reason="needs root")
