"""A reload brings all that lies on disk: what is bad among it reaches no server with another's renewal."""
import datetime

import pytest

from command import of_service
from handshakes import handshake
from pki import utc_now
from ports import free_port
from stages.one_frontend import frontend
from stages.one_site import make_site

REFUSED = 1
NAMES = ["shop.example.com", "blog.example.com"]


class TwoSites:
    """nginx with two sites that are served; shop is renewed in place, and not loaded."""

    def __init__(self, place, authority):
        self.place = place
        self.old, self.new = zip(*(authority.pair(name) for name in NAMES))
        self.shop, self.blog = (make_site(place, old, name) for old, name in zip(self.old, NAMES))
        self.nginx = place.nginx()
        self.nginx.write(self.shop.block() + self.blog.block()).start()
        self.nginx.reload()  # the configuration is surely older than the workers
        self.new[0].write(self.shop.cert_path.parent)

    def run(self, *arguments, **options):
        return self.place.run(*of_service(arguments, self.nginx.service), **options)

    def served(self):
        return [handshake(site.port, site.name) for site in (self.shop, self.blog)]

    def are_as_before(self):
        return self.served() == [old.thumbprint for old in self.old] and self.nginx.reloads() == 1


@pytest.fixture
def two(place, authority):
    return TwoSites(place, authority)


def days(number):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=number)


def bad(authority, kind):
    name = NAMES[1]
    if kind == "expired":
        return authority.issue(name, not_before=days(-20), not_after=days(-1))
    if kind == "not yet valid":
        return authority.issue(name, not_before=days(2), not_after=days(90))
    if kind == "of another type":
        return authority.issue(name, key="rsa2048", not_before=days(-20), not_after=days(-1))
    if kind == "without its intermediate":
        return authority.issue(name, chain=False)
    return authority.issue("else.example.com")


@pytest.mark.parametrize("kind", ["expired", "not yet valid", "for another name", "of another type",
                                  "without its intermediate"])
def test_it_is_refused_by_hand_and_by_itself(two, authority, kind):
    bad(authority, kind).write(two.blog.cert_path.parent)
    dry = two.run("plan", two.old[0].thumbprint, two.shop.cert_path)
    assert dry.code == REFUSED and "the same reload would load " in dry.out, dry
    done = two.run("rebind", two.old[0].thumbprint, two.shop.cert_path)
    assert done.code == REFUSED and str(two.blog.cert_path) in done.out, done
    assert two.are_as_before()
    two.run("rebind", "--pending")
    assert two.are_as_before()
    status = two.place.run("status", "--json").json
    assert any(str(two.blog.cert_path) in each["sentence"] for each in status["needs_person"]), status
    two.new[1].write(two.blog.cert_path.parent)
    assert two.run("rebind", "--pending").code == 0
    assert two.served() == [new.thumbprint for new in two.new]
    assert two.place.run("status", "--json").json["needs_person"] == []


def test_what_is_served_already_holds_nobody_up(two, authority):
    """Bad as it may be: a reload makes it no worse."""
    expired = bad(authority, "expired")
    expired.write(two.blog.cert_path.parent)
    two.nginx.reload()
    two.nginx.wait_served(expired.thumbprint, two.blog.port, two.blog.name)
    two.blog.cert_path.touch()
    again = two.new[0]
    older = two.old[0]
    older.write(two.shop.cert_path.parent)
    two.nginx.reload()
    two.nginx.wait_served(older.thumbprint, two.shop.port, two.shop.name)
    again.write(two.shop.cert_path.parent)
    assert two.run("rebind", older.thumbprint, two.shop.cert_path).code == 0
    assert two.served() == [again.thumbprint, expired.thumbprint]


def test_one_that_is_expired_and_was_expired_holds_nobody_up(place, authority):
    """blog shows an expired certificate. Another expired one in its file makes nothing worse."""
    days = lambda n: utc_now() + datetime.timedelta(days=n)
    olds = [authority.issue(NAMES[0], days=20), authority.issue(NAMES[1], not_before=days(-90), not_after=days(-5))]
    shop, blog = (make_site(place, old, name) for old, name in zip(olds, NAMES))
    nginx = place.nginx()
    nginx.write(shop.block() + blog.block()).start()
    new = authority.issue(NAMES[0], days=90)
    new.write(shop.cert_path.parent)
    authority.issue(NAMES[1], not_before=days(-90), not_after=days(-2)).write(blog.cert_path.parent)
    done = place.run("rebind", olds[0].thumbprint, shop.cert_path, "--service", nginx.service)
    assert done.code == 0 and handshake(shop.port, shop.name) == new.thumbprint, done


