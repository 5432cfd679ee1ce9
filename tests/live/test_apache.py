"""Rebinding on a real Apache httpd: found, proven by handshakes, or nothing has changed."""
import contextlib
import copy
import hashlib
import os
import pathlib
import re
import signal
import ssl
import subprocess
from datetime import timedelta

import pytest

import acme
from command import BINARY, ROOT
from files import difference, large_file, snapshot, write
from handshakes import handshake, sent_chain
from markers import both_builds, needs_root
from pki import _KEYS, Authority, common_name, utc_now
from ports import free_port
from processes import processes_of_group
from servers.apache import APACHE_MODULES
from stages.one_host import OneHost
from stages.one_site import make_site
from waiting import until
from witnesses import Download, Load

REFUSED, ROLLED_BACK, NEEDS_OPERATOR = 1, 3, 4


@pytest.fixture
def one(place, authority):
    return OneHost(place, authority)


@pytest.fixture
def quick(place):
    place.configure(verify=4)
    return place


def committed(done):
    assert done.code == 0, done
    return done


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_one_site(place, authority, mpm):
    one = OneHost(place, authority, mpm=mpm)
    workers = one.apache.worker_pids()
    committed(one.rebind())
    assert one.served() == one.new.thumbprint
    assert one.site.cert_path.read_text() == one.new.fullchain_pem
    assert one.site.key_path.read_text() == one.new.key_pem
    assert one.apache.reloads() == 1
    assert not one.apache.worker_pids() & workers


def test_the_process_table_tells(one):
    done = committed(one.place.run("rebind", one.old.thumbprint, one.new_cert, "--json"))
    assert [a["service"] for a in done.json["accounts"]] == [one.apache.service]
    assert one.served() == one.new.thumbprint


@pytest.mark.parametrize("count", [3, 200])
def test_many_sites(place, authority, count):
    """One reload; every other site keeps its certificate."""
    port = free_port()
    names = [f"s{i}.example.com" for i in range(count)]
    pairs = {name: authority.pair(name) for name in names[:3]}
    other = authority.issue("*.example.com")
    sites = [make_site(place, pairs[name][0] if name in pairs else other, name, port)
             for name in names]
    apache = place.apache()
    apache.write("".join(site.host() for site in sites), ports=[port]).start()
    new_cert, _ = pairs[names[0]][1].write(place.path / "new")
    committed(place.run("rebind", pairs[names[0]][0].thumbprint, new_cert, "--service",
                        apache.service))
    assert handshake(port, names[0]) == pairs[names[0]][1].thumbprint
    assert handshake(port, names[1]) == pairs[names[1]][0].thumbprint
    assert handshake(port, names[-1]) == (pairs[names[-1]][0].thumbprint if count == 3
                                          else other.thumbprint)
    assert apache.reloads() == 1


def test_renewed_in_place_only_reloads(one):
    one.run("scan")  # OLD is seen there
    one.new.write(one.site.cert_path.parent)
    before = snapshot(one.place.path)
    committed(one.run("rebind", one.old.thumbprint, one.new.thumbprint))
    assert one.served() == one.new.thumbprint
    assert difference(before, snapshot(one.place.path)) == []


def test_repoint_to_where_new_has_its_home(one):
    one.place.configure(stores=[("directory", one.place / "new")])
    text = one.apache.conf.read_text()
    committed(one.rebind())
    assert one.apache.conf.read_text() == text.replace(
        str(one.site.cert_path), str(one.new_cert)).replace(
        str(one.site.key_path), str(one.new_key))
    assert one.served() == one.new.thumbprint


def test_repoint_quotes_what_must_be_quoted(one):
    cert, key = one.new.write(one.place / "with space'n quote\"")
    committed(one.run("rebind", one.old.thumbprint, cert, "--repoint"))
    assert one.apache.test()[0] == 0
    assert one.served() == one.new.thumbprint


def test_repoint_of_a_combined_file_names_the_key_too(place, authority):
    old, new = authority.pair("a.example.com")
    site = make_site(place, old, "a.example.com")
    site.cert_path = old.write_combined(place / "certs/combined.pem")
    apache = place.apache()
    apache.write(site.host(key=False), ports=[site.port]).start()
    cert, key = new.write(place / "new")
    committed(place.run("rebind", old.thumbprint, cert, "--repoint", "--service", apache.service))
    assert f"SSLCertificateFile {cert}\nSSLCertificateKeyFile {key}\n" in apache.conf.read_text()
    assert handshake(site.port, "a.example.com") == new.thumbprint
    committed(place.run("undo", "--service", apache.service))
    assert handshake(site.port, "a.example.com") == old.thumbprint


