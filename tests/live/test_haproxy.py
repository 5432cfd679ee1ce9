"""The main job on real HAProxy: found, brought up over its socket or by a reload, or put back."""
import os
import random
import re
import signal
import subprocess
import sys

import pytest

from command import committed
from files import difference, snapshot, write
from handshakes import handshake
from markers import both_builds, needs_root
from ocsp import ocsp_response
from pki import Authority
from ports import free_port
from servers.haproxy import HAPROXY, haproxy_version
from stages.one_frontend import OneFrontend, frontend, scan
from sweep import in_shares, points, some_of
from waiting import until
from witnesses import Load

REFUSED, ROLLED_BACK, NEEDS_OPERATOR = 1, 3, 4


@pytest.fixture
def site(place, authority):
    return OneFrontend(place, authority)


def is_new(site, done):
    assert done.code == 0, done
    assert site.served() == site.new.thumbprint
    assert site.pem.read_text() == site.new.fullchain_pem + site.new.key_pem


# ------------------------------------------------------------------------------ without a reload

def test_over_the_socket_nothing_is_reloaded(site):
    workers = site.haproxy.worker_pids()
    is_new(site, site.rebind())
    assert site.haproxy.worker_pids() == workers
    assert site.haproxy.reloads() == 0
    assert site.haproxy.say("show ssl cert\n").startswith("# filename")  # nothing left open
    # The disk was first: a reload serves NEW as well.
    site.haproxy.reload()
    assert site.served() == site.new.thumbprint


def test_undo_brings_back_memory_and_disk(site):
    before = snapshot(site.place / "certs")
    is_new(site, site.rebind())
    done = site.run("undo")
    assert done.code == 0, done
    assert site.served() == site.old.thumbprint
    assert [p for p in difference(before, snapshot(site.place / "certs"))] == []
    assert site.haproxy.reloads() == 0
    site.haproxy.reload()
    assert site.served() == site.old.thumbprint


@pytest.mark.parametrize("count", [3, 200])
def test_a_batch_over_the_socket(place, authority, count):
    """Many certificates in one directory; every second one is renewed."""
    names = [f"s{i}.example.com" for i in range(count)]
    pairs = {name: authority.pair(name) for name in names}
    for name in names:
        pairs[name][0].write_combined(place / f"certs/{name}.pem")
    port = free_port()
    haproxy = place.haproxy()
    haproxy.write(frontend(port, f"crt {place / 'certs'}")).start()
    arguments = []
    for name in names[1::2]:
        path, _ = pairs[name][1].write(place / "new" / name)
        arguments += [pairs[name][0].thumbprint, path]
    committed(place.run("rebind", *arguments, "--json", "--service", haproxy.service), "rewrite")
    assert haproxy.reloads() == 0
    for i, name in enumerate(names):
        assert handshake(port, name) == pairs[name][i % 2].thumbprint, name
    # Nothing of ours was left in the directory, and HAProxy can load it.
    assert sorted(os.listdir(place / "certs")) == sorted(f"{n}.pem" for n in names)
    haproxy.reload()
    for i, name in enumerate(names):
        assert handshake(port, name) == pairs[name][i % 2].thumbprint, name


def test_a_name_with_blanks_and_semicolons(place, authority):
    old, new = authority.pair("a.example.com")
    pem = old.write_combined(place / "certs/my site;#1.pem")
    port = free_port()
    haproxy = place.haproxy()
    haproxy.write(frontend(port, f"crt '{pem}'")).start()
    path, _ = new.write(place / "new")
    committed(place.run("rebind", old.thumbprint, path, "--json", "--service", haproxy.service))
    assert haproxy.reloads() == 0
    assert handshake(port, "a.example.com") == new.thumbprint


def test_one_file_under_two_names_and_in_many_places(place, authority):
    old, new = authority.pair(["*.example.com", "example.com"])
    pem = old.write_combined(place / "certs/wild.pem")
    lists = write(place / "list", f"{pem} a.example.com\n{pem} b.example.com\n")
    ports = [free_port() for _ in range(3)]
    haproxy = place.haproxy()
    haproxy.write(frontend(ports[0], f"crt {pem}", "one") +
                  frontend(ports[1], "crt wild.pem", "two") +
                  frontend(ports[2], f"crt-list {lists}", "three"),
                  main=f" crt-base {place / 'certs'}").start()
    path, _ = new.write(place / "new")
    result = committed(place.run("rebind", old.thumbprint, path, "--json", "--service",
                                 haproxy.service))
    assert len(result["plans"][0]["bindings"]) == 4
    assert haproxy.reloads() == 0
    for port in ports:
        assert handshake(port) == new.thumbprint
        assert handshake(port, "a.example.com") == new.thumbprint