def test_a_good_renewal_that_waits_holds_nobody_up(two):
    two.new[1].write(two.blog.cert_path.parent)
    said = (f"note: the same reload loads {two.blog.cert_path} for {two.blog.name}: "
            f"{two.old[1].thumbprint[:16]} -> {two.new[1].thumbprint[:16]}")
    for command in ("plan", "rebind"):
        done = two.run(command, two.old[0].thumbprint, two.shop.cert_path)
        assert done.code == 0 and said in done.out, done
    assert two.served() == [new.thumbprint for new in two.new]


def test_a_new_site_that_is_not_loaded_yet_holds_nobody_up(two, place, authority):
    """Its clients get another site's certificate now: whatever it brings is no worse."""
    new = make_site(place, authority.issue("new.example.com", self_signed=True), "new.example.com",
                    port=two.shop.port)
    two.nginx.write(two.shop.block() + two.blog.block() + new.block())
    assert two.run("rebind", two.old[0].thumbprint, two.shop.cert_path).code == 0
    assert handshake(new.port, new.name) == new.certificate.thumbprint


def test_a_site_that_is_made_to_name_a_bad_file(two, place, authority):
    """The file is old; the configuration that names it is not loaded yet."""
    worse, key = bad(authority, "expired").write(place / "certs/old")
    two.nginx.reload()
    two.nginx.wait_served(two.new[0].thumbprint, two.shop.port, two.shop.name)
    text = two.nginx.conf.read_text()
    two.nginx.conf.write_text(text.replace(str(two.blog.cert_path), str(worse))
                              .replace(str(two.blog.key_path), str(key)))
    newer = authority.issue(NAMES[0], days=95)
    newer.write(two.shop.cert_path.parent)
    done = two.run("rebind", two.new[0].thumbprint, two.shop.cert_path)
    assert done.code == REFUSED and str(worse) in done.out, done
    assert two.served() == [two.new[0].thumbprint, two.old[1].thumbprint]


@pytest.mark.parametrize("missing", ["key", "certificate"])
def test_what_is_missing_elsewhere_holds_nobody_up(place, authority, missing):
    """Another server's file is gone: it is told, and the rest goes on."""
    pairs = [authority.pair(name) for name in NAMES]
    sites = [make_site(place, old, name) for (old, _), name in zip(pairs, NAMES)]
    servers = [place.nginx(), place.nginx("second")]
    for nginx, site in zip(servers, sites):
        nginx.write(site.block()).start()
    both = [word for nginx in servers for word in ("--service", nginx.service)]
    (sites[1].key_path if missing == "key" else sites[1].cert_path).unlink()
    pairs[0][1].write(sites[0].cert_path.parent)
    place.run("rebind", "--pending", *both)
    assert handshake(sites[0].port, NAMES[0]) == pairs[0][1].thumbprint
    assert handshake(sites[1].port, NAMES[1]) == pairs[1][0].thumbprint


def haproxy_with_a_bad_one(place, authority):
    """The second certificate expired on disk; the good one is served."""
    pairs = [authority.pair(name) for name in NAMES]
    pems = [old.write_combined(place / f"certs/{name}.pem") for (old, _), name in zip(pairs, NAMES)]
    port = free_port()
    haproxy = place.haproxy()
    haproxy.write(frontend(port, f"crt {pems[0]} crt {pems[1]}")).start()
    bad(authority, "expired").write_combined(pems[1])
    return pairs, pems, port, haproxy


