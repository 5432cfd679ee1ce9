"""Nobody gains a right by certrebind being root: what a user wrote is read, run and signalled as him, or left alone."""
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import textwrap
import threading

import pytest

from command import BINARY
from files import write
from handshakes import handshake, wait_served
from markers import both_builds
from pki import utc_now
from ports import free_port
from servers.nginx import NGINX
from stages.daemon import Watch
from stages.one_site import OneSite, make_site
from waiting import until

EVE = 12345  # a user whom nobody knows

if os.geteuid() != 0:
    pytest.skip("only root has rights to lose", allow_module_level=True)

AS_EVE = ["setpriv", f"--reuid={EVE}", f"--regid={EVE}", "--clear-groups", "--pdeathsig", "KILL"]


def give(*paths, user=EVE):
    for path in paths:
        for each in (path, *path.rglob("*")) if path.is_dir() else (path,):
            os.chown(each, user, user, follow_symlinks=False)


@pytest.fixture
def eve(place):
    """Her directory."""
    home = place / "eve"
    home.mkdir()
    give(home)
    return home


def start_as_eve(place, *command, **options):
    process = subprocess.Popen([*AS_EVE, *map(str, command)], start_new_session=True,
                               stdin=subprocess.DEVNULL, **options)

    def end():
        process.kill()
        process.wait()
    place.at_end(end)
    return process


def claims_to_be_root(path, message):
    """A script that writes down as whom it runs."""
    write(path, f"#!/bin/sh\nid -u >> {message}\n", 0o755)


def users_in(message):
    return message.read_text().split() if message.exists() else []


COMMANDS = (["check"], ["scan", "--served"], ["rebind", "--pending"], ["status"])


@pytest.mark.parametrize("title, name", [
    ("nginx: master process nginx", "nginx"),
    ("nginx: master process /usr/sbin/nginx -c /etc/nginx/nginx.conf", "nginx"),
    ("apache2", "apache2"), ("httpd", "httpd"), ("haproxy", "haproxy")])
def test_a_process_that_only_says_what_it_is_has_nothing_run_as_root(place, eve, title, name):
    program, message = eve / name, eve / "message"
    write(program, pathlib.Path("/bin/sleep").read_bytes(), 0o755)
    give(eve)
    start_as_eve(place, sys.executable, "-c",
                 f"import os; os.execv({str(program)!r}, {[title, '600']!r})")
    until(lambda: any(line == f"{title} 600" for line in subprocess.run(
        ["ps", "axo", "args"], capture_output=True, text=True, check=True).stdout.split("\n")), "it runs")
    claims_to_be_root(eve / "fresh", message)
    os.rename(eve / "fresh", program)
    give(eve)
    for command in COMMANDS:
        place.run(*command)
    assert set(users_in(message)) <= {str(EVE)}, "her own program, with her own rights at the most"
    if "-c" not in title:
        assert users_in(message) == [], "nobody runs it to learn how it was built"


MODULE = """
#include <stdio.h>
#include <unistd.h>
__attribute__((constructor)) static void run(void) {
  FILE *out = fopen(MESSAGE, "a");
  if (out) { fprintf(out, "%d\\n", geteuid()); fclose(out); }
}
"""


def build_module(directory, message):
    source, library = directory / "module.c", directory / "module.so"
    write(source, MODULE)
    subprocess.run(["gcc", "-shared", "-fPIC", f'-DMESSAGE="{message}"', "-o", library, source], check=True)
    return library


def eves_nginx(place, eve, authority, main="", named=True):
    """Her own, real nginx; gives (port, OLD, NEW). `main` is added once it runs. `named`: root's configuration says
    that servers of hers are looked after."""
    if named:
        place.configure(f'[servers]\nusers = ["{EVE}"]')
    old, new = authority.pair("eve.example")
    old.write(eve)
    port = free_port()
    conf = textwrap.dedent(f"""\
        pid {eve}/pid; error_log {eve}/error.log notice; daemon off;
        events {{}}
        http {{ access_log off; client_body_temp_path {eve}/t1; proxy_temp_path {eve}/t2;
          fastcgi_temp_path {eve}/t3; uwsgi_temp_path {eve}/t4; scgi_temp_path {eve}/t5;
          server {{ listen 127.0.0.1:{port} ssl; server_name eve.example;
            ssl_certificate {eve}/fullchain.pem; ssl_certificate_key {eve}/privkey.pem; }} }}
        """)
    write(eve / "nginx.conf", conf)
    give(eve)
    start_as_eve(place, NGINX, "-p", eve, "-c", eve / "nginx.conf", "-e", eve / "error.log")
    wait_served(old.thumbprint, port, "eve.example")
    if main:
        write(eve / "nginx.conf", main + conf)
        give(eve)
    return port, old, new


