"""What every kind of server has to do, on the real one; and one certificate across all of them."""
import datetime
import os
import re
import signal
import socket
import subprocess

import pytest

from command import committed, outcomes_of
from files import difference, large_file, snapshot, write
from markers import both_builds, needs_root
from pki import utc_now
from ports import free_port
from stages.daemon import Watch
from stages.every_kind import STAGES, NginxStage, TwoServersOneFile
from stages.killed import KilledRebind
from sweep import in_shares
from waiting import until
from witnesses import Download, Load, Stranger

pytestmark = both_builds

REFUSED, ROLLED_BACK, NEEDS_OPERATOR = 1, 3, 4


@pytest.fixture(params=STAGES)
def kind(request):
    return STAGES[request.param]


@pytest.fixture
def pair(authority):
    return authority.pair("a.example.com")


@pytest.fixture
def one(place, kind, pair):
    """One site that serves OLD; NEW beside in new/."""
    stage = kind(place, ("a.example.com", [pair[0]]))
    stage.old, stage.new = pair
    stage.new_cert, stage.new_key = stage.put(place / "new", pair[1])
    return stage


def test_every_registered_kind_is_here(place):
    said = place.run("service", "list", "--json").json["kinds"]
    by_code = {kind["kind"] for kind in said if kind["described_in"] == "its own code"}
    assert by_code == {name.split("-")[0] for name in STAGES}


def test_find(one):
    binding, = one.run("scan", "--json").json["bindings"]
    cert, key = one.sites[0][1][0]
    assert binding["site"] == "a.example.com" or "a.example.com" in binding["names"]
    assert binding["certificate_path"] == str(cert)
    assert binding["key_path"] == str(key)
    assert binding["file"] == one.server.service.split(":", 1)[1]
    written = open(binding["file"]).read().splitlines()[binding["line"] - 1]
    assert written[binding["column"] - 1:].startswith(str(cert))
    assert one.run("check").code == 0


def test_renewed_in_place(one):
    one.run("scan")
    one.put(one.place / "certs/a.example.com/0", one.new)
    assert "renewed but not reloaded" in one.run("check").out
    committed(one.run("rebind", one.old.thumbprint, one.new.thumbprint, "--json"), "reload")
    assert one.served("a.example.com") == one.new.thumbprint
    assert one.run("check").code == 0


def test_repoint(one):
    before = snapshot(one.place / "certs")
    committed(one.run("rebind", one.old.thumbprint, one.new_cert, "--repoint", "--json"), "repoint")
    assert one.served("a.example.com") == one.new.thumbprint
    assert not difference(before, snapshot(one.place / "certs"))
    assert one.run("undo").code == 0
    assert one.served("a.example.com") == one.old.thumbprint


def test_rewrite(one):
    before = snapshot(one.place / "certs")
    committed(one.run("rebind", one.old.thumbprint, one.new_cert, "--rewrite", "--json"), "rewrite")
    assert one.served("a.example.com") == one.new.thumbprint
    assert one.sites[0][1][0][0].read_text() == one.new.fullchain_pem
    assert one.run("undo").code == 0
    assert one.served("a.example.com") == one.old.thumbprint
    assert not difference(before, snapshot(one.place / "certs"))


def test_a_wildcard_of_many_sites(place, kind, authority):
    old, new = authority.pair("*.example.com")
    names = [f"s{number}.example.com" for number in range(5)]
    stage = kind(place, *((name, [old]) for name in names))
    cert, _ = stage.put(place / "new", new)
    committed(stage.run("rebind", old.thumbprint, cert, "--json"))
    assert {stage.served(name) for name in names} == {new.thumbprint}
    assert stage.server.reloads() <= 1


@pytest.mark.parametrize("renewed", ["rsa", "ec"])
def test_a_certificate_of_each_key_type(place, kind, authority, renewed):
    pairs = {key[:3].strip("2"): authority.pair("a.example.com", key=key) for key in ("rsa2048", "ec")}
    stage = kind(place, ("a.example.com", [pairs["rsa"][0], pairs["ec"][0]]))
    cert, _ = stage.put(place / "new", pairs[renewed][1])
    committed(stage.run("rebind", pairs[renewed][0].thumbprint, cert, "--json"))
    for key in ("rsa", "ec"):
        expected = pairs[key][1 if key == renewed else 0]
        assert stage.served("a.example.com", key_type=key) == expected.thumbprint


def test_the_default_without_a_name(place, kind, authority):
    old, new = authority.pair("a.example.com")
    other = authority.issue("b.example.com")
    stage = kind(place, ("a.example.com", [old]), ("b.example.com", [other]))
    assert stage.served(None) == old.thumbprint
    cert, _ = stage.put(place / "new", new)
    committed(stage.run("rebind", old.thumbprint, cert, "--json"))
    assert stage.served(None) == new.thumbprint
    assert stage.served("b.example.com") == other.thumbprint


