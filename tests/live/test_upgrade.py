"""An upgrade keeps the state: databases of every schema so far are read, migrated, and used."""
import pathlib
import sqlite3

import pytest

from command import committed

SCHEMAS = sorted((pathlib.Path(__file__).parent / "schemas").glob("*.sql"))


def version(path):
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA user_version").fetchone()[0]
    finally:
        connection.close()


def test_the_schema_of_today_is_among_them(place):
    assert place.run("enable").code == 0
    assert version(place.state / "state.db") == len(SCHEMAS)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda path: path.stem)
def test_what_an_earlier_version_recorded_is_there(one, schema):
    place = one.place
    path = place.state / "state.db"
    connection = sqlite3.connect(path)
    connection.executescript(schema.read_text())
    connection.close()
    path.chmod(0o600)
    result = committed(one.run("rebind", one.old.thumbprint, one.new_cert, "--json"))
    assert result and version(path) == len(SCHEMAS)
    events = place.run("events", "--json").lines
    assert events[0]["message"] == "2 endpoints and names show the new certificate" and events[0]["id"] == 2002
    history = place.run("history").out
    assert history.count("committed") == 2 and "nginx:/etc/nginx/nginx.conf" in history
    if int(schema.stem) >= 2:
        assert place.run("task", "history", "--id", 1, "--json").json["output"] == "deployed"
        assert "the disk is full" in place.run("status").out
    assert not list(place.state.glob("*damaged*"))
    assert one.run("undo").code == 0 and one.served() == one.old.thumbprint
