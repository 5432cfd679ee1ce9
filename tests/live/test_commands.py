"""What looks and tells: scan, certificates, show, plan, check; and how the command is typed."""
import datetime
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from command import run_certrebind
from files import difference, snapshot, write
from handshakes import handshake
from markers import both_builds, needs_root
from pki import Authority
from place import Place
from ports import free_port
from processes import ALONE, processes_of_group
from servers.nginx import NGINX
from stages.one_site import OneSite, make_site
from waiting import PATIENCE, until

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3


def utc(days):
    return datetime.datetime.utcnow().replace(microsecond=0) + datetime.timedelta(days=days)


# ------------------------------------------------------------------------------------------ scan

def test_scan(one):
    text = one.nginx.conf.read_text().splitlines()
    line = next(i for i, l in enumerate(text, 1) if "ssl_certificate " in l)
    done = one.run("scan", "--json")
    assert done.code == 0, done
    [binding] = done.json["bindings"]
    assert binding["site"] == one.name and binding["names"] == [one.name]
    assert binding["service"] == one.nginx.service
    assert (binding["file"], binding["line"]) == (str(one.nginx.conf), line)
    assert binding["certificate_path"] == str(one.site.cert_path)
    assert binding["key_path"] == str(one.site.key_path)
    assert binding["certificate"]["thumbprint"] == one.old.thumbprint
    assert binding["certificate"]["sha1"] == one.old.sha1
    assert binding["certificate"]["names"] == [one.name]
    assert binding["certificate"]["days_left"] in (19, 20)
    assert [e["address"] for e in binding["endpoints"]] == [f"127.0.0.1:{one.port}"]
    assert "served" not in binding
    table = one.run("scan").out
    row = table.splitlines()[1]
    for words in (one.name, one.old.thumbprint[:16], f"127.0.0.1:{one.port}",
                  f"{one.nginx.conf}:{line}"):
        assert words in row


def test_scan_served_tells_disk_and_wire_apart(one):
    one.new.write(one.site.cert_path.parent)
    [binding] = one.run("scan", "--served", "--json").json["bindings"]
    assert binding["certificate"]["thumbprint"] == one.new.thumbprint
    assert {served["thumbprint"] for served in binding["served"]} == {one.old.thumbprint}
    table = one.run("scan", "--served").out
    assert one.old.thumbprint[:16] in table and one.new.thumbprint[:16] in table


def test_scan_without_service_finds_running_servers(place, authority):
    """From the process table, without any argument; a second one beside it too."""
    stages = [OneSite(where, authority) for where in (place, inner(place))]
    found = place.run("scan", "--json")
    assert found.code == 0, found
    services = {binding["service"] for binding in found.json["bindings"]}
    assert {stage.nginx.service for stage in stages} <= services


def inner(place):
    other = Place()
    place.at_end(other.end)
    return other


@pytest.mark.parametrize("form", ["-c relative", "-p without slash", "-g before", "daemon"])
def test_scan_understands_how_nginx_was_started(place, authority, form):
    one_site = make_site(place, authority.issue("a.example.com"))
    nginx = place.nginx()
    nginx.write(one_site.block())
    log = ["-e", str(nginx.log)]
    command = {
        "-c relative": ["-p", f"{nginx.prefix}/", "-c", "nginx.conf", *log],
        "-p without slash": ["-p", str(nginx.prefix), "-c", "nginx.conf", *log],
        "-g before": ["-g", "env FOO=1;", "-p", str(nginx.prefix), "-c", str(nginx.conf), *log],
        "daemon": ["-p", str(nginx.prefix), "-c", str(nginx.conf), *log],
    }[form]
    if form == "daemon":
        subprocess.run([NGINX, *command], check=True, start_new_session=True)
        pid_file = nginx.prefix / "run/nginx.pid"
        pid = int(until(lambda: pid_file.exists() and pid_file.read_text(), "a pid file"))
        place.at_end(lambda: end_daemon(pid))
        # The pid is written first, the title after: up to 20 ms on a busy machine.
        until(lambda: is_nginx_master(pid), "the daemon is a master")
    else:
        nginx.command = lambda *more: [NGINX, *command, *more]
        if form == "-g before":
            nginx.command = lambda *more: [NGINX, "-g", "env FOO=1; daemon off;",
                                           *command[2:]]
        nginx.start()
        pid = nginx.master_pid
    bindings = [b for b in place.run("scan", "--json", "--served").json["bindings"]
                if b["service"] == nginx.service]
    assert [b["site"] for b in bindings] == ["a.example.com"]
    assert bindings[0]["served"][0]["thumbprint"] == one_site.certificate.thumbprint
    plan = place.run("plan", one_site.certificate.thumbprint, one_site.cert_path)
    assert f"HUP to the master, pid {pid}" in plan.out, plan


