"""A real systemd, apart from the machine's: with process ids, units and control groups of its own."""
import os
import subprocess

from waiting import until

# It shares files and the network with the test. Units are only those that a test writes. Its control group is the root
# of all that it sees: others, which other tests run, have theirs.
CONTROL_GROUPS = "mount --make-rprivate /; umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; "
BEGIN = CONTROL_GROUPS + """set -e
mkdir "/sys/fs/cgroup/$2"
echo 0 > "/sys/fs/cgroup/$2/cgroup.procs"
mount -t tmpfs none /run && mkdir /run/lock
for hidden in /usr/lib/systemd/system /usr/lib/systemd/system-generators /etc/systemd/system; do
  mount -t tmpfs none "$hidden"
done
cp "$1"/* /etc/systemd/system
exec unshare --cgroup sh -c 'umount /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup &&
exec env -i container=test PATH="$PATH" /lib/systemd/systemd --unit=tests.target --log-target=console'
"""
END = CONTROL_GROUPS + 'find "/sys/fs/cgroup/$1" -depth -type d -exec rmdir {} +'
SERVICE = """[Unit]
DefaultDependencies=no
StartLimitIntervalSec=0
[Service]
ExecStart={}
[Install]
WantedBy=tests.target
"""


class Systemd:
    """`services`: the command of each, by name."""

    def __init__(self, place, services):
        units = place / "units"
        units.mkdir()
        (units / "tests.target").write_text("[Unit]\nDefaultDependencies=no\n")
        for name, command in services.items():
            (units / f"{name}.service").write_text(SERVICE.format(" ".join(command)))
        self.log, self.name = place / "systemd.log", place.path.name
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--uts", "--ipc",
                 "sh", "-c", BEGIN, "systemd", units, self.name], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
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
        """Its processes end with their first one."""
        self.process.kill()
        self.process.wait()

        def is_removed():
            return subprocess.run(["unshare", "--mount", "sh", "-c", END, "end", self.name],
                                  stderr=subprocess.DEVNULL).returncode == 0
        until(is_removed, "its control groups are empty")