def test_a_module_of_hers_never_runs_as_root(place, eve, authority):
    message = eve / "message"
    library = build_module(eve, message)
    eves_nginx(place, eve, authority, main=f"load_module {library};\n")
    for command in COMMANDS:
        place.run(*command)
    assert set(users_in(message)) <= {str(EVE)}, "tested as her, or not at all"


def test_her_server_is_shown_and_reloaded_as_hers(place, eve, authority):
    port, old, new = eves_nginx(place, eve, authority)
    done = place.run("check")
    assert "eve.example" in done.out and done.code == 0, done
    new.write(eve)
    give(eve)
    done = place.run("rebind", old.thumbprint, new.thumbprint)
    assert done.code == 0, done
    wait_served(new.thumbprint, port, "eve.example")


def test_unless_root_names_her_her_server_is_hers_alone(place, eve, authority):
    """Nothing that it says counts: it is no binding, and sets nothing off."""
    one = OneSite(place, authority)
    port, _, _ = eves_nginx(place, eve, authority, named=False)
    place.configure()
    write(eve / "nginx.conf", "nonsense")
    give(eve)
    done = place.run("check")
    assert done.code == 0 and "OK        eve.example" not in done.out and f"user {EVE}" in done.out, done
    assert place.run("rebind", "--pending").code == 0
    assert place.run("status").code in (0, 1) and "eve.example" not in place.run("status").out
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
    assert str(eve) not in place.run("scan", "--json").out


def test_where_others_may_write_lies_no_successor_of_anybody_elses(place, authority):
    """A customer's directory holds the neighbour's public certificate for a while, and then one that the customer
    made for the neighbour's name."""
    one = OneSite(place, authority)
    customers = place / "customer"
    customers.mkdir()
    other = make_site(place, authority.issue("customer.example"), "customer.example", directory=customers)
    text = one.nginx.conf.read_text()
    write(one.nginx.conf, text[:text.rindex("}")] + other.block() + "\n}\n")
    one.nginx.reload()
    give(customers)
    assert one.run("check").code == 0
    write(other.cert_path, one.old.fullchain_pem)
    give(customers)
    place.run("scan")
    fake = authority.issue(one.name, days=300, self_signed=True)
    write(other.cert_path, fake.fullchain_pem)
    write(other.key_path, fake.key_pem)
    give(customers)
    place.run("rebind", "--pending")
    assert one.site.key_path.read_text() == one.old.key_pem
    assert one.site.cert_path.read_text() == one.old.fullchain_pem
    assert one.served() == one.old.thumbprint


def test_what_contradicts_itself_holds_up_nobody_else(place, eve, authority):
    """Two servers of hers that answer for each other would have each succeed the other."""
    place.configure(f'[servers]\nusers = ["{EVE}"]')
    one = OneSite(place, authority)
    port = free_port()
    for number in (1, 2):
        own = eve / str(number)
        authority.issue("eve.example", days=30 + number).write(own)
        write(own / "nginx.conf", f"""
pid {own}/pid; error_log {own}/error.log notice; daemon off; events {{}}
http {{ access_log off; client_body_temp_path {own}/t1; proxy_temp_path {own}/t2; fastcgi_temp_path {own}/t3;
  uwsgi_temp_path {own}/t4; scgi_temp_path {own}/t5; server {{ listen 127.0.0.1:{port} ssl reuseport;
  server_name eve.example; ssl_certificate {own}/fullchain.pem; ssl_certificate_key {own}/privkey.pem; }} }}""")
        give(eve)
        start_as_eve(place, NGINX, "-p", own, "-c", own / "nginx.conf", "-e", own / "error.log")
        until(lambda: (own / "pid").exists(), "it runs")
    one.new.write(one.site.cert_path.parent)
    place.run("rebind", "--pending")
    assert one.served() == one.new.thumbprint


FORGER = """
import socket, ssl, sys, time
port, name = int(sys.argv[1]), sys.argv[2]
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
plain = socket.create_connection(("127.0.0.1", port))
local = plain.getsockname()[1]
kept = context.wrap_socket(plain, server_hostname=name)
time.sleep(0.2)
inode = next(words[9] for words in map(str.split, open("/proc/net/tcp"))
             if words[1].endswith(":%04X" % port) and words[2].endswith(":%04X" % local))
forged = socket.socket(socket.AF_UNIX)
forged.bind("\\0x\\n0: 00000002 00000000 00010000 0001 01 %s y" % inode)
forged.listen()
print("forged", flush=True)
time.sleep(600)
"""