def is_nginx_master(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"nginx: master process")


def end_daemon(pid):
    import os
    group = os.getpgid(pid)
    os.kill(pid, signal.SIGTERM)
    until(lambda: not processes_of_group(group), "the daemon is gone")


@pytest.mark.parametrize("given", [["--jsn"], ["--service", "foo:/x"], ["--config", "/nowhere/c.toml"],
                                   ["--config", "/dev"], ["superfluous"]])
def test_a_check_that_could_not_look_is_unknown_to_monitoring(place, given):
    done = place.run("check", *given)
    assert done.code == UNKNOWN and done.err, done
    assert place.run("scan", *given).code in (1, 2), "elsewhere it is usage, or a failure"


def test_a_configuration_with_a_mistake_is_unknown_too(place):
    place.configure("nonsense = ")
    done = place.run("check")
    assert done.code == UNKNOWN and "certrebind.toml" in done.err, done


def test_scan_reports_what_it_does_not_understand(one):
    text = one.nginx.conf.read_text()
    write(one.nginx.conf, text.replace("http {", "http {\n  include nowhere/missing.conf;", 1))
    done = one.run("scan")
    assert f"{one.nginx.conf}:" in done.err and "missing.conf" in done.err
    assert one.name in done.out, "the rest goes on"


# ------------------------------------------------------------------------- certificates and show

def test_certificates(one):
    store = one.place / "store"
    stored = Authority().issue("stored.example.com", days=300)
    stored.write(store, "stored.pem", "stored.key")
    one.place.configure(stores=[("directory", store)])
    items = one.run("certificates", "--json").json["certificates"]
    by_thumbprint = {item["thumbprint"]: item for item in items}
    bound, other = by_thumbprint[one.old.thumbprint], by_thumbprint[stored.thumbprint]
    assert bound["bindings"] == 1 and bound["key_at_hand"] is True
    assert bound["path"] == str(one.site.cert_path) and bound["sha1"] == one.old.sha1
    assert bound["issued_to"] and bound["issued_by"] == "Certrebind Test Issuer"
    assert other["bindings"] == 0 and other["store"] == "directory"
    assert other["path"] == str(store / "stored.pem")
    ends = [item["not_after"] for item in items]
    assert ends == sorted(ends), "soonest expiry first"
    table = one.run("certificates").out
    assert one.old.thumbprint[:16] in table and stored.thumbprint[:16] in table


def test_certificates_tells_a_key_that_is_not_at_hand(one, authority):
    write(one.site.key_path, authority.issue("x.example.com").key_pem, 0o600)
    [item] = one.run("certificates", "--json").json["certificates"]
    assert item["key_at_hand"] is False


@pytest.mark.parametrize("typed", ["thumbprint", "sha1", "prefix", "path", "name"])
def test_show(one, typed):
    argument = {"thumbprint": one.old.thumbprint, "sha1": one.old.sha1,
                "prefix": one.old.thumbprint[:8], "path": one.site.cert_path,
                "name": one.name}[typed]
    [shown] = one.run("show", argument, "--json").json["certificates"]
    assert shown["thumbprint"] == one.old.thumbprint and shown["sha1"] == one.old.sha1
    assert [above["issued_to"] for above in shown["chain"]] == ["Certrebind Test Issuer"]
    [at] = shown["places"]
    assert (at["path"], at["key_path"]) == (str(one.site.cert_path), str(one.site.key_path))
    assert [b["site"] for b in at["bindings"]] == [one.name]
    text = one.run("show", argument).out
    for words in (one.old.thumbprint, one.old.sha1, "chain", str(one.site.cert_path),
                  str(one.nginx.conf)):
        assert words in text
    assert "PRIVATE" not in text


