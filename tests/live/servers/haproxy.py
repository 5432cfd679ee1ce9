"""HAProxy."""
import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess

from files import write
from processes import processes_of_group, takes_signal
from servers.server import Server

HAPROXY = os.environ.get("HAPROXY", "/usr/sbin/haproxy")


def haproxy_version():
    said = subprocess.run([HAPROXY, "-v"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in re.search(r"version (\d+)\.(\d+)", said).groups())


class HAProxy(Server):
    """With a master (`-W`) unless `master` is False, and an admin socket in run/ unless `socket` is False."""

    kind = "haproxy"
    reload_signal = signal.SIGUSR2

    def __init__(self, prefix, name="haproxy.cfg", workers=1, master=True, socket=True):
        super().__init__(prefix, name)
        self.workers_wanted = workers
        self.master, self.has_socket = master, socket
        self.socket_path = self.prefix / "run/admin.sock"

    def write(self, frontends="", main="", defaults=""):
        """Writes the main file. `frontends` are whole sections, `main` and `defaults` go into theirs."""
        socket = f" stats socket {self.socket_path} mode 600 level admin\n" if self.has_socket else ""
        write(self.conf, f"global\n{socket}{main}\ndefaults\n mode http\n timeout client 60s\n"
              f" timeout server 60s\n timeout connect 5s\n{defaults}\n{frontends}\n")
        return self

    def command(self, *more):
        return [HAPROXY, "-f", str(self.conf), *more]

    def test(self):
        return super().test("-c")

    def start(self, *arguments, env=None, cwd=None):
        """`arguments` replace "-f CONF"."""
        command = [HAPROXY, *arguments] if arguments else self.command()
        self._loads_before = self._loads()
        return self.launch([*command, "-W" if self.master else "-db"], open(self.log, "ab"),
                           {**self.env, **(env or {})}, cwd)

    def is_up(self):
        return len(self.worker_pids()) >= self.workers_wanted and (
            not self.master or self._loads() > self._loads_before and self._takes_signals())

    def worker_pids(self):
        """Processes that take connections, without those that only finish old ones."""
        family = processes_of_group(self.process.pid)
        if self.master:
            family -= {self.process.pid}
        return {pid for pid in family if self._listens(pid)}

    @staticmethod
    def _listens(pid):
        sockets = set()
        with contextlib.suppress(OSError):
            for descriptor in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
                    if target.startswith("socket:["):
                        sockets.add(target[8:-1])
            for table, column in (("tcp", 9), ("tcp6", 9), ("unix", 6)):
                for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                    fields = line.split()
                    if len(fields) > column and fields[column] in sockets and fields[3] in (
                            "0A", "00010000"):
                        return True
        return False

    def reloads(self):
        """How many times the master was told to load its configuration."""
        return len(re.findall(r"Reloading HAProxy", self.errors()))

    def _takes_signals(self):
        """A USR2 is lost while the master executes itself again, as it does after each load."""
        return takes_signal(self.process.pid, self.reload_signal)

    def _loads(self):
        return self.errors().count("Loading success")

    def state_before_reload(self):
        return self.worker_pids(), self._loads()

    def has_reloaded(self, before):
        workers, loads = before
        now = self.worker_pids()
        return (len(now - workers) >= self.workers_wanted and not now & workers and self._loads() > loads
                and self._takes_signals())

    def say(self, text):
        """The answer of the admin socket."""
        with socket.socket(socket.AF_UNIX) as raw:
            raw.settimeout(10)
            raw.connect(str(self.socket_path))
            raw.sendall(text.encode())
            answer = b""
            while part := raw.recv(65536):
                answer += part
        return answer.decode()
