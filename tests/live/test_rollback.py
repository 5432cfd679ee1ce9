"""What goes wrong on the real thing ends with OLD served, files byte for byte as before, and an account."""
import os
import signal

import pytest
from cryptography.hazmat.primitives import hashes

from files import difference, snapshot, write
from handshakes import handshake
from markers import both_builds
from ports import free_port
from stages.one_site import OneSite, make_site
from waiting import until
from witnesses import Stranger

pytestmark = both_builds

ROLLED_BACK, NEEDS_OPERATOR = 3, 4


@pytest.fixture
def quick(place):
    place.configure(verify=3)
    return place


def rebind(one, *more):
    return one.run("rebind", one.old.thumbprint, one.new_cert, *more)


def assert_as_before(one, before, done, code):
    assert done.code == code, done
    assert difference(before, snapshot(one.place.path)) == [], done
    assert one.served() == one.old.thumbprint
    account = one.place.run("history", "--json").json["transactions"][0]
    assert account["outcome"] == ("rolled back" if code == ROLLED_BACK else "needs operator")
    assert account["account"] and account["account"][0]


def test_the_servers_own_test_fails_after_the_swap(quick, authority):
    """A certificate that we have nothing against and nginx has: a signature by SHA-1."""
    old = authority.issue("a.example.com", days=60)
    new = authority.issue("a.example.com", days=90, digest=hashes.SHA1())
    one = OneSite(quick, authority, old=old, new=new)
    before, workers = snapshot(quick.path), one.nginx.worker_pids()
    done = rebind(one)
    assert_as_before(one, before, done, ROLLED_BACK)
    assert "the server's own test rejects" in done.out and "too weak" in done.out
    assert one.nginx.worker_pids() == workers, "nginx was never told"


def test_nginx_ignores_the_reload(quick, authority):
    one = OneSite(quick, authority)
    before = snapshot(quick.path)
    one.nginx.send(signal.SIGSTOP)  # the master hears nothing; the workers serve on
    done = rebind(one)
    assert_as_before(one, before, done, ROLLED_BACK)
    assert "do not serve the new certificate" in done.out
    one.nginx.send(signal.SIGCONT)
    until(lambda: one.nginx.reloads() > 0, "the master has heard")
    one.nginx.wait_served(one.old.thumbprint, one.port, one.name)


def test_the_master_dies_during_the_reload(quick, authority):
    gate = quick.gate()
    gate.open()
    one = OneSite(quick, authority, main="")
    one.nginx.write(gate.directive + one.site.block())
    one.nginx.reload()
    before = snapshot(quick.path)
    gate.close()
    process = quick.popen("rebind", one.old.thumbprint, str(one.new_cert), "--service",
                          one.nginx.service, stdout=-1, stderr=-2)
    gate.wait_for_load()  # nginx -t, after the swap
    gate.let_pass()
    gate.wait_for_load()  # the reload itself
    os.kill(one.nginx.master_pid, signal.SIGKILL)
    gate.open()
    out, _ = process.communicate(timeout=120)
    assert process.returncode == NEEDS_OPERATOR, out
    assert difference(before, snapshot(quick.path)) == [], out
    assert b"main process" in out and b"restart the server" in out
    # Its workers outlive it.
    assert handshake(one.port, one.name) == one.old.thumbprint


def test_something_else_answers_with_another_certificate(quick, authority):
    one = OneSite(quick, authority)
    one.nginx.write(one.site.block(listen=f"127.0.0.1:{one.port} ssl reuseport"))
    one.nginx.stop()
    one.nginx.start()
    stranger = Stranger(one.port, authority.issue("a.example.com"), quick.path / "stranger")
    quick.at_end(stranger.end)
    before = snapshot(quick.path)
    done = rebind(one)
    assert done.code == ROLLED_BACK, done
    assert difference(before, snapshot(quick.path)) == [], done
    until(lambda: handshake(one.port, one.name) == one.old.thumbprint, "nginx serves OLD again")


def test_only_one_of_two_endpoints_changes(quick, authority):
    one = OneSite(quick, authority)
    second = free_port()
    one.nginx.write(one.site.block(
        listen=f"127.0.0.1:{one.port} ssl; listen 127.0.0.1:{second} ssl reuseport"))
    one.nginx.stop()
    one.nginx.start()
    stranger = Stranger(second, one.old, quick.path / "stranger")
    quick.at_end(stranger.end)
    before = snapshot(quick.path)
    done = rebind(one)
    assert done.code == ROLLED_BACK, done
    assert str(second) in done.out
    assert difference(before, snapshot(quick.path)) == [], done
    one.nginx.wait_served(one.old.thumbprint, one.port, one.name)
    one.nginx.wait_served(one.old.thumbprint, second, one.name)


def test_a_reload_that_cannot_be_proven_has_nothing_to_put_back(quick, authority):
    one = OneSite(quick, authority)
    one.new.write(one.site.cert_path.parent)  # renewed in place by somebody else
    before = snapshot(quick.path)
    one.nginx.send(signal.SIGSTOP)
    done = rebind(one)
    assert_as_before(one, before, done, NEEDS_OPERATOR)
    assert "no longer on disk" in done.out and "from the server's memory" in done.out
    assert f"kill -HUP {one.nginx.master_pid}" in done.out and "nginx -t" in done.out
    one.nginx.send(signal.SIGCONT)


def test_one_service_fails_and_the_other_commits(quick, authority):
    old, new = authority.pair("a.example.com")
    bad = OneSite(quick, authority, old=old, new=new)
    good_site = make_site(quick, old, directory=quick.path / "certs2")
    good = quick.nginx("second")
    good.write(good_site.block()).start()
    bad.nginx.send(signal.SIGSTOP)
    done = bad.run("rebind", old.thumbprint, bad.new_cert, "--service", good.service, "--json")
    bad.nginx.send(signal.SIGCONT)
    assert done.code == ROLLED_BACK, done
    outcomes = {account["service"]: account["outcome"] for account in done.json["accounts"]}
    assert outcomes == {bad.nginx.service: "rolled back", good.service: "committed"}
    assert handshake(good_site.port, "a.example.com") == new.thumbprint
    bad.nginx.wait_served(old.thumbprint, bad.port, bad.name)


def test_half_of_a_set_that_is_back_needs_a_person(quick, authority):
    """Somebody writes the certificate anew, and only it, while the proof fails: what they wrote is kept."""
    one = OneSite(quick, authority)
    one.nginx.send(signal.SIGSTOP)  # the master hears nothing
    process = quick.popen("rebind", one.old.thumbprint, str(one.new_cert), "--service",
                          one.nginx.service, stdout=-1, stderr=-2)
    until(lambda: one.site.cert_path.read_text() == one.new.fullchain_pem, "the files are swapped")
    until(lambda: not one.site.cert_path.is_symlink() and not one.site.key_path.is_symlink(),
          "and are plain files again")
    theirs = "# a note\n" + one.new.fullchain_pem
    write(one.site.cert_path, theirs)
    out, _ = process.communicate(timeout=120)
    one.nginx.send(signal.SIGCONT)
    assert process.returncode == NEEDS_OPERATOR, out
    assert b"changed by another program meanwhile" in out, out
    assert one.site.cert_path.read_text() == theirs
    assert handshake(one.port, one.name) == one.old.thumbprint