def test_show_a_file_that_nothing_binds(one):
    [shown] = one.run("show", one.new_cert, "--json").json["certificates"]
    assert shown["thumbprint"] == one.new.thumbprint


def test_show_by_a_name_that_a_wildcard_covers(place, authority):
    wild = authority.issue("*.example.com")
    stage = OneSite(place, authority, old=wild)
    [shown] = stage.run("show", "www.example.com", "--json").json["certificates"]
    assert shown["thumbprint"] == wild.thumbprint


@pytest.mark.parametrize("typed", ["nobody.example.net", "ab" * 32, "/nowhere/cert.pem"])
def test_show_of_nothing(one, typed):
    done = one.run("show", typed)
    assert done.code == 2, done
    assert typed in done.err and "certrebind certificates" in done.err


# ------------------------------------------------------------------------------------------ plan

@pytest.mark.parametrize("ends", ["LF", "CRLF", "no newline at the end"])
def test_the_plans_diff_applied_by_patch_is_what_rebind_writes(place, authority, ends):
    """Byte for byte, over several files and hunks."""
    old, new = authority.pair("*.example.com")
    cert, key = old.write(place / "certs")
    port = free_port()
    nginx = place.nginx()
    pair = f"ssl_certificate {cert}; ssl_certificate_key {key};"
    first = write(nginx.prefix / "conf.d/one.conf", "".join(
        f"server {{\n  listen 127.0.0.1:{port} ssl;\n  server_name {n}.example.com;\n"
        f"  # {n}\n\n\n\n\n\n\n\n\n  {pair}\n}}\n" for n in "abc"))
    newline = "\r\n" if ends == "CRLF" else "\n"
    text = newline.join(["server {", f"  listen 127.0.0.1:{port} ssl;",
                         "  server_name d.example.com;", f"  ssl_certificate {cert};",
                         f"  ssl_certificate_key {key};", "}", ""])
    second = write(nginx.prefix / "conf.d/two.conf",
                   text.rstrip("\n") if ends == "no newline at the end" else text.encode())
    nginx.write("  include conf.d/*.conf;\n").start()
    new_cert, _ = new.write(place / "store")
    place.configure(stores=[("directory", place / "store")])
    arguments = [old.thumbprint, new_cert, "--service", nginx.service]
    plan = place.run("plan", "--json", *arguments)
    assert plan.code == 0, plan
    diffs = {f["path"]: f["diff"] for p in plan.json["plans"] for f in p["files"]}
    assert set(diffs) == {str(first), str(second)}
    shown = place.run("plan", *arguments).out
    patched = {}
    for path, diff in diffs.items():
        assert diff in shown
        copy = place / "patched"
        shutil.copy(path, copy)
        subprocess.run(["patch", "--silent", "--binary", "--fuzz=0", str(copy)],
                       input=diff.encode(), check=True)
        patched[path] = copy.read_bytes()
    assert place.run("rebind", *arguments).code == 0
    for path, data in patched.items():
        assert pathlib.Path(path).read_bytes() == data
    assert handshake(port, "d.example.com") == new.thumbprint


def test_plan_changes_nothing_not_even_its_own_state(one):
    shutil.rmtree(one.place.state)
    before = snapshot(one.place.path, without=("nginx.pid",))
    log = one.nginx.errors()
    for command in (["plan"], ["rebind", "--dry-run"], ["plan", "--repoint"], ["plan", "--json"]):
        done = one.run(*command, one.old.thumbprint, one.new_cert)
        assert done.code == 0, done
    assert difference(before, snapshot(one.place.path, without=("nginx.pid",))) == []
    assert one.nginx.errors() == log
    assert not one.place.state.exists()


