"""What descriptions can say that the product's own do not need, or need on other versions only, on real servers."""
import pytest

from command import REPOSITORY, probed
from files import write
from markers import needs_root
from ports import free_port
from servers.described import Redis, Stunnel
from servers.mariadb import MariaDB
from servers.rabbitmq import RabbitMQ
from servers.systemd import Systemd
from waiting import until

pytestmark = needs_root
HOST = "mx.test"
OK, WARNING, ROLLED_BACK, NEEDS_OPERATOR = 0, 1, 3, 4


def describe(place, kind, *changes):
    """The product's description, with these texts in place of others."""
    text = (REPOSITORY / f"services.d/{kind}.toml").read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    write(place / f"services.d/{kind}.toml", text)


class Stage:
    """A running server that serves OLD."""

    def __init__(self, place, authority, kind):
        place.configure(verify=3, handshake=30)
        self.place, self.server = place, kind(place / "s")
        self.old, self.new = authority.pair(HOST)
        place.at_end(self.server.stop)
        self.server.install(self.old).write()
        self.server.start()
        until(lambda: self.served() == self.old.thumbprint, "it serves the old certificate")

    def served(self):
        dialect, port = next(iter(self.server.endpoints.items()))
        return probed(port, dialect, HOST)

    def run(self, *arguments):
        return self.place.run(*arguments, "--service", self.server.service)


NO_HANDSHAKE = ('[[listener]]\n', '[[listener]]\nunproven = "it is asked in a way that nobody knows"\n')
NO_FLUSH = ("FLUSH SSL", "SELECT 1")


@pytest.mark.parametrize("changes, code, says, is_new", [
    ((NO_HANDSHAKE,), OK, "the server says that it has loaded it", True),
    ((NO_HANDSHAKE, NO_FLUSH), ROLLED_BACK, "the server says that it has not loaded", False),
], ids=["loaded", "not loaded"])
def test_what_the_server_says_proves_what_no_handshake_shows(place, authority, changes, code, says, is_new):
    describe(place, "mariadb", *changes)
    stage = Stage(place, authority, MariaDB)
    cert, _ = stage.new.write(place / "new")
    done = stage.run("rebind", stage.old.thumbprint, cert)
    assert done.code == code and says in done.all, done
    assert stage.served() == (stage.new if is_new else stage.old).thumbprint
    assert (stage.server.certificate.read_text() == stage.new.fullchain_pem) == is_new


def test_check_names_what_the_server_has_not_loaded(place, authority):
    describe(place, "mariadb", NO_HANDSHAKE)
    stage = Stage(place, authority, MariaDB)
    says = f"the server says that it has not loaded {stage.server.certificate}"
    done = stage.run("check")
    assert done.code == OK, done
    stage.server.install(stage.new)
    done = stage.run("check")
    assert done.code == WARNING and says in done.out, done
    done = place.run("service", "test", place / "services.d/mariadb.toml")
    assert done.code == WARNING and says in done.all and "loaded: asked by /usr/bin/mariadb " in done.out, done


def test_one_that_cannot_be_asked_is_no_success(place, authority):
    describe(place, "mariadb", NO_HANDSHAKE, ("SHOW GLOBAL STATUS", "SHOW GLOBAL STATIC"))
    stage = Stage(place, authority, MariaDB)
    done = stage.run("check")
    assert done.code == WARNING and "nothing tells which certificate the server has loaded" in done.out, done
    cert, _ = stage.new.write(place / "new")
    done = stage.run("rebind", stage.old.thumbprint, cert)
    assert done.code == ROLLED_BACK and "exited with 1:" in done.all and "ERROR 1064" in done.all, done
    assert stage.served() == stage.old.thumbprint


