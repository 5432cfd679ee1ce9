"""What the three kinds of server have in common."""
import os
import pathlib
import signal
import subprocess

from handshakes import wait_served
from processes import end_group
from waiting import until


class Server:
    """A real server in its own directory, in a process group of its own. A kind of server says how to
    start it (`command`), and how to see that it is up (`is_up`) and that it has reloaded (`has_reloaded`)."""

    kind = ""  # certrebind's name of it
    directories = ("run",)
    reload_signal = signal.SIGHUP

    def __init__(self, prefix, name):
        self.prefix = pathlib.Path(prefix)
        for directory in self.directories:
            (self.prefix / directory).mkdir(parents=True, exist_ok=True)
        self.conf = self.prefix / name
        self.log = self.prefix / "run/error.log"
        self.process = None

    @property
    def service(self):
        return f"{self.kind}:{self.conf}"

    @property
    def env(self):
        return dict(os.environ)

    def test(self, option="-t"):
        """The server's own test of its configuration: (exit status, output)."""
        done = subprocess.run(self.command(option), capture_output=True, text=True, env=self.env)
        return done.returncode, done.stdout + done.stderr

    def launch(self, command, stderr, env, cwd=None):
        """Starts the server and waits until it is up."""
        # The parent's death ends it too; setpriv becomes the server, so the pid is the master's.
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr, env=env, cwd=cwd)

        def up():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.kind} did not start: " + self.errors())
            return self.is_up()

        until(up, f"{self.kind} has its workers")
        return self

    def errors(self):
        """All that the server has written to its standard error and its log."""
        return "".join(path.read_text(errors="replace") for path in (
            self.prefix / "run/stderr", self.log) if path.exists())

    @property
    def master_pid(self):
        return self.process.pid

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def send(self, number):
        self.process.send_signal(number)

    def reload(self):
        """Signals the server, and waits until every worker is new."""
        before = self.state_before_reload()
        self.send(self.reload_signal)
        until(lambda: self.has_reloaded(before), f"{self.kind} has reloaded")

    def stop(self, number=signal.SIGTERM):
        """Ends the server, and waits until master and workers are gone."""
        end_group(self, number)

    def wait_served(self, thumbprint, where, sni=None, **options):
        wait_served(thumbprint, where, sni, **options)