def test_a_forged_line_in_proc_keeps_no_worker_alive(place, authority):
    """The name of a UNIX socket may hold a line end: the inode of her connection looks as if it listened."""
    old, new = authority.pair("a.example")
    pem = old.write_combined(place / "a.pem")
    port = free_port()
    haproxy = place.haproxy(socket=False)
    haproxy.write(f"frontend f\n bind 127.0.0.1:{port} ssl crt {pem}\n timeout client 5m\n"
                  " http-request return status 200\n").start()
    said = place / "forger.out"
    start_as_eve(place, sys.executable, "-c", FORGER, port, "a.example", stdout=open(said, "wb"))
    until(lambda: "forged" in said.read_text(), "she has forged it")
    certificate, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, certificate)
    assert done.code == 0, done
    assert handshake(port, "a.example") == new.thumbprint


def test_no_file_is_changed_for_her(place, eve, authority):
    port, old, new = eves_nginx(place, eve, authority)
    certificate, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, certificate)
    assert done.code == 1 and f"user {EVE}" in done.out + done.err, done
    assert (eve / "fullchain.pem").read_text() == old.fullchain_pem
    assert handshake(port, "eve.example") == old.thumbprint


def test_what_she_names_and_may_not_read_is_no_binding_of_hers(place, eve, authority, one):
    """Her configuration names root's PEM; rebinding it concerns root's site alone."""
    conf = eve / "nginx.conf"
    _, _, _ = eves_nginx(place, eve, authority)
    write(conf, conf.read_text().replace(f"{eve}/privkey.pem", str(one.site.key_path)).replace(
        f"{eve}/fullchain.pem", str(one.site.cert_path)))
    give(eve)
    done = one.run("rebind", one.old.thumbprint, one.new_cert)
    assert one.served() == one.new.thumbprint, done


@pytest.mark.parametrize("what", ["main", "include", "directory", "program"])
def test_a_server_of_roots_that_she_could_rule_is_left_alone(place, authority, what):
    one = OneSite(place, authority)
    prefix = one.nginx.prefix
    main = one.nginx.conf.read_text()
    if what == "main":
        give(one.nginx.conf)
    if what == "include":
        write(prefix / "conf.d/hers.conf", "# nothing yet\n")
        give(prefix / "conf.d/hers.conf")
        write(one.nginx.conf, main.replace("access_log off;", f"access_log off; include {prefix}/conf.d/hers.conf;", 1))
    if what == "directory":
        write(one.nginx.conf, main.replace("access_log off;", f"access_log off; include {prefix}/conf.d/*.conf;", 1))
        give(prefix / "conf.d")
    if what == "program":
        hers = place / "hers"
        hers.mkdir()
        write(hers / "nginx", pathlib.Path(NGINX).read_bytes(), 0o755)
        one.nginx.stop()
        one.nginx.executable = hers / "nginx"
        one.nginx.start()
        claims_to_be_root(hers / "fresh", hers / "message")
        os.rename(hers / "fresh", hers / "nginx")
        give(hers)
    done = one.run("check")
    assert done.code == 1 and "does not touch this server" in done.out + done.err, done
    done = one.run("rebind", one.old.thumbprint, one.new_cert)
    assert done.code == 1 and f"user {EVE}" in done.out + done.err, done
    assert one.served() == one.old.thumbprint and one.nginx.reloads() == 0
    assert users_in(place / "hers/message") == []


def test_her_process_does_not_stand_in_for_roots(place, eve, authority):
    """Later than root's, and with root's configuration in its title."""
    one = OneSite(place, authority)
    title = f"nginx: master process nginx -p {one.nginx.prefix} -c {one.nginx.conf}"
    start_as_eve(place, sys.executable, "-c", f"""
import ctypes, os
ctypes.CDLL(None).prctl(15, b"nginx", 0, 0, 0)
os.execv("/bin/sleep", [{title!r}, "600"])""")
    hers = eve / "nginx"
    write(hers, pathlib.Path("/bin/sleep").read_bytes(), 0o755)
    give(eve)
    start_as_eve(place, sys.executable, "-c", f"import os; os.execv({str(hers)!r}, [{title!r}, '600'])")
    done = one.run("rebind", one.old.thumbprint, one.new_cert)
    assert done.code == 0, done
    assert one.served() == one.new.thumbprint


def test_a_configuration_of_ours_that_others_may_write_is_refused(place, one):
    for spoil in (lambda: give(place.config), lambda: os.chmod(place.config, 0o666)):
        spoil()
        for command in (["check"], ["rebind", one.old.thumbprint, one.new_cert], ["status"]):
            done = one.run(*command)
            assert done.code in (1, 3) and str(place.config) in done.err, done
        assert one.served() == one.old.thumbprint
        os.chown(place.config, 0, 0)
        os.chmod(place.config, 0o644)
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0