def test_plan_shows_steps_and_names_but_no_key(one):
    done = one.run("plan", one.old.thumbprint, one.new_cert)
    for words in ("rewrite", one.old.thumbprint[:16], one.new.thumbprint[:16], "steps:",
                  "nginx -t", f"HUP to the master, pid {one.nginx.master_pid}", "handshakes",
                  str(one.site.cert_path), str(one.site.key_path)):
        assert words in done.out, f"{words!r} is not in {done}"
    assert "PRIVATE" not in done.out and one.new.key_pem.splitlines()[1] not in done.out


def test_plan_tells_names_won(place, authority):
    old = authority.issue("a.example.com", days=20)
    new = authority.issue(["a.example.com", "www.a.example.com"])
    one_site = make_site(place, old, "a.example.com www.a.example.com", directory=place / "certs/a")
    nginx = place.nginx()
    nginx.write(one_site.block()).start()
    path, _ = new.write(place / "new")
    done = place.run("plan", old.thumbprint, path, "--service", nginx.service)
    assert done.code == 0 and "gains www.a.example.com" in done.out, done


# ----------------------------------------------------------------------------------------- check

def check(stage, code, complaint=None, *says):
    """`check` has to find this one complaint (none: all is well); its JSON binding."""
    done = stage.place.run("check", "--json", "--service", stage.nginx.service)
    assert done.code == code, done
    assert done.json["level"] == ["OK", "WARNING", "CRITICAL"][code]
    complaints = {r["complaint"] for b in done.json["bindings"] for r in b["remarks"]}
    assert complaints == ({complaint} if complaint else set()), done
    text = stage.place.run("check", "--service", stage.nginx.service)
    assert text.code == code
    first = text.out.splitlines()[0]
    assert first.startswith(["OK - ", "WARNING - ", "CRITICAL - "][code])
    assert re.search(r" \| bindings=\d+ ok=\d+ warning=\d+ critical=\d+( days_left=-?\d+)?$", first)
    for words in (complaint or "OK", *says):
        assert words in text.out, f"{words!r} is not in {text}"
    return done.json["bindings"]


def test_check_of_what_is_well(place, authority):
    stage = OneSite(place, authority, old=authority.issue("a.example.com"))
    before = snapshot(place.path)
    [binding] = check(stage, OK)
    assert {s["thumbprint"] for s in binding["served"]} == {stage.old.thumbprint}
    assert difference(before, snapshot(place.path)) == []
    assert stage.nginx.reloads() == 0


def test_check_renewed_but_not_reloaded(one):
    one.new.write(one.site.cert_path.parent)
    check(one, WARNING, "renewed but not reloaded", one.old.thumbprint[:16],
          f"certrebind rebind {one.old.thumbprint[:16]} {one.new.thumbprint[:16]}")


def test_check_serves_another(place, authority):
    """An older one lies on disk than is served: somebody put a backup back."""
    stage = OneSite(place, authority, old=authority.issue("a.example.com", days=90))
    before = datetime.datetime.utcnow() - datetime.timedelta(days=9)
    authority.issue("a.example.com", not_before=before, days=80).write(stage.site.cert_path.parent)
    [binding] = check(stage, WARNING, "serves another certificate")
    [advice] = {remark["next"] for remark in binding["remarks"]}
    assert advice.startswith("put a good certificate and key there; "), "a rebind would be refused, and none is kept"
    assert advice.endswith("--accept=shorter"), "unless it is meant"


