"""What servers have in common to which TLS comes after plain text (STARTTLS)."""
import contextlib
import shutil
import socket

from files import write
from ports import free_port
from servers.server import Server
from sessions import Session


class PlainFirst(Server):
    """A server that serves one certificate, in its own directory, at a port for each dialect (`endpoints`)."""

    user = "root"  # who reads the key
    dialects = ()
    keeps_sessions = True  # those that are open go on after a reload
    begin, begun, words = b"", b"", None  # what a client says before and after that, if not what its dialect has

    def __init__(self, prefix, name):
        super().__init__(prefix, name)
        self.certificate, self.key = self.prefix / "cert.pem", self.prefix / "key.pem"
        self.endpoints = {dialect: free_port() for dialect in self.dialects}

    def install(self, certificate):
        """Writes certificate and key where the server reads them."""
        write(self.certificate, certificate.fullchain_pem)
        write(self.key, certificate.key_pem, 0o600)
        shutil.chown(self.key, self.user)
        return self

    def files(self):
        """What lies where the server reads its certificate and key."""
        return [path.read_bytes() for path in (self.certificate, self.key) if path.exists()]

    def session(self, name):
        """A session at the first of the endpoints."""
        dialect, port = next(iter(self.endpoints.items()))
        return Session(port, dialect, name, self.words, self.begin, self.begun)

    def own(self, *directories):
        """Directories that the server's user may write."""
        for name in directories:
            (self.prefix / name).mkdir(parents=True, exist_ok=True)
            shutil.chown(self.prefix / name, self.user)

    def as_user(self):
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]

    def prepare(self):
        """Starts what else the server needs."""

    def start(self):
        self.prepare()
        return self.launch(self.command(), open(self.prefix / "run/stderr", "ab"), self.env)

    def is_up(self):
        with contextlib.suppress(OSError):
            for port in self.endpoints.values():
                socket.create_connection(("127.0.0.1", port), 10).close()
            return True
        return False

    def reload(self):
        """Tells the server. It may go on with the old certificate for a while."""
        self.send(self.reload_signal)
