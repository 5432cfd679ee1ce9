"""What servers have in common to which TLS comes after plain text (STARTTLS)."""
import contextlib
import shutil
import socket

from files import write
from ports import free_port
from servers.server import Server


class PlainFirst(Server):
    """A server that serves one certificate, in its own directory, at a port for each dialect (`endpoints`)."""

    user = "root"  # who reads the key
    dialects = ()

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

    def own(self, *directories):
        """Directories that the server's user may write."""
        for name in directories:
            (self.prefix / name).mkdir(parents=True, exist_ok=True)
            shutil.chown(self.prefix / name, self.user)

    def as_user(self):
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]

    def start(self):
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
