"""Finds processes in /proc, and ends a server's process group by its pid."""
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import time

from waiting import until

# Put before a command, as root: it then sees no process but itself and its children.
ALONE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def processes_naming(path):
    """Pids of the processes that have this path in their arguments."""
    found = set()
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if entry.isdigit() and os.fsencode(path) in pathlib.Path(f"/proc/{entry}/cmdline").read_bytes():
                found.add(int(entry))
    return found


def processes_of_group(group):
    """Pids of the living processes (no zombies) of a process group."""
    found = set()
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] not in "ZX":
                found.add(int(entry))
    return found


def end_group(server, number):
    """Ends a server that leads a process group, and waits until the whole group is gone."""
    if server.process is None:
        return
    group = server.process.pid
    if server.process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            server.process.send_signal(signal.SIGCONT)
            server.process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(10)
    deadline = time.monotonic() + 10
    while processes_of_group(group):
        if time.monotonic() > deadline or number == signal.SIGKILL:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        time.sleep(0.01)
    server.process.wait()
    server.process = None


def runs(name):
    """True if a process of this name runs."""
    for path in pathlib.Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):  # it has ended
            if path.read_text() == name + "\n":
                return True
    return False


def takes_signal(pid, number):
    """Whether a process handles this signal now: it neither ends by it nor holds it back."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    caught, held = (int(re.search(rf"^{name}:\s*(\w+)", status, re.M)[1], 16) for name in ("SigCgt", "SigBlk"))
    return bool(caught & ~held & 1 << number - 1)


def wait_stopped(pid):
    """Waits until a process has stopped (SIGSTOP)."""
    def is_stopped():
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    until(is_stopped, f"process {pid} has stopped")