@pytest.mark.parametrize("how", ["expired", "mismatch", "name lost"])
def test_check_advises_no_rebind_that_would_be_refused(place, authority, how):
    stage = OneSite(place, authority, old=authority.issue("a.example.com", not_before=utc(-90),
                                                          not_after=utc(-2 if how == "expired" else 30)))
    names = "b.example.com" if how == "name lost" else "a.example.com"
    new = authority.issue(names, not_before=utc(-90), not_after=utc(-1 if how == "expired" else 60))
    new.write(stage.site.cert_path.parent)
    if how == "mismatch":
        write(stage.site.key_path, stage.old.key_pem, 0o600)
    done = stage.run("check", "--json")
    assert done.code == (WARNING if how == "name lost" else CRITICAL), done
    [binding] = done.json["bindings"]
    [advice] = {remark["next"] for remark in binding["remarks"]
                if remark["complaint"] == "renewed but not reloaded"}
    assert advice == "put a good certificate and key there", "none is kept"
    refused = stage.run("rebind", stage.old.thumbprint, stage.site.cert_path)
    assert refused.code == 1 and "refused" in refused.out, refused


@pytest.mark.parametrize("start, end, soon", [
    (-81, 9 - 0.01, True), (-79, 11, False),         # 90 days: a tenth is 9
    (-351, 29.9, True), (-329, 31, False),           # a year: 30 days at the most
    (-5.5, 0.5, True), (-4, 2, False),               # 6 days: half a day or so
])
def test_check_about_to_expire(place, authority, start, end, soon):
    old = authority.issue("a.example.com", not_before=utc(start), not_after=utc(end))
    stage = OneSite(place, authority, old=old)
    if soon:
        check(stage, WARNING, "about to expire", utc(end).strftime("%Y-%m-%d"))
    else:
        check(stage, OK)


def test_check_about_to_expire_as_configured(place, authority):
    stage = OneSite(place, authority, old=authority.issue("a.example.com", days=40))
    check(stage, OK)
    place.configure("[check]\nexpiry_days = 60\nexpiry_fraction = 1.0\n")
    check(stage, WARNING, "about to expire")
    place.configure("[check]\nexpiry_days = 0\n")
    check(stage, OK)


def test_check_expired(place, authority):
    old = authority.issue("a.example.com", not_before=utc(-90), not_after=utc(-2))
    check(OneSite(place, authority, old=old), CRITICAL, "expired", utc(-2).strftime("%Y-%m-%d"))


def test_check_not_yet_valid(place, authority):
    old = authority.issue("a.example.com", not_before=utc(2), not_after=utc(90))
    check(OneSite(place, authority, old=old), CRITICAL, "not yet valid")


def test_check_name_not_covered(place, authority):
    old = authority.issue("a.example.com")
    one_site = make_site(place, old, "a.example.com other.example.com", directory=place / "certs/a")
    stage = OneSite.__new__(OneSite)
    stage.place, stage.nginx = place, place.nginx()
    stage.nginx.write(one_site.block()).start()
    check(stage, WARNING, "name not covered", "other.example.com")


def test_check_chain_incomplete(place, authority):
    old = authority.issue("a.example.com", chain=False)
    check(OneSite(place, authority, old=old), WARNING, "chain incomplete", "Certrebind Test Issuer")


def test_check_self_signed_needs_no_chain(place, authority):
    old = authority.issue("a.example.com", self_signed=True)
    check(OneSite(place, authority, old=old), OK)


def test_check_key_mismatched(one, authority):
    write(one.site.key_path, authority.issue("a.example.com").key_pem, 0o600)
    check(one, CRITICAL, "key mismatched on disk", str(one.site.key_path))


@pytest.mark.parametrize("what", ["gone", "garbage", "empty", "FIFO", "directory"])
def test_check_no_certificate(one, what):
    path = one.site.cert_path
    path.unlink()
    if what == "garbage":
        write(path, "nothing\n")
    elif what == "empty":
        write(path, "")
    elif what == "FIFO":
        os.mkfifo(path)
    elif what == "directory":
        path.mkdir()
    check(one, CRITICAL, "no certificate", str(path))
    path.rmdir() if what == "directory" else path.unlink(missing_ok=True)


def test_check_unreachable(place, authority):
    """The port was configured after the server had started: nobody listens there."""
    stage = OneSite(place, authority, old=authority.issue("a.example.com"))
    write(stage.nginx.conf, stage.nginx.conf.read_text().replace(str(stage.port),
                                                                 str(free_port())))
    check(stage, CRITICAL, "unreachable", "refused")


