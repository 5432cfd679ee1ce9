"""Described services: who may describe them, and with whose rights they are read, reloaded and written."""
import contextlib
import datetime
import json
import os
import pathlib
import pwd
import shutil
import sqlite3
import tempfile

import pytest

from command import REPOSITORY
from files import write
from markers import needs_root
from pki import utc_now
from servers.described import Stunnel
from servers.exim import Exim
from servers.postgresql import PostgreSQL
from servers.slapd import Slapd
from waiting import until

pytestmark = needs_root
OK, REFUSED, USAGE = 0, 1, 2
STUNNEL = (REPOSITORY / "services.d/stunnel.toml").read_text()


@pytest.fixture
def descriptions(place):
    (place / "services.d").mkdir()
    return place / "services.d"


@pytest.fixture
def database(place, authority):
    """PostgreSQL, whose configuration and files belong to postgres."""
    place.configure(handshake=30)
    server = PostgreSQL(place / "s")
    place.at_end(server.stop)
    server.pair = authority.pair("mx.test")
    server.own("tls")
    server.certificate, server.key = server.prefix / "tls/cert.pem", server.prefix / "tls/key.pem"
    install(server, server.pair[0])
    server.write().start()
    return server


def install(server, certificate, key=None):
    write(server.certificate, certificate.fullchain_pem)
    write(server.key, key or certificate.key_pem, 0o600)
    for path in (server.certificate, server.key):
        shutil.chown(path, "postgres")


def test_a_mistake_is_named_and_the_rest_goes_on(place, descriptions):
    write(descriptions / "mine.toml", STUNNEL.replace('kind = "stunnel"', 'kind = "mine"\ntitl = "x"'))
    done = place.run("service", "list")
    assert done.code == 1 and "mine.toml:" in done.err and "unknown setting 'titl'" in done.err, done
    assert "did you mean 'title'?" in done.err and "postfix" in done.out, done
    done = place.run("service", "test", descriptions / "mine.toml")
    assert done.code == USAGE and "mine.toml:" in done.err, done


@pytest.mark.parametrize("spoil", [lambda path: path.chmod(0o666), lambda path: shutil.chown(path, "nobody"),
                                   lambda path: path.parent.chmod(0o777)], ids=["writable", "owned", "directory"])
def test_a_description_that_others_may_write_is_refused(place, descriptions, spoil):
    path = write(descriptions / "mine.toml", STUNNEL.replace('kind = "stunnel"', 'kind = "mine"'))
    assert "mine" in place.run("service", "list").out
    spoil(path)
    done = place.run("service", "list")
    assert done.code == 1 and "mine.toml" in done.err and "mine.toml" not in done.out, done


def test_an_administrator_teaches_a_program(place, descriptions, authority):
    """The same program under another kind, with a description of its own."""
    write(descriptions / "tunnel.toml", STUNNEL.replace('kind = "stunnel"', 'kind = "tunnel"'))
    old, new = authority.pair("mx.test")
    server = Stunnel(place / "s")
    place.at_end(server.stop)
    server.install(old).write().start()
    done = place.run("service", "test", descriptions / "tunnel.toml")
    assert done.code == OK and f"tunnel:{server.conf}" in done.out and old.thumbprint[:16] in done.out, done
    for mistake in ("{accept}", "{acept}"), ('certificate = "cert"', 'certificate = "crt"'):
        wrong = write(descriptions / "wrong.toml", STUNNEL.replace(*mistake))
        done = place.run("service", "test", wrong)
        said = " ".join(done.err.split())
        assert done.code == 1 and f"wrong.toml: finds no certificate with a listener in {server.conf}" in said, done
        wrong.unlink()
    cert, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, cert, "--service", f"tunnel:{server.conf}")
    assert done.code == OK, done


def test_files_of_the_services_user_stay_his(place, database):
    cert, _ = database.pair[1].write(place / "new")
    done = place.run("rebind", database.pair[0].thumbprint, cert, "--service", database.service)
    assert done.code == OK, done
    assert database.key.read_text() == database.pair[1].key_pem
    for path, mode in ((database.certificate, 0o644), (database.key, 0o600)):
        assert path.owner() == "postgres" and path.stat().st_mode & 0o777 == mode, path


