"""Mosquitto's websockets: a reload loads new files for all listeners but these, which need a restart."""
import pytest

from command import of_service, probed
from markers import needs_root
from ports import free_port
from servers.described import Mosquitto
from servers.systemd import Systemd
from waiting import until, window

pytestmark = needs_root
HOST = "mx.test"
OK, REFUSED, WARNING = 0, 1, 1
WHY = "Mosquitto's websockets listeners keep the old certificate"


class WithWebsockets(Mosquitto):
    """Both listeners have the same certificate."""

    def __init__(self, prefix):
        super().__init__(prefix)
        self.websockets = free_port()

    def configuration(self):
        return (super().configuration() + f"listener {self.websockets} 127.0.0.1\nprotocol websockets\n"
                f"certfile {self.certificate}\nkeyfile {self.key}\n")


class Stage:
    """Mosquitto as a unit of a systemd, which serves OLD at both."""

    def __init__(self, place, authority):
        self.place, self.server = place, WithWebsockets(place / "s")
        self.old, self.new = authority.pair(HOST)
        self.server.install(self.old).write()
        self.systemd = Systemd(place, {"mosquitto": self.server.command()})
        self.allow()
        done = self.systemd.systemctl("start", "mosquitto")
        assert done.returncode == 0, done
        until(lambda: self.served() == [self.old.thumbprint] * 2, "both serve the old certificate")
        self.pid = self.systemd.main_pid("mosquitto")

    def allow(self, text=""):
        self.place.configure(f'[[policy]]\nservice = "mosquitto:*"\n{text}', verify=120, handshake=30)

    def served(self):
        return [probed(port, "none", HOST) for port in (self.server.port, self.server.websockets)]

    def run(self, *arguments):
        return self.place.run(*of_service(arguments, self.server.service), before=self.systemd.before)

    def is_restarted(self):
        return self.systemd.main_pid("mosquitto") != self.pid


@pytest.fixture
def stage(place, authority):
    return Stage(place, authority)


def test_without_leave_the_others_are_reloaded_and_it_is_named(stage):
    stage.server.install(stage.new)
    done = stage.run("rebind", "--pending")
    assert done.code == OK and "committed" in done.out, done
    assert f"waits for a restart ({WHY})" in done.out, done
    assert stage.served() == [stage.new.thumbprint, stage.old.thumbprint] and not stage.is_restarted()
    done = stage.run("check")
    assert done.code == WARNING and f"(process {stage.pid} runs since " in done.out and WHY in done.out, done
    done = stage.run("rebind", "--pending")
    assert done.code == OK and "waits for a restart" in done.all and not stage.is_restarted(), done
    done = stage.run("explain", f"127.0.0.1:{stage.server.websockets}")
    assert done.code == OK and f"nothing until a restart: {WHY}" in done.out, done
    done = stage.run("rebind", stage.old.thumbprint, stage.new.thumbprint)
    assert done.code == REFUSED and WHY in done.all and not stage.is_restarted(), done
    stage.systemd.systemctl("restart", "mosquitto")
    until(lambda: stage.served() == [stage.new.thumbprint] * 2, "the restart loads it")
    assert stage.run("check").code == OK


@pytest.mark.parametrize("in_place", [True, False], ids=["renewed in place", "brought"])
def test_with_leave_it_is_restarted_and_proven(stage, in_place):
    stage.allow("allow_restart = true")
    if in_place:
        stage.server.install(stage.new)
        done = stage.run("rebind", "--pending")
    else:
        cert, _ = stage.new.write(stage.place / "new")
        done = stage.run("rebind", stage.old.thumbprint, cert)
    assert done.code == OK and "2 endpoints and names show the new certificate" in done.out, done
    assert stage.served() == [stage.new.thumbprint] * 2 and stage.is_restarted()
    assert stage.run("check").code == OK


def test_undo_restarts_it_if_it_may(stage):
    stage.allow("allow_restart = true")
    cert, _ = stage.new.write(stage.place / "new")
    done = stage.run("rebind", stage.old.thumbprint, cert)
    assert done.code == OK and stage.served() == [stage.new.thumbprint] * 2, done
    done = stage.run("undo")
    assert done.code == OK and stage.served() == [stage.old.thumbprint] * 2, done
    done = stage.run("rebind", stage.old.thumbprint, cert)
    assert done.code == OK and stage.served() == [stage.new.thumbprint] * 2, done
    stage.allow()
    done = stage.run("undo")
    assert done.code == OK and stage.served() == [stage.old.thumbprint, stage.new.thumbprint], done


def test_outside_its_window_the_others_do_not_wait(stage):
    stage.allow(f'allow_restart = true\nwindow = "{window(6)}"\nautomatic = "yes"')
    stage.server.install(stage.new)
    cert = stage.server.certificate
    done = stage.run("rebind", stage.old.thumbprint, cert)
    assert done.code == OK and stage.served() == [stage.new.thumbprint, stage.old.thumbprint], done
    assert f"not proven: Mosquitto at 127.0.0.1:{stage.server.websockets}: {WHY}" in done.all, done
    assert not stage.is_restarted()
    stage.allow(f'allow_restart = true\nwindow = "{window(-0.5)}"')
    done = stage.run("rebind", "--pending")
    assert done.code == OK and stage.served() == [stage.new.thumbprint] * 2 and stage.is_restarted(), done