def test_a_key_in_a_file_of_its_own(place, authority):
    old, new = authority.pair("a.example.com")
    pem, key = old.write(place / "certs", "site.pem", "site.pem.key")
    port = free_port()
    haproxy = place.haproxy()
    haproxy.write(frontend(port, f"crt {pem}")).start()
    path, _ = new.write(place / "new")
    committed(place.run("rebind", old.thumbprint, path, "--json", "--service", haproxy.service),
              "rewrite")
    assert (pem.read_text(), key.read_text()) == (new.fullchain_pem, new.key_pem)
    assert handshake(port) == new.thumbprint
    assert haproxy.reloads() == 0
    haproxy.reload()
    assert handshake(port) == new.thumbprint


@pytest.mark.parametrize("renewed", ["ec", "rsa"])
def test_a_bundle_with_a_key_of_each_type(place, authority, renewed):
    key_of = {"ec": "ec", "rsa": "rsa2048"}
    old = {kind: authority.issue("a.example.com", days=20, key=key) for kind, key in key_of.items()}
    for kind, extension in (("ec", "ecdsa"), ("rsa", "rsa")):
        old[kind].write_combined(place / f"certs/site.pem.{extension}")
    port = free_port()
    haproxy = place.haproxy()
    haproxy.write(frontend(port, f"crt {place / 'certs/site.pem'}")).start()
    new = authority.issue("a.example.com", key=key_of[renewed])
    path, _ = new.write(place / "new")
    committed(place.run("rebind", old[renewed].thumbprint, path, "--json", "--service",
                        haproxy.service))
    assert haproxy.reloads() == 0
    for kind in key_of:
        expected = new if kind == renewed else old[kind]
        assert handshake(port, "a.example.com", key_type=kind) == expected.thumbprint


def test_what_is_on_disk_already_is_committed_too(site):
    """Somebody else wrote the combined PEM and did not tell HAProxy."""
    site.run("scan")
    site.new.write_combined(site.pem)
    done = site.run("rebind", site.old.thumbprint, site.pem, "--json")
    committed(done, "reload")
    assert site.served() == site.new.thumbprint
    assert site.haproxy.reloads() == 0


def test_a_change_that_somebody_left_open_is_not_trampled(site, authority):
    other = authority.issue("a.example.com")
    site.haproxy.say(f"set ssl cert {site.pem} <<\n{other.fullchain_pem}{other.key_pem}\n")
    before = snapshot(site.place.path)
    done = site.rebind()
    assert done.code == REFUSED, done
    assert "abort ssl cert" in done.out and str(site.pem) in done.out
    assert difference(before, snapshot(site.place.path)) == []
    assert site.served() == site.old.thumbprint
    # Theirs is still there, and theirs.
    assert other.sha1.upper() in site.haproxy.say(f"show ssl cert *{site.pem}\n")
    site.haproxy.say(f"abort ssl cert {site.pem}\n")
    is_new(site, site.rebind())


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ipv4@127.0.0.1:{}", "*:{}", "localhost:{}"])
def test_a_socket_of_tcp_on_loopback(place, authority, form):
    site = OneFrontend(place, authority, socket=False,
                   main=f" stats socket {form.format(free_port())} level admin")
    workers = site.haproxy.worker_pids()
    is_new(site, site.rebind())
    assert site.haproxy.worker_pids() == workers and site.haproxy.reloads() == 0
    assert site.run("undo").code == 0
    assert site.served() == site.old.thumbprint and site.haproxy.reloads() == 0


def test_a_socket_without_the_rights_means_a_reload(place, authority):
    site = OneFrontend(place, authority, socket=False,
                   main=f" stats socket {place / 'operator.sock'} level operator")
    workers = site.haproxy.worker_pids()
    is_new(site, site.rebind())
    assert site.haproxy.reloads() == 1
    assert not site.haproxy.worker_pids() & workers


def test_more_than_the_buffer_takes_means_a_reload(place, authority):
    site = OneFrontend(place, authority, main=" tune.bufsize 2048\n tune.maxrewrite 512")
    is_new(site, site.rebind())
    assert site.haproxy.reloads() == 1


