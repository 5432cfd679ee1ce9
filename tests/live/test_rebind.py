"""The main job on real nginx: what served OLD serves NEW, and nothing is lost on the way."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

from files import difference, large_file, snapshot, write
from handshakes import handshake, request
from markers import both_builds, needs_root
from place import Place
from ports import free_port
from stages.one_site import OneSite, Site, make_site
from waiting import PATIENCE, until
from witnesses import Download, Load


def rebind(place, nginx, *arguments):
    """A rebind that has to succeed; its JSON."""
    done = place.run("rebind", *arguments, "--json", "--service", nginx.service)
    assert done.code == 0, done
    outcomes = [account["outcome"] for account in done.json["accounts"]]
    assert outcomes == ["committed"], done
    return done.json


def kinds(result):
    return {binding["kind"] for plan in result["plans"] for binding in plan["bindings"]}


def changed_files(place, before):
    """What differs since, directories left out: their times and xattrs are not looked at."""
    return [pathlib.Path(path) for path in difference(before, snapshot(place.path))]


def certbot_lineage(base, name, certificate, number=1):
    """certbot's layout: live/NAME/*.pem are links into archive/NAME/. Gives live/NAME."""
    archive, live = base / "archive" / name, base / "live" / name
    certificate.write(archive, f"fullchain{number}.pem", f"privkey{number}.pem")
    live.mkdir(parents=True, exist_ok=True)
    for stem in ("fullchain", "privkey"):
        link = live / f"{stem}.pem"
        fresh = live / f"{stem}.fresh"
        fresh.symlink_to(f"../../archive/{name}/{stem}{number}.pem")
        fresh.rename(link)
    return live


# ------------------------------------------------------------------------------ how many sites

def test_one_site(one):
    workers = one.nginx.worker_pids()
    done = one.run("rebind", one.old.thumbprint, one.new_cert)
    assert done.code == 0, done
    assert "committed" in done.out
    assert one.served() == one.new.thumbprint
    assert one.site.cert_path.read_text() == one.new.fullchain_pem
    assert one.site.key_path.read_text() == one.new.key_pem
    assert one.nginx.reloads() == 1
    assert not one.nginx.worker_pids() & workers


def test_without_service_the_process_table_tells(one):
    done = one.place.run("rebind", one.old.thumbprint, one.new_cert, "--json")
    assert done.code == 0, done
    assert [a["service"] for a in done.json["accounts"]] == [one.nginx.service]
    assert one.served() == one.new.thumbprint


@pytest.mark.parametrize("count", [3, 200])
def test_many_sites_with_certificates_of_their_own(place, authority, count):
    """A batch of several pairs is one transaction, one test and one reload."""
    nginx = place.nginx()
    names = [f"s{i}.example.com" for i in range(count)]
    pairs = {name: authority.pair(name) for name in names}
    port = free_port()
    nginx.write("".join(make_site(place, pairs[name][0], name, port).block() for name in names)).start()
    chosen = names[1:count:2]
    arguments = []
    for name in chosen:
        path, _ = pairs[name][1].write(place / "new" / name)
        arguments += [pairs[name][0].thumbprint, path]
    result = rebind(place, nginx, *arguments)
    assert len(result["accounts"]) == 1
    assert nginx.reloads() == 1
    for name in names:
        expected = pairs[name][1 if name in chosen else 0].thumbprint
        assert handshake(port, name) == expected, name
    history = place.run("history", "--json").json["transactions"]
    assert len(history) == 1
    assert {(s["old"], s["new"]) for s in history[0]["successions"]} == {
        (pairs[name][0].thumbprint, pairs[name][1].thumbprint) for name in chosen}


@pytest.mark.parametrize("count", [3, 200])
def test_shared_wildcard(place, authority, count):
    old, new = authority.pair("*.example.com")
    cert, key = old.write(place / "certs")
    port = free_port()
    names = [f"s{i}.example.com" for i in range(count)]
    nginx = place.nginx()
    nginx.write("".join(Site(name, port, old, cert, key).block()
                        for name in names)).start()
    before = snapshot(place.path)
    path, _ = new.write(place / "new")
    result = rebind(place, nginx, old.thumbprint, path)
    assert {handshake(port, name) for name in names} == {new.thumbprint}
    assert len(result["plans"][0]["bindings"]) == count
    assert f"{count} endpoints and names" in result["accounts"][0]["account"][0] or (
        f"{count + 1} endpoints and names" in result["accounts"][0]["account"][0])
    # One pair of files, written once.
    touched = [p for p in changed_files(place, before) if "new" not in p.parts]
    assert touched == [cert, key]


def test_two_servers_with_one_refused(place, authority):
    """Each service is a transaction of its own: the refusal of one does not hold up the other."""
    old = authority.issue(["a.example.com", "b.example.com"], days=20)
    new = authority.issue(["a.example.com"])
    servers = {}
    for name in ("a.example.com", "b.example.com"):
        where = make_site(place, old, name)
        servers[name] = (where, place.nginx(name).write(where.block()).start())
    (a, nginx_a), (b, nginx_b) = servers.values()
    before = snapshot(place / "certs/b.example.com")
    workers = nginx_b.worker_pids()
    path, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, path, "--json", "--service", nginx_a.service,
                     "--service", nginx_b.service)
    assert done.code == 1, done
    assert [(x["service"], x["outcome"]) for x in done.json["accounts"]] == [
        (nginx_a.service, "committed")]
    assert handshake(a.port, a.name) == new.thumbprint
    assert handshake(b.port, b.name) == old.thumbprint
    assert difference(before, snapshot(place / "certs/b.example.com")) == []
    assert nginx_b.worker_pids() == workers
    assert any("b.example.com" in finding["sentence"] for plan in done.json["plans"]
               for finding in plan["findings"] if finding["severity"] == "refused")


def test_two_servers_both_committed(place, authority):
    old, new = authority.pair("*.example.com")
    sites = [make_site(place, old, name) for name in ("a.example.com", "b.example.com")]
    nginxes = [place.nginx(s.name).write(s.block()).start() for s in sites]
    path, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, path, "--json",
                     *[w for n in nginxes for w in ("--service", n.service)])
    assert done.code == 0, done
    assert len(done.json["accounts"]) == 2
    for one_site, nginx in zip(sites, nginxes):
        assert handshake(one_site.port, one_site.name) == new.thumbprint
        assert nginx.reloads() == 1


# ---------------------------------------------------------------------- what nginx can be told

