"""The real Cockpit with a session of its own, without a sign-in: whoever reaches its port is the user that runs the tests. So it
listens on the loopback of a network namespace that nobody else is in, and refuses to start in any other."""
import os
import pathlib
import signal
import subprocess

from browser import CONSOLE
from ports import free_port
from waiting import until

# The root directory of another Debian whose Cockpit is to be tried: scripts/newer-cockpit makes it. That Cockpit sees the machine's own
# root at /host. certrebind runs in the machine's own, as the servers do.
ROOT = os.environ.get("COCKPIT_ROOT")
INTO_ROOT = ["unshare", "--mount", "sh", "-euc",
             'mount --rbind / "$0/host"; for each in dev proc tmp; do mount --rbind "/$each" "$0/$each"; done; exec chroot "$0" "$@"', ROOT]


def alone():
    """Whether this network namespace is not the machine's own: it has no interface but loopback."""
    lines = pathlib.Path("/proc/net/dev").read_text().splitlines()[2:]
    return [line.split(":")[0].strip() for line in lines] == ["lo"]


class Cockpit:
    def __init__(self, place, env=None, page=CONSOLE / "dist", before=()):
        assert alone(), "Cockpit without a sign-in only runs in a network namespace of its own"
        self.port = free_port()
        packages = place / "data/cockpit"
        packages.mkdir(parents=True)
        (packages / "certrebind").symlink_to(f"/host{page}" if ROOT else page)
        binaries = place / "bin"
        binaries.mkdir()
        self.program = binaries / "certrebind"
        if ROOT:
            self.program.write_text(f'#!/bin/sh\nexec chroot /host {place.binary} "$@"\n')
            self.program.chmod(0o755)
        else:
            self.program.symlink_to(place.binary)
        runtime = place / "runtime"
        runtime.mkdir()
        self.env = {**os.environ, **place.env, "PATH": f"{binaries}:/usr/sbin:/usr/bin:/sbin:/bin",
                    "XDG_DATA_HOME": str(place / "data"), "XDG_RUNTIME_DIR": str(runtime), "LC_ALL": "C.UTF-8", **(env or {})}
        self.env.pop("COLUMNS", None)
        self.log = place / "cockpit.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*(INTO_ROOT if ROOT else []), *before, "/usr/lib/cockpit/cockpit-ws", "--no-tls", "--address=127.0.0.1", f"--port={self.port}",
                 "--local-session=/usr/bin/cockpit-bridge"], env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        place.at_end(self.end)
        until(lambda: f":{self.port:04X} " in pathlib.Path("/proc/net/tcp").read_text(), "Cockpit listens")

    @property
    def address(self):
        """The page alone, without Cockpit's frame around it."""
        return f"http://127.0.0.1:{self.port}/cockpit/@localhost/certrebind/index.html"

    def end(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