def test_the_key_goes_over_the_socket_and_nowhere_else(site):
    is_new(site, site.rebind())
    secret = site.new.key_pem.splitlines()[1]
    for path in site.place.state.rglob("*"):
        if path.is_file() and not {"before", "kept"} & set(path.parts):
            assert secret.encode() not in path.read_bytes(), path
    assert secret not in site.haproxy.errors()


# ---------------------------------------------------------------------------------- by a reload

def test_without_a_socket_the_master_is_told(place, authority):
    site = OneFrontend(place, authority, socket=False)
    workers = site.haproxy.worker_pids()
    is_new(site, site.rebind())
    assert site.haproxy.reloads() == 1
    assert not site.haproxy.worker_pids() & workers


def test_without_service_the_process_table_tells(site):
    done = site.place.run("rebind", site.old.thumbprint, site.new_cert, "--json")
    committed(done)
    assert [a["service"] for a in done.json["accounts"]] == [site.haproxy.service]
    assert site.served() == site.new.thumbprint


def test_after_a_reload_it_is_found_again(site):
    """The master's arguments and environment change with each reload."""
    site.haproxy.reload()
    is_new(site, site.rebind())
    assert site.run("undo").code == 0


def test_a_repoint_edits_one_word(place, authority):
    old, new = authority.pair("a.example.com")
    pem = old.write_combined(place / "certs/site.pem")
    port = free_port()
    haproxy = place.haproxy()
    haproxy.write(frontend(port, f'crt "{pem}" alpn h2,http/1.1 # the certificate')).start()
    text = haproxy.conf.read_text()
    path = new.write_combined(place / "store/new.pem")
    place.configure(stores=[("directory", place / "store")])
    committed(place.run("rebind", old.thumbprint, path, "--json", "--service", haproxy.service),
              "repoint")
    assert haproxy.conf.read_text() == text.replace(f'"{pem}"', str(path))
    assert handshake(port) == new.thumbprint
    assert haproxy.reloads() == 1
    assert place.run("undo", "--service", haproxy.service).code == 0
    assert haproxy.conf.read_text() == text
    assert handshake(port) == old.thumbprint


def test_a_crt_list_is_edited_in_its_line(place, authority):
    old, new = authority.pair("a.example.com")
    other = authority.issue("b.example.com").write_combined(place / "certs/b.pem")
    pem = old.write_combined(place / "certs/a.pem")
    text = f"# all\n{other}\n{pem} [alpn h2] a.example.com !x.example.com\n"
    crt_list = write(place / "list", text)
    port = free_port()
    haproxy = place.haproxy()
    haproxy.write(frontend(port, f"crt-list {crt_list}")).start()
    path = new.write_combined(place / "store/new.pem")
    place.configure(stores=[("directory", place / "store")])
    committed(place.run("rebind", old.thumbprint, path, "--json", "--service", haproxy.service),
              "repoint")
    assert crt_list.read_text() == text.replace(str(pem), str(path))
    assert handshake(port, "a.example.com") == new.thumbprint


def test_a_renewers_separate_files_rebuild_the_combined_one(place, authority):
    """HAProxy cannot name fullchain.pem with privkey.pem: the bound copy is made anew."""
    site = OneFrontend(place, authority)
    live = place / "letsencrypt/live/a.example.com"
    site.old.write(live)
    place.configure(stores=[("certbot", place / "letsencrypt")])
    site.run("scan")
    site.new.write(live)
    done = site.run("rebind", "--pending", "--json")
    committed(done, "rewrite")
    is_new(site, done)
    assert site.haproxy.reloads() == 0
    assert site.run("rebind", "--pending").code == 0  # and nothing is left to do


def test_key_first_stays_key_first(place, authority):
    old, new = authority.pair("a.example.com")
    pem = old.write_combined(place / "certs/site.pem", key_first=True)
    port = free_port()
    haproxy = place.haproxy()
    haproxy.write(frontend(port, f"crt {pem}")).start()
    path, _ = new.write(place / "new")
    committed(place.run("rebind", old.thumbprint, path, "--json", "--service", haproxy.service))
    assert pem.read_text() == new.key_pem + new.fullchain_pem
    assert handshake(port) == new.thumbprint


# --------------------------------------------------------------------------- without a master

def test_without_master_and_socket_it_is_refused(place, authority):
    site = OneFrontend(place, authority, master=False, socket=False)
    before = snapshot(place.path)
    done = site.rebind()
    assert done.code == REFUSED, done
    assert "without a master" in done.out
    assert difference(before, snapshot(place.path)) == []
    assert site.served() == site.old.thumbprint