def test_where_the_socket_cannot_do_it_no_reload_does(place, authority):
    """Too large for HAProxy's buffer, so that it would be a reload, which brings the other one."""
    pairs, pems, port, haproxy = haproxy_with_a_bad_one(place, authority)
    path, key = pairs[0][1].write(place / "new")
    path.write_text(pairs[0][1].fullchain_pem + pairs[0][1].chain_pem * 30)
    before = pems[0].read_text()
    done = place.run("rebind", pairs[0][0].thumbprint, path, "--service", haproxy.service)
    assert done.code in (1, 3) and "the same reload would load" in done.out, done
    assert haproxy.reloads() == 0 and pems[0].read_text() == before
    assert [handshake(port, name) for name in NAMES] == [old.thumbprint for old, _ in pairs]


def test_over_a_socket_nothing_else_comes(place, authority):
    pairs, pems, port, haproxy = haproxy_with_a_bad_one(place, authority)
    path, _ = pairs[0][1].write(place / "new")
    done = place.run("rebind", pairs[0][0].thumbprint, path, "--service", haproxy.service)
    assert done.code == 0, done
    assert handshake(port, NAMES[0]) == pairs[0][1].thumbprint
    assert handshake(port, NAMES[1]) == pairs[1][0].thumbprint and haproxy.reloads() == 0


# ---------------------------------------------------------------------------- two of one type

@pytest.fixture
def crossed(place, authority):
    """nginx serves an ECDSA and an RSA certificate; then an RSA one is written over the ECDSA one's files."""
    name = "a.example.com"
    ec = authority.issue(name, days=60)
    rsa, third = (authority.issue(name, days=days, key="rsa2048") for days in (60, 70))
    ec_cert, ec_key = ec.write(place / "certs", "ec.pem", "ec.key")
    rsa_cert, rsa_key = rsa.write(place / "certs", "rsa.pem", "rsa.key")
    port = free_port()
    nginx = place.nginx()
    nginx.write(f"server {{ listen 127.0.0.1:{port} ssl; server_name {name};"
                f" ssl_certificate {ec_cert}; ssl_certificate_key {ec_key};"
                f" ssl_certificate {rsa_cert}; ssl_certificate_key {rsa_key}; }}\n").start()
    nginx.reload()

    def serves(first, second):
        return (handshake(port, name, key_type="ec"), handshake(port, name, key_type="rsa")) == (
            first.thumbprint, second.thumbprint)

    class Crossed:
        run = staticmethod(lambda *arguments: place.run(*of_service(arguments, nginx.service)))

    stage = Crossed()
    stage.ec, stage.rsa, stage.third, stage.serves = ec, rsa, third, serves
    stage.ec_cert, stage.rsa_cert, stage.place = ec_cert, rsa_cert, place
    return stage


def test_a_dual_site_that_was_renewed_before_anybody_saw_it(crossed, authority):
    """Each OLD is only served, and asked for by its own type."""
    new = [authority.issue("a.example.com", days=90, key=key) for key in ("ec", "rsa2048")]
    new[0].write(crossed.ec_cert.parent, "ec.pem", "ec.key")
    new[1].write(crossed.rsa_cert.parent, "rsa.pem", "rsa.key")
    done = crossed.run("rebind", "--pending")
    assert done.code == 0 and crossed.serves(*new), done


@pytest.mark.parametrize("remembered", [False, True])
def test_a_twin_of_the_same_type_succeeds_nobody(crossed, authority, remembered):
    if remembered:
        assert crossed.run("rebind", "--pending").code == 0
    crossed.third.write(crossed.ec_cert.parent, "ec.pem", "ec.key")
    before = crossed.rsa_cert.read_text()
    report = crossed.run("check")
    assert "the server uses only the last of the two" in report.out, report
    assert "certrebind rebind" not in report.out, report
    crossed.run("rebind", "--pending")
    assert crossed.serves(crossed.ec, crossed.rsa) and crossed.rsa_cert.read_text() == before
    done = crossed.run("rebind", crossed.rsa.thumbprint, crossed.third.thumbprint)
    assert done.code == REFUSED and "with two of one type" in done.out, done
    assert crossed.serves(crossed.ec, crossed.rsa)
    # OLD is asked for by its own type: only this file can hold it.
    new = authority.issue("a.example.com", days=90)
    path, _ = new.write(crossed.place / "new")
    done = crossed.run("rebind", crossed.ec.thumbprint, path)
    assert done.code == 0 and crossed.serves(new, crossed.rsa), done


