"""Fixtures of the page's tests: the real Cockpit, the real browser, and the servers of the live tests."""
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "live")]

from browser import Browser  # noqa: E402
from cockpit import Cockpit, alone  # noqa: E402
from fixtures import authority, place  # noqa: E402, F401
from page import Page  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def network():
    assert alone(), "run these tests in a network namespace of their own: ./check does"
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


@pytest.fixture(scope="session")
def browser():
    browser = Browser()
    yield browser
    browser.end()


@pytest.fixture
def cockpit(place):
    return Cockpit(place)


@pytest.fixture
def page(browser, cockpit):
    """The page on the real Cockpit; whatever a test does with it, its code makes no mistake and its policy refuses nothing."""
    page = Page(browser, cockpit.address)
    yield page
    assert page.complaints() == []
