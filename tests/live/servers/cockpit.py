"""Cockpit's server for TLS, without what is behind it."""
import os
import sys

from servers.plain_first import PlainFirst

# As systemd does it: it makes the files of cockpit-tls and listens for it.
START = """
mkdir -p /run/cockpit
mount -t tmpfs none /run/cockpit
mkdir -p /run/cockpit/wsinstance "$RUNTIME_DIRECTORY"
chown cockpit-ws: "$RUNTIME_DIRECTORY"
/usr/lib/cockpit/cockpit-certificate-ensure --for-cockpit-tls
exec "$@"
"""
LISTEN = """
import os, socket, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
os.dup2(listening.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


# The next client starts it again.
ON_DEMAND = """
import os, select, shutil, socket, subprocess, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
os.dup2(listening.fileno(), 3)
while True:
    select.select([listening], [], [])
    for made in ("server", "clients"):
        shutil.rmtree(os.environ["RUNTIME_DIRECTORY"] + "/" + made, ignore_errors=True)
    subprocess.run(["/usr/lib/cockpit/cockpit-certificate-ensure", "--for-cockpit-tls"], check=True)
    subprocess.run(["sh", "-c", 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@"', *sys.argv[2:]], pass_fds=[3])
"""


class Cockpit(PlainFirst):
    kind = "cockpit"
    dialects = ("none",)
    user = "cockpit-ws"

    def __init__(self, prefix):
        super().__init__(prefix, "etc/cockpit/ws-certs.d")
        self.certificate, self.key = self.conf / "50-own.cert", self.conf / "50-own.key"

    def write(self):
        """A certificate that is not the last."""
        (self.conf / "0-first.cert").write_bytes(self.certificate.read_bytes())
        (self.conf / "0-first.key").write_bytes(self.key.read_bytes())
        return self

    @property
    def port(self):
        return str(self.endpoints["none"])

    @property
    def env(self):
        return {**os.environ, "XDG_CONFIG_DIRS": f"{self.prefix}/etc", "RUNTIME_DIRECTORY": "/run/cockpit/tls"}

    def command(self):
        listen = [*self.as_user(), sys.executable, "-c", LISTEN, self.port]
        return ["unshare", "--mount", "sh", "-euc", START, "cockpit", *listen,
                "/usr/lib/cockpit/cockpit-tls", f"--port={self.port}", "--idle-timeout=0"]


class CockpitOnDemand(Cockpit):
    def command(self):
        return ["unshare", "--mount", "sh", "-euc", START, "cockpit", sys.executable, "-c", ON_DEMAND, self.port,
                *self.as_user(), "/usr/lib/cockpit/cockpit-tls", f"--port={self.port}", "--idle-timeout=1"]
