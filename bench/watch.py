"""Sees from outside what the time of a rebind goes to."""

import contextlib
import os
import time

from meter import children

INTERVAL = 0.01  # seconds; what is seen late counts as certrebind's


class Watch:
    """Looks at a running certrebind, and at the nginx of this master, until certrebind ends.

    `testing` and `loading` are the seconds in which an `nginx -t` ran, and from the master's first work after the signal
    until its old workers were gone; `own` all others. `peak` is certrebind's peak memory in MB, without the nginx that it
    starts."""

    def __init__(self, process, master):
        self.process, self.master = process, master
        self.testing = self.loading = self.own = 0.0
        self.peak = 0
        self.old_workers = children(master)
        self.idle_until_now = cpu_ticks(master)

    def until_the_end(self):
        begun = seen = time.monotonic()
        while self.process.poll() is None:
            self.peak = max(self.peak, peak_memory(self.process.pid))
            is_testing, is_loading = self.is_testing(), self.is_loading()
            now = time.monotonic()
            if is_testing:
                self.testing += now - seen
            elif is_loading:
                self.loading += now - seen
            seen = now
            time.sleep(INTERVAL)
        self.own = time.monotonic() - begun - self.testing - self.loading
        return self

    def is_testing(self):
        return any(b"-t" in arguments(child) for child in children_of_threads(self.process.pid))

    def is_loading(self):
        if cpu_ticks(self.master) == self.idle_until_now:
            return False
        return bool(self.old_workers & children(self.master))


def children_of_threads(pid):
    found = set()
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{thread}/children") as listed:
                found |= set(listed.read().split())
    return found


def arguments(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().split(b"\0")
    return []


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])  # utime and stime (proc(5))


def peak_memory(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as status:
        return next((int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM")), 0)
    return 0
