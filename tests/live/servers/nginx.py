"""nginx."""
import contextlib
import os
import pathlib
import re

from command import ROOT
from files import write
from processes import processes_of_group
from servers.server import Server

NGINX = os.environ.get("NGINX", "/usr/sbin/nginx")
MODULES = pathlib.Path("/usr/lib/nginx/modules")


class Nginx(Server):
    kind = "nginx"
    directories = ("run", "html", "conf.d")

    def __init__(self, prefix, name="nginx.conf", workers=1):
        super().__init__(prefix, name)
        self.workers_wanted = workers
        self.executable = NGINX

    def write(self, http="", stream=None, main=""):
        """Writes the main file. `http` and `stream` are the contents of these blocks."""
        run = self.prefix / "run"
        temporary = "".join(f"  {kind}_temp_path {run}/{kind};\n" for kind in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        text = (f"{'user root;' if ROOT else ''}\nworker_processes {self.workers_wanted};\n"
                f"pid {run}/nginx.pid;\nerror_log {self.log} notice;\nlock_file {run}/lock;\n")
        if stream is not None:
            text += f"load_module {MODULES}/ngx_stream_module.so;\n"
        text += f"{main}\nevents {{ worker_connections 2048; }}\n"
        text += f"http {{\n{temporary}  access_log off;\n  root {self.prefix}/html;\n{http}\n}}\n"
        if stream is not None:
            text += f"stream {{\n{stream}\n}}\n"
        write(self.conf, text)
        return self

    def command(self, *more):
        return [str(self.executable), "-p", str(self.prefix), "-c", str(self.conf), "-e", str(self.log), *more]

    def start(self):
        return self.launch(self.command("-g", "daemon off;"), open(self.prefix / "run/stderr", "wb"), self.env)

    def is_up(self):
        return len(self.worker_pids()) >= self.workers_wanted

    def worker_pids(self):
        """Workers that take connections, without those that are shutting down."""
        found = set()
        for pid in processes_of_group(self.process.pid) - {self.process.pid}:
            with contextlib.suppress(OSError):
                title = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
                if title.startswith(b"nginx: worker process") and b"shutting down" not in title:
                    found.add(pid)
        return found

    def reloads(self):
        """How many times the master was told to load its configuration."""
        return len(re.findall(r"\(SIGHUP\) received.*reconfiguring", self.errors()))

    def state_before_reload(self):
        return self.worker_pids()

    def has_reloaded(self, before):
        now = self.worker_pids()
        return len(now - before) >= self.workers_wanted and not now & before