@pytest.mark.parametrize("fault", ["another key", "garbage", "missing file", "no key", "expired"])
def test_a_bad_certificate_is_refused_before_the_server_is_touched(one, authority, fault):
    new = one.new
    if fault == "another key":
        one.new_key.write_text(one.old.key_pem)
    elif fault == "garbage":
        one.new_cert.write_text("-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n")
    elif fault == "missing file":
        one.new_cert.unlink()
    elif fault == "no key":
        one.new_key.unlink()
    else:
        new = authority.issue("a.example.com", not_before=utc_now() - datetime.timedelta(days=9),
                              not_after=utc_now() - datetime.timedelta(days=1))
        one.put(one.new_cert.parent, new)
    before, reloads = snapshot(one.place / "certs"), one.server.reloads()
    done = one.run("rebind", one.old.thumbprint, one.new_cert)
    assert done.code in (REFUSED, 2), done
    assert one.untouched(before, reloads)
    assert one.served("a.example.com") == one.old.thumbprint


@needs_root
def test_a_key_that_may_not_be_read_is_refused(one):
    """As an ordinary user, who may read the configuration but not the key of NEW."""
    one.new_key.chmod(0o600)
    state = one.place / "their-state"
    state.mkdir()
    os.chown(state, 65534, 65534)
    before, reloads = snapshot(one.place / "certs"), one.server.reloads()
    done = one.run("plan", one.old.thumbprint, one.new_cert,
                   before=["setpriv", "--reuid=65534", "--clear-groups"],
                   env={"CERTREBIND_STATE": str(state), "CERTREBIND_RUN": str(state / "run")})
    assert done.code in (REFUSED, 2), done
    assert one.untouched(before, reloads)


def test_an_address_that_another_program_holds_forbids_a_reload(one):
    """No server's own test says so, and none bears it well: httpd would end, HAProxy take no
    connections for two seconds. What is told over a socket reloads nothing."""
    with socket.create_server(("127.0.0.1", free_port())) as other:
        text = one.server.conf.read_text()
        one.server.conf.write_text(one.listening_too(text, other.getsockname()[1]))
        before, reloads = snapshot(one.place / "certs"), one.server.reloads()
        done = one.run("check")
        if os.geteuid() == 0:
            assert done.code == 1 and "no reload can succeed" in done.out, done
        done = one.run("rebind", one.old.thumbprint, one.new_cert)
        if getattr(one, "socket", False):
            assert done.code == 0, done
            return
        assert done.code == REFUSED, done
        assert f"{one.server.conf}:" in done.out and "another program listens there" in done.out
        assert one.untouched(before, reloads)
        assert one.served("a.example.com") == one.old.thumbprint
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
    assert one.served("a.example.com") == one.new.thumbprint


def test_a_server_that_does_not_listen_is_rolled_back(place, kind, pair):
    """Its main process is stopped: it takes no signal. What is told over a socket needs none."""
    place.configure(verify=3)
    stage = kind(place, ("a.example.com", [pair[0]]))
    cert, _ = stage.put(place / "new", pair[1])
    before = snapshot(place / "certs")
    stage.server.send(signal.SIGSTOP)
    try:
        done = stage.run("rebind", pair[0].thumbprint, cert)
    finally:
        stage.server.send(signal.SIGCONT)
    if getattr(stage, "socket", False):
        assert done.code == 0, done
        return
    assert done.code in (ROLLED_BACK, NEEDS_OPERATOR), done
    assert not difference(before, snapshot(place / "certs"))
    stage.server.wait_served(pair[0].thumbprint, stage.port, "a.example.com")


def test_no_request_is_lost_and_no_transfer_cut(one):
    digest = large_file(one.documents() / "large", 100)
    download = Download(one.port, "a.example.com", "/large")
    with Load(one.port, "a.example.com", "/ok") as load:
        load.wait_for_more()
        assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
        load.wait_for_more()
    assert load.failures == []
    assert one.served("a.example.com") == one.new.thumbprint
    assert download.finish() == (100 << 20, digest)


