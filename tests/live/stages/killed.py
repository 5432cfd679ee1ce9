"""certrebind killed at one call after the other, while it brings NEW into the files of a server."""
from sweep import FULL, some_of


class KilledRebind:
    """`rebind` runs a rebind of NEW with these variables; `files` are what it rewrites; `starts` fails if the server
    would not start with them; `wait_served` waits until a certificate is served."""

    def __init__(self, place, files, rebind, undo, starts, wait_served):
        self.place, self.files, self.rebind, self.undo = place, files, rebind, undo
        self.starts, self.wait_served = starts, wait_served

    def contents(self):
        return [path.read_bytes() for path in self.files]

    def back_to_old(self):
        assert self.contents() == self.before or self.undo().code == 0
        assert self.contents() == self.before

    def sweep(self, shim, share, old, new):
        """After each kind of call that changes something; with CERTREBIND_SWEEP=full after every one."""
        log, self.before = self.place / "calls", self.contents()
        assert self.rebind(shim).code == 0  # the first run of all makes the state's directories
        after = self.contents()
        self.back_to_old()
        assert self.rebind({**shim, "CRASH_LOG": str(log)}).code == 0
        self.back_to_old()
        calls = [line.split()[1] for line in log.read_text().splitlines()]
        ends = set()
        kinds = [(at, call) for at, call in enumerate(calls, 1) if FULL or at == 1 or calls[at - 2] != call]
        for at, call in some_of(kinds, share):
            where = f"killed at call {at} of {len(calls)}: {call}"
            done = self.rebind({**shim, "CRASH_AT": str(at)})
            if done.code == 0:  # some calls, as asking again, are not made each time
                self.back_to_old()
                continue
            assert done.code == -9, f"{where}: {done}"
            assert self.contents() in (self.before, after), f"{where}: neither before nor after"
            self.starts()
            recovered = self.place.run("recover")
            assert recovered.code == 0, f"{where}: {recovered}"
            assert self.contents() in (self.before, after), where
            self.wait_served(old if self.contents() == self.before else new)
            assert not list(self.place.path.rglob(".certrebind-*")), where
            ends.add(self.contents() == after)
            self.back_to_old()
        assert ends == {True, False}
