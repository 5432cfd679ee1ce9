"""The certificate that Postfix shows as a client, to the servers that it brings mail to, by SMTP and by LMTP."""
import hashlib
import smtplib
import socketserver
import ssl
import threading

import pytest

from markers import needs_root
from servers.postfix import Postfix
from waiting import until

pytestmark = needs_root
HOST, CLIENT = "mx.test", "client.test"
OK, WARNING = 0, 1


class Receiver:
    """A mail server that asks for a certificate, and takes down the thumbprint of each that it is shown."""

    def __init__(self, authority, place):
        self.shown = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue("receiver.test").write(place / "receiver"))
        context.load_verify_locations(cadata=authority.root_pem)
        context.verify_mode = ssl.CERT_OPTIONAL
        shown = self.shown

        class Conversation(socketserver.StreamRequestHandler):
            def say(self, line):
                self.wfile.write(line + b"\r\n")

            def handle(self):
                self.say(b"220 receiver.test ESMTP")
                while line := self.rfile.readline():
                    word = line[:4].upper().strip()
                    if word in (b"EHLO", b"LHLO"):
                        self.say(b"250-receiver.test\r\n250 STARTTLS")
                    elif word == b"STAR":
                        self.say(b"220 go")
                        self.request = context.wrap_socket(self.request, server_side=True)
                        shown.append(hashlib.sha256(self.request.getpeercert(True) or b"").hexdigest())
                        self.setup()
                    elif word == b"QUIT":
                        return self.say(b"221 bye")
                    else:
                        self.say(b"452 later")  # it has shown its certificate
                return None

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation)
        server.daemon_threads = True
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()


class Stage:
    def __init__(self, place, authority, client):
        place.configure(verify=120, handshake=30)
        self.place, self.server, self.receiver = place, Postfix(place / "s"), Receiver(authority, place)
        self.old, self.new = authority.pair(CLIENT, eku="both")
        self.certificate, self.key = self.server.prefix / "client.pem", self.server.prefix / "client.key"
        place.at_end(self.server.stop)
        self.server.install(authority.issue(HOST))
        self.install(self.old)
        self.server.write(f"default_transport = {client}:[127.0.0.1]:{self.receiver.port}\n"
                          f"{client}_tls_security_level = encrypt\n"
                          f"{client}_tls_cert_file = {self.certificate}\n{client}_tls_key_file = {self.key}")
        with open(self.server.prefix / "master.cf", "a") as master:
            master.write(f"cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n{client} unix - - n - - {client}\n"
                         "bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n")
        self.server.start()
        assert self.shown() == self.old.thumbprint

    def install(self, certificate):
        certificate.write(self.server.prefix, self.certificate.name, self.key.name)

    def shown(self):
        """What the receiver of one more mail is shown."""
        before = len(self.receiver.shown)
        with smtplib.SMTP("127.0.0.1", self.server.endpoints["smtp"], timeout=30) as client:
            client.sendmail("a@mx.test", ["b@receiver.test"], "Subject: x\r\n\r\nx\r\n")
        until(lambda: len(self.receiver.shown) > before, "the mail is brought")
        return self.receiver.shown[-1]

    def run(self, *arguments):
        return self.place.run(*arguments, "--service", self.server.service)


@pytest.fixture(params=["smtp", "lmtp"])
def stage(place, authority, request):
    return Stage(place, authority, request.param)


def test_a_renewal_in_place_is_shown(stage):
    done = stage.run("check")
    assert done.code == OK and "Postfix as a client" in stage.run("scan").out, done
    stage.run("rebind", "--pending")  # what is there is known from now on
    stage.install(stage.new)
    done = stage.run("check")
    assert done.code == WARNING and f"{stage.certificate} was changed after the server loaded it" in done.out, done
    done = stage.run("rebind", "--pending")
    assert done.code == OK and "committed" in done.out, done
    assert stage.shown() == stage.new.thumbprint
    done = stage.run("check")
    assert done.code == OK, done


def test_a_new_certificate_is_brought_and_taken_back(stage):
    cert, _ = stage.new.write(stage.place / "new")
    done = stage.run("rebind", stage.old.thumbprint, cert)
    assert done.code == OK and "no handshake can show it" in done.all, done
    assert stage.shown() == stage.new.thumbprint
    done = stage.run("undo")
    assert done.code == OK, done
    assert stage.shown() == stage.old.thumbprint
