"""Postfix's certificates for names: its table holds copies of the files, which are made anew before a reload."""
import shutil
import subprocess

import pytest

from command import probed
from files import write
from markers import needs_root
from servers.postfix import Postfix
from waiting import until

pytestmark = needs_root
HOST, OTHER = "mx.test", "other.test"
OK, REFUSED, NEEDS_OPERATOR = 0, 1, 4


class Stage:
    """A Postfix with a certificate for every name, and a table with one for OTHER."""

    def __init__(self, place, authority):
        place.configure(verify=120, handshake=30)
        self.place, self.server = place, Postfix(place / "s")
        self.source, self.table = self.server.prefix / "sni", self.server.prefix / "sni.db"
        self.certificate, self.key = self.server.prefix / "other.pem", self.server.prefix / "other.key"
        self.default = authority.issue(HOST)
        self.old, self.new = authority.pair(OTHER)
        place.at_end(self.server.stop)
        self.server.install(self.default)
        self.install(self.old)
        write(self.source, f"{OTHER} {self.key}, {self.certificate}\n", 0o600)
        self.server.write(f"tls_server_sni_maps = hash:{self.source}")
        subprocess.run(["postmap", "-c", self.server.prefix, "-F", f"hash:{self.source}"], check=True)
        self.server.start()
        until(lambda: self.served() == self.old.thumbprint, "it serves the old certificate")

    def install(self, certificate):
        certificate.write(self.server.prefix, self.certificate.name, self.key.name)

    def served(self, name=OTHER):
        return probed(self.server.endpoints["smtp"], "smtp", name)

    def run(self, *arguments):
        return self.place.run(*arguments, "--service", self.server.service)


@pytest.fixture
def stage(place, authority):
    return Stage(place, authority)


def test_a_new_certificate_is_brought_and_taken_back(stage):
    cert, _ = stage.new.write(stage.place / "new")
    done = stage.run("rebind", stage.old.thumbprint, cert)
    assert done.code == OK, done
    assert stage.served() == stage.new.thumbprint and stage.served(HOST) == stage.default.thumbprint
    assert stage.table.stat().st_mode & 0o777 == 0o600
    done = stage.run("undo")
    assert done.code == OK and stage.served() == stage.old.thumbprint, done


def test_a_renewal_that_only_the_files_have_is_found(stage):
    """A renewer's hook that reloads Postfix does not reach the copies."""
    stage.install(stage.new)
    subprocess.run(["postfix", "-c", stage.server.prefix, "reload"], check=True)
    assert stage.served() == stage.old.thumbprint
    done = stage.run("check")
    assert done.code == REFUSED and "renewed but not reloaded" in done.out, done
    done = stage.run("rebind", "--pending")
    assert done.code == OK and stage.served() == stage.new.thumbprint, done


def test_a_key_of_another_certificate_reaches_no_table(stage):
    stage.install(stage.new)
    write(stage.key, stage.old.key_pem, 0o600)
    before = stage.table.read_bytes()
    done = stage.run("rebind", "--pending")
    assert done.code == REFUSED, done
    assert stage.table.read_bytes() == before and stage.served() == stage.old.thumbprint


def test_a_missing_file_of_another_name_reaches_no_table(stage, authority):
    """postmap would leave its entry out, and succeed."""
    third = authority.issue("third.test")
    third.write(stage.server.prefix, "third.pem", "third.key")
    with open(stage.source, "a") as source:
        source.write(f"third.test {stage.server.prefix}/third.key {stage.server.prefix}/third.pem\n")
    subprocess.run(["postmap", "-c", stage.server.prefix, "-F", f"hash:{stage.source}"], check=True)
    subprocess.run(["postfix", "-c", stage.server.prefix, "reload"], check=True)
    until(lambda: stage.served("third.test") == third.thumbprint, "it serves the third certificate")
    (stage.server.prefix / "third.key").unlink()
    stage.install(stage.new)
    done = stage.run("rebind", "--pending")
    assert done.code == REFUSED and "third.key" in done.all, done
    assert stage.served() == stage.old.thumbprint and stage.served("third.test") == third.thumbprint


def test_a_table_of_somebody_else_is_not_made(stage):
    """He could have root put any file of the host into it."""
    shutil.chown(stage.source, "nobody")
    stage.install(stage.new)
    before = stage.table.read_bytes()
    done = stage.run("rebind", "--pending")
    assert done.code == REFUSED and str(stage.source) in done.all and "belongs to user" in done.all, done
    assert stage.table.read_bytes() == before and stage.served() == stage.old.thumbprint


def test_a_table_that_cannot_be_made_needs_a_person(stage):
    stage.table.rename(stage.table.with_suffix(".kept"))
    (stage.table / "in the way").mkdir(parents=True)
    cert, _ = stage.new.write(stage.place / "new")
    done = stage.run("rebind", stage.old.thumbprint, cert)
    assert done.code == NEEDS_OPERATOR and "postmap" in done.all, done
    assert stage.certificate.read_text() == stage.old.fullchain_pem, "the old files are back"


def test_tables_of_other_kinds_are_named(stage):
    subprocess.run(["postconf", "-c", stage.server.prefix, "-e",
                    f"tls_server_sni_maps = inline:{{ x={stage.certificate}, y=/z }}, hash:{stage.source}"], check=True)
    scanned = stage.run("scan", "--json").json
    assert [note["message"] for note in scanned["diagnostics"]] == [
        f"certrebind does not follow a table like inline:{{ x={stage.certificate}, y=/z }}: watch its certificates "
        "yourself"]
    assert OTHER in {binding["site"] for binding in scanned["bindings"]}