@pytest.mark.parametrize("renewed", ["ec", "rsa"])
def test_dual_pair_leaves_the_other_key_type(place, authority, renewed):
    old = {kind: authority.issue("a.example.com", days=20, key=key)
           for kind, key in (("ec", "ec"), ("rsa", "rsa2048"))}
    port = free_port()
    lines = ""
    for kind in ("rsa", "ec"):
        cert, key = old[kind].write(place / "certs" / kind)
        lines += f"ssl_certificate {cert};\nssl_certificate_key {key};\n"
    nginx = place.nginx()
    nginx.write(f"server {{ listen 127.0.0.1:{port} ssl; server_name a.example.com;\n{lines} }}")
    nginx.start()
    new = authority.issue("a.example.com", key={"ec": "ec", "rsa": "rsa2048"}[renewed])
    path, _ = new.write(place / "new")
    rebind(place, nginx, old[renewed].thumbprint, path)
    for kind in ("ec", "rsa"):
        expected = new if kind == renewed else old[kind]
        assert handshake(port, "a.example.com", key_type=kind) == expected.thumbprint


def test_certificates_of_http_are_inherited(place, authority):
    old, new = authority.pair("*.example.com")
    cert, key = old.write(place / "certs/shared")
    own = authority.issue("own.example.com")
    own_site = make_site(place, own, "own.example.com")
    nginx = place.nginx()
    http = f"  ssl_certificate {cert};\n  ssl_certificate_key {key};\n"
    for name in ("a", "b"):
        http += (f"  server {{ listen 127.0.0.1:{own_site.port} ssl;"
                 f" server_name {name}.example.com; }}\n")
    nginx.write(http + own_site.block()).start()
    text = nginx.conf.read_text()
    new_cert, new_key = new.write(place / "store/new")
    place.configure(stores=[("directory", place / "store")])
    result = rebind(place, nginx, old.thumbprint, new_cert)
    assert kinds(result) == {"repoint"}
    for name in ("a.example.com", "b.example.com"):
        assert handshake(own_site.port, name) == new.thumbprint
    assert handshake(own_site.port, "own.example.com") == own.thumbprint
    assert nginx.conf.read_text() == text.replace(str(cert), str(new_cert)).replace(
        str(key), str(new_key))


def test_a_server_that_overrides_http_keeps_its_own(place, authority):
    """The whole inherited list is replaced: rebinding the server's own leaves that of http."""
    shared = authority.issue("*.example.com")
    old, new = authority.pair("own.example.com")
    cert, key = shared.write(place / "certs/shared")
    own = make_site(place, old, "own.example.com")
    nginx = place.nginx()
    nginx.write(f"ssl_certificate {cert};\nssl_certificate_key {key};\n"
                f"server {{ listen 127.0.0.1:{own.port} ssl; server_name a.example.com; }}\n"
                + own.block()).start()
    path, _ = new.write(place / "new")
    rebind(place, nginx, old.thumbprint, path)
    assert handshake(own.port, "own.example.com") == new.thumbprint
    assert handshake(own.port, "a.example.com") == shared.thumbprint


def test_a_file_included_from_several_places_is_edited_once(place, authority):
    old, new = authority.pair("*.example.com")
    cert, key = old.write(place / "certs")
    nginx = place.nginx()
    snippet = write(nginx.prefix / "tls.conf",
                    f"# the certificate\nssl_certificate     {cert};\n"
                    f"ssl_certificate_key \"{key}\"; # and its key\n")
    port = free_port()
    nginx.write("".join(
        f"server {{ listen 127.0.0.1:{port} ssl; server_name {n}.example.com; include tls.conf; }}"
        for n in "abc")).start()
    main = nginx.conf.read_text()
    new_cert, new_key = new.write(place / "store")
    place.configure(stores=[("directory", place / "store")])
    result = rebind(place, nginx, old.thumbprint, new_cert)
    assert [f["path"] for f in result["plans"][0]["files"]] == [str(snippet)]
    assert {handshake(port, f"{n}.example.com") for n in "abc"} == {new.thumbprint}
    text = snippet.read_text()
    assert text.count(str(new_cert)) == 1 and text.count(str(new_key)) == 1
    assert "# the certificate\n" in text and "# and its key\n" in text
    assert str(cert) not in text and str(key) not in text
    assert nginx.conf.read_text() == main


def test_stream(place, authority):
    old, new = authority.pair("a.example.com")
    cert, key = old.write(place / "certs")
    port = free_port()
    nginx = place.nginx()
    nginx.write(stream=f"server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {cert};"
                       f" ssl_certificate_key {key}; return hello; }}").start()
    path, _ = new.write(place / "new")
    result = rebind(place, nginx, old.thumbprint, path)
    assert handshake(port) == new.thumbprint
    assert "1 endpoint and name shows" in result["accounts"][0]["account"][0]


def test_proxy_protocol(place, authority):
    old, new = authority.pair("a.example.com")
    one_site = make_site(place, old)
    nginx = place.nginx()
    nginx.write(one_site.block(f"127.0.0.1:{one_site.port} ssl proxy_protocol")).start()
    path, _ = new.write(place / "new")
    with pytest.raises(OSError):
        handshake(one_site.port, one_site.name)  # the header is really needed
    result = rebind(place, nginx, old.thumbprint, path)
    assert handshake(one_site.port, one_site.name, proxy=True) == new.thumbprint
    assert "the new certificate" in result["accounts"][0]["account"][0]
    assert not any("did not answer" in line for line in result["accounts"][0]["account"])
    assert nginx.errors().count("broken header") == 1, "only ours came without"


def test_default_server_without_sni(place, authority):
    old, new = authority.pair("fallback.example.com")
    other = authority.issue("a.example.com")
    port = free_port()
    default = make_site(place, old, "_", port)
    named = make_site(place, other, "a.example.com", port)
    nginx = place.nginx()
    nginx.write(named.block() + default.block(f"127.0.0.1:{port} ssl default_server")).start()
    path, _ = new.write(place / "new")
    result = rebind(place, nginx, old.thumbprint, path)
    endpoints = result["plans"][0]["bindings"][0]["endpoints"]
    assert [e["without_sni"] for e in endpoints] == [True]
    assert handshake(port) == new.thumbprint
    assert handshake(port, "nobody.example.com") == new.thumbprint
    assert handshake(port, "a.example.com") == other.thumbprint


@pytest.mark.parametrize("name, probe, covers", [
    ("*.w.example.com", "x.w.example.com", "*.w.example.com"),
    (".w.example.com", "w.example.com", ["w.example.com", "*.w.example.com"]),
])
def test_wildcard_name(place, authority, name, probe, covers):
    old, new = authority.pair(covers)
    port = free_port()
    other = make_site(place, authority.issue("a.example.com"), "a.example.com", port)
    one_site = make_site(place, old, name, port, directory=place / "certs/wild")
    nginx = place.nginx()
    nginx.write(other.block() + one_site.block()).start()
    path, _ = new.write(place / "new")
    result = rebind(place, nginx, old.thumbprint, path)
    names = result["plans"][0]["bindings"][0]["endpoints"][0]["probe_names"]
    assert names and all(n.endswith("w.example.com") and "*" not in n for n in names), names
    assert handshake(port, probe) == new.thumbprint
    assert handshake(port, "a.example.com") == other.certificate.thumbprint