def test_a_server_that_dies_when_it_is_told(place, kind, pair):
    place.configure(verify=3)
    stage = kind(place, ("a.example.com", [pair[0]]))
    cert, _ = stage.put(place / "new", pair[1])
    before = snapshot(place / "certs")
    pids = stage.stopped()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    process = place.popen("rebind", pair[0].thumbprint, cert, "--service", stage.server.service,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    until(stage.reload_begins, "it is told to reload")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    os.killpg(stage.server.master_pid, signal.SIGKILL)  # what outlives its main process
    assert process.returncode == NEEDS_OPERATOR, out
    assert not difference(before, snapshot(place / "certs")), out
    assert b"main process" in out and b"restart the server" in out, out


def test_a_port_where_another_certificate_is_served_too(place, kind, pair, authority):
    place.configure(verify=3)
    stage = kind(place, ("a.example.com", [pair[0]]), shared=True)
    cert, _ = stage.put(place / "new", pair[1])
    stranger = Stranger(stage.port, authority.issue("a.example.com"), place / "stranger")
    place.at_end(stranger.end)
    before = snapshot(place / "certs")
    done = stage.run("rebind", pair[0].thumbprint, cert)
    assert done.code == ROLLED_BACK, done
    assert not difference(before, snapshot(place / "certs"))
    until(lambda: stage.served("a.example.com") == pair[0].thumbprint, "it serves OLD again")


@in_shares
def test_killed_in_every_phase(one, shim, share):
    one.place.configure(verify=3)

    def starts():
        code, said = one.server.test()
        assert code == 0, said

    KilledRebind(
        one.place, one.sites[0][1][0],
        rebind=lambda env: one.run("rebind", one.old.thumbprint, one.new_cert, "--rewrite", env=env),
        undo=lambda: one.run("undo"), starts=starts,
        wait_served=lambda certificate: one.server.wait_served(certificate.thumbprint, one.port, "a.example.com"),
    ).sweep(shim, share, one.old, one.new)


def test_the_daemon_notices_and_serves(one):
    watch = Watch(one.place, one.server).start(one.old)
    watch.idle()
    one.put(one.place / "certs/a.example.com/0", one.new)
    one.server.wait_served(one.new.thumbprint, one.port, "a.example.com")
    watch.wait_for(2002, one.new)
    watch.idle()
    assert watch.count(2002, one.new) == 1
    assert one.server.reloads() == (0 if getattr(one, "socket", False) else 1)


def test_what_was_proven_can_be_restored(one):
    assert one.run("rebind", "--pending").code == 0
    cert, key = one.sites[0][1][0]
    key.write_text(one.new.key_pem)
    done = one.run("restore", cert)
    assert done.code == 0, done
    assert key.read_text() == one.old.key_pem
    assert one.served("a.example.com") == one.old.thumbprint


def test_a_site_is_explained(one):
    done = one.run("explain", "a.example.com")
    assert done.code == 0, done
    assert one.old.thumbprint[:16] + ": the certificate on disk" in done.out


def test_what_was_refused_is_no_standing_order(one):
    one.new_key.write_text(one.old.key_pem)
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == REFUSED
    one.new_key.write_text(one.new.key_pem)
    reloads = one.server.reloads()
    assert one.run("rebind", "--pending").code == 0
    assert one.served("a.example.com") == one.old.thumbprint and one.server.reloads() == reloads
    ids = [event["id"] for event in one.place.run("events", "--json").lines]
    assert 1001 not in ids and 2004 in ids, ids


@needs_root
def test_a_state_that_may_not_be_read_is_no_empty_one(one):
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
    for command in ("status", "history", "events"):
        done = one.place.run(command, before=["setpriv", "--reuid=65534", "--clear-groups"])
        assert done.code != 0 and "permission denied" in done.err, done


# ------------------------------------------------------------------------- across all kinds

def test_one_wildcard_across_all_kinds_with_one_that_fails(place, authority):
    """Three transactions: one is rolled back, two are committed, and the account says which."""
    place.configure(verify=3)
    old, new = authority.pair("*.example.com")
    stages = [kind(place, (f"{name}.example.com", [old]))
              for name, kind in STAGES.items() if "-" not in name]
    new_cert, _ = new.write(place / "new", "fullchain.pem", "privkey.pem")
    stages[0].server.send(signal.SIGSTOP)  # nginx takes no signal
    services = [word for stage in stages for word in ("--service", stage.server.service)]
    try:
        done = place.run("rebind", old.thumbprint, new_cert, "--json", *services)
    finally:
        stages[0].server.send(signal.SIGCONT)
    outcomes = {each["service"]: each["outcome"] for each in done.json["accounts"]}
    assert outcomes == {stages[0].server.service: "rolled back", stages[1].server.service: "committed",
                        stages[2].server.service: "committed"}, done
    assert done.code == ROLLED_BACK, done
    stages[0].server.wait_served(old.thumbprint, stages[0].port, "nginx.example.com")
    for stage, name in zip(stages[1:], ("apache", "haproxy")):
        assert stage.served(f"{name}.example.com") == new.thumbprint


def test_a_key_that_another_server_uses_is_not_written_over(place, authority):
    """nginx's rebind would leave Apache with a pair that does not match, and its next reload would end it."""
    old = authority.issue("a.example.com")
    other = authority.issue("b.example.com", key=old.key)
    new = authority.issue("a.example.com", days=90)
    nginx = NginxStage(place, ("a.example.com", [old]))
    _, key = nginx.sites[0][1][0]
    write(place / "certs/b.pem", other.fullchain_pem)
    apache = place.apache()
    port = free_port()
    apache.write(f"<VirtualHost 127.0.0.1:{port}>\nServerName b.example.com\nSSLEngine on\n"
                 f"SSLCertificateFile {place.path}/certs/b.pem\nSSLCertificateKeyFile {key}\n</VirtualHost>\n",
                 ports=[port]).start()
    new_cert, _ = new.write(place / "new", "fullchain.pem", "privkey.pem")
    before = snapshot(place / "certs")
    done = place.run("rebind", old.thumbprint, new_cert, "--service", nginx.server.service, "--service",
                     apache.service)
    assert done.code == REFUSED and "b.example.com" in done.all and "also uses it" in done.all, done
    assert not difference(before, snapshot(place / "certs"))


def test_a_site_left_alone_keeps_a_file_that_it_shares(place, authority):
    """A policy says no for a link to the file that a renewal would rewrite."""
    old, new = authority.pair("a.example.com")
    nginx = NginxStage(place, ("a.example.com", [old]))
    cert, key = nginx.sites[0][1][0]
    (place / "certs/legacy.pem").symlink_to(cert)
    port = free_port()
    nginx.server.write("".join(
        f"server {{ listen 127.0.0.1:{number} ssl; server_name a.example.com;\n"
        f"ssl_certificate {path}; ssl_certificate_key {key}; }}\n"
        for number, path in ((nginx.port, cert), (port, place / "certs/legacy.pem"))))
    nginx.server.reload()
    new.write(place / "renewed", "a.pem", "a.key")
    place.configure('[[policy]]\ncertificate = "*legacy.pem"\nautomatic = "no"\n',
                    stores=[("directory", place / "renewed")])
    before = snapshot(place / "certs")
    done = nginx.run("rebind", "--pending", "--rewrite")
    assert "excluded by a policy" in done.out and "also uses it" in done.all, done
    assert not difference(before, snapshot(place / "certs"))


@needs_root
def test_check_says_what_no_reload_would_survive(one):
    """What we need not understand, the server is asked for: it serves, and will take no renewal."""
    good = one.server.conf.read_text()
    write(one.server.conf, good + "\nno_such_directive on;\n")
    done = one.run("check")
    assert done.code == 1 and "no reload can succeed: the server's own test fails" in done.out, done
    assert "no_such_directive" in done.out, done
    write(one.server.conf, good)
    assert one.run("check").code == 0


def test_two_servers_that_share_a_file_follow_together(place, authority):
    two = TwoServersOneFile(place, authority)
    done = two.rebind()
    assert done.code == 0 and outcomes_of(done) == [("nginx", "committed"), ("apache", "committed")], done
    two.serve(two.new)
    done = place.run("undo", "--json", *two.both)
    assert done.code == 0 and outcomes_of(done) == [("nginx", "committed"), ("apache", "committed")], done
    two.serve(two.old)


def test_two_servers_that_share_a_file_are_restored_together(place, authority):
    two = TwoServersOneFile(place, authority)
    assert place.run("rebind", "--pending", *two.both).code == 0
    assert two.rebind().code == 0
    done = place.run("restore", two.certificate, two.old.thumbprint[:16], *two.both)
    assert done.code == 0, done
    two.serve(two.old)
    done = place.run("undo", "--json", *two.both)
    assert done.code == 0 and outcomes_of(done) == [("nginx", "committed"), ("apache", "committed")], done
    two.serve(two.new)


def test_two_servers_that_share_a_file_go_back_together(place, authority):
    """The second does not take what the first has taken already."""
    two = TwoServersOneFile(place, authority)
    two.apache.server.send(signal.SIGSTOP)
    try:
        done = two.rebind()
    finally:
        two.apache.server.send(signal.SIGCONT)
    assert ("nginx", "committed") in outcomes_of(done) and done.code in (
        ROLLED_BACK, NEEDS_OPERATOR), done
    assert "was undone" in done.all, done
    two.serve(two.old)
    reloads = two.nginx.server.reloads()
    place.run("rebind", "--pending", *two.both)
    assert two.nginx.server.reloads() == reloads, "what was taken back is no standing order"
    # What is stuck is listed until an audit finds all well.
    place.run("rebind", "--pending", *two.both)
    status = place.run("status", "--json")
    assert status.json["needs_person"] == [], status


def test_a_server_that_shares_a_file_does_not_get_what_another_refused(place, authority):
    two = TwoServersOneFile(place, authority)
    two.nginx.server.send(signal.SIGSTOP)
    try:
        done = two.rebind()
    finally:
        two.nginx.server.send(signal.SIGCONT)
    assert outcomes_of(done) == [("nginx", "rolled back"), ("apache", "refused")], done
    assert "shares files with nginx:" in done.all, done
    two.serve(two.old)
