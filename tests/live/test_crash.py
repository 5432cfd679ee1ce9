"""Promise 1 on the real thing: certrebind is killed at every call that changes something, then the next
command runs. Before, or after, never between: for the files at once, for the server when it is done.

`sweep.py` says which points are tried.
"""
import pathlib
import re

import pytest

from files import difference, snapshot, write
from markers import both_builds, needs_root
from processes import ALONE
from stages.one_site import OneSite, make_site
from sweep import FULL, SHARES, SWEEP, in_shares, points
from waiting import PATIENCE
from witnesses import wait_staged

pytestmark = both_builds


class Stage:
    """One site, OLD in place, NEW beside, and the means to begin again after each crash."""

    def __init__(self, place, authority, kind):
        self.kind = kind
        self.one = OneSite(place, authority)
        place.configure(stores=[("directory", place.path / "new")] if kind == "repoint" else [],
                        verify=3)
        self.watched = [self.one.nginx.conf, self.one.site.cert_path, self.one.site.key_path]
        self.old_files = self.contents()
        # The first run of all makes the state's directories: not among the calls that are counted.
        assert self.rebind({}).code == 0
        self.back_to_old()

    def contents(self):
        return [pathlib.Path(path).read_bytes() for path in self.watched]

    def new_files(self):
        conf, _, _ = self.old_files
        if self.kind == "rewrite":
            return [conf, self.one.new.fullchain_pem.encode(), self.one.new.key_pem.encode()]
        named = conf.replace(str(self.one.site.cert_path).encode(), str(self.one.new_cert).encode())
        named = named.replace(str(self.one.site.key_path).encode(), str(self.one.new_key).encode())
        return [named, *self.old_files[1:]]

    def state(self):
        """"old" or "new", or a failure that shows what lies there."""
        now = self.contents()
        if now == self.old_files:
            return "old"
        assert now == self.new_files(), "neither before nor after"
        return "new"

    def rebind(self, env):
        return self.one.run("rebind", self.one.old.thumbprint, self.one.new_cert, env=env)

    def recover(self, env=None):
        return self.one.place.run("recover", env=env or {})

    def check_between(self, where):
        """What holds at once after a kill, before anybody has cleaned up."""
        self.state()
        code, errors = self.one.nginx.test()
        assert code == 0, f"{where}: nginx would not start with this: {errors}"
        assert self.one.served() in (self.one.old.thumbprint, self.one.new.thumbprint)

    def check_settled(self, where):
        """What holds after the recovery."""
        state = self.state()
        wanted = self.one.old if state == "old" else self.one.new
        self.one.nginx.wait_served(wanted.thumbprint, self.one.port, self.one.name)
        left = [path for path in self.one.place.path.rglob(".certrebind-*")]
        assert left == [], f"{where}: left behind {left}"
        last = self.one.place.run("history", "--json").json["transactions"]
        if last and last[0]["act"] == "rebind":  # else it was killed before it began one
            expected = ["committed"] if state == "new" else ["rolled back", "refused"]
            assert last[0]["outcome"] in expected, f"{where}: {last[0]}"
        return state

    def back_to_old(self):
        """For the next round: what a user would do."""
        if self.state() == "new":
            undone = self.one.run("undo")
            assert undone.code == 0, undone
        assert self.state() == "old"

    def count_calls(self, shim, act):
        log = self.one.place.path / "calls"
        done = act({**shim, "CRASH_LOG": str(log)})
        assert done.code == 0, done
        calls = log.read_text().split("\n")[:-1]
        log.unlink()
        return calls