@pytest.mark.parametrize("key_first", [False, True])
def test_rewrite_of_a_combined_file(place, authority, key_first):
    old, new = authority.pair("a.example.com")
    site = make_site(place, old, "a.example.com")
    site.cert_path = old.write_combined(place / "certs/combined.pem", key_first=key_first)
    apache = place.apache()
    apache.write(site.host(key=False), ports=[site.port]).start()
    cert, _ = new.write(place / "new")
    committed(place.run("rebind", old.thumbprint, cert, "--service", apache.service))
    expected = new.write_combined(place / "expected.pem", key_first=key_first)
    assert site.cert_path.read_text() == expected.read_text()
    assert handshake(site.port, "a.example.com") == new.thumbprint


@pytest.mark.parametrize("plan", ["--rewrite", "--repoint"])
def test_the_chain_file_follows(place, authority, plan):
    """Apache takes the intermediates from SSLCertificateChainFile, whatever stands behind the leaf:
    a renewal by another issuer must not leave the old one's there."""
    other = Authority("Other")
    old = authority.issue("a.example.com", days=20)
    new = other.issue("a.example.com", days=90)
    place.configure(verify=10)
    site = make_site(place, old, "a.example.com")
    write(site.cert_path, old.leaf_pem)
    chain = write(place / "certs/chain.pem", old.chain_pem)
    apache = place.apache()
    apache.write(site.host(extra=f"  SSLCertificateChainFile {chain}\n"), ports=[site.port]).start()
    assert sent_chain(site.port, site.name)[1:] == ["CN = Certrebind Test Issuer"]
    root = write(place / "trusted.pem", other.root_pem)
    cert, _ = new.write(place / "new")
    committed(place.run("rebind", old.thumbprint, cert, plan, "--service", apache.service,
                        env={"SSL_CERT_FILE": str(root)}))
    assert handshake(site.port, site.name) == new.thumbprint
    assert sent_chain(site.port, site.name) == ["CN = a.example.com", "CN = Other Issuer"]
    if plan == "--rewrite":
        assert chain.read_text() == new.chain_pem
        assert site.cert_path.read_text() == new.leaf_pem
    committed(place.run("undo", "--service", apache.service))
    assert sent_chain(site.port, site.name)[1:] == ["CN = Certrebind Test Issuer"]


def successor(authority):
    """The same root with a new intermediate."""
    other = copy.copy(authority)
    other.intermediate_key = _KEYS["ec"]()
    other.intermediate = authority._sign(common_name("Next Issuer"), other.intermediate_key.public_key(),
                                         authority.root.subject, authority.root_key, ca=True, days=3650)
    return other


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("how", ["advice", "pending", "switch"])
def test_a_new_intermediate_comes_with_the_chain_file(place, authority, trusted, kept, how):
    """certbot's older layout: cert.pem and chain.pem apart, and the CA changes its intermediate."""
    old = authority.issue("a.example.com", days=20)
    new = successor(authority).issue("a.example.com", days=90)
    site = make_site(place, old, "a.example.com")
    write(site.cert_path, old.leaf_pem)
    chain = write(place / "certs/chain.pem", old.chain_pem)
    apache = place.apache()
    apache.write(site.host(extra=f"  SSLCertificateChainFile {chain}\n"), ports=[site.port]).start()
    env = {"SSL_CERT_FILE": str(write(place / "trusted.pem", authority.root_pem if trusted else Authority("x").root_pem))}

    def run(*arguments):
        return place.run(*arguments, "--service", apache.service, env=env)

    done = run("check")
    assert done.code == 0 and "OK - 1 binding" in done.out, done
    if kept:
        committed(run("rebind", "--pending"))
    write(site.cert_path, new.leaf_pem)
    write(site.key_path, new.key_pem, 0o600)
    write(chain, new.chain_pem)
    if how == "advice":
        done = run("check")
        command = re.search("next: certrebind (rebind .*)", done.out)
        assert done.code == 1 and command and "chain" not in done.out, done
        committed(run(*command[1].split()))
    elif how == "pending":
        committed(run("rebind", "--pending"))
    else:
        committed(run("rebind", old.thumbprint, site.cert_path))
    assert handshake(site.port, site.name) == new.thumbprint
    assert sent_chain(site.port, site.name) == ["CN = a.example.com", "CN = Next Issuer"]
    assert run("check").code == 0


