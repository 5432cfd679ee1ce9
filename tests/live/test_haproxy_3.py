"""What HAProxy can say from 3.0 and from 3.2 on, on the real one. Debian 12 has 2.6: scripts/newer-haproxy fetches
later ones and runs these tests, and all the others of HAProxy, on them."""
import datetime
import re
import subprocess

import pytest

from acme import Pebble, Relay
from command import committed
from files import write
from handshakes import handshake
from markers import since_haproxy
from ocsp import ocsp_response
from pki import utc_now
from ports import free_port
from stages.one_frontend import frontend, scan
from waiting import until

REFUSED = 1
RENEWAL = 120  # seconds: HAProxy tries again after 3, 9, 27 seconds


class Stage:
    """One site whose certificate and key lie in files of their own; NEW lies loose in new/."""

    def __init__(self, place, authority, socket):
        self.place, self.name, self.port = place, "a.example.com", free_port()
        self.old, self.new = authority.pair(self.name)
        self.certificate, self.key = self.old.write(place / "certs")
        self.haproxy = place.haproxy(socket=socket)
        self.new_cert, _ = self.new.write(place / "new")

    def start(self, bind, more="", before=""):
        self.haproxy.write(f"{before}\nfrontend www\n bind 127.0.0.1:{self.port} ssl {bind}\n{more}\n"
                           " http-request return status 200 content-type text/plain string ok\n").start()
        return self

    def rebinds(self, kind, *options):
        found = scan(self.place, self.haproxy)
        assert not found["diagnostics"], found
        assert {b["certificate_path"] for b in found["bindings"]} == {str(self.certificate)}
        done = self.place.run("rebind", self.old.thumbprint, self.new_cert, "--json", *options,
                              "--service", self.haproxy.service)
        committed(done, kind)
        assert handshake(self.port, self.name) == self.new.thumbprint
        assert self.haproxy.reloads() == (0 if self.haproxy.has_socket and kind == "rewrite" else 1)
        self.haproxy.reload()
        assert handshake(self.port, self.name) == self.new.thumbprint
        undone = self.place.run("undo", "--service", self.haproxy.service)
        assert undone.code == 0, undone
        assert handshake(self.port, self.name) == self.old.thumbprint


@since_haproxy(3, 0)
@pytest.mark.parametrize("named", ["main", "site.pem"])
@pytest.mark.parametrize("socket", [True, False])
def test_a_certificate_of_a_crt_store(place, authority, socket, named):
    stage = Stage(place, authority, socket)
    load = f'crt "{stage.certificate.name}" key "{stage.key.name}"'
    alias = ' alias "main"' if named == "main" else ""
    stage.start(f"crt @web/{'main' if alias else stage.certificate.name}",
                before=f"crt-store web\n crt-base {stage.certificate.parent}\n key-base {stage.key.parent}\n"
                       f" load {load}{alias}\n").rebinds("rewrite")


@since_haproxy(3, 2)
@pytest.mark.parametrize("kind", ["rewrite", "repoint"])
@pytest.mark.parametrize("socket", [True, False])
def test_a_certificate_of_ssl_f_use(place, authority, socket, kind):
    stage = Stage(place, authority, socket)
    stage.start("", f" ssl-f-use crt {stage.certificate} key {stage.key}\n").rebinds(kind, f"--{kind}")


STORE = "crt-store\n load crt {certificate} key {key}\n"
KEY_APART = {
    "by the store without a name": (STORE, "crt {certificate}", []),
    "by a store, for a directory": (STORE, "crt {directory}", []),
    "by a store, for a crt-list": (STORE, "crt-list {list}", ["{certificate} a.example.com"]),
    "by a store, under another name": (STORE.replace("\n load", " web\n load"), "crt @web{certificate}", []),
    "by an option of a crt-list": ("", "crt-list {list}", ["{certificate} [key {key}] a.example.com"]),
    "by an option among others": ("", "crt-list {list}", ["{certificate} [alpn h2 key {key}]"]),
    "by an option of two lines": ("", "crt-list {list}", ["{certificate} [key {key}] x.example.com",
                                                          "{certificate} [ key {key} ] a.example.com"]),
}


@since_haproxy(3, 0)
@pytest.mark.parametrize("named", KEY_APART)
@pytest.mark.parametrize("socket", [True, False])
def test_a_key_that_is_named_apart(place, authority, socket, named):
    """Neither in the certificate's file nor where HAProxy would look for one beside it."""
    stage = Stage(place, authority, socket)
    stage.key = stage.key.rename(place / "apart.pem")
    where = {"certificate": stage.certificate, "key": stage.key, "directory": stage.certificate.parent,
             "list": place / "list"}
    before, tls, lines = KEY_APART[named]
    write(where["list"], "".join(line.format(**where) + "\n" for line in lines))
    stage.start(tls.format(**where), before=before.format(**where))
    stage.rebinds("rewrite")
    assert "PRIVATE" not in stage.certificate.read_text()
    assert stage.key.read_text() == stage.old.key_pem