def test_regex_name_is_rebound_and_said_not_to_be_probed(place, authority):
    old, new = authority.pair("*.example.com")
    port = free_port()
    other = make_site(place, authority.issue("a.example.net"), "a.example.net", port)
    one_site = make_site(place, old, r"~^r\d+\.example\.com", port, directory=place / "certs/regex")
    nginx = place.nginx()
    nginx.write(other.block() + one_site.block()).start()
    path, _ = new.write(place / "new")
    result = rebind(place, nginx, old.thumbprint, path)
    nginx.wait_served(new.thumbprint, port, "r7.example.com")
    assert any(r"r\d+" in line for line in result["plans"][0]["not_proven"]), result
    assert any(line.startswith("not proven: ") for line in result["accounts"][0]["account"])


def test_unix_socket(place, authority):
    old, new = authority.pair("a.example.com")
    one_site = make_site(place, old)
    socket = place / "nginx/run/tls.sock"
    nginx = place.nginx()
    nginx.write(one_site.block(f"unix:{socket} ssl")).start()
    path, _ = new.write(place / "new")
    rebind(place, nginx, old.thumbprint, path)
    assert handshake(socket, "a.example.com") == new.thumbprint


@pytest.mark.parametrize("listen, hosts", [
    ("[::1]:{}", ["::1"]),
    ("*:{}", ["127.0.0.1"]),
    ("{}", ["127.0.0.1"]),
    ("[::]:{}", ["::1"]),
    ("[::]:{} ipv6only=off", ["::1", "127.0.0.1"]),
    ("localhost:{}", ["127.0.0.1"]),
])
def test_addresses(place, authority, listen, hosts):
    old, new = authority.pair("a.example.com")
    one_site = make_site(place, old)
    nginx = place.nginx()
    nginx.write(one_site.block(listen.format(one_site.port) + " ssl")).start()
    path, _ = new.write(place / "new")
    result = rebind(place, nginx, old.thumbprint, path)
    probed = {endpoint["address"].rpartition(":")[0].strip("[]")
              for endpoint in result["plans"][0]["bindings"][0]["endpoints"]
              if not endpoint["unproven"]}
    assert probed >= set(hosts), "each family that listens is probed"
    for host in hosts:
        assert handshake(one_site.port, "a.example.com", host=host) == new.thumbprint
    assert not any("did not answer" in line for line in result["accounts"][0]["account"])


def test_ssl_on(place, authority):
    """The old way to say that all of a server's listeners speak TLS."""
    old, new = authority.pair("a.example.com")
    one_site = make_site(place, old)
    nginx = place.nginx()
    nginx.write(one_site.block(f"127.0.0.1:{one_site.port}", extra="ssl on;\n")).start()
    path, _ = new.write(place / "new")
    rebind(place, nginx, old.thumbprint, path)
    assert handshake(one_site.port, "a.example.com") == new.thumbprint


def test_two_endpoints_are_both_proven(place, authority):
    old, new = authority.pair(["a.example.com", "b.example.com"])
    one_site = make_site(place, old, "a.example.com b.example.com", directory=place / "certs/ab")
    second = free_port()
    nginx = place.nginx()
    nginx.write(one_site.block(
        f"127.0.0.1:{one_site.port} ssl; listen 127.0.0.1:{second} ssl")).start()
    path, _ = new.write(place / "new")
    result = rebind(place, nginx, old.thumbprint, path)
    for port in (one_site.port, second):
        for name in ("a.example.com", "b.example.com", None):
            assert handshake(port, name) == new.thumbprint
    # two ports, each with two names and the default server's answer without SNI
    assert "6 endpoints and names" in result["accounts"][0]["account"][0], result["accounts"]


def test_client_certificate_towards_an_upstream(place, authority):
    """Rebound and tested, not probed; the upstream sees the new one."""
    old, new = authority.pair("client.example.com", eku="both")
    backend = make_site(place, authority.issue("backend.example.com"), "backend.example.com")
    cert, key = old.write(place / "certs/client")
    port = free_port()
    nginx = place.nginx()
    nginx.write(
        f"server {{ listen 127.0.0.1:{backend.port} ssl; server_name backend.example.com;\n"
        f"ssl_certificate {backend.cert_path}; ssl_certificate_key {backend.key_path};\n"
        "ssl_verify_client optional_no_ca; return 200 $ssl_client_fingerprint; }\n"
        f"server {{ listen 127.0.0.1:{port} ssl; server_name front.example.com;\n"
        f"ssl_certificate {backend.cert_path}; ssl_certificate_key {backend.key_path};\n"
        f"location / {{ proxy_pass https://127.0.0.1:{backend.port};\n"
        f"proxy_ssl_certificate {cert}; proxy_ssl_certificate_key {key};"
        " proxy_ssl_session_reuse off; } }").start()
    assert request(port, "front.example.com") == (200, old.sha1.encode())
    path, _ = new.write(place / "new")
    result = rebind(place, nginx, old.thumbprint, path)
    assert [b["role"] for b in result["plans"][0]["bindings"]] == ["client"]
    assert any("no handshake can show it" in line for line in result["plans"][0]["not_proven"])
    until(lambda: request(port, "front.example.com") == (200, new.sha1.encode()),
                  "the upstream sees the new client certificate")


def test_values_that_are_not_files_are_left_alone(place, authority):
    """`$variable` paths and `data:` are reported, never edited; the rest goes on."""
    old, new = authority.pair("*.example.com")
    one_site = make_site(place, old, "a.example.com")
    nginx = place.nginx()
    variable = place / "certs/variable"
    old.write(variable, "v.example.com.pem", "v.example.com.key")
    nginx.write(one_site.block() +
                f"server {{ listen 127.0.0.1:{one_site.port} ssl; server_name v.example.com;\n"
                f"ssl_certificate {variable}/$ssl_server_name.pem;\n"
                f"ssl_certificate_key {variable}/$ssl_server_name.key; }}\n").start()
    before = snapshot(variable)
    text = nginx.conf.read_text()
    path, _ = new.write(place / "new")
    rebind(place, nginx, old.thumbprint, path)
    assert handshake(one_site.port, "a.example.com") == new.thumbprint
    assert handshake(one_site.port, "v.example.com") == old.thumbprint
    assert difference(before, snapshot(variable)) == []
    assert nginx.conf.read_text() == text
    scanned = place.run("scan", "--json", "--service", nginx.service).json
    assert [b["not_editable"] != "" for b in scanned["bindings"]] == [False, True]
    assert "variable" in scanned["bindings"][1]["not_editable"]


# ------------------------------------------------------------------------------ kinds of plans

