"""certrebind's own store where something went wrong: the way on is told, and it works as it is told."""
import shlex

import pytest

from handshakes import handshake
from markers import needs_root
from ports import free_port

pytestmark = needs_root


def bound_to_store(place, certificate, name="a.example.com", more=""):
    """An nginx whose site names the files that an import put into the store: (server, port)."""
    made = certificate.write(place / "made")
    done = place.run("import", made[0], "--key", made[1], "--name", name)
    assert done.code == 0, done
    where, port = place / "certificates" / name / "current", free_port()
    nginx = place.nginx()
    nginx.write(f"  server {{\n    listen 127.0.0.1:{port} ssl;\n    server_name {name} {more};\n    ssl_certificate {where}/fullchain.pem;\n"
                f"    ssl_certificate_key {where}/privkey.pem;\n  }}\n").start()
    return nginx, port


def run_told(place, command):
    words = shlex.split(command)
    assert words[0] == "certrebind"
    return place.run(*words[1:])


def test_what_is_accepted_for_the_store_is_accepted_for_its_sites(place, authority):
    old = authority.issue(["a.example.com", "b.example.com"], days=20)
    fewer = authority.issue("a.example.com", days=90)
    _, port = bound_to_store(place, old, more="b.example.com")
    cert, key = fewer.write(place / "fewer")
    refused = place.run("import", cert, "--key", key, "--name", "a.example.com", "--rebind")
    assert refused.code == 1 and "--accept=name-lost" in refused.all, refused
    assert handshake(port, "a.example.com") == old.thumbprint
    done = place.run("import", cert, "--key", key, "--name", "a.example.com", "--rebind", "--accept", "name-lost")
    assert done.code == 0, done
    assert handshake(port, "a.example.com") == fewer.thumbprint


def test_the_way_back_from_a_bad_import_is_told_and_works(place, authority):
    old, bad = authority.pair("a.example.com")
    _, port = bound_to_store(place, old)
    cert, key = bad.write(place / "bad")
    assert place.run("import", cert, "--key", key, "--rebind").code == 0
    assert handshake(port, "a.example.com") == bad.thumbprint
    undo = place.run("undo", "1", "--json")
    assert undo.code == 2, undo
    done = run_told(place, undo.json["error"]["next"])
    assert done.code == 0, done
    assert handshake(port, "a.example.com") == old.thumbprint


def test_half_of_a_binding_was_changed(one):
    """Only ssl_certificate was changed: check names the directive, and the key for it."""
    cert, key = one.new.write(one.place / "both")
    one.nginx.write(one.site.block().replace(str(one.site.cert_path), str(cert)))
    done = one.run("check", "--json")
    remark = next(each for each in done.json["bindings"][0]["remarks"] if "key" in each["complaint"])
    text = (one.place / "nginx/nginx.conf").read_text().splitlines()
    number = next(at for at, each in enumerate(text, 1) if "ssl_certificate_key" in each)
    assert f"{key}: name it at {one.place / 'nginx/nginx.conf'}:{number}" in remark["next"], remark