def test_his_configuration_is_edited_with_his_rights(place, descriptions, database):
    """The files are root's; only the directory of the configuration is his."""
    text = (REPOSITORY / "services.d/postgresql.toml").read_text()
    write(descriptions / "postgresql.toml", text.replace("title =", "may_edit = true\ntitle =", 1))
    shutil.chown(database.prefix / "tls", "root")
    old, new = database.pair
    cert, key = new.write(place / "new")
    shutil.chown(key, "postgres")
    done = place.run("rebind", old.thumbprint, cert, "--repoint", "--service", database.service)
    assert done.code == OK and str(cert) in database.conf.read_text(), done
    assert pwd.getpwuid(database.conf.stat().st_uid).pw_name == "postgres"
    with contextlib.closing(sqlite3.connect(place.state / "state.db")) as state:
        (record,) = state.execute("SELECT record FROM records").fetchone()
    assert json.loads(record)["files_of"] == pwd.getpwnam("postgres").pw_uid


def test_nobody_gets_a_key_by_binding_a_certificate_that_he_has_seen(place, database, authority):
    """The user of the database names the public certificate of another site, whose key he does not have."""
    old, new = authority.pair("www.example.com")
    install(database, old, key=database.pair[0].key_pem)
    cert, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, cert, "--service", database.service)
    assert done.code == REFUSED and "does not have the key" in done.all, done
    assert database.key.read_text() == database.pair[0].key_pem
    assert database.certificate.read_text() == old.fullchain_pem


def test_a_link_to_a_file_of_root_is_not_written_through(place, database):
    """The user of the database has his paths lead to files of root's."""
    roots = place / "roots"
    roots.mkdir(mode=0o755)
    paths = [shutil.copy(path, roots / path.name) for path in (database.certificate, database.key)]
    os.chmod(paths[1], 0o640)
    os.chown(paths[1], 0, pwd.getpwnam("postgres").pw_gid)
    for path, target in zip((database.certificate, database.key), paths):
        path.unlink()
        path.symlink_to(target)
    before = [open(path).read() for path in paths]
    cert, _ = database.pair[1].write(place / "new")
    done = place.run("rebind", database.pair[0].thumbprint, cert, "--service", database.service)
    assert done.code in (REFUSED, 3), done
    assert [open(path).read() for path in paths] == before


def test_a_program_that_others_may_change_is_not_run(place, descriptions, authority):
    """A description has root run a program that nobody could write."""
    program = write(place / "print", f"#!/bin/sh\ntouch {place.path}/ran\n", 0o755)
    shutil.chown(program, "nobody")
    write(descriptions / "mine.toml", STUNNEL.replace('kind = "stunnel"', 'kind = "mine"').replace(
        'format = "ini"', f'format = "ini"\ncommand = ["{program}"]'))
    server = Stunnel(place / "s")
    place.at_end(server.stop)
    server.install(authority.issue("mx.test")).write().start()
    done = place.run("scan", "--service", f"mine:{server.conf}")
    assert done.code != OK and str(program) in done.err, done
    assert not (place / "ran").exists()


def test_an_encrypted_key_is_no_proof_of_having_it(place, database, authority):
    old, new = authority.issue("www.example.com", key="rsa2048"), authority.issue("www.example.com", days=91)
    install(database, old, key=database.pair[0].encrypted_key_pem())
    before = database.key.read_text()
    cert, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, cert, "--service", database.service)
    assert done.code == REFUSED, done
    assert database.key.read_text() == before


def test_names_alone_give_no_user_a_key(place, database, authority):
    """He signs a certificate with the names of one that is in a store of root's, which clients trust."""
    roots = write(place / "roots.pem", authority.root_pem)
    own = authority.issue("mail.test", days=10, self_signed=True, not_before=utc_now() - datetime.timedelta(days=1),
                          not_after=utc_now() + datetime.timedelta(days=9))
    database.stop()
    install(database, own)
    database.start()
    authority.issue("mail.test", days=90).write(place / "store", "mail.pem", "mail.key")
    place.configure(stores=[("directory", place / "store")], handshake=30)
    done = place.run("rebind", "--pending", "--service", database.service, env={"SSL_CERT_FILE": str(roots)})
    assert done.code == OK and "nothing differs" in done.all, done
    assert database.key.read_text() == own.key_pem
    assert database.certificate.read_text() == own.fullchain_pem


