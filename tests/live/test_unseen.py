"""No "OK" where something is not seen: certificates that a server has loaded from elsewhere, and servers that are gone."""
import pytest

from files import write
from handshakes import handshake
from ports import free_port
from stages.one_site import make_site

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
REFUSED, USAGE = 1, 2


def haproxy_with(place, authority, extra=""):
    port = free_port()
    shown = authority.issue(["a.example.com"])
    pem = shown.write_combined(place / "pems/a.pem")
    haproxy = place.haproxy()
    haproxy.write(f"frontend f\n bind 127.0.0.1:{port} ssl crt {pem}\n{extra}").start()
    return haproxy, port, shown


def test_haproxy_was_given_a_certificate_over_its_socket(place, authority):
    haproxy, port, shown = haproxy_with(place, authority)
    other = authority.issue(["b.example.com"])
    unseen = place / "pems/elsewhere.pem"
    assert place.run("check", "--service", haproxy.service).code == OK
    haproxy.say(f"new ssl cert {unseen}\n")
    haproxy.say(f"set ssl cert {unseen} <<\n{other.fullchain_pem}{other.key_pem}\n\n")
    haproxy.say(f"commit ssl cert {unseen}\n")
    assert place.run("check", "--service", haproxy.service).code == OK, "it is in no use yet"
    assert handshake(port, "b.example.com") == shown.thumbprint


def test_haproxy_uses_a_certificate_that_its_list_does_not_name(place, authority):
    port = free_port()
    shown, other = authority.issue(["a.example.com"]), authority.issue(["b.example.com"])
    pem = shown.write_combined(place / "pems/a.pem")
    crt_list = write(place / "pems/list", f"{pem}\n")
    haproxy = place.haproxy()
    haproxy.write(f"frontend f\n bind 127.0.0.1:{port} ssl crt-list {crt_list}\n").start()
    assert place.run("check", "--service", haproxy.service).code == OK
    unseen = place / "pems/else where.pem"
    name = str(unseen).replace(" ", "\\ ")
    haproxy.say(f"new ssl cert {name}\n")
    haproxy.say(f"set ssl cert {name} <<\n{other.fullchain_pem}{other.key_pem}\n\n")
    haproxy.say(f"commit ssl cert {name}\n")
    haproxy.say(f"add ssl crt-list {crt_list} {name}\n")
    assert handshake(port, "b.example.com") == other.thumbprint
    done = place.run("check", "--service", haproxy.service)
    assert done.code == WARNING and done.out.startswith("WARNING") and str(unseen) in done.all, done


def test_httpd_names_a_certificate_that_is_not_seen(place, authority):
    port = free_port()
    seen = make_site(place, authority.issue(["a.example.com"]), "a.example.com", port)
    hidden = make_site(place, authority.issue(["b.example.com"]), "b.example.com", port)
    apache = place.apache()
    apache.write(seen.host() + f"<IfDirective AcceptPathInfo>\n{hidden.host()}</IfDirective>\n", ports=[port]).start()
    done = place.run("check", "--service", apache.service)
    assert done.code == WARNING and str(hidden.cert_path) in done.all, done
    assert "1 not seen" in done.out.splitlines()[0], done


@pytest.fixture
def two(place, authority):
    servers = []
    for kind in ("one", "other"):
        site = make_site(place, authority.issue([f"{kind}.example.com"]), f"{kind}.example.com")
        nginx = place.nginx(kind)
        servers.append(nginx.write(site.block()).start())
    return servers


def is_gone(done, server, code=WARNING):
    assert done.code == code and f"{server.service} is not running" in done.all, done


def test_a_server_that_is_gone_is_said_until_it_is_back(place, two):
    one, other = two
    place.run("enable")
    assert place.run("check").code == OK
    one.stop()
    for _ in range(2):
        done = place.run("check")
        is_gone(done, one)
        assert "one.example.com" in done.all and "certrebind forget" in done.all, done
    status = place.run("status")
    assert status.code == REFUSED and f"{one.service} is not running" in status.all, status
    assert place.run("check", "--service", other.service).code == OK
    one.start()
    assert place.run("check").code == OK
    assert "is not running" not in place.run("status").all


def test_the_last_one_that_is_gone_is_no_unknown(place, two):
    one, other = two
    place.run("enable")
    one.stop()
    other.stop()
    is_gone(place.run("check"), one)
    is_gone(place.run("check"), other)


def test_one_that_is_gone_with_its_files_is_said(place, two):
    one, other = two
    place.run("enable")
    one.stop()
    one.conf.unlink()
    is_gone(place.run("check"), one)
    done = place.run("rebind", "--pending")
    assert done.code == OK, done
    is_gone(place.run("check"), one)


def test_forget(place, two):
    one, other = two
    assert place.run("forget", one.service).code == REFUSED, "it runs"
    place.run("enable")
    running = place.run("forget", one.service)
    assert running.code == REFUSED and "it is running" in running.all, running
    one.stop()
    is_gone(place.run("check"), one)
    done = place.run("forget", one.service)
    assert done.code == OK and f"{one.service} is forgotten" in done.out, done
    assert place.run("check").code == OK
    status = place.run("status")
    assert "is not running" not in status.all, status
    for service in (one.service, "nginx:/never/seen.conf", "nginx", "else:/x"):
        assert place.run("forget", service).code == USAGE
    one.start()
    assert place.run("check").code == OK
    one.stop()
    is_gone(place.run("check"), one)
    assert place.run("forget", one.service, "--json").fields == {"forgotten": one.service}


def test_forget_makes_no_state(place):
    assert place.run("forget", "nginx:/never/seen.conf").code == USAGE
    assert not (place.path / "state/state.db").exists()