def test_the_proof_waits_as_long_as_a_server_may_cache(place, authority, monkeypatch):
    """Erlang reads files again after some time, here 30 seconds, without a command. Of a server that is tested the proof
    would wait for 3."""
    describe(place, "rabbitmq", ('commands = [["rabbitmqctl", "eval", "ssl:clear_pem_cache()."]]',
                                 "per_connection = true\nmay_cache = 100"), ("[process]\n", 'test = ["true"]\n[process]\n'))
    monkeypatch.setenv("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-ssl ssl_pem_cache_clean 30000")
    stage = Stage(place, authority, RabbitMQ)
    cert, _ = stage.new.write(place / "new")
    done = stage.run("rebind", stage.old.thumbprint, cert)
    assert done.code == OK and stage.served() == stage.new.thumbprint, done


class RedisSocket(Redis):
    """It takes commands without TLS, too."""

    def configuration(self):
        return super().configuration().replace("port 0\n", f"port {free_port()}\n", 1) + (
            f"unixsocket {self.prefix}/run/redis.sock\n")


SAY = r"""
[[reload]]
socket = "{unixsocket}"
say = "AUTH {requirepass}\r\nCONFIG SET tls-cert-file {tls-cert-file} tls-key-file {tls-key-file}\r\nQUIT\r\n"
answer = "+OK*+OK*+OK"
"""


@pytest.mark.parametrize("change, code, says", [
    (("", ""), OK, "committed"),
    (("{unixsocket}", "127.0.0.1:{port}"), OK, "committed"),
    (("CONFIG", "CONFUSE"), NEEDS_OPERATOR, "answered:\n    +OK\n    -ERR unknown command 'CONFUSE', with"),
    (("{unixsocket}", "/nowhere"), ROLLED_BACK, "/nowhere"),
], ids=["UNIX socket", "port", "refused", "no socket"])
def test_what_is_said_at_a_socket_reloads_it(place, authority, change, code, says):
    text = (REPOSITORY / "services.d/redis.toml").read_text()
    write(place / "services.d/redis.toml", text[:text.index("# The password goes")] + SAY.replace(*change))
    stage = Stage(place, authority, RedisSocket)
    cert, _ = stage.new.write(place / "new")
    done = stage.run("plan", stage.old.thumbprint, cert)
    assert "tell it over" in done.out and "secret" not in done.all, done
    done = stage.run("rebind", stage.old.thumbprint, cert)
    assert done.code == code and says in done.all and "secret" not in done.all, done
    assert stage.served() == (stage.new if code == OK else stage.old).thumbprint


@pytest.mark.parametrize("number, is_read", [("5.0", True), ("99.0", False)])
def test_a_part_holds_for_some_versions_only(place, authority, number, is_read):
    describe(place, "stunnel", ("[process]\n", '[process]\nversion = ["{executable}", "-version"]\n'),
             ('when = ["accept", "client != yes", "protocol != smtp',
              f'when = ["version >= {number}", "accept", "client != yes", "protocol != smtp'))
    stage = Stage(place, authority, Stunnel)
    done = stage.run("scan")
    assert (f"127.0.0.1:{stage.server.port}" in done.out) == is_read, done


def test_a_program_without_a_version_is_said(place, authority):
    describe(place, "stunnel", ("[process]\n", '[process]\nversion = ["true"]\n'))
    stage = Stage(place, authority, Stunnel)
    done = stage.run("check")
    assert done.code != OK and "printed none" in done.all, done


def test_only_processes_of_a_unit_are_of_the_kind(place, authority):
    """The same program runs in a unit of another name, too."""
    describe(place, "stunnel", ("[process]\n", '[process]\nunits = ["tunnel@*"]\nonly_in_units = true\n'))
    ours, other = Stunnel(place / "ours"), Stunnel(place / "other")
    for server in (ours, other):
        server.install(authority.issue(HOST)).write()
    systemd = Systemd(place, {"tunnel@a": ours.command(), "other": other.command()})
    for unit in ("tunnel@a", "other"):
        done = systemd.systemctl("start", unit)
        assert done.returncode == 0, done
    until(lambda: ours.is_up() and other.is_up(), "both run")
    done = place.run("scan", before=systemd.before)
    assert str(ours.conf) in done.out and str(other.conf) not in done.out, done