@both_builds
def test_children_are_given_no_descriptor(place, one):
    """The server's own test, as certrebind starts it."""
    seen = place / "seen"
    script = place / "bin/nginx"
    write(script, f"#!/bin/sh\nexec ls /proc/self/fd >> {seen}\n", 0o755)
    with open("/dev/null", "rb") as extra:
        os.set_inheritable(extra.fileno(), True)
        done = subprocess.run([BINARY, "task", "add", "look", "--event", "1001", "--", str(script), "-v"],
                              env={**os.environ, **place.env}, check=False, close_fds=False)
        assert done.returncode == 0
        subprocess.run([BINARY, "task", "run", "look"], env={**os.environ, **place.env}, check=False,
                       close_fds=False)
    assert seen.read_text().split() == ["0", "1", "2", "3"], "the last is the directory that is listed"


class Held:
    """Listeners that take connections and say nothing; `most`: so many were open at once."""

    def __init__(self, place, ports):
        self.open = self.most = 0
        self.lock = threading.Lock()
        for port in ports:
            listener = socket.socket()
            listener.bind(("127.0.0.1", port))
            listener.listen(64)
            place.at_end(listener.close)
            threading.Thread(target=self.take, args=(listener,), daemon=True).start()

    def take(self, listener):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.count(1)
                while connection.recv(4096):
                    pass
                self.count(-1)
                connection.close()

    def count(self, difference):
        with self.lock:
            self.open += difference
            self.most = max(self.most, self.open)


@both_builds
def test_one_hung_server_does_not_hold_up_others(place, authority):
    """Forty sites of which none answers."""
    one = OneSite(place, authority)
    silent = [free_port() for _ in range(40)]
    sites = "".join(f"""
 server {{ listen 127.0.0.1:{port} ssl; server_name h{port}.example; ssl_certificate {one.site.cert_path};
   ssl_certificate_key {one.site.key_path}; }}""" for port in silent)
    text = one.nginx.conf.read_text()
    write(one.nginx.conf, text[:text.rindex("}")] + sites + "\n}\n")
    held = Held(place, silent)
    assert json.loads(one.run("check", "--json").out)
    assert held.most > 30, "nearly all were waited for at the same time"


@pytest.mark.parametrize("hostile", ["\u009b2J", "\u202egpj", "\u2066x"])
def test_what_a_terminal_would_obey_is_shown_as_bytes(place, authority, hostile):
    name = f"a{hostile}.example"
    nginx = place.nginx()
    old = authority.issue("a.example")
    certificate, key = old.write(place / "site")
    port = free_port()
    nginx.write(f"server {{ listen 127.0.0.1:{port} ssl; server_name \"{name}\"; ssl_certificate {certificate}; "
                f"ssl_certificate_key {key}; }}").start()
    for command in (["check"], ["scan"], ["check", "--json"], ["scan", "--json"]):
        done = place.run(*command)
        assert hostile[0] not in done.out + done.err, done


def test_a_users_configuration_sets_off_no_attempt_after_the_other(place, eve, authority):
    """The daemon tries a failed rebind again at once when a configuration changes: not when hers does."""
    one = OneSite(place, authority)
    watch = Watch(place, one.nginx, more=f'[servers]\nusers = ["{EVE}"]\n')
    port, old, _ = eves_nginx(place, eve, authority, named=False)
    watch.start(one.old)
    until(lambda: watch.status()["bindings"] == 2, "both servers are known")
    watch.idle()
    good = one.nginx.conf.read_text()
    write(one.nginx.conf, good + "nonsense;\n")
    one.new.write(one.site.cert_path.parent)

    def ended():
        runs = watch.run("task", "history", "--json").json["runs"]
        return [run["state"] for run in runs if run["state"] in ("done", "failed")]

    def due():
        now = f"{utc_now().isoformat()}Z"
        runs = watch.run("task", "history", "--json").json["runs"]
        return [run for run in runs if run["state"] == "running" or run["state"] == "queued" and run["due"] <= now]
    # The configuration and the certificate may be noticed one after the other, and be tried once each.
    watch.wait_for(1001, one.new)
    until(lambda: "failed" in ended(), "the attempt has failed")
    until(lambda: not due(), "nothing but the next attempt waits")
    before = len(ended())
    for number in (3, 4, 5):  # one more site of hers each time: so it is known that the daemon has looked
        conf = (eve / "nginx.conf").read_text()
        more = (f"server {{ listen 127.0.0.1:{free_port()} ssl; server_name s{number}.eve.example; "
                f"ssl_certificate {eve}/fullchain.pem; ssl_certificate_key {eve}/privkey.pem; }}")
        write(eve / "nginx.conf", conf.rstrip()[:-1] + more + " }\n")
        give(eve)
        until(lambda: watch.status()["bindings"] == number, "the daemon has looked at hers")
    assert len(ended()) == before
    write(one.nginx.conf, good)
    one.nginx.wait_served(one.new.thumbprint, one.port, one.name)
    watch.stop()