@both_builds
def test_check_unreachable_when_nobody_answers(place, authority):
    """Something listens and never says a word: no hanging."""
    stage = OneSite(place, authority, old=authority.issue("a.example.com"))
    mute = socket.create_server(("127.0.0.1", 0))
    place.at_end(mute.close)
    write(stage.nginx.conf, stage.nginx.conf.read_text().replace(
        f":{stage.port} ", f":{mute.getsockname()[1]} "))
    place.config.write_text("default_stores = false\n[verify]\nhandshake_seconds = 0.5\n")
    check(stage, CRITICAL, "unreachable")


def test_check_unreachable_when_it_is_no_tls(place, authority):
    stage = OneSite(place, authority, old=authority.issue("a.example.com"))
    server = socket.create_server(("127.0.0.1", 0))

    def answer():
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                client.sendall(b"220 mail.example.com ESMTP\r\n")

    threading.Thread(target=answer, daemon=True).start()
    place.at_end(lambda: (server.shutdown(socket.SHUT_RDWR), server.close()))
    write(stage.nginx.conf, stage.nginx.conf.read_text().replace(
        f":{stage.port} ", f":{server.getsockname()[1]} "))
    check(stage, CRITICAL, "unreachable")


def test_check_not_running(one):
    one.nginx.stop()
    check(one, CRITICAL, "not running", one.nginx.service)


def test_check_takes_the_worst(place, authority):
    good = make_site(place, authority.issue("good.example.com"), "good.example.com")
    soon = make_site(place, authority.issue("soon.example.com", days=2, not_before=utc(-88)),
                     "soon.example.com", good.port)
    past = make_site(place, authority.issue("past.example.com", not_before=utc(-9), not_after=utc(-1)),
                     "past.example.com", good.port)
    nginx = place.nginx()
    nginx.write(good.block() + soon.block() + past.block()).start()
    done = place.run("check", "--service", nginx.service)
    assert done.code == CRITICAL, done
    assert done.out.startswith("CRITICAL - ")
    assert "bindings=3 ok=1 warning=1 critical=1" in done.out


def test_check_of_a_server_that_cannot_be_read(place):
    done = place.run("check", "--service", f"nginx:{place / 'nowhere.conf'}")
    assert done.code == UNKNOWN, done


@needs_root
def test_check_where_nothing_runs(place):
    done = place.run("check", before=ALONE)
    assert done.code == UNKNOWN and done.out.startswith("UNKNOWN - no running server"), done
    done = place.run("check", "--json", before=ALONE)
    assert done.code == UNKNOWN and done.json["level"] == "UNKNOWN", done


# -------------------------------------------------------------------------------- how it is typed

@pytest.mark.parametrize("form", ["upper", "colons", "spaces", "u200e", "sha1", "sha1 windows",
                                  "prefix", "sha1 prefix", "openssl"])
def test_thumbprints_as_people_paste_them(one, form):
    def pairs(text, between):
        return between.join(text[i:i + 2] for i in range(0, len(text), 2))
    sha256, sha1 = one.old.thumbprint, one.old.sha1
    typed = {"upper": sha256.upper(), "colons": pairs(sha256.upper(), ":"),
             "spaces": pairs(sha256, " "), "u200e": "\u200e" + sha256, "sha1": sha1,
             "sha1 windows": "\u200e" + pairs(sha1, " "), "prefix": sha256[:8],
             "sha1 prefix": sha1[:10].upper(), "openssl": pairs(sha256.upper(), ":")}[form]
    if form == "openssl":
        told = subprocess.run(["openssl", "x509", "-in", one.site.cert_path, "-noout",
                               "-fingerprint", "-sha256"], capture_output=True, text=True).stdout
        typed = told.strip().partition("=")[2]
    done = one.run("rebind", typed, one.new_cert)
    assert done.code == 0, done
    assert one.served() == one.new.thumbprint


