"""A test's own directory, and the processes that the test starts in it."""
import os
import pathlib
import shutil
import subprocess
import tempfile

from command import BINARY, run_certrebind
from servers.apache import Apache
from servers.haproxy import HAProxy
from servers.nginx import Nginx
from witnesses import Gate


class Place:
    """A test's own directory, with certrebind's state, run directory and configuration in it."""

    def __init__(self):
        # Short, for the sake of unix sockets; open to others, for workers that are not root.
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="crb-", dir="/tmp")).resolve()
        self.path.chmod(0o755)
        self.state = self.path / "state"
        self.state.mkdir(mode=0o700)
        self.run_directory = self.path / "run"
        self.config = self.path / "certrebind.toml"
        self.home = self.path / "home"
        self.home.mkdir()
        self.binary = BINARY
        self._ends = []
        self.configure()

    def __truediv__(self, name):
        return self.path / name

    def configure(self, text="", stores=(), verify=10, handshake=None):
        """`stores`: (kind, path) pairs. `verify`: how long a reload may take at the least. `handshake`: how long one
        handshake may take."""
        whole = f"default_stores = false\n{text}\n[verify]\nseconds = {verify}\n"
        if handshake:
            whole += f"handshake_seconds = {handshake}\n"
        for kind, path in stores:
            whole += f'[[store]]\nkind = "{kind}"\npath = "{path}"\n'
        self.config.write_text(whole)

    @property
    def env(self):
        return {"CERTREBIND_STATE": str(self.state), "CERTREBIND_RUN": str(self.run_directory),
                "CERTREBIND_CONFIG": str(self.config), "HOME": str(self.home)}

    def run(self, *arguments, env=None, **options):
        return run_certrebind(*arguments, env={**self.env, **(env or {})}, binary=self.binary, **options)

    def popen(self, *arguments, env=None, before=(), **options):
        """certrebind in the background; killed at the end if it still runs."""
        process = subprocess.Popen([*before, self.binary, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                   env={**os.environ, **self.env, **(env or {})}, **options)

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
        self.at_end(end)
        return process

    def nginx(self, name="nginx", **options):
        server = Nginx(self.path / name, **options)
        self.at_end(server.stop)
        return server

    def haproxy(self, name="haproxy", **options):
        server = HAProxy(self.path / name, **options)
        self.at_end(server.stop)
        return server

    def apache(self, name="apache", **options):
        server = Apache(self.path / name, **options)
        self.at_end(server.stop)
        return server

    def gate(self, name="gate"):
        gate = Gate(self.path / name)
        self.at_end(gate.end)
        return gate

    def tmpfs(self, name, size):
        """A small file system of its own; for root."""
        where = self.path / name
        where.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", where], check=True)
        self.at_end(lambda: subprocess.run(["umount", "-l", where], check=True))
        return where

    def at_end(self, act):
        self._ends.append(act)

    def end(self):
        failures = []
        for act in reversed(self._ends):
            try:
                act()
            except BaseException as failure:  # the rest must be ended all the same
                failures.append(failure)
        if not os.environ.get("CERTREBIND_KEEP"):
            shutil.rmtree(self.path, ignore_errors=True)
        if failures:
            raise failures[0]