@pytest.mark.parametrize("how", ["left behind", "expired"])
def test_a_chain_file_that_does_not_fit_is_a_break(place, authority, how):
    """The leaf was renewed; its chain file has the intermediate of before, or one that has expired."""
    old = authority.issue("a.example.com", days=20)
    issuer = successor(authority)
    if how == "expired":
        issuer.intermediate = authority._sign(
            common_name("Next Issuer"), issuer.intermediate_key.public_key(), authority.root.subject, authority.root_key,
            ca=True, not_before=utc_now() - timedelta(days=9), not_after=utc_now() - timedelta(days=1))
    new = issuer.issue("a.example.com", days=90)
    site = make_site(place, old, "a.example.com")
    write(site.cert_path, old.leaf_pem)
    chain = write(place / "certs/chain.pem", old.chain_pem)
    apache = place.apache()
    apache.write(site.host(extra=f"  SSLCertificateChainFile {chain}\n"), ports=[site.port]).start()
    env = {"SSL_CERT_FILE": str(write(place / "trusted.pem", authority.root_pem))}
    committed(place.run("rebind", "--pending", "--service", apache.service, env=env))
    write(site.cert_path, new.leaf_pem)
    write(site.key_path, new.key_pem, 0o600)
    if how == "expired":
        write(chain, new.chain_pem)
    done = place.run("check", "--service", apache.service, env=env)
    assert done.code != 0 and "next: certrebind rebind" not in done.out, done
    assert how == "expired" or f"{chain} holds no intermediate" in done.out, done
    for arguments in (["rebind", "--pending"], ["rebind", old.thumbprint, site.cert_path]):
        done = place.run(*arguments, "--service", apache.service, env=env)
        assert done.code == REFUSED and str(chain) in done.all, done
    assert handshake(site.port, site.name) == old.thumbprint and apache.reloads() == 0


@pytest.mark.parametrize("renewed", ["ec", "rsa2048"])
def test_dual_pair_leaves_the_other_key_type(place, authority, renewed):
    kept = "rsa2048" if renewed == "ec" else "ec"
    old, new = authority.pair("a.example.com", key=renewed)
    other = authority.issue("a.example.com", key=kept)
    site = make_site(place, old, "a.example.com")
    cert, key = other.write(place / "certs/other")
    apache = place.apache()
    apache.write(site.host(extra=f"  SSLCertificateFile {cert}\n  SSLCertificateKeyFile {key}\n"),
                 ports=[site.port]).start()
    new_cert, _ = new.write(place / "new")
    committed(place.run("rebind", old.thumbprint, new_cert, "--service", apache.service))
    kinds = {"ec": "ec", "rsa2048": "rsa"}
    assert handshake(site.port, site.name, key_type=kinds[renewed]) == new.thumbprint
    assert handshake(site.port, site.name, key_type=kinds[kept]) == other.thumbprint


# --------------------------------------------------- a bad certificate ends the whole server: never


def two_hosts(place, authority):
    one = OneHost(place, authority)
    second = authority.issue("b.example.com")
    site = make_site(place, second, "b.example.com", one.port)
    one.apache.write(one.site.host() + site.host(), ports=[one.port])
    one.apache.reload()
    one.apache.wait_served(second.thumbprint, one.port, "b.example.com")
    return one, site, second


def assert_nothing_happened(one, before, reloads):
    assert difference(before, snapshot(one.place.path)) == []
    assert one.apache.reloads() == reloads
    assert one.apache.is_running()
    assert one.served() == one.old.thumbprint