def test_without_master_the_socket_is_enough(place, authority):
    site = OneFrontend(place, authority, master=False)
    is_new(site, site.rebind())
    assert site.run("undo").code == 0
    assert site.served() == site.old.thumbprint


@pytest.mark.parametrize("master", [True, False])
def test_what_was_kept_comes_back_over_the_socket(place, authority, master):
    site = OneFrontend(place, authority, master=master)
    assert site.run("rebind", "--pending").code == 0  # keeps what is served
    is_new(site, site.rebind())
    assert site.run("restore", site.pem, site.old.thumbprint).code == 0
    assert site.served() == site.old.thumbprint and site.haproxy.reloads() == 0
    assert site.run("undo").code == 0
    assert site.served() == site.new.thumbprint and site.haproxy.reloads() == 0


def test_what_was_kept_does_not_come_back_where_nothing_could_load_it(place, authority):
    site = OneFrontend(place, authority, master=False, socket=False)
    assert site.run("rebind", "--pending").code == 0
    site.new.write_combined(site.pem)
    before = snapshot(place / "certs")
    done = site.run("restore", site.pem)
    assert done.code == REFUSED and "without a master" in done.out, done
    assert difference(before, snapshot(place / "certs")) == []
    assert site.served() == site.old.thumbprint


def test_one_that_is_down_is_not_started(place, authority):
    site = OneFrontend(place, authority)
    site.haproxy.stop()
    done = site.rebind("--json")
    assert done.code == 0, done
    assert done.json["accounts"][0]["proof_owed"] is True, done
    with pytest.raises(OSError):
        site.served()
    site.haproxy.start()
    assert site.served() == site.new.thumbprint


# --------------------------------------------------------------------------------- configuration

def found_paths(result):
    return [(b["certificate_path"], b["role"]) for b in result["bindings"]]


def test_variables_conditions_and_several_files(place, authority):
    certs = {n: authority.issue(f"{n}.example.com").write_combined(place / f"certs/{n}.pem")
             for n in "abcde"}
    ports = {n: free_port() for n in "abcd"}
    haproxy = place.haproxy("main")
    haproxy.write(frontend(ports["a"], 'crt "${CERTS}/a.pem"', "a"), main=f" setenv WHERE {place.path}/certs")
    directory = place / "conf.d"
    write(directory / "10-b.cfg", f'.if defined(NOWHERE)\nfrontend x\n bind :1 ssl crt /nowhere\n.else\n'
          + frontend(ports["b"], 'crt "$WHERE"/b.pem', "b") + ".endif\n")
    write(directory / "20-c.cfg", ".if streq(x,x) && !feature(NOSUCH)\n"
          + frontend(ports["c"], "crt '%s'" % certs["c"], "c") + ".endif\n")
    write(directory / "README", "no configuration")
    write(directory / ".hidden.cfg", "nonsense")
    haproxy.start("-f", str(haproxy.conf), "-f", str(directory), env={"CERTS": f"{place.path}/certs"})
    result = scan(place, haproxy)
    assert found_paths(result) == [(str(certs[n]), "server") for n in "abc"], result
    assert result["diagnostics"] == []
    for name in "abc":
        old = handshake(ports[name])
        new = authority.issue(f"{name}.example.com", days=91)
        path, _ = new.write(place / "new" / name)
        committed(place.run("rebind", old, path, "--json", "--service", haproxy.service))
        assert handshake(ports[name]) == new.thumbprint


def test_relative_names_begin_where_haproxy_stands(place, authority):
    old, new = authority.pair("a.example.com")
    old.write_combined(place / "work/certs/a.pem")
    port = free_port()
    haproxy = place.haproxy()
    haproxy.write(frontend(port, "crt certs/a.pem"))
    haproxy.start("-C", str(place / "work"), "-f", str(haproxy.conf))
    path, _ = new.write(place / "new")
    committed(place.run("rebind", old.thumbprint, path, "--json", "--service", haproxy.service))
    assert handshake(port) == new.thumbprint
    assert haproxy.reloads() == 0


