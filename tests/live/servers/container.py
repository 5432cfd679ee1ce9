"""A server in a container: its own root directory, mounts and network."""
import contextlib
import pathlib
import subprocess
import sys

from command import PROBE
from processes import processes_of_group
from roots import make_root
from waiting import until

INIT = pathlib.Path(__file__).resolve().parent.parent / "container_init.py"


class Container:
    """`program` runs in it; `mounts` are (host, inside, "ro" or "rw")."""

    def __init__(self, root, program, directories=()):
        self.root, self.program, self.process = root, program, None
        root.mkdir()
        make_root(root, program, directories)

    def start(self, *arguments, mounts=(), network="own", user=0):
        for host, inside, _ in mounts:
            target = self.root / inside.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                target.mkdir() if host.is_dir() else target.touch()
        text = ",".join(f"{host}:{inside}:{mode}" for host, inside, mode in mounts)
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", sys.executable, INIT, self.root, text, network, str(user), self.program,
             *arguments], start_new_session=True, stdin=subprocess.DEVNULL)
        return self

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        if self.process.poll() is None:
            self.process.kill()
        until(lambda: not processes_of_group(self.pid), "the container is gone")

    def path(self, inside):
        """A path of the container, as certrebind names it."""
        return f"/proc/{self.pid}/root{inside}"

    def served(self, port, name):
        """The thumbprint that is served inside, or why there was no handshake."""
        done = subprocess.run(["nsenter", "--net", "--target", str(self.pid), PROBE, "127.0.0.1", str(port), "none", name],
                              capture_output=True, text=True, timeout=60)
        return done.stdout.strip()

    def wait_served(self, thumbprint, port, name):
        def serves():
            assert self.process.poll() is None, "the container has ended"
            return self.served(port, name) == thumbprint
        until(serves, f"the container serves {thumbprint[:16]}")
