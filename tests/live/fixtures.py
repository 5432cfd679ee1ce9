"""Fixtures of the live tests and of the page's: certificates, and a place of a test's own."""
import pytest

from pki import Authority
from place import Place


@pytest.fixture(scope="session")
def authority():
    return Authority()


@pytest.fixture
def place():
    place = Place()
    yield place
    place.end()