def test_relative_paths(one):
    done = one.run("rebind", "certs/a.example.com/fullchain.pem", "./new/../new/fullchain.pem",
                   "--key", "new/privkey.pem", cwd=one.place.path)
    assert done.code == 0, done
    assert one.served() == one.new.thumbprint


def test_a_relative_new_is_written_absolute_in_a_repoint(one):
    done = one.run("rebind", one.old.thumbprint, "new/fullchain.pem", "--repoint",
                   cwd=one.place.path)
    assert done.code == 0, done
    assert f"ssl_certificate {one.new_cert};" in one.nginx.conf.read_text()
    assert one.served() == one.new.thumbprint


def test_a_file_name_without_slash(one):
    done = one.run("rebind", one.old.thumbprint, "fullchain.pem", cwd=one.place / "new")
    assert done.code == 0, done
    assert one.served() == one.new.thumbprint


def test_options_go_over_variables(one):
    other = one.place / "other-state"
    done = one.place.run("--state", other, "rebind", one.old.thumbprint, one.new_cert, "--service",
                         one.nginx.service)
    assert done.code == 0, done
    assert (other / "state.db").exists() and not (one.place.state / "state.db").exists()
    assert other.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("arguments, says", [
    ([], "Usage: certrebind"),
    (["frobnicate"], "frobnicate"),
    (["scan", "surplus"], "surplus"),
    (["undo", "0"], "0"),
    (["undo", "-1"], "-1"),
    (["history", "show"], "id"),
    (["show"], "certificate"),
    (["scan", "--service", "apache9:/etc/x"], "apache9"),
    (["scan", "--service", "nginx"], "KIND:PATH"),
    (["scan", "--service", "nginx:"], "KIND:PATH"),
    (["scan", "--service"], "--service"),
    (["--config", "/nowhere.toml", "scan"], "/nowhere.toml"),
])
def test_usage(place, arguments, says):
    done = place.run(*arguments)
    assert done.code == 2, done
    assert says in done.err, done
    assert done.out == "", done


def test_unknown_service_kind_names_the_known(place):
    done = place.run("scan", "--service", "apache9:/etc/x")
    assert "the kind 'apache9'" in done.err and "nginx" in done.err


@pytest.mark.parametrize("text, line, says", [
    ("[check]\nexpiry_day = 3\n", 2, "unknown setting 'expiry_day'"),
    ("verfy = 3\n", 1, "unknown setting 'verfy'"),
    ("# a comment\n\n[verify]\nseconds = \"ten\"\n", 4, "'seconds' must be a number"),
    ("[verify]\nseconds = 0\n", 2, "from 1 to 3600"),
    ("[check\n", 1, ""),
    ("[[store]]\nkind = \"certbot\"\n", 1, "'path' must be given"),
    ("default_stores = 1\n", 1, "must be true or false"),
    ("[store]\nkind = \"certbot\"\n", 1, "[[store]]"),
])
def test_configuration_file_with_a_typo(one, text, line, says):
    """Every command, and nothing is touched: file and line are named."""
    one.place.config.write_text(text)
    for command in (["scan"], ["rebind", one.old.thumbprint, one.new_cert]):
        done = one.run(*command)
        assert done.code == 2, done
        assert f"{one.place.config}:{line}: " in done.err and says in done.err, done
    assert one.served() == one.old.thumbprint and one.nginx.reloads() == 0
    assert one.run("check").code == 3 or one.run("check").code == 2


def test_configuration_with_an_unknown_kind_of_store(one):
    one.place.configure(stores=[("certbott", "/etc/letsencrypt")])
    done = one.run("scan")
    assert done.code == 2 and "certbott" in done.err and "certbot, lego" in done.err, done


def test_help_and_version():
    for arguments in (["--help"], ["rebind", "--help"], ["check", "--help"]):
        done = run_certrebind(*arguments)
        assert done.code == 0 and "certrebind" in done.out
        assert "xample" in done.out, "with an example"
    assert re.fullmatch(r"certrebind \d+\.\d+\S* \(commit \w+\)\nOpenSSL 3\..*, SQLite 3\..*, PCRE2 10\..*\n", run_certrebind("--version").out)