@in_shares
@pytest.mark.parametrize("kind", ["rewrite", "repoint"])
def test_killed_at_every_call(place, authority, shim, kind, share):
    stage = Stage(place, authority, kind)
    calls = stage.count_calls(shim, stage.rebind)
    assert stage.check_settled("undisturbed") == "new"
    assert any("renameat2" in call for call in calls) and any("signal" in call for call in calls)
    stage.back_to_old()
    states = set()
    # One more than there were: that run ends by itself.
    for at in points(len(calls) + 1, share):
        where = f"killed at call {at} of {len(calls)}"
        done = stage.rebind({**shim, "CRASH_AT": str(at)})
        if done.code == 0:
            break
        assert done.code == -9, done
        stage.check_between(where)
        recovered = stage.recover()
        assert recovered.code == 0, f"{where}: {recovered}"
        states.add(stage.check_settled(where))
        stage.back_to_old()
    assert states == {"old", "new"}


@in_shares
def test_the_recovery_is_killed_too(place, authority, shim, share):
    stage = Stage(place, authority, "rewrite")
    calls = stage.count_calls(shim, stage.rebind)
    stage.back_to_old()
    flip = [i for i, call in enumerate(calls, 1) if call.endswith("rename")][0]
    signal = [i for i, call in enumerate(calls, 1) if call.endswith("signal")][0]
    firsts = points(len(calls), share) if FULL else [flip - 1, flip + 1, signal, signal + 2][share::SHARES]
    for first in firsts:
        for second in range(1, 1000, {"full": 1, "few": 7, "fewest": 17}.get(SWEEP, 3)):
            killed = stage.rebind({**shim, "CRASH_AT": str(first)})
            assert killed.code == -9, killed
            recovery = stage.recover({**shim, "CRASH_AT": str(second)})
            where = f"killed at call {first}, its recovery at call {second}"
            stage.check_between(where)
            assert stage.recover().code == 0, where
            stage.check_settled(where)
            stage.back_to_old()
            if recovery.code == 0:
                break
            assert recovery.code == -9, f"{where}: {recovery}"


@in_shares
@pytest.mark.parametrize("for_ever", [False, True])
def test_every_call_fails(place, authority, shim, for_ever, share):
    """A full disk at any moment: refused or rolled back, and what it could not even write down is finished
    by the next command."""
    stage = Stage(place, authority, "rewrite")
    calls = stage.count_calls(shim, stage.rebind)
    stage.back_to_old()
    for at in points(len(calls), share):
        where = f"call {at} fails{' and all after it' if for_ever else ''}"
        fault = {"FAIL_AT": str(at), **({"FAIL_FOR_EVER": "1"} if for_ever else {})}
        done = stage.rebind({**shim, **fault})
        assert done.code in (0, 1, 2, 3, 4), f"{where}: {done}"
        stage.check_between(where)
        assert done.code == 0 or done.all.strip(), f"{where}: failed without a word"
        assert stage.recover().code in (0, 4), where
        stage.state()
        if stage.state() == "new" and done.code != 0:
            # Only a rebind that was proven may stay.
            assert stage.one.served() == stage.one.new.thumbprint, where
        forced = stage.one.run("rebind", stage.one.site.cert_path, stage.one.site.cert_path)
        assert forced.code == 0, f"{where}: {forced}"
        stage.back_to_old()


def killed_before_the_reload(place, authority, shim):
    """By the name of the call: how many go before it is not the same each time, and one call later the
    server serves NEW, which the recovery then finishes instead."""
    stage = Stage(place, authority, "rewrite")
    assert stage.rebind({**shim, "CRASH_IN": "signal"}).code == -9
    return stage


def test_check_reports_an_interrupted_transaction(place, authority, shim):
    stage = killed_before_the_reload(place, authority, shim)
    report = stage.one.run("check")
    assert report.code == 2 and "interrupted" in report.out and "certrebind recover" in report.out
    status = stage.one.place.run("status")
    assert status.code == 1 and "interrupted" in status.out and "certrebind recover" in status.out
    assert stage.recover().code == 0
    assert stage.one.run("check").code == 0
    assert "nothing needs a person" in stage.one.place.run("status").out


@needs_root
def test_check_reports_an_interrupted_transaction_where_no_server_is_seen(place, authority, shim):
    stage = killed_before_the_reload(place, authority, shim)
    report = stage.one.place.run("check", before=ALONE)
    assert report.code == 2 and "certrebind recover" in report.out, report