def test_restore_brings_a_user_no_key(place, database):
    """Root keeps no keys of other users, and brings none to them."""
    cert, _ = database.pair[1].write(place / "new")
    assert place.run("rebind", database.pair[0].thumbprint, cert, "--service", database.service).code == OK
    database.key.write_text(database.pair[0].key_pem)
    done = place.run("restore", database.certificate, "--service", database.service)
    assert done.code != OK and "belongs to user" in done.all, done
    assert database.key.read_text() == database.pair[0].key_pem


def test_a_users_process_has_no_program_run_as_root(place, descriptions, authority):
    """It names a configuration that only root could write."""
    log = place / "log"
    log.mkdir(mode=0o777)
    log.chmod(0o777)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="certrebind-test-", dir="/usr/local/lib"))
    directory.chmod(0o755)
    program = write(directory / "print", f"#!/bin/sh\nid -u >> {log}/user.$$\ncat \"$1\"\n", 0o755)
    place.at_end(lambda: shutil.rmtree(directory))
    text = STUNNEL.replace('kind = "stunnel"', 'kind = "mine"').replace('users = ["stunnel4"]', 'users = ["nobody"]')
    write(descriptions / "mine.toml", text.replace(
        'format = "ini"', f'format = "ini"\ncommand = ["{program}", "{{configuration}}"]'))
    server = Stunnel(place / "s")
    place.at_end(server.stop)
    server.install(authority.issue("mx.test")).write()
    shutil.chown(server.key, "nobody")
    shutil.chown(server.prefix / "run", "nobody")
    server.user = "nobody"
    command = server.command
    server.command = lambda: ["setpriv", "--reuid=nobody", "--clear-groups", *command()]
    server.start()
    done = place.run("scan", "--service", f"mine:{server.conf}")
    assert done.code == OK and "mx.test" in done.out, done
    users = {path.read_text().strip() for path in log.iterdir()}
    assert users == {str(pwd.getpwnam("nobody").pw_uid)}, users


@pytest.mark.parametrize("line", ['commands = [["{program}"]]', 'signal = "HUP"\n'], ids=["reload", "test"])
def test_no_program_that_others_may_change_tests_or_reloads(place, descriptions, authority, line):
    program = write(place / "program", f"#!/bin/sh\ntouch {place.path}/ran\n", 0o755)
    shutil.chown(program, "nobody")
    text = STUNNEL.replace('kind = "stunnel"', 'kind = "mine"').replace(
        'signal = "HUP"', line.format(program=program))
    if "HUP" in line:
        text = text.replace("[process]", f'test = ["{program}"]\n[process]', 1)
    write(descriptions / "mine.toml", text)
    old, new = authority.pair("mx.test")
    server = Stunnel(place / "s")
    place.at_end(server.stop)
    server.install(old).write().start()
    cert, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, cert, "--service", f"mine:{server.conf}")
    assert done.code == REFUSED and str(program) in done.all, done
    assert not (place / "ran").exists() and server.certificate.read_text() == old.fullchain_pem