@pytest.mark.parametrize("command", [
    ["scan"], ["scan", "--served"], ["certificates"], ["show", "a.example.com"], ["check"],
    ["history"], ["events"], ["plan", "{old}", "{new}"], ["rebind", "{old}", "{new}"]])
def test_json_of_everything(one, command):
    words = [word.format(old=one.old.thumbprint, new=one.new_cert) for word in command]
    done = one.run(*words, "--json")
    assert done.json["schema"] == 1
    assert done.err == ""
    assert "\x1b" not in one.run(*words).out, "colour only on a terminal"


def test_json_of_what_switches_on_and_off(one):
    on = one.place.run("enable", "--json").json
    assert not on["was_enabled"] and pathlib.Path(on["task"]).exists() and on["bindings"] == on["servers"] == 1, on
    assert one.place.run("enable", "--json").json["was_enabled"]
    declared = one.run("switch", one.old.thumbprint, one.new_cert, "--json").json["declared"]
    assert declared == [{"old": one.old.thumbprint, "new": one.new.thumbprint}]
    off = one.place.run("disable", "--json").fields
    assert off == {"was_enabled": True, "rebind_at_work": False, "daemon_runs": False}
    assert not one.place.run("disable", "--json").json["was_enabled"]


@pytest.mark.parametrize("last", ["x", "0", "-5", "1.5"])
def test_only_so_many_events(last):
    done = run_certrebind("events", f"--last={last}")
    assert done.code == 2 and f"'{last}' is not a number of 1 or more" in done.err, done


def test_show_names_the_file_that_is_no_certificate(one):
    done = one.run("show", one.new_key)
    assert done.code != 0 and str(one.new_key) in done.err and "no certificate" in done.err, done


def test_looks_make_no_state(one):
    """Nothing that only looks leaves a trace where there was none."""
    shutil.rmtree(one.place.state)
    for command in (["scan"], ["scan", "--served"], ["certificates"], ["check"], ["history"],
                    ["events"], ["show", one.name]):
        assert one.run(*command).code in (0, 1)
    assert not one.place.state.exists() and not one.place.run_directory.exists()


def test_two_at_once_are_one_after_the_other(place, authority):
    """One lock: the second act waits for the first, and both come to their end."""
    names = ["a.example.com", "b.example.com"]
    pairs = [authority.pair(name) for name in names]
    port = free_port()
    sites = [make_site(place, old, name, port) for name, (old, _) in zip(names, pairs)]
    nginx = place.nginx()
    nginx.write("".join(s.block() for s in sites)).start()
    running = []
    for name, (old, new) in zip(names, pairs):
        path, _ = new.write(place / "new" / name)
        running.append(place.popen("rebind", old.thumbprint, path, "--service", nginx.service,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
    for process in running:
        told, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, told
    for name, (_, new) in zip(names, pairs):
        assert handshake(port, name) == new.thumbprint
    assert len(place.run("history", "--json").json["transactions"]) == 2


@pytest.mark.parametrize("command", [("enable",), ("disable",), ("status",), ("daemon",),
                                     ("recover",), ("task", "list")], ids=" ".join)
def test_what_is_about_the_whole_machine_takes_no_service(one, command):
    done = one.place.run(*command, "--service", one.nginx.service)
    assert done.code == 2 and "about the whole machine" in done.all, done
    assert not (one.place / "tasks.d").exists()


def test_history_of_one_service(one):
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
    assert len(one.run("history", "--json").json["transactions"]) == 1
    assert one.place.run("history", "--json", "--service", "nginx:/elsewhere.conf").json["transactions"] == []


def test_the_last_events(one):
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
    whole = one.place.run("events").out.splitlines()
    assert len(whole) > 2
    for option in ("--limit", "--last", "-n"):
        told = one.place.run("events", option, 2).out.splitlines()
        assert told == [f"{len(whole) - 2} earlier; all of them: certrebind events", *whole[-2:]]
    assert one.place.run("events", "-n", "0").code == 2