def test_every_kind_of_address(place, authority):
    pem = authority.issue("a.example.com").write_combined(place / "certs/a.pem")
    new = authority.issue("a.example.com", days=91)
    ports = [free_port() for _ in range(4)]
    unix = place / "tls.sock"
    # A name in the kernel alone; HAProxy fills it with zeros.
    abstract = ("\0" + place.path.name).ljust(108, "\0")
    haproxy = place.haproxy()
    haproxy.write(
        f"frontend many\n bind 127.0.0.1:{ports[0]},[::1]:{ports[1]} ssl crt {pem}\n"
        f" bind unix@{unix} ssl crt {pem}\n bind abns@{place.path.name} ssl crt {pem}\n"
        f" http-request return status 200\n"
        f"listen proxied\n bind 127.0.0.1:{ports[2]} accept-proxy ssl crt {pem}\n"
        f" http-request return status 200\n"
        f"frontend raw\n mode tcp\n bind 127.0.0.1:{ports[3]} ssl crt {pem} strict-sni\n").start()
    old = handshake(ports[0])
    path, _ = new.write(place / "new")
    result = committed(place.run("rebind", old, path, "--json", "--service", haproxy.service))
    assert "not proven" not in str(result["accounts"]), result
    assert handshake(ports[0]) == handshake(ports[1], host="::1") == new.thumbprint
    assert handshake(unix) == handshake(abstract) == handshake(ports[2], proxy=True) == new.thumbprint
    assert handshake(ports[3], "a.example.com") == new.thumbprint


IMPOSTOR = """
import socket, sys
where, address = sys.argv[1], sys.argv[2]
tcp = where.isdigit()
family = socket.AF_INET6 if ":" in address else socket.AF_INET
listener = socket.socket(family if tcp else socket.AF_UNIX)
listener.bind((address, int(where)) if tcp else where)
listener.listen()
print("listens", flush=True)
while True:
    peer, _ = listener.accept()
    peer.settimeout(5)
    print(peer.recv(65536), flush=True)
    peer.close()
"""


def impostor(place, where, address="127.0.0.1"):
    """Another user listens there; gives the file of what it hears."""
    script = write(place / "impostor.py", IMPOSTOR)
    heard = place / "heard"
    process = subprocess.Popen(
        ["setpriv", "--reuid=65534", "--clear-groups", "--pdeathsig", "KILL", sys.executable,
         str(script), str(where), address], stdout=open(heard, "wb"))
    place.at_end(process.kill)
    until(lambda: "listens" in heard.read_text(), "the impostor listens")
    return heard


@needs_root
def test_a_strangers_socket_is_told_nothing(site, place):
    """A key goes over it: whoever put a socket in the admin socket's place gets none."""
    path = site.haproxy.socket_path
    path.unlink()
    path.parent.chmod(0o777)
    heard = impostor(place, path)
    committed(site.rebind("--json"))
    assert site.served() == site.new.thumbprint
    assert set(heard.read_text().splitlines()[1:]) <= {"b''"}


@needs_root
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::ffff:127.0.0.1", "::"])
def test_a_strangers_port_is_told_nothing(quick, authority, address):
    """The same of TCP: the configuration names a port that HAProxy has not bound yet."""
    site = OneFrontend(quick, authority, socket=False)
    port = free_port()
    text = site.haproxy.conf.read_text().replace("global\n", f"global\n stats socket 127.0.0.1:{port} level admin\n", 1)
    heard = impostor(quick, port, address)
    site.haproxy.conf.write_text(text)
    done = site.rebind()
    assert done.code == REFUSED and "another program listens there" in done.out, done
    assert site.served() == site.old.thumbprint
    assert set(heard.read_text().splitlines()[1:]) <= {"b''"}


def test_client_certificates_towards_servers(place, authority):
    old = authority.issue("client.example.com", days=20, eku="client")
    new = authority.issue("client.example.com", eku="client")
    pem = old.write_combined(place / "certs/client.pem")
    own = authority.issue("a.example.com").write_combined(place / "certs/a.pem")
    haproxy = place.haproxy()
    haproxy.write(frontend(free_port(), f"crt {own}") +
                  f"backend app\n default-server ssl verify none crt {pem}\n"
                  f" server one 127.0.0.1:{free_port()}\n"
                  f" server two 127.0.0.1:{free_port()} ssl verify none crt {pem}\n").start()
    assert found_paths(scan(place, haproxy)) == [
        (str(own), "server"), (str(pem), "client"), (str(pem), "client")]
    path, _ = new.write(place / "new")
    committed(place.run("rebind", old.thumbprint, path, "--json", "--service", haproxy.service))
    assert pem.read_text() == new.fullchain_pem + new.key_pem
    assert new.sha1.upper() in haproxy.say(f"show ssl cert {pem}\n")


