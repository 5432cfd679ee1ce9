"""Servers that load certificates at their start only: restarted if a policy allows it, in its window, and proven."""
import time

import pytest

from command import of_service, probed
from files import write
from markers import needs_root
from servers.systemd import Systemd
from servers.vsftpd import Vsftpd
from stages.killed import KilledRebind
from sweep import in_shares
from waiting import until, window

pytestmark = needs_root
HOST = "mx.test"
OK, REFUSED, WARNING, ROLLED_BACK, NEEDS_OPERATOR = 0, 1, 1, 3, 4


class Stage:
    """vsftpd as a unit of a systemd, which serves OLD."""

    def __init__(self, place, authority):
        self.place, self.server = place, Vsftpd(place / "s")
        self.old, self.new = authority.pair(HOST)
        self.server.install(self.old).write()
        cert, key = self.old.write(place / "old")
        run = f"/usr/sbin/vsftpd {self.server.conf}"
        picky = f"cmp -s {cert} {self.server.certificate} && exec {run}"
        mounted = (f"mount --bind {cert} {self.server.certificate} && mount --bind {key} {self.server.key} && "
                   f"exec {run}")
        self.systemd = Systemd(place, {"vsftpd": [run], "cron": ["/bin/sh", "-c", f"'{run}; true'"],
                                       "picky": ["/bin/sh", "-c", f"'{picky}'"],
                                       "mounted": ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", f"'{mounted}'"]})
        self.allow()

    def allow(self, text=""):
        self.place.configure(f'[[policy]]\nservice = "vsftpd:*"\n{text}', verify=120, handshake=30)

    def start(self, unit="vsftpd"):
        done = self.systemd.systemctl("start", unit)
        assert done.returncode == 0, done
        until(lambda: self.served() == self.old.thumbprint, "it serves the old certificate")
        return self.systemd.main_pid(unit)

    def served(self):
        return probed(self.server.endpoints["ftp"], "ftp", HOST)

    def run(self, *arguments, **options):
        return self.place.run(*of_service(arguments, self.server.service), before=self.systemd.before, **options)


@pytest.fixture
def stage(place, authority):
    return Stage(place, authority)


def test_a_renewal_in_place_restarts_it_and_is_proven(stage):
    stage.allow(f'allow_restart = true\nwindow = "{window(-0.5)}"')
    before = stage.start()
    done = stage.run("rebind", "--pending")
    assert done.code == OK and stage.systemd.main_pid("vsftpd") == before, "nothing was renewed"
    stage.server.install(stage.new)
    done = stage.run("rebind", "--pending")
    assert done.code == OK and stage.served() == stage.new.thumbprint, done
    after = stage.systemd.main_pid("vsftpd")
    assert after != before
    done = stage.run("check")
    assert done.code == OK, done
    done = stage.run("rebind", "--pending")
    assert done.code == OK and stage.systemd.main_pid("vsftpd") == after, "there is nothing to do"


def test_a_new_certificate_is_brought_and_taken_back(stage):
    stage.allow("allow_restart = true")
    stage.start()
    cert, _ = stage.new.write(stage.place / "new")
    done = stage.run("plan", stage.old.thumbprint, cert)
    assert "restart its systemd service" in done.out, done
    done = stage.run("rebind", stage.old.thumbprint, cert)
    assert done.code == OK and stage.served() == stage.new.thumbprint, done
    done = stage.run("undo")
    assert done.code == OK and stage.served() == stage.old.thumbprint, done


@pytest.mark.parametrize("policy, says", [
    ("", "certrebind.toml does not allow to restart it"),
    ('allow_restart = true\nwindow = "{closed}"', "only in its window"),
], ids=["not allowed", "closed"])
def test_without_leave_it_goes_on(stage, policy, says):
    stage.allow(policy.format(closed=window(6)))
    before = stage.start()
    cert, _ = stage.new.write(stage.place / "new")
    done = stage.run("rebind", stage.old.thumbprint, cert)
    assert done.code == REFUSED and says in done.all, done
    assert stage.server.certificate.read_text() == stage.old.fullchain_pem
    stage.server.install(stage.new)
    done = stage.run("rebind", "--pending")
    assert done.code == (OK if policy else REFUSED), done
    assert ("waits for its window" if policy else says) in done.all, done
    assert stage.systemd.main_pid("vsftpd") == before and stage.served() == stage.old.thumbprint
    done = stage.run("check")
    assert done.code == WARNING and "renewed but not reloaded" in done.out, done
    assert (says if policy else f"(process {before} runs since ") in done.out, done


def test_a_bad_pair_restarts_nothing(stage):
    stage.allow("allow_restart = true")
    before = stage.start()
    write(stage.server.certificate, stage.new.fullchain_pem)
    done = stage.run("rebind", "--pending")
    assert done.code == REFUSED, done
    assert stage.systemd.main_pid("vsftpd") == before and stage.served() == stage.old.thumbprint


def test_one_that_does_not_come_back_is_said_loudly(stage):
    """Its configuration was broken since it was started. vsftpd has no test that would tell."""
    stage.allow("allow_restart = true")
    stage.start()
    with open(stage.server.conf, "a") as conf:
        conf.write("no_such_setting=YES\n")
    stage.server.install(stage.new)
    done = stage.run("rebind", "--pending")
    assert done.code == NEEDS_OPERATOR and "the server is down" in done.all, done
    assert "systemctl status vsftpd.service" in done.all, done
    assert "needs operator" in stage.place.run("status").out
    assert "needs operator" in stage.place.run("events").out


def test_old_files_come_back_if_it_does_not_start_with_the_new_ones(stage):
    stage.allow("allow_restart = true")
    stage.start("picky")
    cert, _ = stage.new.write(stage.place / "new")
    done = stage.run("rebind", stage.old.thumbprint, cert)
    assert done.code == ROLLED_BACK, done
    assert stage.server.certificate.read_text() == stage.old.fullchain_pem
    assert stage.served() == stage.old.thumbprint


class Inside:
    """The place, for commands that ask its systemd."""

    def __init__(self, stage):
        self.path, self.run = stage.place.path, stage.run

    def __truediv__(self, name):
        return self.path / name


@in_shares
def test_killed_in_every_phase(stage, shim, share):
    stage.allow("allow_restart = true")
    stage.start()
    cert, _ = stage.new.write(stage.place / "new")
    KilledRebind(
        Inside(stage), [stage.server.certificate, stage.server.key],
        rebind=lambda env: stage.run("rebind", stage.old.thumbprint, cert, env=env),
        undo=lambda: stage.run("undo"), starts=lambda: None,
        wait_served=lambda one: until(lambda: stage.served() == one.thumbprint, "it serves what it should"),
    ).sweep(shim, share, stage.old, stage.new)


def test_a_process_that_systemd_did_not_start_as_its_own_is_left_alone(stage):
    """A restart of the unit around it would end others, and perhaps not start this one."""
    stage.allow("allow_restart = true")
    before = stage.start("cron")
    stage.server.install(stage.new)
    done = stage.run("rebind", "--pending")
    assert done.code == REFUSED and "not the main process of a systemd service" in done.all, done
    assert stage.systemd.main_pid("cron") == before and stage.served() == stage.old.thumbprint


def test_one_that_was_started_after_its_certificate_is_not_restarted(stage):
    """What it shows comes from elsewhere: here from a copy that is mounted over the file."""
    stage.allow("allow_restart = true")
    stage.server.install(stage.new)
    changed = stage.server.key.stat().st_ctime
    until(lambda: time.time() > changed + 1, "start times, which are in 1/100 seconds, tell it")
    before = stage.start("mounted")
    done = stage.run("rebind", "--pending")
    assert done.code == REFUSED and "a restart would bring nothing new" in done.all, done
    assert stage.systemd.main_pid("mounted") == before and stage.served() == stage.old.thumbprint