@pytest.fixture
def program(place):
    """Reloads a process, and writes down who runs it, and with what."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="certrebind-test-", dir="/usr/local/lib"))
    directory.chmod(0o755)
    place.at_end(lambda: shutil.rmtree(directory))
    log = place / "log"
    log.mkdir(mode=0o777)
    log.chmod(0o777)
    return write(directory / "reload", f"#!/bin/sh\n(id -u; env; cat) > {log}/ran\nkill -HUP $1\n", 0o755), log / "ran"


class StunnelOfNobody(Stunnel):
    user = "nobody"

    @property
    def env(self):
        return {**super().env, "OF_THE_PROCESS": "yes"}

    def command(self):
        shutil.chown(self.prefix / "run", self.user)
        return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *super().command()]


def rebound_by(place, descriptions, authority, reload, value="a value"):
    """A server of nobody's, which has a further setting `x`."""
    text = STUNNEL.replace('kind = "stunnel"', 'kind = "mine"').replace('users = ["stunnel4"]', 'users = ["nobody"]')
    text = text.replace('[[listener]]', '[[read]]\nformat = "json"\nfile = "{configuration}.json"\n[[listener]]', 1)
    write(descriptions / "mine.toml", text[:text.index("[[reload]]")] + "[[reload]]\n" + reload)
    old, new = authority.pair("mx.test")
    server = StunnelOfNobody(place / "s")
    place.at_end(server.stop)
    write(f"{server.conf}.json", json.dumps({"x": value}))
    server.install(old).write().start()
    server.install(new)
    return place.run("rebind", "--pending", "--service", f"mine:{server.conf}")


@pytest.mark.parametrize("as_root", [True, False])
def test_root_runs_a_reload_only_if_the_description_says_so(place, descriptions, authority, program, as_root):
    path, ran = program
    done = rebound_by(place, descriptions, authority,
                      f'commands = [["{path}", "{{pid}}"]]\ninput = "{{x}}"\nas_root = {str(as_root).lower()}\n')
    assert done.code == OK, done
    lines = ran.read_text().splitlines()
    assert lines[0] == str(0 if as_root else pwd.getpwnam("nobody").pw_uid), lines
    assert ("OF_THE_PROCESS=yes" in lines) != as_root and lines[-1] == "a value", lines


def test_a_line_break_in_a_setting_gets_nothing_run_as_root(place, descriptions, authority, program):
    path, ran = program
    done = rebound_by(place, descriptions, authority, f'commands = [["{path}"]]\ninput = "{{x}}"\nas_root = true\n',
                      value="one\ntwo")
    assert done.code == REFUSED and "a setting has a line break" in done.all, done
    assert not ran.exists()


def test_roots_reload_of_slapd_changes_no_directory(place, descriptions, authority):
    """Whoever answers there: where the values are others, nothing is written."""
    slapd = (REPOSITORY / "services.d/slapd.toml").read_text().replace('kind = "slapd"', 'kind = "mine"')
    write(descriptions / "mine.toml", slapd.replace(
        "# -h has", '[[read]]\nformat = "assignments"\nfile = "{configuration}.other"\n# -h has'))
    old, new = authority.pair("mx.test")
    server = Slapd(place / "s")
    place.at_end(server.stop)
    server.install(old).write().start()
    elsewhere = Slapd(place / "elsewhere").install(old)
    write(f"{server.conf}.other", f"olcTLSCertificateFile: {elsewhere.certificate}\n"
                                  f"olcTLSCertificateKeyFile: {elsewhere.key}\n")
    elsewhere.install(new)
    done = place.run("rebind", "--pending", "--service", f"mine:{server.conf}")
    assert done.code != OK and "No such attribute" in done.all, done
    text = (server.conf / "cn=config.ldif").read_text()
    assert str(server.certificate) in text and str(elsewhere.certificate) not in text


@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_exim_is_asked_by_root_only_for_what_its_user_can_read(place, authority, mode):
    """Its user may not name a configuration. Asking as that user would be a panic, which Exim writes down."""
    server = Exim(place / "s")
    place.at_end(server.stop)
    server.install(authority.issue("mx.test")).write().start()
    server.conf.chmod(mode)
    done = place.run("scan", "--service", server.service)
    if mode == 0o644:
        assert done.code == OK and "mx.test" in done.out, done
    else:
        assert done.code != OK and str(server.conf) in done.err and "primary_hostname" not in done.all, done
    assert not (server.prefix / "run/paniclog").exists()


def test_a_description_that_others_may_write_is_not_tried(place, authority):
    """The command would run what it says, with root's rights."""
    path = write(place / "mine.toml", STUNNEL)
    shutil.chown(path, "nobody")
    done = place.run("service", "test", path)
    assert done.code == REFUSED and "belongs to user" in done.err, done