def test_who_answers_for_which_name(place, authority):
    """What we say leads to a certificate is what HAProxy shows for it."""
    certs = {"wild": authority.issue(["*.example.com"]), "a": authority.issue("a.example.com"),
             "again": authority.issue("a.example.com"), "b": authority.issue("b.example.com"),
             "first": authority.issue("first.example.org"),
             "rsa": authority.issue("a.example.com", key="rsa2048"),
             "wrsa": authority.issue("*.example.com", key="rsa2048")}
    paths = {n: c.write_combined(place / f"certs/{n}.pem") for n, c in certs.items()}
    crt_list = write(place / "list", "".join(f"{line}\n" for line in (
        paths["first"], f"{paths['wild']} *.example.com !b.example.com !C.example.com",
        f"{paths['b']} !d.example.com", paths["a"], paths["again"],
        f"{paths['wrsa']} [alpn h2] *.example.com x.example.net", paths["rsa"])))
    port = free_port()
    haproxy = place.haproxy()
    haproxy.write(frontend(port, f"crt-list {crt_list}")).start()
    names = {n: c.thumbprint for n, c in certs.items()}
    proven = set()
    for binding in scan(place, haproxy)["bindings"]:
        kind = "rsa" if "rsa" in binding["certificate_path"] else "ec"
        for endpoint in binding["endpoints"]:
            for name in endpoint["probe_names"] + [None] * endpoint["without_sni"]:
                shown = handshake(port, name, key_type=kind)
                assert shown == binding["certificate"]["thumbprint"], (binding, name)
                proven.add(shown)
    assert proven == {names[n] for n in ("first", "wild", "a", "wrsa", "rsa")}


# ----------------------------------------------------------------------------- what goes wrong

@pytest.fixture
def quick(place):
    place.configure(verify=3)
    return place


def is_as_before(site, before, done, code=ROLLED_BACK):
    assert done.code == code, done
    assert difference(before, snapshot(site.place.path)) == [], done
    assert site.served() == site.old.thumbprint


refuses_sha1 = pytest.mark.skipif(haproxy_version() >= (3, 0),
                                  reason="later ones take a signature by SHA-1")


@refuses_sha1
@pytest.mark.parametrize("socket", [True, False])
def test_haproxy_refuses_what_we_have_nothing_against(quick, authority, socket):
    """A signature by SHA-1: over the socket the commit is refused, else `haproxy -c` says it."""
    from cryptography.hazmat.primitives import hashes
    site = OneFrontend(quick, authority, socket=socket)
    weak = authority.issue(site.name, digest=hashes.SHA1())
    path, _ = weak.write(quick / "weak")
    before = snapshot(quick.path)
    workers = site.haproxy.worker_pids()
    done = site.run("rebind", site.old.thumbprint, path)
    is_as_before(site, before, done)
    assert ("commit at HAProxy's control socket" if socket else "own test rejects") in done.out
    assert site.haproxy.worker_pids() == workers
    if socket:
        assert site.haproxy.say("show ssl cert\n").startswith("# filename")  # aborted


@refuses_sha1
def test_one_of_three_is_refused_and_all_three_are_put_back(quick, authority):
    from cryptography.hazmat.primitives import hashes
    names = [f"{n}.example.com" for n in "abc"]
    old = {n: authority.issue(n, days=20) for n in names}
    new = {n: authority.issue(n, digest=hashes.SHA1() if n == names[1] else hashes.SHA256())
           for n in names}
    arguments = []
    for name in names:
        old[name].write_combined(quick / f"certs/{name}.pem")
        path, _ = new[name].write(quick / "new" / name)
        arguments += [old[name].thumbprint, path]
    port = free_port()
    haproxy = quick.haproxy()
    haproxy.write(frontend(port, f"crt {quick / 'certs'}")).start()
    before = snapshot(quick.path)
    done = quick.run("rebind", *arguments, "--service", haproxy.service)
    assert done.code == ROLLED_BACK, done
    assert difference(before, snapshot(quick.path)) == [], done
    for name in names:
        assert handshake(port, name) == old[name].thumbprint
    assert haproxy.reloads() == 0
    assert haproxy.say("show ssl cert\n").startswith("# filename")


def test_a_master_that_does_not_listen(quick, authority):
    site = OneFrontend(quick, authority, socket=False)
    before = snapshot(quick.path)
    site.haproxy.send(signal.SIGSTOP)
    done = site.rebind()
    site.haproxy.send(signal.SIGCONT)
    assert done.code in (ROLLED_BACK, NEEDS_OPERATOR), done
    assert difference(before, snapshot(quick.path)) == [], done
    site.haproxy.wait_served(site.old.thumbprint, site.port)


