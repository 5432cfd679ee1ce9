"""What every described server has to do, on the real one: one line for each in servers/described.py."""
import shutil

import pytest

from command import REPOSITORY, probed
from files import write
from markers import both_builds, needs_root
from servers.described import DESCRIBED, NAMED_ONLY, RESTART_ONLY, Stunnel
from servers.dovecot import Dovecot
from servers.mariadb import MariaDB
from servers.postfix import Postfix
from servers.postgresql import PostgreSQL
from stages.killed import KilledRebind
from sweep import in_shares
from waiting import until

pytestmark = needs_root
HOST = "mx.test"
OK, REFUSED, WARNING = 0, 1, 1  # a refused rebind, a warning of check


class Stage:
    """A running server that serves OLD on all of its ports."""

    def __init__(self, place, authority, kind):
        place.configure(verify=120, handshake=30)  # servers that start a process for each connection, on a busy machine
        self.place, self.server = place, kind(place / "s")
        self.old, self.new = authority.pair(HOST)
        place.at_end(self.server.stop)
        self.server.install(self.old).write()
        self.server.start()
        self.wait_served(self.old)

    def session(self):
        session = self.server.session(HOST)
        self.place.at_end(session.end)
        return session

    def served(self):
        return {dialect: probed(port, dialect, HOST)
                for dialect, port in self.server.endpoints.items()}

    def serves(self, certificate):
        return set(self.served().values()) == {certificate.thumbprint}

    def wait_served(self, certificate):
        until(lambda: self.serves(certificate), f"it serves {certificate.thumbprint[:16]}")

    def run(self, *arguments, **options):
        return self.place.run(*arguments, "--service", self.server.service, **options)


@pytest.fixture(params=DESCRIBED + NAMED_ONLY, ids=lambda kind: kind.kind)
def stage(request, place, authority):
    return Stage(place, authority, request.param)


def test_a_renewal_in_place_is_served(stage):
    """Whoever is connected then stays so, where the server allows it."""
    done = stage.run("check")
    assert done.code == OK, done
    session = stage.session()
    stage.server.install(stage.new)
    done = stage.run("rebind", "--pending")
    assert done.code == OK, done
    assert stage.serves(stage.new), stage.served()
    assert session.is_answered() == stage.server.keeps_sessions
    done = stage.run("check")
    assert done.code == OK, done


def test_a_new_certificate_elsewhere_is_brought_and_taken_back(stage):
    cert, _ = stage.new.write(stage.place / "new")
    done = stage.run("rebind", stage.old.thumbprint, cert)
    assert done.code == OK, done
    assert stage.serves(stage.new), stage.served()
    done = stage.run("undo")
    assert done.code == OK, done
    stage.wait_served(stage.old)


def test_a_bad_renewal_harms_nobody(stage):
    cert, key = stage.new.write(stage.place / "new")
    key.write_text(stage.old.key_pem)
    before = stage.server.files()
    done = stage.run("rebind", stage.old.thumbprint, cert)
    assert done.code == REFUSED, done
    assert stage.server.files() == before
    assert stage.serves(stage.old), stage.served()


@pytest.mark.parametrize("stage", [Dovecot], ids=lambda kind: kind.kind, indirect=True)
def test_a_certificate_for_other_names_put_in_place_is_not_loaded(stage, authority):
    """Its configuration has no names: those of the certificate that it serves count."""
    other = authority.pair("other.test")[1]
    stage.server.install(other)
    done = stage.run("check")
    said = " ".join(done.all.split())
    assert "refuses to load: Dovecot would lose" in said and "--accept=name-lost" in said, done
    done = stage.run("rebind", "--pending")
    assert done.code == REFUSED and f"would lose {HOST}" in done.all, done
    assert stage.serves(stage.old), stage.served()
    plan = stage.run("plan", stage.old.thumbprint, stage.server.certificate, "--accept=name-lost")
    assert "reload: " in plan.out and f"doveadm -c {stage.server.conf} reload" in plan.out, plan
    done = stage.run("rebind", stage.old.thumbprint, stage.server.certificate, "--accept=name-lost")
    assert done.code == OK and stage.serves(other), done


@pytest.mark.parametrize("stage", [Stunnel, Postfix], ids=lambda kind: kind.kind, indirect=True)
def test_a_configuration_is_edited_only_where_the_description_allows_it(stage):
    """Then it names the new files where they are; a program that prints its configuration has no such place."""
    kind, text = stage.server.kind, stage.server.conf.read_text()
    cert, key = stage.new.write(stage.place / "new")
    shutil.chown(key, stage.server.user)
    done = stage.run("rebind", stage.old.thumbprint, cert, "--repoint")
    assert done.code == REFUSED and "does not edit the configuration" in done.all, done
    allowed = (REPOSITORY / f"services.d/{kind}.toml").read_text().replace("title =", "may_edit = true\ntitle =", 1)
    write(stage.place / f"services.d/{kind}.toml", allowed)
    done = stage.run("rebind", stage.old.thumbprint, cert, "--repoint")
    if kind == "postfix":
        assert done.code == REFUSED and "cannot edit this part of the configuration" in done.all, done
        assert stage.server.conf.read_text() == text and stage.serves(stage.old)
        return
    assert done.code == OK and stage.serves(stage.new), done
    assert stage.server.conf.read_text() == text.replace(str(stage.server.certificate), str(cert)).replace(
        str(stage.server.key), str(key))
    done = stage.run("undo")
    assert done.code == OK and stage.server.conf.read_text() == text, done
    stage.wait_served(stage.old)


def test_each_description_that_was_tried_is_here(place):
    kinds = place.run("service", "list", "--json").json["kinds"]
    tried = {kind["kind"] for kind in kinds if kind["tried"] and kind["described_in"] != "its own code"}
    assert tried == {kind.kind for kind in DESCRIBED + NAMED_ONLY + RESTART_ONLY}


@pytest.mark.parametrize("stage", [PostgreSQL, MariaDB], ids=lambda kind: kind.kind, indirect=True)
@both_builds
@in_shares
def test_killed_in_every_phase(stage, shim, share):
    """Files of another user than root, which are swapped with that user's rights."""
    stage.place.configure(verify=60, handshake=30)
    cert, _ = stage.new.write(stage.place / "new")
    KilledRebind(
        stage.place, [stage.server.certificate, stage.server.key],
        rebind=lambda env: stage.run("rebind", stage.old.thumbprint, cert, env=env),
        undo=lambda: stage.run("undo"), starts=lambda: None, wait_served=stage.wait_served,
    ).sweep(shim, share, stage.old, stage.new)


@pytest.mark.parametrize("kind", RESTART_ONLY, ids=lambda kind: kind.kind)
def test_what_needs_a_restart_is_said_and_left_alone(place, authority, kind):
    """certrebind restarts no server unasked: it goes on with the old certificate until somebody does."""
    stage = Stage(place, authority, kind)
    cert, _ = stage.new.write(place / "new")
    before = stage.server.files()
    done = stage.run("rebind", stage.old.thumbprint, cert)
    assert done.code == REFUSED and "loads certificates at its start only" in done.all, done
    assert stage.server.files() == before
    stage.server.install(stage.new)
    done = stage.run("rebind", "--pending")
    assert done.code == REFUSED and "loads certificates at its start only" in done.all, done
    assert stage.serves(stage.old), stage.served()
    done = stage.run("check")
    assert done.code == WARNING and "renewed but not reloaded" in done.out, done
    stage.server.stop()
    stage.server.start()
    stage.wait_served(stage.new)
    done = stage.run("check")
    assert done.code == OK, done