# ------------------------------------------------------------------------------------- check

def test_check_is_critical_while_an_expired_one_is_served(one, authority):
    """A good one lies there; that clients still get the expired one is what counts."""
    expired = authority.issue("a.example.com", not_before=days(-20), not_after=days(-1))
    expired.write(one.site.cert_path.parent)
    one.nginx.reload()
    one.nginx.wait_served(expired.thumbprint, one.port, one.name)
    one.new.write(one.site.cert_path.parent)
    report = one.run("check")
    assert report.code == 2 and report.out.startswith("CRITICAL"), report
    assert f"serves {expired.thumbprint[:16]}, which expired on " in report.out, report
    assert f"next: certrebind rebind {expired.thumbprint[:16]} {one.new.thumbprint[:16]}" in report.out


# ------------------------------------------------------------------------------ what came to nothing

def test_what_the_server_refused_is_not_tried_again(one, place, authority):
    """Its own test refuses the new files, after preflight passed them."""
    from cryptography.hazmat.primitives import hashes
    weak = authority.issue("a.example.com", digest=hashes.SHA1())
    path, _ = weak.write(place / "weak")
    done = one.run("rebind", one.old.thumbprint, path)
    if done.code == 0:
        pytest.skip("this nginx takes SHA-1")
    assert done.code == 3 and one.served() == one.old.thumbprint, done
    reloads = one.nginx.reloads()
    assert one.run("rebind", "--pending").code == 0
    assert one.served() == one.old.thumbprint and one.nginx.reloads() == reloads
    events = one.place.run("events", "--json").lines
    told = [event["message"] for event in events if event["id"] == 2003]
    assert told and "too weak" in told[0], told


def test_a_site_that_the_reload_silenced_is_no_success(two):
    """Its configuration was edited, and not loaded: no certificate tells of it."""
    two.nginx.write(two.shop.block() + two.blog.block(extra="    ssl_protocols TLSv1;\n"))
    done = two.run("rebind", two.old[0].thumbprint, two.shop.cert_path)
    assert done.code == 4 and "after the reload, other sites of the server no longer answer" in done.out and NAMES[1] in done.out, done


def test_a_silenced_site_takes_the_new_files_back(two, authority):
    two.old[0].write(two.shop.cert_path.parent)
    path, _ = two.new[0].write(two.place / "loose")
    two.nginx.write(two.shop.block() + two.blog.block(extra="    ssl_protocols TLSv1;\n"))
    done = two.run("rebind", two.old[0].thumbprint, path)
    assert done.code in (3, 4) and "after the reload, other sites of the server no longer answer" in done.out, done
    assert two.shop.cert_path.read_text() == two.old[0].fullchain_pem
    assert handshake(two.shop.port, two.shop.name) == two.old[0].thumbprint
    assert "committed" not in done.out


@pytest.mark.parametrize("renewed", ["rsa2048", "ec"])
def test_a_bystander_whose_suites_do_not_know_its_new_key(place, authority, renewed):
    place.configure(verify=5)
    was = "ec" if renewed == "rsa2048" else "rsa2048"
    suite = {"ec": "ECDHE-ECDSA-AES256-GCM-SHA384", "rsa2048": "ECDHE-RSA-AES256-GCM-SHA384"}[was]
    shop, new = authority.pair(NAMES[0])
    sites = [make_site(place, shop, NAMES[0]),
             make_site(place, authority.issue(NAMES[1], days=20, key=was), NAMES[1])]
    nginx = place.nginx()
    extra = f"    ssl_ciphers {suite};\n    ssl_protocols TLSv1.2;\n"
    nginx.write(sites[0].block() + sites[1].block(extra=extra)).start()
    nginx.reload()
    before = handshake(sites[1].port, NAMES[1])
    authority.issue(NAMES[1], days=90, key=renewed).write(sites[1].cert_path.parent)
    new.write(sites[0].cert_path.parent)
    done = place.run("rebind", shop.thumbprint, sites[0].cert_path, "--service", nginx.service)
    assert done.code == REFUSED and "the same reload would load " in done.out, done
    assert handshake(sites[1].port, NAMES[1]) == before