def test_a_broken_configuration_is_not_made_worse(quick, authority):
    site = OneFrontend(quick, authority)
    site.haproxy.conf.write_text(site.haproxy.conf.read_text() + "nonsense here\n")
    before = snapshot(quick.path)
    done = site.rebind()
    is_as_before(site, before, done, REFUSED)
    assert "already fails without the new certificate" in done.out


def test_a_mismatched_pair_reaches_no_server(site, authority):
    other = authority.issue(site.name)
    write(site.new_key, other.key_pem, 0o600)
    before = snapshot(site.place.path)
    is_as_before(site, before, site.rebind(), REFUSED)


# --------------------------------------------------------------------------- nothing is lost

@both_builds
@pytest.mark.parametrize("socket", [True, False])
def test_no_request_fails_meanwhile(place, authority, socket):
    site = OneFrontend(place, authority, socket=socket)
    with Load(site.port, site.name) as load:
        is_new(site, site.rebind())
        load.wait_for_more()
    assert load.failures == []
    assert load.served == {site.old.thumbprint, site.new.thumbprint}


def test_after_the_proof_nobody_sees_the_old_one(place, authority):
    """Old workers hand their sockets over: what the proof waits for is that they hold none."""
    site = OneFrontend(place, authority, socket=False)
    pair = [site.old, site.new]
    for turn in range(8):
        old, new = pair
        path, _ = new.write(place / f"turn{turn}")
        done = site.run("rebind", old.thumbprint, path)
        assert done.code == 0, done
        assert {handshake(site.port, site.name) for _ in range(50)} == {new.thumbprint}
        pair = [new, authority.issue(site.name, days=100 + turn)]
    assert site.haproxy.reloads() == 8


# -------------------------------------------------------------------------------------- killed

class Stage:
    """Two certificates of which one is bound as two files, killed at every call and told again."""

    def __init__(self, place, authority, socket):
        self.place = place
        names = ["a.example.com", "b.example.com"]
        self.pairs = {name: authority.pair(name) for name in names}
        self.port = free_port()
        self.haproxy = place.haproxy(socket=socket)
        self.pairs[names[0]][0].write_combined(place / "certs/a.pem")
        self.pairs[names[1]][0].write(place / "certs", "b.pem", "b.pem.key")
        self.haproxy.write(frontend(self.port, f"crt {place / 'certs'}")).start()
        self.arguments = []
        for name in names:
            path, _ = self.pairs[name][1].write(place / "new" / name)
            self.arguments += [self.pairs[name][0].thumbprint, path]
        place.configure(verify=5)
        self.old_files = self.contents()
        assert self.rebind({}).code == 0
        self.new_files = self.contents()
        self.back_to_old()

    def contents(self):
        return {path.name: path.read_bytes() for path in (self.place / "certs").iterdir()
                if not path.name.startswith(".")}

    def rebind(self, env):
        return self.place.run("rebind", *self.arguments, "--service", self.haproxy.service, env=env)

    def back_to_old(self):
        if self.contents() == self.new_files:
            done = self.place.run("undo", "--service", self.haproxy.service)
            assert done.code == 0, done
        assert self.contents() == self.old_files

    def check_settled(self, where):
        new = self.contents() == self.new_files
        assert new or self.contents() == self.old_files, where
        for name, pair in self.pairs.items():
            self.haproxy.wait_served(pair[new].thumbprint, self.port, name)
        assert [p for p in self.place.path.rglob(".certrebind-*")] == [], where
        if self.haproxy.has_socket:
            assert self.haproxy.say("show ssl cert\n").startswith("# filename"), where
        return new


@both_builds
@in_shares
@pytest.mark.parametrize("socket", [True, False])
def test_killed_at_every_call(place, authority, shim, socket, share):
    stage = Stage(place, authority, socket)
    log = place / "calls"
    assert stage.rebind({**shim, "CRASH_LOG": str(log)}).code == 0
    calls = log.read_text().splitlines()
    assert ("send" in calls[-1] or any("send" in call for call in calls)) == socket, calls
    stage.back_to_old()
    states = set()
    for at in points(len(calls), share):
        where = f"killed at call {at} of {len(calls)}: {calls[at - 1]}"
        done = stage.rebind({**shim, "CRASH_AT": str(at)})
        if done.code == 0:
            continue
        assert done.code == -9, f"{where}: {done}"
        code, errors = stage.haproxy.test()
        assert code == 0, f"{where}: HAProxy would not start with this: {errors}"
        recovered = stage.place.run("recover")
        assert recovered.code == 0, f"{where}: {recovered}"
        states.add(stage.check_settled(where))
        stage.back_to_old()
    assert states == {True, False}


