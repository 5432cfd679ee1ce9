"""A real systemd, apart from the machine's: with process ids, units and control groups of its own."""
import os
import subprocess

from waiting import until

# It shares files and the network with the test. Units are only those that a test writes.
BEGIN = """set -e
mount --make-rprivate /
mount -t tmpfs none /run && mkdir /run/lock
umount -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs none /etc/systemd/system
cp "$1"/* /etc/systemd/system
exec env -i container=test PATH="$PATH" /lib/systemd/systemd --unit=tests.target --log-target=console
"""
SERVICE = """[Unit]
DefaultDependencies=no
[Service]
ExecStart={}
"""


class Systemd:
    """`services`: the command of each, by name."""

    def __init__(self, place, services):
        units = place / "units"
        units.mkdir()
        (units / "tests.target").write_text("[Unit]\nDefaultDependencies=no\n")
        for name, command in services.items():
            (units / f"{name}.service").write_text(SERVICE.format(" ".join(command)))
        self.log = place / "systemd.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--cgroup", "--uts", "--ipc",
                 "sh", "-c", BEGIN, "systemd", units], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        place.at_end(self.end)
        until(self.is_up, "systemd is up")

    @property
    def before(self):
        """What goes before a command to run it there."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
            (pid,) = children.read().split()
        return ["nsenter", "--target", pid, "--mount", "--pid", "--uts", "--ipc", "--cgroup"]

    def is_up(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.systemctl("is-active", "tests.target").stdout.strip() == "active"
        except (ValueError, FileNotFoundError):  # it has not begun
            return False

    def systemctl(self, *arguments):
        return subprocess.run([*self.before, "systemctl", *arguments], capture_output=True, text=True, timeout=60,
                              env={"PATH": os.environ["PATH"]})

    def main_pid(self, unit):
        return int(self.systemctl("show", "--property=MainPID", "--value", unit).stdout)

    def end(self):
        self.process.kill()
        self.process.wait()