def stored(place, kind, new, name="a.example.com"):
    """NEW where a renewer of this kind would put it: (certificate path, key path)."""
    base = place / "store"
    if kind == "certbot":
        live = certbot_lineage(base, name, new)
        paths = live / "fullchain.pem", live / "privkey.pem"
    elif kind == "lego":
        paths = new.write(base / "certificates", f"{name}.crt", f"{name}.key")
    elif kind == "acme.sh":
        new.write(base / f"{name}_ecc", "fullchain.cer", f"{name}.key")
        paths = base / f"{name}_ecc/fullchain.cer", base / f"{name}_ecc/{name}.key"
    else:
        paths = new.write(base, f"{name}.pem", f"{name}.key")
    place.configure(stores=[(kind, base)])
    return paths


@pytest.mark.parametrize("typed", ["path", "thumbprint"])
@pytest.mark.parametrize("kind", ["certbot", "lego", "acme.sh", "directory"])
def test_repoint_to_where_new_has_its_home(one, kind, typed):
    shutil.rmtree(one.place / "new")
    cert, key = stored(one.place, kind, one.new)
    text = one.nginx.conf.read_text()
    before = snapshot(one.place.path)
    result = rebind(one.place, one.nginx, one.old.thumbprint,
                    cert if typed == "path" else one.new.thumbprint)
    assert kinds(result) == {"repoint"}
    assert one.served() == one.new.thumbprint
    assert one.nginx.conf.read_text() == text.replace(
        str(one.site.cert_path), str(cert)).replace(str(one.site.key_path), str(key))
    assert changed_files(one.place, before) == [one.nginx.conf]


def test_repoint_quotes_what_must_be_quoted(one):
    odd = one.place / 'a "quoted"; place#1'
    cert, key = one.new.write(odd)
    one.place.configure(stores=[("directory", odd.parent)])
    rebind(one.place, one.nginx, one.old.thumbprint, cert, "--repoint")
    assert one.served() == one.new.thumbprint
    assert one.nginx.test()[0] == 0
    scanned = one.run("scan", "--json").json["bindings"]
    assert [(b["certificate_path"], b["key_path"]) for b in scanned] == [(str(cert), str(key))]


def test_repoint_keeps_the_rest_of_an_odd_file(place, authority):
    """CRLF, comments, non-UTF-8, quotes and relative paths: only the values change."""
    old, new = authority.pair("a.example.com")
    nginx = place.nginx()
    old.write(nginx.prefix / "tls dir")
    port = free_port()
    included = nginx.prefix / "conf.d/site.conf"
    head = b"# caf\xe9 }\r\nserver {\r\n  listen 127.0.0.1:%d ssl;\r\n" % port
    middle = b"  server_name\ta.example.com; ssl_certificate   "
    tail = b"    ; # ssl_certificate not/this.pem;\r\n  ssl_certificate_key\r\n"
    end = b";\r\n  location / { return 200 \"}\"; }\r\n}"
    write(included, head + middle + b"'tls dir/fullchain.pem'" + tail +
          b"\"tls dir/privkey.pem\"" + end)
    nginx.write("  include conf.d/*.conf;\n").start()
    cert, key = new.write(place / "store")
    place.configure(stores=[("directory", place / "store")])
    result = rebind(place, nginx, old.thumbprint, cert)
    assert kinds(result) == {"repoint"}
    assert handshake(port, "a.example.com") == new.thumbprint
    assert included.read_bytes() == (
        head + middle + bytes(cert) + tail + bytes(key) + end)


def test_the_users_choice_of_plan(place, authority):
    for choice, kind in (("--repoint", "repoint"), ("--rewrite", "rewrite")):
        stage = OneSite(place_in(place, choice), authority)
        text = stage.nginx.conf.read_text()
        result = rebind(stage.place, stage.nginx, stage.old.thumbprint, stage.new_cert, choice)
        assert kinds(result) == {kind}
        assert stage.served() == stage.new.thumbprint
        assert (stage.nginx.conf.read_text() == text) == (kind == "rewrite")
        assert (stage.site.cert_path.read_text() == stage.old.fullchain_pem) == (kind == "repoint")


def place_in(place, name):
    """Another stage that ends with the first."""
    inner = Place()
    place.at_end(inner.end)
    return inner


@pytest.mark.parametrize("key_first", [True, False])
@pytest.mark.parametrize("extra", ["", "dh"])
def test_rewrite_of_a_combined_file_keeps_its_form(place, authority, key_first, extra):
    old, new = authority.pair("a.example.com")
    dh = ("-----BEGIN DH PARAMETERS-----\n"
          "MEYCQQDaWDwW2YUiidDkr3VvTMqS3UvlM7gE+w/tlO+cikQD7VdGUNNpmdsp13Yn\n"
          "a6LT1BLiGPTdHghM9tgAPnxHdOgzAgEC\n-----END DH PARAMETERS-----\n") if extra else ""
    path = old.write_combined(place / "certs/a.pem", key_first, dh)
    one_site = Site("a.example.com", free_port(), old, path, path)
    nginx = place.nginx()
    nginx.write(one_site.block()).start()
    new_cert, _ = new.write(place / "new")
    result = rebind(place, nginx, old.thumbprint, new_cert)
    assert kinds(result) == {"rewrite"}
    assert handshake(one_site.port, "a.example.com") == new.thumbprint
    parts = [new.key_pem, new.fullchain_pem] if key_first else [new.fullchain_pem, new.key_pem]
    assert path.read_text() == "".join(parts) + dh
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("key_first", [True, False])
def test_new_may_be_a_combined_file(one, key_first):
    combined = one.new.write_combined(one.place / "combined/new.pem", key_first)
    rebind(one.place, one.nginx, one.old.thumbprint, combined)
    assert one.served() == one.new.thumbprint
    assert one.site.cert_path.read_text() == one.new.fullchain_pem, "no key in the certificate file"
    assert one.site.key_path.read_text() == one.new.key_pem


def test_key_option(one):
    elsewhere = one.place / "elsewhere/secret"
    write(elsewhere, one.new.key_pem, 0o600)
    one.new_key.unlink()
    rebind(one.place, one.nginx, one.old.thumbprint, one.new_cert, "--key", elsewhere)
    assert one.served() == one.new.thumbprint
    assert one.site.key_path.read_text() == one.new.key_pem


def test_a_full_chain_may_follow_where_old_had_none(place, authority):
    """Of a private CA that this machine does not know."""
    old = authority.issue("a.example.com", days=20, chain=False)
    stage = OneSite(place, authority, old=old, new=authority.issue("a.example.com"))
    rebind(place, stage.nginx, old.thumbprint, stage.new_cert)
    assert stage.served() == stage.new.thumbprint


def test_self_signed_to_self_signed(place, authority):
    old = authority.issue("a.example.com", days=20, self_signed=True)
    new = authority.issue("a.example.com", self_signed=True)
    stage = OneSite(place, authority, old=old, new=new)
    rebind(place, stage.nginx, old.thumbprint, stage.new_cert)
    assert stage.served() == new.thumbprint


