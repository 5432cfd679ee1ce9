"""Apache httpd."""
import contextlib
import os
import pathlib
import re
import signal

from command import ROOT
from files import write
from processes import processes_of_group
from servers.server import Server

APACHE = os.environ.get("APACHE", "/usr/sbin/apache2")
APACHE_MODULES = pathlib.Path("/usr/lib/apache2/modules")


class Apache(Server):
    kind = "apache"
    directories = ("run", "html", "conf.d")
    reload_signal = signal.SIGUSR1

    def __init__(self, prefix, name="httpd.conf", mpm="event"):
        super().__init__(prefix, name)
        self.pid_file = self.prefix / "run/httpd.pid"
        self.mpm = mpm
        self.arguments = []  # further ones: -D SSL
        self.environment = {}

    def write(self, main="", modules=(), ports=()):
        """Writes the main file. `main` stands at the level of the server; httpd listens on `ports`."""
        wanted = ["mpm_" + self.mpm, "authz_core", "ssl", *modules]
        text = (f"ServerRoot {self.prefix}\nServerName localhost\nPidFile {self.pid_file}\n"
                f"DefaultRuntimeDir {self.prefix}/run\nErrorLog {self.log}\nLogLevel notice\n"
                f"DocumentRoot {self.prefix}/html\n")
        text += "".join(f"LoadModule {module}_module {APACHE_MODULES}/mod_{module}.so\n"
                        for module in wanted)
        if ROOT:
            text += "User www-data\nGroup www-data\n"
        text += "StartServers 2\nMaxRequestWorkers 50\n"
        if self.mpm != "prefork":
            # (httpd complains of the default of spare threads here, a second after its start.)
            text += "ThreadsPerChild 25\nMinSpareThreads 5\n"
        text += "".join(f"Listen {port if ':' in str(port) else f'127.0.0.1:{port}'}\n"
                        for port in ports)
        write(self.conf, text + main)
        return self

    def command(self, *more):
        return [APACHE, "-f", str(self.conf), *self.arguments, *more]

    @property
    def env(self):
        return {"PATH": os.environ["PATH"], **self.environment}

    def start(self):
        self._starts_before = self._starts()
        return self.launch(self.command("-D", "FOREGROUND"), open(self.prefix / "run/stderr", "wb"), self.env)

    def is_up(self):
        return self.pid_file.exists() and self.worker_pids() and self._starts() > self._starts_before

    def _sockets(self, pid):
        found = set()
        with contextlib.suppress(OSError):
            for descriptor in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
                    if target.startswith("socket:"):
                        found.add(target)
        return found

    def worker_pids(self):
        """Children that take connections: they hold a socket that the master has too."""
        masters = self._sockets(self.process.pid)
        return {pid for pid in processes_of_group(self.process.pid) - {self.process.pid}
                if self._sockets(pid) & masters}

    def reloads(self):
        """How many times the master was told to load its configuration."""
        return len(re.findall(r"SIGUSR1 received|Graceful restart requested",
                              self.errors()))

    def _starts(self):
        """How many times httpd had all its workers: it logs this after the last of them."""
        return self.errors().count("AH00094: Command line")

    def state_before_reload(self):
        return self.worker_pids(), self._starts()

    def has_reloaded(self, before):
        workers, starts = before
        now = self.worker_pids()
        return now and not now & workers and self._starts() > starts