# --------------------------------------------------------------------------- what options name beside it

def staples(port, name):
    """Whether the server sends an OCSP response that says good."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, "-status"],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    return b"Cert Status: good" in done.stdout


@pytest.mark.parametrize("socket", [True, False])
@pytest.mark.parametrize("named", [
    pytest.param("crt-store", marks=since_haproxy(3, 0)), pytest.param("crt-list", marks=since_haproxy(3, 0)),
    pytest.param("ssl-f-use", marks=since_haproxy(3, 2))])
def test_an_ocsp_response_that_an_option_names(place, authority, named, socket):
    """It is emptied, wherever it is, and HAProxy staples it no longer; undo brings it back."""
    stage = Stage(place, authority, socket)
    response = place / "stapled/response.der"
    response.parent.mkdir()
    before = ocsp_response(authority, stage.old)
    response.write_bytes(before)
    options = f"key {stage.key} ocsp {response}"
    listed = write(place / "list", f"{stage.certificate} [{options}] {stage.name}\n")
    if named == "crt-store":
        stage.start("crt @web/a", before=f"crt-store web\n load crt {stage.certificate} {options} alias a\n")
    elif named == "crt-list":
        stage.start(f"crt-list {listed}")
    else:
        stage.start("", f" ssl-f-use crt {stage.certificate} {options}\n")
    assert staples(stage.port, stage.name)
    done = place.run("rebind", stage.old.thumbprint, stage.new_cert, "--service", stage.haproxy.service)
    assert done.code == 0, done
    assert f"{response} is emptied, because its OCSP response belongs to the old certificate" in done.out
    assert response.read_bytes() == b""
    assert handshake(stage.port, stage.name) == stage.new.thumbprint
    assert not staples(stage.port, stage.name)
    assert stage.haproxy.reloads() == (0 if socket else 1)
    undone = place.run("undo", "--service", stage.haproxy.service)
    assert undone.code == 0, undone
    assert handshake(stage.port, stage.name) == stage.old.thumbprint
    assert response.read_bytes() == before
    assert staples(stage.port, stage.name)


# ------------------------------------------------------------------------------- ACME of HAProxy itself

class Renewing:
    """Two sites; HAProxy itself has renewed the certificate of one of them, in its memory only."""

    FORMS = {
        "crt-store": ("crt-store\n load crt {pem} acme LE domains a.example.com alias aa\n", "crt @/aa", ""),
        "crt-list": ("", "crt-list {list}", ""),
        "ssl-f-use": ("", "", " ssl-f-use crt {pem} acme LE domains a.example.com\n"),
    }

    def __init__(self, place, authority, form="crt-store", socket=True, days_left=3):
        self.place, self.port = place, free_port()
        pebble = Pebble(place, days=90)
        relay = Relay(place, pebble)
        self.trusted = write(place / "trusted.pem", pebble.root() + authority.root_pem)
        now = utc_now()
        self.disk = authority.issue("a.example.com", not_before=now - datetime.timedelta(days=80),
                                    not_after=now + datetime.timedelta(days=days_left))
        self.other, self.new = authority.pair("b.example.com")
        self.pem = self.disk.write_combined(place / "a.pem")
        self.other_pem = self.other.write_combined(place / "b.pem")
        self.new_cert, _ = self.new.write(place / "new")
        crt_list = write(place / "list", f"{self.pem} [acme LE domains a.example.com] a.example.com\n")
        before, tls, extra = (each.format(pem=self.pem, list=crt_list) for each in self.FORMS[form])
        self.haproxy = place.haproxy(socket=socket)
        self.haproxy.write(
            f"acme LE\n directory {relay.url}\n account-key {place / 'account.key'}\n contact x@example.com\n"
            f" keytype ECDSA\n curves P-256\n{before}" + frontend(self.port, tls, extra=extra) +
            frontend(free_port(), f"crt {self.other_pem}", "other"),
            main=" expose-experimental-directives\n httpclient.ssl.verify none\n").start()
        until(lambda: self.served() != self.disk.thumbprint, "HAProxy has renewed the certificate", RENEWAL)
        self.renewed = self.served()

    def served(self):
        return handshake(self.port, "a.example.com")

    def run(self, *arguments, **options):
        return self.place.run(*arguments, "--service", self.haproxy.service,
                              env={"SSL_CERT_FILE": str(self.trusted)}, **options)


@since_haproxy(3, 2)
@pytest.mark.parametrize("form", Renewing.FORMS)
def test_check_tells_what_is_renewed_in_memory_only(place, authority, form):
    """What it says to do next saves it."""
    stage = Renewing(place, authority, form)
    checked = stage.run("check")
    assert checked.code == 1, checked
    assert f"serves {stage.renewed[:16]}, which the server itself renewed in its memory only" in checked.out
    next_step = re.search(r"\(umask 077; echo '(dump ssl cert .*?)' \| socat - 'UNIX-CONNECT:(.*?)' >renewed.pem\) "
                          r"&& certrebind rebind (\S+) renewed.pem", checked.out)
    assert next_step[2] == str(stage.haproxy.socket_path)
    write(place / "renewed.pem", stage.haproxy.say(next_step[1] + "\n"), 0o600)
    saved = stage.run("rebind", next_step[3], place / "renewed.pem")
    assert saved.code == 0, saved
    assert stage.served() == stage.renewed
    stage.haproxy.reload()
    assert stage.served() == stage.renewed
    assert "in its memory only" not in stage.run("check").out


@since_haproxy(3, 2)
def test_the_expired_certificate_that_acme_starts_with_is_no_outage(place, authority):
    """HAProxy's manual recommends one. Nobody is shown it as long as HAProxy is not reloaded."""
    stage = Renewing(place, authority, days_left=-1)
    checked = stage.run("check")
    assert checked.code == 1 and "in its memory only" in checked.out and "expired" not in checked.out, checked