@both_builds
@in_shares
def test_every_request_fails(place, authority, shim, share):
    """The socket goes away in the middle: all as before, or all as after."""
    stage = Stage(place, authority, True)
    log = place / "calls"
    assert stage.rebind({**shim, "CRASH_LOG": str(log)}).code == 0
    stage.back_to_old()
    sends = [at for at, call in enumerate(log.read_text().splitlines(), 1) if call.endswith("send")]
    for at in some_of(sends, share):
        done = stage.rebind({**shim, "FAIL_AT": str(at)})
        assert done.code in (0, ROLLED_BACK), done
        stage.check_settled(f"call {at} failed")
        stage.back_to_old()


# ------------------------------------------------------------------- what lies beside a certificate

# A .sctl is left to the unit tests: with one, `haproxy -c` of 2.6.12 says "valid" and then crashes.
@pytest.mark.parametrize("socket", [True, False])
def test_a_stale_ocsp_response_and_issuer_go(place, authority, socket):
    site = OneFrontend(place, authority, socket=socket)
    other = Authority("Another")
    new = other.issue(site.name)
    path, _ = new.write(place / "another")
    beside = place / "certs"
    (beside / "site.pem.ocsp").write_bytes(ocsp_response(authority, site.old))
    (beside / "site.pem.issuer").write_text(authority.intermediate_pem)
    site.haproxy.reload()
    before = snapshot(beside)
    reloads = site.haproxy.reloads()
    trusted = write(place / "trusted.pem", other.root_pem)
    done = site.run("rebind", site.old.thumbprint, path, env={"SSL_CERT_FILE": str(trusted)})
    assert done.code == 0, done
    assert "site.pem.ocsp is emptied, because its OCSP response belongs to the old certificate" in done.out
    assert site.served() == new.thumbprint
    assert (beside / "site.pem.ocsp").read_bytes() == b""
    assert (beside / "site.pem.issuer").read_text() == other.intermediate_pem
    assert site.haproxy.reloads() - reloads == (0 if socket else 1)
    site.haproxy.reload()
    assert site.served() == new.thumbprint
    done = site.run("undo")
    assert done.code == 0, done
    assert difference(before, snapshot(beside)) == []
    assert site.served() == site.old.thumbprint


# ------------------------------------------------------------------------- word by word

def haproxy_reads(place, line):
    """What HAProxy takes for the value of `crt` in this line: bytes, or None where it refuses it."""
    conf = place / "one.cfg"
    conf.write_bytes(b"global\n setenv V v1\ndefaults\n mode http\nfrontend f\n" + line + b"\n")
    done = subprocess.run([HAPROXY, "-c", "-f", str(conf)], capture_output=True)
    found = re.search(rb"certificate from file '(.*?)' : No such", done.stderr, re.S)
    return found.group(1) if found else None


def test_words_are_read_as_haproxy_reads_them(place):
    """Random quoting, escaping and variables: the paths that HAProxy misses are those that we miss."""
    choose = random.Random(4)
    pieces = ["a", "b", "x4", "\\x41", '"', '"', "'", "'", "\\", "\\\\", "\\ ", "\\#", "\\'", '\\"',
              "\\$", "$V", "${V}", "${NO-d}", "${V-d}", "$NO", "#", " ", "}", "{", "-", "\\t"]
    lines = [f" bind 127.0.0.1:1 ssl crt /none/{''.join(choose.choices(pieces, k=7))}".encode()
             for _ in range(300)]
    theirs = [haproxy_reads(place, line) for line in lines]
    conf = place / "all.cfg"
    conf.write_bytes(b"global\n setenv V v1\ndefaults\n mode http\nfrontend f\n" + b"\n".join(lines)
                     + b"\n")
    done = place.run("scan", "--json", "--service", f"haproxy:{conf}")
    assert done.code == 0, done
    said = {}
    for diagnostic in done.json["diagnostics"]:
        said.setdefault(diagnostic["line"], []).append(diagnostic["message"])
    assert sum(value is not None for value in theirs) > 100
    for number, (line, value) in enumerate(zip(lines, theirs), 6):
        ours = [m.removesuffix(": there is no such file") for m in said.get(number, [])
                if m.endswith(": there is no such file")]
        if value is None:
            assert ours == [] and "HAProxy refuses it" in said[number][0], (line, said.get(number))
        else:
            assert ours == [value.decode().replace("\t", "\\x09").replace("\n", "\\x0a")], line