def break_pair(site, authority, how):
    stranger = authority.issue("x.example.com")
    if how == "key of another":
        write(site.key_path, stranger.key_pem, 0o600)
    elif how == "garbage":
        write(site.cert_path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    else:
        site.key_path.unlink()


@pytest.mark.parametrize("how", ["key of another", "garbage", "missing"])
def test_another_sites_broken_pair_forbids_any_reload(place, authority, how):
    """`apache2 -t` calls it fine, and the graceful restart would end every site."""
    one, site, second = two_hosts(place, authority)
    break_pair(site, authority, how)
    reloads, before = one.apache.reloads(), snapshot(place.path)
    if how == "key of another":
        assert one.apache.test()[0] == 0
    done = one.rebind()
    assert done.code == REFUSED, done
    assert "b.example.com" in done.all and "all of its sites" in done.all, done
    assert_nothing_happened(one, before, reloads)
    assert handshake(one.port, "b.example.com") == second.thumbprint


@pytest.mark.parametrize("case", ["key of another", "garbage", "missing", "unreadable key"])
def test_bad_new_is_refused_before_the_server_is_touched(one, authority, case):
    if case == "key of another":
        write(one.new_key, authority.issue("x.example.com").key_pem, 0o600)
    elif case == "garbage":
        write(one.new_cert, "garbage")
    elif case == "missing":
        one.new_key.unlink()
    else:
        write(one.new_key, one.new.encrypted_key_pem(), 0o600)
    before = snapshot(one.place.path)
    done = one.rebind()
    assert done.code in (REFUSED, 2), done
    assert_nothing_happened(one, before, 0)


def test_the_rehearsal_catches_what_nothing_else_sees(quick, authority):
    """An SSLCipherSuite that no cipher fits: -t is content, every pair is good, and httpd would
    not come up."""
    one = OneHost(quick, authority)
    text = one.apache.conf.read_text()
    write(one.apache.conf, text.replace("SSLEngine on", "SSLEngine on\nSSLCipherSuite NOSUCH"))
    assert one.apache.test()[0] == 0
    before = snapshot(quick.path)
    done = one.rebind()
    assert done.code == ROLLED_BACK, done
    assert "tested in isolation" in done.all and "cipher" in done.all.lower(), done
    assert_nothing_happened(one, before, 0)


def test_a_rehearsal_leaves_nothing_and_disturbs_nothing(place, authority):
    """Nothing is left of it: no process, no file, no line in a log, and loggers hear nothing."""
    run = place.path / "apache/run"
    base = place.path
    logger = write(base / "logger", f"#!/bin/sh\necho $$ >> {base}/piped/$1\n"
                   f"while read line; do echo \"$line\" >> {base}/piped/$1; done\n", 0o755)
    (base / "piped").mkdir(mode=0o777)
    (base / "memory").mkdir()
    (base / "scratch").mkdir()
    place.env["TMPDIR"] = str(base / "scratch")
    main = (f'CustomLog "|{logger} access {base}/piped/x" "%h"\nCustomLog {run}/access.log "%h"\n'
            f"SSLSessionCache shmcb:{base}/memory/cache(512000)\n"
            f"ScoreBoardFile {base}/memory/scoreboard\nMutex file:{base}/memory default\n"
            f"ScriptSock {base}/memory/cgi\n")
    one = OneHost(place, authority, main=main, modules=["socache_shmcb", "cgid"],
                  extra=f"  ErrorLog {run}/a.log\n  CustomLog {run}/not-yet.log \"%h\"\n")

    def logger_has_begun():
        """httpd starts one, ends it and starts another; what both write is there once the last has begun."""
        lines = (base / "piped/access").read_text().split() if (base / "piped/access").exists() else []
        return lines and lines[-1] in map(str, processes_of_group(one.apache.master_pid))
    until(logger_has_begun, "the logger runs")
    os.unlink(run / "not-yet.log")
    pid = one.apache.pid_file.read_text()
    logs = {name: (run / name).read_bytes() for name in ("error.log", "a.log", "access.log")}
    heard = (base / "piped/access").read_bytes()
    state = snapshot(base / "memory")
    processes = processes_of_group(one.apache.master_pid)
    # NEW is good, and a certificate that the rehearsal stumbles over comes behind: it is rehearsed,
    # and the real server is never told.
    text = one.apache.conf.read_text()
    write(one.apache.conf, text.replace("SSLEngine on", "SSLEngine on\nSSLCipherSuite NOSUCH"))
    everything = {int(p) for p in os.listdir("/proc") if p.isdigit()}
    done = one.rebind()
    assert done.code == ROLLED_BACK, done
    assert one.apache.pid_file.read_text() == pid
    for name, bytes_before in logs.items():
        assert (run / name).read_bytes() == bytes_before, name
    assert not (run / "not-yet.log").exists()
    assert (base / "piped/access").read_bytes() == heard
    assert difference(state, snapshot(base / "memory")) == []
    assert processes_of_group(one.apache.master_pid) == processes
    left = [p for p in os.listdir("/proc") if p.isdigit() and int(p) not in everything
            and b"CERTREBIND_REHEARSAL" in _command_line(p)]
    assert left == []
    assert list((base / "scratch").iterdir()) == []
    # And with a good configuration it comes up and goes as quietly.
    write(one.apache.conf, text)
    committed(one.rebind())
    until(lambda: (base / "piped/access").read_bytes() != heard, "httpd has a new logger after its reload")
    assert len((base / "piped/access").read_bytes().split()) == len(heard.split()) + 1


@needs_root
def test_a_directory_read_whole_on_a_file_system_of_its_own_is_left_alone(quick, authority):
    """What would be made ready in it httpd would read, and from elsewhere nothing can be exchanged."""
    old, new = authority.pair("x.example.com")
    one_site = make_site(quick, old, "x.example.com", directory=quick / "certs")
    apache = quick.apache()
    whole = quick.tmpfs("sites", "1m")
    write(whole / "x", f"Listen 127.0.0.1:{one_site.port}\n" + one_site.host())
    apache.write(f"Include {whole}\n").start()
    cert, _ = new.write(quick / "new")
    before = snapshot(quick.path, without=("run", "state", "home"))
    done = quick.run("rebind", old.thumbprint, cert, "--repoint", "--service", apache.service)
    assert done.code == REFUSED, done
    assert f"reads every file of {whole}" in done.all and "include it by a pattern" in done.all, done
    assert difference(before, snapshot(quick.path, without=("run", "state", "home"))) == []
    assert handshake(one_site.port, "x.example.com") == old.thumbprint


def _command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_httpd_ignores_the_reload(quick, authority):
    one = OneHost(quick, authority)
    before = snapshot(quick.path)
    one.apache.send(signal.SIGSTOP)  # the master hears nothing; its children serve on
    done = one.rebind()
    assert done.code == ROLLED_BACK, done
    assert difference(before, snapshot(quick.path)) == []
    assert one.served() == one.old.thumbprint
    one.apache.send(signal.SIGCONT)
    until(lambda: one.apache.reloads() > 0, "the master has heard")
    one.apache.wait_served(one.old.thumbprint, one.port, one.name)


@both_builds
def test_httpd_dies(quick, authority):
    """Its main process ends before it has heard of the reload: the files are put back, and somebody
    is told to start it again."""
    one = OneHost(quick, authority)
    before = snapshot(quick.path)
    one.apache.send(signal.SIGSTOP)
    process = quick.popen("rebind", one.old.thumbprint, str(one.new_cert), "--service",
                          one.apache.service, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    until(lambda: _signal_waits(one.apache.master_pid, signal.SIGUSR1), "it was told to reload")
    one.apache.process.kill()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == NEEDS_OPERATOR, out
    assert b"main process" in out and b"restart the server" in out, out
    assert difference(before, snapshot(quick.path)) == [], out


def _signal_waits(pid, number):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    waiting = next(line for line in text.splitlines() if line.startswith("ShdPnd:"))
    return int(waiting.split()[1], 16) >> (number - 1) & 1


@both_builds
def test_nothing_is_lost_while_it_reloads(place, authority):
    one = OneHost(place, authority)
    (one.apache.prefix / "html/ok").write_text("ok")
    digest = large_file(one.apache.prefix / "html/large", 60)
    download = Download(one.port, one.name, "/large")
    with Load(one.port, one.name, "/ok") as load:
        committed(one.rebind())
        load.wait_for_more()
    assert load.failures == []
    assert download.finish() == (60 << 20, digest)


@both_builds
def test_old_children_that_finish_a_transfer_do_not_hold_up_the_proof(place, authority):
    one = OneHost(place, authority)
    large_file(one.apache.prefix / "html/large", 60)
    download = Download(one.port, one.name, "/large")
    workers = one.apache.worker_pids()
    committed(one.rebind())
    assert {pid for pid in workers if pathlib.Path(f"/proc/{pid}").exists()}, "one still sends"
    download.finish()


@both_builds
@pytest.mark.parametrize("killed", ["when the files are swapped", "when it was told to reload",
                                    "when it serves the new one"])
def test_a_crash_is_finished_by_the_next_command(quick, authority, killed):
    one = OneHost(quick, authority)
    before = snapshot(quick.path)
    one.apache.send(signal.SIGSTOP)
    process = quick.popen("rebind", one.old.thumbprint, str(one.new_cert), "--service",
                          one.apache.service, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL)
    until(lambda: one.site.cert_path.read_text() == one.new.fullchain_pem, "the files are swapped")
    if killed != "when the files are swapped":
        until(lambda: _signal_waits(one.apache.master_pid, signal.SIGUSR1), "it was told to reload")
    if "serves" in killed:
        until(lambda: one.run("history", "--json").json["transactions"][0]["phase"] == "verifying", "it looks")
    process.send_signal(signal.SIGSTOP if "serves" in killed else signal.SIGKILL)
    one.apache.send(signal.SIGCONT)
    if "serves" in killed:
        one.apache.wait_served(one.new.thumbprint, one.port, one.name)
        process.kill()
    process.wait()
    quick.run("check", "--service", one.apache.service)
    quick.run("rebind", "--pending", "--service", one.apache.service)
    history = one.run("history", "--json").json["transactions"]  # the latest first; a rebind that was taken back
    first, last = history[-1]["outcome"], history[0]["outcome"]  # may have been made again
    if killed == "when the files are swapped":
        assert first == "rolled back"
    if "serves" in killed:
        assert first == "committed"
    expected = one.new if last == "committed" else one.old
    assert one.served() == expected.thumbprint
    assert one.site.cert_path.read_text() == expected.fullchain_pem
    assert one.apache.is_running()
    if last == "rolled back":
        assert difference(before, snapshot(quick.path)) == []
    assert [p for p in os.listdir("/proc") if p.isdigit()
            and b"CERTREBIND_REHEARSAL" in _command_line(p)] == []


def test_a_stopped_server_is_rehearsed_and_not_started(place, authority):
    one = OneHost(place, authority)
    one.apache.stop()
    done = committed(one.rebind())
    assert "owed" in done.all
    assert one.site.cert_path.read_text() == one.new.fullchain_pem
    one.apache.start()
    assert one.served() == one.new.thumbprint


# ------------------------------------------------------------------------------ shapes of configuration


def rebind_on(place, apache, old, new, *more):
    cert, _ = new.write(place / "new")
    return place.run("rebind", old.thumbprint, cert, "--service", apache.service, *more)


def test_a_certificate_in_a_macro_is_edited_where_it_is_written(place, authority):
    names = ["a.example.com", "b.example.com"]
    old, new = authority.pair(names)
    site = make_site(place, old, names[0], directory=place / "certs/shared")
    body = site.host().replace(names[0], "$name")
    apache = place.apache()
    apache.write(f"<Macro Tls $name>\n{body}</Macro>\n" + "".join(f"Use Tls {n}\n" for n in names),
                 ports=[site.port], modules=["macro"]).start()
    done = committed(rebind_on(place, apache, old, new, "--repoint"))
    assert f"SSLCertificateFile {place / 'new'}/fullchain.pem" in apache.conf.read_text(), done
    assert [handshake(site.port, name) for name in names] == [new.thumbprint] * 2


def test_a_macros_parameter_is_not_edited(place, authority):
    old, new = authority.pair("a.example.com")
    site = make_site(place, old, "a.example.com")
    body = site.host().replace(str(site.cert_path), "$certificate")
    apache = place.apache()
    apache.write(f"<Macro Tls $certificate>\n{body}</Macro>\nUse Tls {site.cert_path}\n",
                 ports=[site.port], modules=["macro"]).start()
    done = rebind_on(place, apache, old, new, "--repoint")
    assert done.code == REFUSED and "parameter of a macro" in done.all, done
    new.write(site.cert_path.parent)  # renewed in place it is still reloaded
    committed(place.run("rebind", old.thumbprint, new.thumbprint, "--service", apache.service))
    assert handshake(site.port, site.name) == new.thumbprint


def test_hosts_of_addresses_and_names(place, authority):
    """By address, by name, by wildcard, the default host without SNI, IPv6, and a host without TLS
    that answers with the first one's certificate."""
    port = free_port()
    old, new = authority.pair(["*.example.com", "example.com"])
    other = authority.issue(["other.example.org"])
    site = make_site(place, old, "first.example.com", port)
    alias = make_site(place, old, "second.example.com", port)
    strange = make_site(place, other, "other.example.org", port)
    apache = place.apache()
    apache.write(site.host(address=f"*:{port}") +
                 alias.host(address=f"_default_:{port}", extra="  ServerAlias *.sub.example.com\n") +
                 strange.host(address=f"127.0.0.3:{port}") +
                 site.host(address=f"[::1]:{port}").replace("ServerName first", "ServerName six") +
                 f"<VirtualHost *:{port}>\nServerName plain.example.com\n</VirtualHost>\n",
                 ports=[f"127.0.0.1:{port}", f"127.0.0.3:{port}", f"[::1]:{port}"]).start()
    done = committed(rebind_on(place, apache, old, new))
    for name in ("first.example.com", "second.example.com", "x.sub.example.com", None,
                 "plain.example.com", "nobody.example.net"):
        assert handshake(port, name) == new.thumbprint, (name, done)
    assert handshake(port, "six.example.com", host="::1") == new.thumbprint
    assert handshake(port, "first.example.com", host="127.0.0.3") == other.thumbprint


def test_inherited_from_the_main_server(place, authority):
    old, new = authority.pair(["a.example.com", "b.example.com"])
    site = make_site(place, old, "a.example.com")
    apache = place.apache()
    hosts = "".join(f"<VirtualHost *:{site.port}>\nServerName {name}\n</VirtualHost>\n"
                    for name in ("a.example.com", "b.example.com"))
    apache.write(f"SSLEngine on\nSSLCertificateFile {site.cert_path}\n"
                 f"SSLCertificateKeyFile {site.key_path}\n{hosts}", ports=[site.port]).start()
    committed(rebind_on(place, apache, old, new, "--repoint"))
    assert apache.conf.read_text().count(str(place / "new")) == 2
    assert handshake(site.port, "b.example.com") == new.thumbprint


def test_defines_of_the_command_line_and_the_environment(place, authority):
    """As Gentoo and Debian start it. An included directory brings hidden files too: what is staged
    beside the file must be gone when httpd reads."""
    old, new = authority.pair("a.example.com")
    site = make_site(place, old, "a.example.com")
    apache = place.apache()
    apache.arguments, apache.environment = ["-D", "SSL"], {"SITE": site.name}
    host = site.host().replace(f"ServerName {site.name}", "ServerName ${SITE}")
    write(apache.prefix / "conf.d/sites/a.conf", f"<IfDefine SSL>\n{host}</IfDefine>\n")
    apache.write("Include conf.d/sites\n", ports=[site.port]).start()
    committed(rebind_on(place, apache, old, new, "--repoint"))
    text = (apache.prefix / "conf.d/sites/a.conf").read_text()
    assert f"SSLCertificateFile {place / 'new'}/fullchain.pem" in text
    assert handshake(site.port, site.name) == new.thumbprint


def test_proxy_protocol(place, authority):
    old, new = authority.pair("a.example.com")
    site = make_site(place, old, "a.example.com")
    apache = place.apache()
    apache.write(site.host(extra="  RemoteIPProxyProtocol On\n"), ports=[site.port],
                 modules=["remoteip"]).start()
    committed(rebind_on(place, apache, old, new))
    assert handshake(site.port, site.name, proxy=True) == new.thumbprint


def test_a_client_certificate_towards_an_upstream(place, authority):
    old, new = authority.pair("client.example.com", eku="both")
    served = authority.issue("a.example.com")
    site = make_site(place, served, "a.example.com")
    combined = write(place / "certs/client.pem", old.leaf_pem + old.key_pem, 0o600)
    apache = place.apache()
    apache.write(site.host(extra=f"  SSLProxyEngine on\n"
                           f"  SSLProxyMachineCertificateFile {combined}\n"),
                 ports=[site.port], modules=["proxy", "proxy_http"]).start()
    done = committed(rebind_on(place, apache, old, new))
    assert "loaded and tested" in done.all
    assert combined.read_text() == new.leaf_pem + new.key_pem
    assert handshake(site.port, site.name) == served.thumbprint


def test_a_directory_of_client_certificates_is_only_reloaded(place, authority):
    old, new = authority.pair("client.example.com", eku="both")
    served = authority.issue("a.example.com")
    site = make_site(place, served, "a.example.com")
    for name in ("one", "two"):
        write(place / f"clients/{name}.pem", old.leaf_pem + old.key_pem, 0o600)
    apache = place.apache()
    apache.write(site.host(extra=f"  SSLProxyEngine on\n"
                           f"  SSLProxyMachineCertificatePath {place / 'clients'}\n"),
                 ports=[site.port], modules=["proxy", "proxy_http"]).start()
    before = snapshot(place / "clients")
    done = rebind_on(place, apache, old, new)
    assert done.code == REFUSED and "httpd takes every file of the directory" in done.all, done
    assert not difference(before, snapshot(place / "clients")) and apache.reloads() == 0
    assert handshake(site.port, site.name) == served.thumbprint


def test_what_mod_md_looks_after_is_left_to_it(place, authority):
    old, new = authority.pair("a.example.com")
    port = free_port()
    store = place / "md/domains/a.example.com"
    old.write(store, name="pubcert.pem")
    apache = place.apache()
    apache.write(f"MDStoreDir {place.path}/md\nMDomain a.example.com\n"
                 "MDCertificateAgreement accepted\nMDContactEmail a@example.com\n"
                 "MDCertificateAuthority https://127.0.0.1:1/none\n"
                 f"<VirtualHost *:{port}>\nServerName a.example.com\nSSLEngine on\n</VirtualHost>\n",
                 ports=[port], modules=["watchdog", "md"] if (
                     APACHE_MODULES / "mod_watchdog.so").exists() else ["md"])
    found = place.run("scan", "--json", "--service", apache.service).json["bindings"]
    assert [b["site"] for b in found] == ["a.example.com"]
    assert "mod_md" in found[0]["not_editable"]
    done = rebind_on(place, apache, old, new)
    assert done.code == REFUSED and "mod_md" in done.all, done
    assert (store / "pubcert.pem").read_text() == old.fullchain_pem


@pytest.mark.parametrize("how", ["by hand", "pending"])
def test_the_reload_that_mod_md_waits_for(place, authority, how):
    """mod_md itself obtains a certificate from a real ACME server: it lies in staging, its key
    encrypted, until the next reload. First instead of mod_md's own fallback, then a renewal."""
    pebble, port = acme.Pebble(place), free_port()
    apache = place.apache()

    def write_with(window):
        apache.write(f"MDStoreDir {place.path}/md\nMDomain a.example.com\nMDCAChallenges http-01\n"
                     f"MDCertificateAgreement accepted\nMDContactEmail a@example.com\n"
                     f"MDCertificateAuthority {pebble.url}\nMDCACertificateFile {pebble.ca}\n"
                     f"MDPortMap 80:{free_port()}\nMDRenewWindow {window}\n<VirtualHost *:{port}>\n"
                     "ServerName a.example.com\nSSLEngine on\n</VirtualHost>\n",
                     ports=[port], modules=["md"])

    def staged():
        with contextlib.suppress(FileNotFoundError):  # mod_md replaces it
            return '"finished": true' in (place / "md/staging/a.example.com/job.json").read_text()
        return False

    def take_up(now):
        until(staged, "mod_md has a certificate")
        before, staging = handshake(port, "a.example.com"), place / "md/staging/a.example.com"
        leaf = re.match("(?s).*?END CERTIFICATE-----", (staging / "pubcert.pem").read_text())[0]
        waiting = hashlib.sha256(ssl.PEM_cert_to_DER_cert(leaf)).hexdigest()
        said = place.run("check", "--service", apache.service)
        assert said.code != 0 and "waits for a reload" in said.out, said
        command = re.search(r"certrebind (rebind .*)", said.out)[1].split()
        assert command == ["rebind", *[str(place / f"md/domains/a.example.com/{now}")] * 2]
        done = place.run(*(command if how == "by hand" else ["rebind", "--pending"]), "--service",
                         apache.service)
        assert done.code == 0, done
        assert handshake(port, "a.example.com") == waiting != before

    write_with("33%")
    apache.start()
    take_up("fallback-pubcert.pem")
    reloads = apache.reloads()
    write_with("30d")  # longer than they live: due at once
    apache.reload()
    take_up("pubcert.pem")
    assert apache.reloads() == reloads + 2


@pytest.mark.parametrize("where", ["host", "main", None])
def test_must_staple_wants_stapling(quick, authority, where):
    """Without a stapled response browsers refuse such a certificate (RFC 7633)."""
    old, new = authority.issue("a.example.com", days=20), authority.issue("a.example.com", must_staple=True)
    one = OneHost(quick, authority, old=old, new=new, modules=["socache_shmcb"],
                  main=f"SSLStaplingCache shmcb:{quick.path}/stapling(32768)\n"
                       + "SSLUseStapling on\n" * (where == "main"),
                  extra="SSLUseStapling on\n" * (where == "host"))
    done = one.rebind()
    if where is None:
        assert done.code == REFUSED and "Must-Staple" in done.out, done
        assert one.site.cert_path.read_text() == old.fullchain_pem and one.apache.reloads() == 0
    else:
        committed(done)
        assert one.served() == new.thumbprint


def test_what_httpd_sees_and_we_do_not_is_said(place, authority):
    """<IfDirective> is not understood: its certificate is named all the same, by httpd itself."""
    one = OneHost(place, authority)
    second = make_site(place, authority.issue("b.example.com"), "b.example.com", one.port)
    one.apache.write(one.site.host() + f"<IfDirective Options>\n{second.host()}</IfDirective>\n",
                     ports=[one.port])
    done = one.run("check")
    assert str(second.cert_path) in done.all and "left alone" in done.all, done


@pytest.mark.skipif(not ROOT, reason="needs root to become somebody else")
def test_as_an_ordinary_user(place, authority):
    """Without the right to set anything apart it is said, and everything else holds."""
    done = subprocess.run(
        ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "unshare", "-rUn",
         "true"], capture_output=True)
    place.path.chmod(0o755)
    old, new = authority.pair("a.example.com")
    site = make_site(place, old, "a.example.com")
    apache = place.apache()
    apache.write(site.host(), ports=[site.port])
    text = apache.conf.read_text().replace("User www-data\nGroup www-data\n", "")
    write(apache.conf, text)
    cert, _ = new.write(place / "new")
    for path in [place.path, *place.path.rglob("*")]:
        os.chown(path, 65534, 65534)
    as_nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    command = apache.command
    apache.command = lambda *more: [*as_nobody, *command(*more)]
    apache.start()
    finished = subprocess.run(
        [*as_nobody, BINARY, "rebind", old.thumbprint, cert, "--service", apache.service],
        capture_output=True, text=True, env={**os.environ, **place.env})
    assert finished.returncode == 0, finished
    assert handshake(site.port, site.name) == new.thumbprint
    assert ("not rehearsed" in finished.stdout) == (done.returncode != 0), finished