@pytest.mark.parametrize("key", ["ec", "rsa2048"])
def test_renewal_with_the_same_key(place, authority, key):
    old = authority.issue("a.example.com", days=20, key=key)
    new = authority.issue("a.example.com", key=old.key)
    stage = OneSite(place, authority, old=old, new=new)
    rebind(place, stage.nginx, old.thumbprint, stage.new_cert)
    assert stage.served() == new.thumbprint


# -------------------------------------------------------------------------- renewed in place

def test_renewed_in_place_only_reloads(one):
    one.new.write(one.site.cert_path.parent)
    check = one.run("check")
    assert check.code == 1, check
    assert "renewed but not reloaded" in check.out
    before = snapshot(one.place.path)
    result = rebind(one.place, one.nginx, one.old.thumbprint, one.new.thumbprint)
    assert kinds(result) == {"reload"}
    assert one.served() == one.new.thumbprint
    assert one.nginx.reloads() == 1
    assert changed_files(one.place, before) == []
    check = one.run("check")
    assert check.code == 0, check


def test_the_command_that_check_names_works(one):
    """OLD is gone from disk; it is known from what is served."""
    one.new.write(one.site.cert_path.parent)
    check = one.run("check")
    command = next(line for line in check.out.splitlines() if "certrebind rebind" in line)
    arguments = command.split("certrebind ", 1)[1].split()
    done = one.run(*arguments)
    assert done.code == 0, done
    assert one.served() == one.new.thumbprint


def test_old_is_gone_but_was_seen_before(place, authority):
    first, second = authority.pair("a.example.com")
    third = authority.issue("a.example.com", days=120)
    stage = OneSite(place, authority, old=first)
    assert stage.run("rebind", first.thumbprint, first.thumbprint).code == 0  # seen from here on
    where = stage.site.cert_path.parent
    second.write(where)
    stage.nginx.reload()
    stage.nginx.wait_served(second.thumbprint, stage.port, stage.name)
    third.write(where)
    result = rebind(place, stage.nginx, first.thumbprint, third.thumbprint)
    assert kinds(result) == {"reload"}
    assert stage.served() == third.thumbprint


def test_renewed_and_reloaded_by_somebody_else_is_nothing_to_do(one):
    assert one.run("rebind", one.old.thumbprint, one.old.thumbprint).code == 0
    one.new.write(one.site.cert_path.parent)
    one.nginx.reload()
    one.nginx.wait_served(one.new.thumbprint, one.port, one.name)
    reloads = one.nginx.reloads()
    done = one.run("rebind", one.old.thumbprint, one.new.thumbprint)
    assert done.code == 0, done
    assert "nothing to do" in done.out and "already served" in done.out
    assert one.nginx.reloads() == reloads


def test_certbot_lineage_flipped(place, authority):
    old, new = authority.pair("a.example.com")
    base = place / "letsencrypt"
    live = certbot_lineage(base, "a.example.com", old, 1)
    place.configure(stores=[("certbot", base)])
    one_site = Site("a.example.com", free_port(), old, live / "fullchain.pem",
                            live / "privkey.pem")
    nginx = place.nginx()
    nginx.write(one_site.block()).start()
    certbot_lineage(base, "a.example.com", new, 2)
    before = snapshot(place.path)
    result = rebind(place, nginx, old.thumbprint, new.thumbprint)
    assert kinds(result) == {"reload"}
    assert handshake(one_site.port, "a.example.com") == new.thumbprint
    assert changed_files(place, before) == []


def test_self_signed_as_openssl_makes_it(place, authority):
    """It calls itself a CA (basicConstraints), unless one says otherwise."""
    one = OneSite(place, authority)
    directory = one.site.cert_path.parent

    def make(directory, days):
        directory.mkdir(exist_ok=True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(days), "-subj",
                        "/CN=a.example.com", "-addext", "subjectAltName=DNS:a.example.com",
                        "-keyout", directory / "privkey.pem", "-out", directory / "fullchain.pem"],
                       check=True, capture_output=True)
        return directory / "fullchain.pem"

    old = make(directory, 20)
    one.nginx.reload()
    new = make(place / "self", 90)
    result = rebind(place, one.nginx, old, new)
    assert result["accounts"][0]["outcome"] == "committed"
    assert old.read_bytes() == new.read_bytes()


def test_old_equal_to_new_forces_a_reload(one):
    workers = one.nginx.worker_pids()
    before = snapshot(one.place.path)
    result = rebind(one.place, one.nginx, one.old.thumbprint, one.old.thumbprint)
    assert "shows the new certificate" in result["accounts"][0]["account"][0] or (
        "show the new certificate" in result["accounts"][0]["account"][0])
    assert one.nginx.reloads() == 1
    assert not one.nginx.worker_pids() & workers
    assert changed_files(one.place, before) == []
    assert 1001 not in [event["id"] for event in one.run("events", "--json").lines], "nothing succeeds"


def test_renewed_in_place_with_the_wrong_key_is_refused(one):
    """The server still serves OLD; a reload would fail."""
    write(one.site.cert_path, one.new.fullchain_pem)  # the key is still OLD's
    workers = one.nginx.worker_pids()
    done = one.run("rebind", one.old.thumbprint, one.new.thumbprint)
    assert done.code == 1, done
    assert str(one.site.key_path) in done.out and "next:" in done.out
    assert one.nginx.worker_pids() == workers
    assert one.served() == one.old.thumbprint


@both_builds
def test_a_reload_that_cannot_be_proven_needs_an_operator(place, authority):
    """OLD was overwritten before we came, and the server never takes up NEW: there is nothing to
    put back. OLD is still served from memory, which is said, with the commands to run."""
    old, new = authority.pair("a.example.com")
    one_site = make_site(place, old)
    gate = place.gate()
    gate.open()
    nginx = place.nginx()
    nginx.write(gate.directive + one_site.block()).start()
    place.at_end(gate.open)  # before nginx is told to end
    new.write(one_site.cert_path.parent)
    place.configure(verify=1)
    before = snapshot(place.path)
    # The root is trusted: that OLD's chain is gone must not matter here.
    root = write(place.home / "root.pem", authority.root_pem)
    gate.close()
    running = place.popen("rebind", old.thumbprint, new.thumbprint, "--service", nginx.service,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={"SSL_CERT_FILE": str(root)})
    gate.wait_for_load()  # nginx -t
    gate.let_pass()
    gate.wait_for_load()  # the reload, which now hangs
    told, _ = running.communicate(timeout=PATIENCE)
    assert running.returncode == 4, told
    assert "needs operator" in told
    assert "2 of 2 endpoints and names still show the old one" in told, told
    assert f":{one_site.port} (without SNI) \n" not in told, "no sentence without an end"
    assert "-t -q -c" in told and f"kill -HUP {nginx.master_pid}" in told
    assert "certrebind check" in told
    assert handshake(one_site.port, one_site.name) == old.thumbprint
    assert changed_files(place, before) == []
    gate.open()


