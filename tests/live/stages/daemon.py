"""A running daemon of certrebind, and what its log has to say."""
import signal

from processes import processes_naming
from waiting import PATIENCE, until

RENEWED = [1006, 1008, 1001, 1005]  # the events of one renewal
DAEMON = "[daemon]\nquiet_seconds = {}\npair_seconds = {}\n"
FENCE = '[[policy]]\nautomatic = "no"\n'


def allow(nginx, more='automatic = "yes"'):
    return f'[[policy]]\nservice = "{nginx.service}"\n{more}\n'


class Watch:
    """An enabled certrebind that looks after the given servers and leaves others alone."""

    def __init__(self, place, *servers, policy=None, stores=(), more="", pair=1, quiet=0.2, enable=True,
                 before=(), env=None):
        self.place, self.servers = place, servers
        self.before, self.env = list(before), env or {}
        self.daemon = None
        policies = policy if policy is not None else "".join(allow(one) for one in servers)
        place.configure(DAEMON.format(quiet, pair) + policies + FENCE + more, stores=stores)
        if enable:
            done = self.run("enable")
            assert done.code == 0, done

    def run(self, *arguments):
        return self.place.run(*arguments, before=self.before, env=self.env)

    def start(self, *certificates):
        """The daemon; returns once it watches these certificates."""
        started = self.count(2010)
        self.log = self.place / "daemon.log"
        with open(self.log, "ab") as log:
            self.daemon = self.place.popen("daemon", stderr=log, stdout=log, env=self.env,
                                            before=self.before)
        until(lambda: self.is_up() and self.count(2010) > started and {
            one.thumbprint for one in certificates} <= self.watched(), "the daemon watches")
        return self

    def is_up(self):
        assert self.daemon.poll() is None, self.log.read_text()
        return self.status()["daemon"]

    def status(self):
        done = self.run("status", "--json")
        assert done.code in (0, 1), done
        return done.json

    def watched(self):
        return {one["thumbprint"] for one in self.status()["certificates"]}

    def events(self, *certificates):
        """All events, or those that speak of one of these certificates."""
        done = self.run("events", "--json")
        assert done.code == 0, done
        names = {one.thumbprint for one in certificates}
        return [event for event in done.lines
                if not names or {event.get("old"), event.get("new")} & names]

    @staticmethod
    def details(event):
        """What tasks are told of it."""
        return event["details"]

    def ids(self, *certificates, among=range(1001, 1010)):
        return [event["id"] for event in self.events(*certificates) if event["id"] in among]

    def count(self, number, *certificates):
        return self.ids(*certificates, among=[number]).count(number)

    def wait_for(self, number, *certificates, times=1):
        until(lambda: self.count(number, *certificates) >= times, f"event {number} is logged")

    def idle(self):
        """Until every run of a task has ended."""
        def ended():
            runs = self.run("task", "history", "--json").json["runs"]
            return all(run["state"] not in ("queued", "running") for run in runs) and runs
        return until(ended, "the tasks have ended")

    def stop(self, number=signal.SIGTERM):
        """The daemon; and what it had begun ends by itself, unless it is killed."""
        self.daemon.send_signal(number)
        code = self.daemon.wait(PATIENCE)
        if number == signal.SIGTERM:
            until(lambda: not processes_naming(self.place.state), "what it began has ended")
        return code


def proven(nginx, watch, old, new, port, name="a.example.com", reloads=1):
    """NEW is served, and what the log tells of it is whole and told once."""
    nginx.wait_served(new.thumbprint, port, name)
    watch.wait_for(2002, new)
    watch.idle()
    assert watch.ids(old, new) == RENEWED
    assert watch.count(2002, new) == 1
    assert nginx.reloads() == reloads