def test_what_is_at_work_is_not_interrupted(place, authority):
    old, new = authority.pair("a.example.com")
    one_site = make_site(place, old)
    gate = place.gate()
    gate.open()
    nginx = place.nginx()
    nginx.write(gate.directive + one_site.block()).start()
    place.at_end(gate.open)  # before nginx is told to end
    path, _ = new.write(place / "new")
    gate.close()
    running = place.popen("rebind", old.thumbprint, path, "--service", nginx.service)
    wait_staged(one_site.cert_path.parent, 2)
    status = place.run("status")
    gate.open()
    assert running.wait(timeout=PATIENCE) == 0
    assert status.code == 0 and "nothing needs a person" in status.out, status


def test_the_next_rebind_recovers_first(place, authority, shim):
    stage = killed_before_the_reload(place, authority, shim)
    again = stage.rebind({})
    assert again.code == 0, again
    assert stage.check_settled("the next rebind") == "new"
    outcomes = [row["outcome"] for row in stage.one.place.run("history", "--json").json["transactions"]]
    assert outcomes[:2] == ["committed", "rolled back"]


def test_what_was_recovered_is_told_though_the_command_fails(place, authority, shim):
    stage = killed_before_the_reload(place, authority, shim)
    mistyped = stage.one.run("rebind", "0123456789", stage.one.site.cert_path)
    assert mistyped.code == 2 and "rolled back" in mistyped.out, mistyped
    assert stage.check_settled("a mistyped rebind") == "old"


def test_what_was_removed_meanwhile_holds_nothing_else_up(place, authority, shim):
    """The others go back, and the person is told where what was removed still lies."""
    stage = killed_before_the_reload(place, authority, shim)
    _, certificate, key = stage.watched
    key.unlink()
    done = stage.recover()
    assert done.code == 4 and str(key) in done.out, done
    assert certificate.read_bytes() == stage.old_files[1] and not key.exists()
    images = re.search(r"the old content of the files is in (\S+)", done.out)[1]
    assert stage.old_files[2] in [path.read_bytes() for path in pathlib.Path(images).iterdir()]


# ------------------------------------------------------------- where a server reads every file there is

@needs_root
@in_shares
def test_killed_while_httpd_reads_the_directory_whole(place, authority, shim, share):
    """Include DIRECTORY takes hidden files too: whatever is staged there would be configuration at
    the next start. Listen twice, and httpd does not start."""
    names = ["a.example.com", "b.example.com"]
    old, new = authority.pair(names)
    sites = [make_site(place, old, name, directory=place / "certs") for name in names]
    apache = place.apache()
    whole = apache.prefix / "sites"
    for site in sites:
        write(whole / site.name, f"Listen 127.0.0.1:{site.port}\n" + site.host())
    apache.write("Include sites\n").start()
    cert, _ = new.write(place / "new")
    rebind = ["rebind", old.thumbprint, cert, "--repoint", "--service", apache.service]
    log = place / "calls"
    assert place.run(*rebind, env={**shim, "CRASH_LOG": str(log)}).code == 0
    calls = log.read_text().splitlines()
    assert place.run("undo", "--service", apache.service).code == 0
    before = snapshot(whole)
    swapped = max(at for at, call in enumerate(calls, 1) if "renameat2" in call)
    for at in points(swapped + 7, share):
        done = place.run(*rebind, env={**shim, "CRASH_AT": str(at)})
        assert done.code == -9, f"{calls[at - 1]}: {done}"
        assert sorted(path.name for path in whole.iterdir()) == names, calls[at - 1]
        code, said = apache.test()
        assert code == 0, f"{calls[at - 1]}: {said}"
        assert place.run("recover").code == 0
        if difference(before, snapshot(whole)):
            assert place.run("undo", "--service", apache.service).code == 0
        assert not difference(before, snapshot(whole)), calls[at - 1]
    assert not list(place.path.rglob(".certrebind-*"))