# ------------------------------------------------------------------------------ links and trees

def test_a_bound_link_is_written_through(place, authority):
    old, new = authority.pair("a.example.com")
    cert, key = old.write(place / "real")
    links = place / "links"
    links.mkdir()
    (links / "cert.pem").symlink_to("../real/fullchain.pem")
    (links / "key.pem").symlink_to(key)
    one_site = Site("a.example.com", free_port(), old, links / "cert.pem",
                            links / "key.pem")
    nginx = place.nginx()
    nginx.write(one_site.block()).start()
    path, _ = new.write(place / "new")
    before = snapshot(place.path)
    rebind(place, nginx, old.thumbprint, path)
    assert handshake(one_site.port, "a.example.com") == new.thumbprint
    assert os.readlink(links / "cert.pem") == "../real/fullchain.pem"
    assert os.readlink(links / "key.pem") == str(key)
    assert cert.read_text() == new.fullchain_pem and not cert.is_symlink()
    assert changed_files(place, before) == [cert, key]


def in_a_renewers_tree(place, authority, kind="certbot"):
    old, new = authority.pair("a.example.com")
    base = place / "letsencrypt"
    live = certbot_lineage(base, "a.example.com", old)
    place.configure(stores=[(kind, base)])
    one_site = Site("a.example.com", free_port(), old, live / "fullchain.pem",
                            live / "privkey.pem")
    nginx = place.nginx()
    nginx.write(one_site.block()).start()
    return old, new, one_site, nginx, base


def test_a_renewers_file_is_never_overwritten(place, authority):
    old, new, one_site, nginx, _ = in_a_renewers_tree(place, authority)
    path, _ = new.write(place / "new")
    before = snapshot(place.path)
    workers = nginx.worker_pids()
    done = place.run("rebind", old.thumbprint, path, "--rewrite", "--service", nginx.service)
    assert done.code == 1, done
    assert "belongs to certbot" in done.out and "--repoint" in done.out
    assert difference(before, snapshot(place.path)) == []
    assert nginx.worker_pids() == workers
    assert handshake(one_site.port, "a.example.com") == old.thumbprint


def test_a_loose_new_is_repointed_to_where_old_is_a_renewers(place, authority):
    old, new, one_site, nginx, base = in_a_renewers_tree(place, authority)
    path, _ = new.write(place / "new")
    before = snapshot(base)
    result = rebind(place, nginx, old.thumbprint, path)
    assert kinds(result) == {"repoint"}
    assert handshake(one_site.port, "a.example.com") == new.thumbprint
    assert difference(before, snapshot(base)) == []


def test_a_key_shared_with_another_certificate_is_not_overwritten(place, authority):
    """Two certificates of one key, in one key file: the neighbour would lose its key."""
    old = authority.issue("a.example.com", days=20)
    neighbour = authority.issue("b.example.com", key=old.key)
    new = authority.issue("a.example.com")
    a = make_site(place, old)
    write(place / "certs/b.pem", neighbour.fullchain_pem)
    b = Site("b.example.com", a.port, neighbour, place / "certs/b.pem", a.key_path)
    nginx = place.nginx()
    nginx.write(a.block() + b.block()).start()
    path, _ = new.write(place / "new")
    before = snapshot(place.path)
    done = place.run("rebind", old.thumbprint, path, "--service", nginx.service)
    assert done.code == 1, done
    assert "b.example.com" in done.out and "--repoint" in done.out
    assert difference(before, snapshot(place.path)) == []
    rebind(place, nginx, old.thumbprint, path, "--repoint")
    assert handshake(a.port, "a.example.com") == new.thumbprint
    assert handshake(a.port, "b.example.com") == neighbour.thumbprint


@needs_root
@pytest.mark.parametrize("kind", ["rewrite", "repoint"])
def test_attributes_are_preserved(one, kind):
    files = [one.nginx.conf] if kind == "repoint" else [one.site.cert_path, one.site.key_path]
    for number, path in enumerate(files):
        # What root's server obeys must be root's; of keys and certificates the owner is kept, too.
        os.chown(path, 0 if kind == "repoint" else 1234 + number, 4321)
        os.chmod(path, 0o640)
        subprocess.run(["setfacl", "-m", "u:65534:r,g:33:r", path], check=True)
        os.setxattr(path, "user.comment", b"kept\0\xff")
        os.setxattr(path, "trusted.note", b"kept too")
        os.setxattr(path, "security.selinux", b"system_u:object_r:cert_t:s0\0")
    before = snapshot(one.place.path)
    rebind(one.place, one.nginx, one.old.thumbprint, one.new_cert, f"--{kind}")
    assert one.served() == one.new.thumbprint
    after = snapshot(one.place.path)
    for path in map(str, files):
        assert after[path][0] != before[path][0]
        assert after[path][1:] == before[path][1:], path
        assert {"user.comment", "trusted.note", "security.selinux",
                "system.posix_acl_access"} <= set(after[path][4])
    assert one.run("undo").code == 0
    assert difference(before, snapshot(one.place.path)) == []


def test_modification_time_advances(one):
    """Some programs ignore a file that is not newer: also after an undo, and from the future."""
    ahead = 4_000_000_000
    os.utime(one.site.cert_path, (ahead, ahead))
    times = [one.site.cert_path.stat().st_mtime_ns]
    rebind(one.place, one.nginx, one.old.thumbprint, one.new_cert)
    times.append(one.site.cert_path.stat().st_mtime_ns)
    assert one.run("undo").code == 0
    times.append(one.site.cert_path.stat().st_mtime_ns)
    assert times == sorted(set(times))


# ------------------------------------------------------------------------- several successions

def test_a_pair_given_twice_is_one(place, authority):
    old, new = authority.pair("a.example.com")
    one_site = make_site(place, old)
    nginx = place.nginx()
    nginx.write(one_site.block()).start()
    path, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, path, old.thumbprint, path, "--service", nginx.service)
    assert done.code == 0, done
    [row] = place.run("history", "--json").json["transactions"]
    assert len(row["successions"]) == 1, row


def test_chains_of_successions_are_followed(place, authority):
    a, b = authority.pair("*.example.com")
    c = authority.issue("*.example.com", days=120)
    one_site = make_site(place, a, "one.example.com")
    two = make_site(place, b, "two.example.com", one_site.port)
    nginx = place.nginx()
    nginx.write(one_site.block() + two.block()).start()
    b_path, _ = b.write(place / "new/b")
    c_path, _ = c.write(place / "new/c")
    rebind(place, nginx, a.thumbprint, b_path, b.thumbprint, c_path)
    assert handshake(one_site.port, "one.example.com") == c.thumbprint
    assert handshake(one_site.port, "two.example.com") == c.thumbprint
    assert nginx.reloads() == 1