@since_haproxy(3, 2)
def test_a_rebind_of_another_site_keeps_what_is_in_memory(place, authority):
    stage = Renewing(place, authority)
    committed(stage.run("rebind", stage.other.thumbprint, stage.new_cert, "--json"))
    assert stage.haproxy.reloads() == 0
    assert stage.served() == stage.renewed
    # Where only a reload would do, it is refused.
    place.configure(stores=[("directory", place / "store")])
    moved = authority.issue("b.example.com", days=91).write_combined(place / "store/b.pem")
    done = stage.run("rebind", stage.new.thumbprint, moved, "--repoint")
    assert done.code == REFUSED and "dump ssl cert @/aa" in done.out, done
    assert stage.haproxy.reloads() == 0 and stage.served() == stage.renewed
    # Nor does automation take it back, or lose it.
    assert stage.run("rebind", "--pending").code in (0, 1)
    assert stage.haproxy.reloads() == 0 and stage.served() == stage.renewed


@since_haproxy(3, 2)
def test_without_a_socket_a_reload_is_refused_while_memory_is_newer(place, authority):
    stage = Renewing(place, authority, socket=False)
    done = stage.run("rebind", stage.other.thumbprint, stage.new_cert)
    assert done.code == REFUSED and "in its memory only" in done.out, done
    assert stage.haproxy.reloads() == 0 and stage.served() == stage.renewed
    assert stage.other_pem.read_text() == stage.other.fullchain_pem + stage.other.key_pem


@since_haproxy(3, 2)
def test_what_is_in_memory_is_replaced_only_by_name(place, authority):
    stage = Renewing(place, authority)
    newest = authority.issue("a.example.com", days=91)
    path, _ = newest.write(place / "newest")
    done = stage.run("rebind", stage.disk.thumbprint, path)
    assert done.code == REFUSED and "dump ssl cert @/aa" in done.out, done
    assert stage.served() == stage.renewed


@since_haproxy(3, 2)
def test_an_undo_of_another_site_does_not_lose_what_is_in_memory(place, authority):
    """The other site was rebound before HAProxy renewed; its directive goes back by a reload only."""
    stage = Renewing(place, authority)
    write(place / "renewed.pem", stage.haproxy.say("dump ssl cert @/aa\n"), 0o600)
    assert stage.run("rebind", stage.disk.thumbprint, place / "renewed.pem").code == 0
    place.configure(stores=[("directory", place / "store")])
    moved = stage.new.write_combined(place / "store/b.pem")
    assert stage.run("rebind", stage.other.thumbprint, moved, "--repoint").code == 0
    before = stage.served()
    stage.haproxy.say("acme renew @/aa\n")
    until(lambda: stage.served() != before, "HAProxy has renewed the certificate again", RENEWAL)
    renewed, reloads = stage.served(), stage.haproxy.reloads()
    done = stage.run("undo")
    assert done.code == REFUSED and "dump ssl cert @/aa" in done.all, done
    assert stage.haproxy.reloads() == reloads and stage.served() == renewed


@since_haproxy(3, 2)
def test_a_restore_of_another_site_does_not_lose_what_is_in_memory(place, authority):
    stage = Renewing(place, authority, socket=False)
    stage.run("rebind", "--pending")  # keeps what is served
    stage.new.write_combined(stage.other_pem)
    done = stage.run("restore", stage.other_pem)
    assert done.code == REFUSED and "in its memory only" in done.all, done
    assert stage.haproxy.reloads() == 0 and stage.served() == stage.renewed
