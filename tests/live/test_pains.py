"""What administrators suffer from elsewhere, by the number of the complaint, on the real servers."""
import pytest

from command import committed
from files import difference, snapshot
from handshakes import handshake
from ports import free_port
from stages.every_kind import STAGES, ApacheStage
from stages.one_site import make_site

REFUSED = 1


def test_pain_4_a_mismatched_pair_takes_down_every_site(place, authority):
    """Apache's own test finds nothing wrong with another site's broken pair; a restart would end it."""
    old, new = authority.pair("a.example.com")
    bystander = authority.issue("b.example.com")
    stage = ApacheStage(place, ("a.example.com", [old]), ("b.example.com", [bystander]))
    cert, _ = stage.put(place / "new", new)
    broken = stage.sites[1][1][0][1]
    broken.write_text(old.key_pem)
    assert stage.server.test()[0] == 0, "httpd sees nothing"
    before = snapshot(place / "certs")
    done = stage.run("rebind", old.thumbprint, cert)
    assert done.code == REFUSED, done
    assert str(broken) in done.all and "b.example.com" in done.all
    assert not difference(before, snapshot(place / "certs"))
    assert stage.server.is_running()
    assert stage.served("a.example.com") == old.thumbprint
    assert stage.served("b.example.com") == bystander.thumbprint


def test_pain_7_the_parser_sees_what_the_server_sees(place, authority):
    """Mixed-case names, comments that look like directives, strings that look like blocks."""
    old, new = authority.pair("Shop.Example.com")
    other = authority.issue("other.example.com")
    port = free_port()
    mine = make_site(place, old, "shop", port)
    theirs = make_site(place, other, "other", port)
    nginx = place.nginx()
    nginx.write(f"""
      # server {{ server_name shop.example.com; ssl_certificate {theirs.cert_path}; }}
      map $uri $decoy {{ "" "server {{ ssl_certificate {theirs.cert_path}; }}"; }}
      server {{ listen 127.0.0.1:{port} ssl; server_name other.example.com;
        ssl_certificate {theirs.cert_path}; ssl_certificate_key {theirs.key_path}; }}
      SERVER_BLOCK
    """.replace("SERVER_BLOCK", f"""server {{ listen 127.0.0.1:{port} ssl; server_name SHOP.example.COM;
        ssl_certificate '{mine.cert_path}' # {theirs.cert_path};
        ; ssl_certificate_key "{mine.key_path}"; }}""")).start()
    cert, _ = new.write(place / "new")
    committed(place.run("rebind", old.thumbprint, cert, "--json", "--service", nginx.service))
    assert handshake(port, "shop.example.com") == new.thumbprint
    assert handshake(port, "other.example.com") == other.thumbprint
    assert theirs.cert_path.read_text() == other.fullchain_pem


@pytest.mark.parametrize("socket", [True, False])
def test_pain_8_haproxys_default_certificate_and_bundles(place, authority, socket):
    default_old, default_new = authority.pair("default.example.com")
    pairs = {key: authority.pair("a.example.com", key=name)
             for key, name in (("rsa", "rsa2048"), ("ec", "ec"))}
    default = default_old.write_combined(place / "certs/default.pem")
    for key, suffix in (("rsa", "rsa"), ("ec", "ecdsa")):
        pairs[key][0].write_combined(place / f"certs/a.pem.{suffix}")
    port = free_port()
    haproxy = place.haproxy(socket=socket)
    haproxy.write(f"frontend www\n bind 127.0.0.1:{port} ssl crt {default} crt {place.path}/certs/a.pem\n"
                  " http-request return status 200\n").start()
    news = [default_old.thumbprint, default_new.write(place / "new/default")[0]]
    for key in pairs:
        news += [pairs[key][0].thumbprint, pairs[key][1].write(place / f"new/{key}")[0]]
    committed(place.run("rebind", *news, "--json", "--service", haproxy.service))
    assert handshake(port) == default_new.thumbprint, "who sends no name"
    assert handshake(port, "unknown.example.com") == default_new.thumbprint
    for key in pairs:
        assert handshake(port, "a.example.com", key_type=key) == pairs[key][1].thumbprint
    assert haproxy.reloads() == (0 if socket else 1)


@pytest.mark.parametrize("kind", STAGES.values(), ids=STAGES)
def test_pain_11_rsa_and_ecdsa_half_renewed(place, authority, kind):
    """First one, then the other: each is proven for itself, and it is told which is which."""
    pairs = {key: authority.pair("a.example.com", key=name)
             for key, name in (("rsa", "rsa2048"), ("ec", "ec"))}
    stage = kind(place, ("a.example.com", [pairs["rsa"][0], pairs["ec"][0]]))
    rsa_cert, _ = stage.put(place / "new/rsa", pairs["rsa"][1])
    ec_cert, _ = stage.put(place / "new/ec", pairs["ec"][1])
    first = stage.run("rebind", pairs["rsa"][0].thumbprint, rsa_cert, "--json")
    committed(first)
    assert stage.served("a.example.com", key_type="rsa") == pairs["rsa"][1].thumbprint
    assert stage.served("a.example.com", key_type="ec") == pairs["ec"][0].thumbprint
    both = stage.run("explain", "a.example.com").out
    assert pairs["rsa"][1].thumbprint[:16] in both and pairs["ec"][0].thumbprint[:16] in both
    committed(stage.run("rebind", pairs["ec"][0].thumbprint, ec_cert, "--json"))
    for key in pairs:
        assert stage.served("a.example.com", key_type=key) == pairs[key][1].thumbprint