def test_a_batch_in_one_file_is_one_edit(place, authority):
    names = ["a.example.com", "b.example.com", "c.example.com"]
    pairs = [authority.pair(name) for name in names]
    port = free_port()
    nginx = place.nginx()
    sites = [make_site(place, old, name, port) for name, (old, _) in zip(names, pairs)]
    nginx.write("".join(s.block() for s in sites)).start()
    text = nginx.conf.read_text()
    place.configure(stores=[("lego", place / "lego")])
    arguments = []
    for name, one_site, (old, new) in zip(names, sites, pairs):
        cert, key = new.write(place / "lego/certificates", f"{name}.crt", f"{name}.key")
        arguments += [old.thumbprint, new.thumbprint]
        text = text.replace(str(one_site.cert_path), str(cert)).replace(
            str(one_site.key_path), str(key))
    result = rebind(place, nginx, *arguments)
    assert [f["path"] for f in result["plans"][0]["files"]] == [str(nginx.conf)]
    assert nginx.conf.read_text() == text
    assert nginx.reloads() == 1
    for name, (_, new) in zip(names, pairs):
        assert handshake(port, name) == new.thumbprint


# -------------------------------------------------------------------------------- undo, history

def test_undo(one):
    before = snapshot(one.place.path)
    rebind(one.place, one.nginx, one.old.thumbprint, one.new_cert)
    done = one.run("undo", "--json")
    assert done.code == 0, done
    assert [a["outcome"] for a in done.json["accounts"]] == ["committed"]
    assert one.served() == one.old.thumbprint
    assert difference(before, snapshot(one.place.path)) == []
    assert one.nginx.reloads() == 2
    undo, rebound = one.run("history", "--json").json["transactions"]
    assert (undo["act"], undo["undoes"], undo["outcome"]) == ("undo", rebound["id"], "committed")


def test_undo_of_a_repoint(one):
    text = one.nginx.conf.read_bytes()
    rebind(one.place, one.nginx, one.old.thumbprint, one.new_cert, "--repoint")
    done = one.run("undo")
    assert done.code == 0, done
    assert one.nginx.conf.read_bytes() == text
    assert one.served() == one.old.thumbprint


def test_undo_needs_no_service(one):
    rebind(one.place, one.nginx, one.old.thumbprint, one.new_cert)
    done = one.place.run("undo")
    assert done.code == 0, done
    assert one.served() == one.old.thumbprint


def test_what_is_undone_is_not_undone_again(one):
    rebind(one.place, one.nginx, one.old.thumbprint, one.new_cert)
    assert one.run("undo").code == 0
    before = snapshot(one.place.path)
    workers = one.nginx.worker_pids()
    done = one.run("undo")
    assert done.code == 0 and "nothing to do" in done.out, done
    done = one.run("undo", "1")
    assert done.code == 2 and done.err.startswith("certrebind: cannot undo"), done
    assert difference(before, snapshot(one.place.path)) == []
    assert one.nginx.worker_pids() == workers
    assert one.served() == one.old.thumbprint


def test_an_undo_can_be_undone(one):
    rebind(one.place, one.nginx, one.old.thumbprint, one.new_cert)
    assert one.run("undo").code == 0
    done = one.run("undo", "2")
    assert done.code == 0, done
    assert one.served() == one.new.thumbprint
    done = one.run("undo")  # the rebind is in force again
    assert done.code == 0, done
    assert one.served() == one.old.thumbprint


def test_undo_goes_back_step_by_step(place, authority):
    first, second = authority.pair("a.example.com")
    third = authority.issue("a.example.com", days=120)
    stage = OneSite(place, authority, old=first, new=second)
    rebind(place, stage.nginx, first.thumbprint, stage.new_cert)
    path, _ = third.write(place / "third")
    rebind(place, stage.nginx, second.thumbprint, path)
    assert stage.run("undo").code == 0
    assert stage.served() == second.thumbprint
    done = stage.run("undo")
    assert done.code == 0, done
    assert stage.served() == first.thumbprint


def test_undo_says_what_it_undoes_and_does_it_once(one):
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
    done = one.run("undo")
    assert done.code == 0 and "undo of transaction 1, the rebind of" in done.out, done
    assert f"{one.old.thumbprint[:16]} replaces {one.new.thumbprint[:16]}" in done.out
    again = one.run("undo", "1")
    assert again.code == 2 and "already undone by transaction 2" in again.err, again
    assert one.run("undo", "2").code == 0, "and this one can be taken back"
    assert one.served() == one.new.thumbprint
    assert one.run("undo", "1").code == 0, "so that the first is in force, and can be undone again"
    assert one.served() == one.old.thumbprint


def test_undo_after_an_administrators_edit_is_refused(one):
    rebind(one.place, one.nginx, one.old.thumbprint, one.new_cert, "--repoint")
    with open(one.nginx.conf, "a") as conf:
        conf.write("# mine\n")
    before = snapshot(one.place.path)
    workers = one.nginx.worker_pids()
    done = one.run("undo")
    assert done.code == 1, done
    assert str(one.nginx.conf) in done.err and "changed since" in done.err
    assert difference(before, snapshot(one.place.path)) == []
    assert one.nginx.worker_pids() == workers
    assert one.served() == one.new.thumbprint


def test_undo_of_a_site_that_is_gone(one, place, authority):
    """Nothing could be proven: nothing is touched."""
    assert one.run("rebind", one.old.thumbprint, one.new_cert, "--rewrite").code == 0
    other = make_site(place, authority.issue("b.example.com"), "b.example.com")
    one.nginx.write(other.block())
    one.nginx.reload()
    reloads = one.nginx.reloads()
    done = one.run("undo")
    assert done.code == 2 and "no longer uses any of the files" in done.err, done
    assert one.nginx.reloads() == reloads and one.site.cert_path.read_text() == one.new.fullchain_pem


def test_undo_of_what_never_was(one):
    done = one.run("undo", "7")
    assert done.code == 2, done
    assert "7" in done.err
    done = one.run("undo")
    assert done.code == 0 and "nothing to do" in done.out, done
    assert one.served() == one.old.thumbprint


def test_undo_of_a_reload_only(one):
    one.new.write(one.site.cert_path.parent)
    rebind(one.place, one.nginx, one.old.thumbprint, one.new.thumbprint)
    done = one.run("undo")
    assert done.code == 0 and "a transaction that only reloaded a server cannot be undone" in done.out, done
    done = one.run("undo", "1")
    assert done.code == 2, done
    assert "changed no file" in done.err
    assert one.served() == one.new.thumbprint


