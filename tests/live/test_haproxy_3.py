"""What HAProxy can say from 3.0 and from 3.2 on, on the real one. Debian 12 has 2.6: scripts/newer-haproxy fetches
later ones and runs these tests, and all the others of HAProxy, on them."""
import pytest

from command import committed
from files import write
from handshakes import handshake
from ports import free_port
from servers.haproxy import haproxy_version
from stages.one_frontend import scan


def since(*needed):
    return pytest.mark.skipif(haproxy_version() < needed,
                              reason=f"this HAProxy is older than {needed}")


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
        assert [b["certificate_path"] for b in found["bindings"]] == [str(self.certificate)]
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


@pytest.mark.parametrize("named", ["main", "site.pem"])
@pytest.mark.parametrize("socket", [True, False])
def test_a_certificate_of_a_crt_store(place, authority, socket, named):
    stage = Stage(place, authority, socket)
    load = f'crt "{stage.certificate.name}" key "{stage.key.name}"'
    alias = ' alias "main"' if named == "main" else ""
    stage.start(f"crt @web/{'main' if alias else stage.certificate.name}",
                before=f"crt-store web\n crt-base {stage.certificate.parent}\n key-base {stage.key.parent}\n"
                       f" load {load}{alias}\n").rebinds("rewrite")


@since(3, 2)
@pytest.mark.parametrize("kind", ["rewrite", "repoint"])
@pytest.mark.parametrize("socket", [True, False])
def test_a_certificate_of_ssl_f_use(place, authority, socket, kind):
    stage = Stage(place, authority, socket)
    stage.start("", f" ssl-f-use crt {stage.certificate} key {stage.key}\n").rebinds(kind, f"--{kind}")


@since(3, 0)
@pytest.mark.parametrize("named", ["by the store without a name", "by an option of a crt-list"])
@pytest.mark.parametrize("socket", [True, False])
def test_a_key_that_is_named_apart(place, authority, socket, named):
    """Neither in the certificate's file nor where HAProxy would look for one beside it."""
    stage = Stage(place, authority, socket)
    stage.key = stage.key.rename(place / "apart.pem")
    if named.startswith("by the store"):
        stage.start(f"crt {stage.certificate}", before=f"crt-store\n load crt {stage.certificate} key {stage.key}\n")
    else:
        listed = write(place / "list", f"{stage.certificate} [key {stage.key}] {stage.name}\n")
        stage.start(f"crt-list {listed}")
    stage.rebinds("rewrite")
    assert "PRIVATE" not in stage.certificate.read_text()
    assert stage.key.read_text() == stage.old.key_pem
