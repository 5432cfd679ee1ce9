"""Certificates that a server shows as a client, to those behind it: no handshake of ours shows which
it has, so what is known of files and processes decides."""
import time

import pytest

from files import write
from handshakes import request
from markers import both_builds
from ports import free_port
from stages.daemon import Watch
from stages.one_site import make_site
from waiting import until


class Front:
    """A server that shows a client certificate to a backend, which answers with its thumbprint."""

    def __init__(self, place, authority, name="front"):
        self.place, self.port = place, free_port()
        self.old, self.new = authority.pair("client.example.com", eku="both")
        site = make_site(place, authority.issue("backend.example.com"), "backend.example.com")
        place.nginx("backend").write(
            f"server {{ listen 127.0.0.1:{site.port} ssl; ssl_certificate {site.cert_path};\n"
            f"ssl_certificate_key {site.key_path}; ssl_verify_client optional_no_ca;\n"
            "return 200 $ssl_client_fingerprint; }").start()
        self.backend = site.port
        self.own = make_site(place, authority.issue("front.example.com"), "front.example.com", self.port)
        self.renewed = self.put(self.old)
        self.server = self.make()
        self.server.start()

    def shown(self):
        status, body = request(self.port, "front.example.com")
        return body.decode().strip().lower() if status == 200 else ""

    def shows(self, certificate):
        until(lambda: self.shown() == certificate.sha1.lower(), "the backend sees the certificate")

    def put(self, certificate):
        """As a renewer does, in place."""
        return certificate.write_combined(self.place / "client/client.pem")

    def run(self, *arguments):
        done = self.place.run(*arguments, "--service", self.server.service)
        assert done.code in (0, 1), done
        return done


class Nginx(Front):
    def make(self):
        pem = self.place / "client/client.pem"
        server = self.place.nginx("front")
        return server.write(self.own.block(extra=(
            f"    location / {{ proxy_pass https://127.0.0.1:{self.backend}; proxy_ssl_certificate {pem};\n"
            f"    proxy_ssl_certificate_key {pem}; proxy_ssl_session_reuse off; }}\n")))


class Apache(Front):
    def put(self, certificate):
        # Its chain would need a key too.
        return write(self.place / "client/client.pem", certificate.leaf_pem + certificate.key_pem, 0o600)

    def names_it(self):
        return f"SSLProxyMachineCertificateFile {self.place / 'client/client.pem'}"

    def make(self):
        server = self.place.apache("front")
        return server.write(self.own.host(extra=(
            "  SSLProxyEngine on\n  SSLProxyVerify none\n  SSLProxyCheckPeerName off\n"
            f"  {self.names_it()}\n"
            f"  ProxyPass / https://127.0.0.1:{self.backend}/ disablereuse=on\n")),
            ports=[self.port], modules=["proxy", "proxy_http"])


class ApacheDirectory(Apache):
    """Every file of the directory is loaded."""

    def names_it(self):
        return f"SSLProxyMachineCertificatePath {self.place / 'client'}"


class HAProxy(Front):
    socket = False

    def make(self):
        server = self.place.haproxy("front", socket=self.socket)
        own = write(self.place / "own.pem", self.own.cert_path.read_text() + self.own.key_path.read_text(), 0o600)
        return server.write(
            f"frontend www\n bind 127.0.0.1:{self.port} ssl crt {own}\n default_backend app\n"
            f"backend app\n server one 127.0.0.1:{self.backend} ssl verify none no-ssl-reuse "
            f"crt {self.place / 'client/client.pem'}\n")


class HAProxyWithSocket(HAProxy):
    socket = True


KINDS = {"nginx": Nginx, "apache": Apache, "apache-directory": ApacheDirectory, "haproxy": HAProxy,
         "haproxy-socket": HAProxyWithSocket}


@pytest.fixture(params=KINDS)
def front(request, place, authority):
    front = KINDS[request.param](place, authority)
    front.shows(front.old)
    front.run("rebind", "--pending")  # what is there is known from now on
    return front


def test_renewed_in_place(front):
    front.put(front.new)
    said = front.run("check")
    assert said.code == 1 and f"{front.renewed} was changed after the server loaded it" in said.out, said
    assert f"next: certrebind rebind {front.old.thumbprint[:16]} {front.renewed}" in said.out
    done = front.run("rebind", "--pending")
    assert "committed" in done.out and "loaded and tested" in done.out, done
    front.shows(front.new)
    reloads = front.server.reloads()
    assert reloads == (0 if isinstance(front, HAProxyWithSocket) else 1)
    for _ in range(2):  # it is known to be loaded
        assert "nothing differs" in front.run("rebind", "--pending").out
    assert front.run("check").code == 0
    assert front.server.reloads() == reloads


@both_builds
def test_who_reloads_by_itself_is_left_in_peace(front):
    front.put(front.new)
    time.sleep(0.05)  # when a process was started is told in hundredths of a second
    front.server.reload()
    front.shows(front.new)
    reloads = front.server.reloads()
    assert front.run("check").code == 0
    assert "nothing differs" in front.run("rebind", "--pending").out
    done = front.run("rebind", front.old.thumbprint, front.renewed)
    assert "nothing to do" in done.out, done
    assert front.server.reloads() == reloads


def test_the_daemon_notices(front):
    watch = Watch(front.place, front.server)
    watch.start(front.old)
    front.put(front.new)
    front.shows(front.new)
    watch.wait_for(1001, front.old)
    watch.idle()
    assert watch.stop() == 0