def test_history_and_events(one):
    assert one.run("history").out == "nothing was rebound yet\n"
    rebind(one.place, one.nginx, one.old.thumbprint, one.new_cert)
    [row] = one.run("history", "--json").json["transactions"]
    assert row["act"] == "rebind" and row["outcome"] == "committed"
    assert row["service"] == one.nginx.service
    assert row["successions"] == [
        {"old": one.old.thumbprint, "new": one.new.thumbprint, "sites": [one.name]}]
    assert row["proof_owed"] is False
    whole = one.run("history", "show", row["id"], "--json").json
    assert whole.pop("files") == [str(one.site.cert_path), str(one.site.key_path)]
    assert {**row, "schema": 1, "changed": False} == whole
    shown = one.run("history", "show", row["id"]).out
    assert one.old.thumbprint in shown and one.new.thumbprint in shown and one.name in shown
    listed = one.run("history").out
    assert "committed" in listed and one.old.thumbprint[:16] in listed
    missing = one.run("history", "show", "99")
    assert missing.code == 2 and "99" in missing.err
    events = one.place.run("events", "--json").lines
    ids = [event["id"] for event in events]
    assert ids.index(1001) < ids.index(2001) < ids.index(2002)
    assert 1006 in ids
    for event in events:
        if event["id"] in (1001, 1006, 2002):
            assert (event["old"], event["new"]) == (one.old.thumbprint, one.new.thumbprint), event
    assert [event["record"] for event in events] == sorted(e["record"] for e in events)
    text = one.place.run("events").out
    assert len(text.splitlines()) == len(events)


def test_events_are_followed(one):
    following = one.place.popen("events", "--follow", "--json", stdout=subprocess.PIPE)
    rebind(one.place, one.nginx, one.old.thumbprint, one.new_cert)
    seen = []
    for line in following.stdout:
        seen.append(json.loads(line)["id"])
        if seen[-1] == 2002:
            break
    assert 1001 in seen and 2001 in seen
    following.terminate()
    following.wait(PATIENCE)


def test_no_key_is_written_anywhere(one):
    """Promise 5: not in the output, the state or the run directory, except in before-images and kept pairs."""
    done = one.run("rebind", one.old.thumbprint, one.new_cert)
    said = [done.all] + [one.run(*c).all for c in (
        ["history", "--json"], ["events", "--json"], ["history", "show", "1"],
        ["certificates", "--json"], ["show", one.new.thumbprint], ["scan", "--json"])]
    secrets = [key.splitlines()[1] for key in (one.old.key_pem, one.new.key_pem)]
    for text in said:
        assert not any(secret in text for secret in secrets)
    images = 0
    for directory in (one.place.state, one.place.run_directory):
        for path in directory.rglob("*"):
            if not path.is_file():
                assert path.stat().st_mode & 0o077 == 0, path
                continue
            data = path.read_bytes().decode("latin-1")
            if any(secret in data for secret in secrets) or "PRIVATE KEY" in data:
                assert {"before", "kept"} & set(path.parts), path
                assert path.stat().st_mode & 0o777 == 0o600
                images += 1
    assert images == 2, "the key of OLD as it was, and of NEW as it was proven"


def test_nothing_is_left_lying_about(one):
    before = set(snapshot(one.place.path))
    rebind(one.place, one.nginx, one.old.thumbprint, one.new_cert)
    assert one.run("undo").code == 0
    assert set(snapshot(one.place.path)) == before


# ----------------------------------------------------------------------------------- under load

@both_builds
@pytest.mark.parametrize("workers", [1, 4])
def test_committed_means_that_old_is_never_seen_again(place, authority, workers):
    """For 100 ms after a HUP old and new workers accept side by side, so a few handshakes in a row
    prove little: whoever connects after the command has ended must never meet OLD."""
    nginx = place.nginx(workers=workers)
    certificates = [authority.issue("a.example.com", days=20 + n) for n in range(9)]
    one_site = make_site(place, certificates[0], "_")
    nginx.write(one_site.block()).start()
    for old, new in zip(certificates, certificates[1:]):
        path, _ = new.write(place / "new")
        rebind(place, nginx, old.thumbprint, path)
        seen = [handshake(one_site.port) for _ in range(100)]
        assert seen.count(old.thumbprint) == 0


@both_builds
@pytest.mark.parametrize("kind", ["rewrite", "repoint"])
def test_a_download_and_fresh_requests_lose_nothing(place, authority, kind):
    stage = OneSite(place, authority)
    digest = large_file(stage.nginx.prefix / "html/large", 100)
    download = Download(stage.port, stage.name, "/large")
    with Load(stage.port, stage.name, "/ok") as load:
        rebind(place, stage.nginx, stage.old.thumbprint, stage.new_cert, f"--{kind}")
        load.wait_for_more(20)
    assert load.failures == []
    assert load.served <= {stage.old.thumbprint, stage.new.thumbprint}
    assert stage.new.thumbprint in load.served
    assert download.read < download.length, "it was in flight across the rebind"
    assert download.finish() == (100 << 20, digest)
    assert stage.served() == stage.new.thumbprint


def test_a_refusal_is_found_by_its_site_and_certificates(one, authority):
    other = authority.issue("other.example.com")
    path, _ = other.write(one.place / "other")
    assert one.run("rebind", one.old.thumbprint, path).code == 1
    [event] = one.place.run("events", "--site", one.name, "--json").json["events"]
    assert event["id"] == 2004 and event["names"] == [one.name]
    assert (event["old"], event["new"]) == (one.old.thumbprint, other.thumbprint)


def test_a_succession_is_one_event_however_often_it_is_tried(one):
    good = one.nginx.conf.read_text()
    one.nginx.conf.write_text(good + "nonsense;\n")
    for _ in range(3):
        assert rebind_code(one) == 1
    one.nginx.conf.write_text(good)
    assert rebind_code(one) == 0
    ids = [event["id"] for event in one.place.run("events", "--json").json["events"]]
    assert ids.count(1001) == 1 and ids.count(2002) == 1, ids
    old, _ = one.old.write(one.place / "back")
    assert one.run("rebind", one.new.thumbprint, old, "--accept=shorter").code == 0, "the other way round is another"
    ids = [event["id"] for event in one.place.run("events", "--json").json["events"]]
    assert ids.count(1001) == 2, ids


def rebind_code(one):
    return one.run("rebind", one.old.thumbprint, one.new_cert).code


def test_a_task_for_what_is_proven_gets_the_whole_certificate(one):
    said = one.place / "said"
    script = write(one.place / "to-cdn", f'#!/bin/sh\necho "$1 $2 $3 $RENEWED_LINEAGE $RENEWED_DOMAINS" >> {said}\n', 0o755)
    added = one.place.run("task", "add", "cdn", "--event", "committed", "--name", one.name, "--", script,
                          "$(OldCertHash)", "$(NewCertHash)", "$(Path)")
    assert added.code == 0 and rebind_code(one) == 0
    [event] = [each for each in one.place.run("events", "--json").json["events"] if each["id"] == 2002]
    assert one.place.run("task", "run", "cdn", "--event", event["record"]).code == 0
    assert said.read_text().split() == [one.old.thumbprint, one.new.thumbprint, str(one.new_cert),
                                        str(one.new_cert.parent), one.name]
