"""The last good pair, brought back where something is odd: two servers, a renewer's tree, other forms."""
import datetime
import signal
import stat

import pytest

from command import outcomes_of
from files import difference, snapshot, write
from handshakes import handshake, sent_chain
from markers import both_builds, needs_root
from pki import Authority
from ports import free_port
from processes import ALONE
from stages.every_kind import TwoServersOneFile
from stages.one_site import OneSite, Site, keep, make_site
from sweep import SHARES, SWEEP, in_shares
from waiting import until
from witnesses import kept_files

REFUSED, USAGE, ROLLED_BACK, NEEDS_OPERATOR = 1, 2, 3, 4


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def renewed(one):
    """NEW is in place and served; both are kept."""
    keep(one)
    one.new.write(one.site.cert_path.parent)
    keep(one)
    assert one.served() == one.new.thumbprint


# -------------------------------------------------------------------------------- which pair

def test_what_was_proven_last_is_not_left_by_typing_it_again(one):
    renewed(one)
    done = one.run("restore", "a.example.com")
    assert done.code == 0 and "the last proven certificate is already at" in done.out, done
    assert f"certrebind restore {one.site.cert_path} {one.old.thumbprint[:16]}" in done.out, done
    assert one.run("restore", "a.example.com", one.old.thumbprint[:16]).code == 0
    assert one.run("restore", "a.example.com").code == 0 and one.served() == one.old.thumbprint


def test_a_thumbprint_as_openssl_prints_it(one):
    renewed(one)
    colons = ":".join(one.old.thumbprint[i:i + 2] for i in range(0, 64, 2)).upper()
    assert one.run("restore", "a.example.com", colons).code == 0
    assert one.served() == one.old.thumbprint
    assert "hex" in one.run("restore", "a.example.com", "old").err
    assert "8 are needed" in one.run("restore", "a.example.com", one.new.thumbprint[:4]).err


def test_an_expired_newest_hides_no_good_one(place, authority):
    good = authority.issue("a.example.com", days=40)
    one = OneSite(place, authority, old=good)
    keep(one)
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=8)
    short = authority.issue("a.example.com", not_after=end)
    short.write(one.site.cert_path.parent)
    one.nginx.reload()
    one.nginx.wait_served(short.thumbprint, one.port, one.name)
    one.run("rebind", "--pending")
    assert len(kept_files(place)) == 4
    until(lambda: "expired" in one.run("check").out, "it has expired")
    done = one.run("restore", "a.example.com")
    assert done.code == 0 and one.served() == good.thumbprint, done


def test_a_damaged_pair_hides_no_good_one(one, place):
    renewed(one)
    newest = max(path for path in (place.state / "kept").rglob("*") if path.name == "certificate")
    newest.write_text("rotten\n")
    listed = one.run("restore", "--list", "a.example.com")
    assert listed.code == 0 and f"damaged, and passed over: {newest.parent}" in listed.out, listed
    assert one.run("restore", "a.example.com").code == 0 and one.served() == one.old.thumbprint


def test_what_an_undo_proved_is_kept(one):
    assert one.run("rebind", one.old.thumbprint, one.new_cert, "--rewrite").code == 0
    assert one.run("undo").code == 0
    listed = one.run("restore", "--list", "a.example.com", "--json").json["kept"]
    assert [each["thumbprint"] for each in listed] == [one.old.thumbprint, one.new.thumbprint]


def test_a_server_that_is_down_is_named(one):
    keep(one)
    one.nginx.stop()
    done = one.place.run("restore", "nobody.example.com", before=ALONE)
    assert done.code == 1 and "--service" in done.err, done


# ------------------------------------------------------------------------- where it must not go

def test_a_renewers_tree_is_left_alone(place, authority):
    old, new = authority.pair("a.example.com")
    live = place / "le/live/a.example.com"
    cert, key = old.write(live)
    write(place / "le/renewal/a.example.com.conf", f"cert = {live}/cert.pem\n")
    place.configure(stores=[("certbot", place / "le")])
    nginx = place.nginx()
    site = Site("a.example.com", free_port(), old, cert, key)
    nginx.write(site.block()).start()
    service = ("--service", nginx.service)
    assert place.run("rebind", "--pending", *service).code == 0
    new.write(live)
    assert place.run("rebind", "--pending", *service).code == 0
    before = snapshot(place / "le")
    done = place.run("restore", cert, old.thumbprint[:16], *service)
    assert done.code == REFUSED and "belongs to certbot" in done.err, done
    assert "certrebind renew" in done.err and difference(before, snapshot(place / "le")) == []
    key.write_text(old.key_pem)  # check gives no advice that would be refused
    assert "certrebind restore" not in place.run("check", *service).out


def test_a_good_one_is_not_replaced_by_one_for_other_names(one, authority):
    keep(one)
    both = authority.issue(["a.example.com", "b.example.com"])
    both.write(one.site.cert_path.parent)
    one.nginx.write(one.site.block().replace("server_name a.example.com", "server_name a.example.com b.example.com"))
    one.nginx.reload()
    one.nginx.wait_served(both.thumbprint, one.port, "b.example.com")
    before = snapshot(one.place / "certs")
    done = one.run("restore", "a.example.com", one.old.thumbprint)
    assert done.code == REFUSED and "would lose b.example.com" in done.err, done
    assert difference(before, snapshot(one.place / "certs")) == []
    one.site.key_path.write_text(one.old.key_pem)  # what lies there is no pair any more
    assert one.run("restore", "a.example.com", one.old.thumbprint).code == 0


@needs_root
def test_a_broken_configuration_is_not_loaded(place, authority):
    """With nothing to write, and where no server may be started apart: its own test goes first."""
    old, _ = authority.pair("a.example.com")
    site = make_site(place, old)
    apache = place.apache()
    apache.write(site.host(), ports=[site.port]).start()
    service = ("--service", apache.service)
    assert place.run("rebind", "--pending", *service).code == 0
    with open(apache.conf, "a") as config:
        config.write("\nNoSuchDirective on\n")
    apart = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]
    done = place.run("restore", site.cert_path, old.thumbprint, *service, before=apart)
    assert done.code == ROLLED_BACK and "NoSuchDirective" in done.out, done
    assert apache.reloads() == 0 and handshake(site.port, site.name) == old.thumbprint


# ------------------------------------------------------------------------------- other forms

def test_a_key_that_is_a_link_to_the_certificate(place, authority):
    old, new = authority.pair("a.example.com")
    pem = old.write_combined(place / "certs/a.pem")
    key = place / "certs/a.key"
    key.symlink_to("a.pem")
    nginx = place.nginx()
    site = Site("a.example.com", free_port(), old, pem, key)
    nginx.write(site.block()).start()
    service = ("--service", nginx.service)
    assert place.run("rebind", "--pending", *service).code == 0
    new.write_combined(pem)
    done = place.run("restore", pem, *service)
    assert done.code == 0, done
    assert pem.read_text() == old.fullchain_pem + old.key_pem and key.is_symlink()
    assert sorted(path.name for path in (place / "certs").iterdir()) == ["a.key", "a.pem"]


def test_kept_as_one_file_and_bound_as_two(place, authority):
    old, new = authority.pair("a.example.com")
    pem = old.write_combined(place / "certs/a.pem")
    site = Site("a.example.com", free_port(), old, pem, pem)
    nginx = place.nginx()
    nginx.write(site.block()).start()
    service = ("--service", nginx.service)
    assert place.run("rebind", "--pending", *service).code == 0
    site.key_path = write(place / "certs/a.key", new.key_pem, 0o600)
    write(pem, new.fullchain_pem, 0o644)
    nginx.write(site.block())
    nginx.reload()
    nginx.wait_served(new.thumbprint, site.port, site.name)
    assert place.run("restore", pem, *service).code == 0
    assert handshake(site.port, site.name) == old.thumbprint
    assert "PRIVATE" not in pem.read_text() and mode_of(pem) == 0o644
    assert site.key_path.read_text() == old.key_pem and mode_of(site.key_path) == 0o600


def test_a_file_that_comes_to_hold_a_key_is_its_owners_alone(place, authority):
    old, new = authority.pair("a.example.com")
    pem = old.write_combined(place / "certs/a.pem")
    site = Site("a.example.com", free_port(), old, pem, pem)
    nginx = place.nginx()
    nginx.write(site.block()).start()
    service = ("--service", nginx.service)
    assert place.run("rebind", "--pending", *service).code == 0
    write(pem, new.fullchain_pem, 0o644)
    pem.chmod(0o644)
    good = nginx.conf.read_text()
    nginx.conf.write_text(good + "broken\n")
    failed = place.run("restore", pem, *service)
    assert failed.code == ROLLED_BACK and mode_of(pem) == 0o644, failed
    nginx.conf.write_text(good)
    done = place.run("restore", pem, *service)
    assert done.code == 0 and f"{pem} gets a private key and had none before" in done.out, done
    assert pem.read_text() == old.fullchain_pem + old.key_pem and mode_of(pem) == 0o600


def with_a_chain_file(place, old):
    """Apache with the intermediates in a file of their own; what it serves is kept."""
    site = make_site(place, old)
    write(site.cert_path, old.leaf_pem)
    chain = write(place / "certs/chain.pem", old.chain_pem)
    apache = place.apache()
    apache.write(site.host(extra=f"  SSLCertificateChainFile {chain}\n"), ports=[site.port]).start()
    service = ("--service", apache.service)
    assert place.run("rebind", "--pending", *service).code == 0
    return site, chain, apache, service


def test_its_chain_comes_back_with_it(place, authority):
    other = Authority("Other")
    old, new = authority.issue("a.example.com", days=20), other.issue("a.example.com", days=90)
    site, chain, apache, service = with_a_chain_file(place, old)
    write(site.cert_path, new.leaf_pem)
    write(site.key_path, new.key_pem)
    write(chain, new.chain_pem)
    apache.reload()
    apache.wait_served(new.thumbprint, site.port, site.name)
    assert place.run("restore", site.cert_path, *service).code == 0
    assert sent_chain(site.port, site.name) == ["CN = a.example.com", "CN = Certrebind Test Issuer"]
    assert chain.read_text() == old.chain_pem
    assert place.run("undo", *service).code == 0
    assert sent_chain(site.port, site.name)[1:] == ["CN = Other Issuer"]


def test_a_chain_that_was_overwritten_alone(place, authority):
    """No handshake tells of it, and an audit does not take it for what was proven."""
    old = authority.issue("a.example.com")
    site, chain, apache, service = with_a_chain_file(place, old)
    for _ in range(2):
        write(chain, authority.issue("else.example.com").leaf_pem)
        place.run("rebind", "--pending", *service)
    done = place.run("restore", site.cert_path, *service)
    assert done.code == 0 and chain.read_text() == old.chain_pem, done


def test_less_of_a_chain_does_not_push_it_out(one):
    """A full chain is served from memory; what lies there since is the leaf alone."""
    keep(one)
    one.site.cert_path.write_text(one.old.leaf_pem)
    keep(one)
    assert one.run("restore", "a.example.com").code == 0
    assert one.site.cert_path.read_text() == one.old.fullchain_pem


def test_a_chain_file_that_is_bound_no_more(place, authority):
    old, new = authority.pair("a.example.com")
    site, chain, apache, service = with_a_chain_file(place, old)
    new.write(site.cert_path.parent)
    apache.write(site.host(), ports=[site.port])
    apache.reload()
    apache.wait_served(new.thumbprint, site.port, site.name)
    assert place.run("restore", site.cert_path, *service).code == 0
    assert sent_chain(site.port, site.name) == ["CN = a.example.com", "CN = Certrebind Test Issuer"]


# --------------------------------------------------------------------------- undo, and two servers

def test_what_lay_there_and_was_never_loaded_comes_back_by_undo(one):
    keep(one)
    one.new.write(one.site.cert_path.parent)
    assert one.run("restore", "a.example.com").code == 0
    assert one.served() == one.old.thumbprint
    done = one.run("undo")
    assert done.code == 0 and one.served() == one.new.thumbprint, done


@pytest.mark.parametrize("damage", ["garbage", "vanished", "without its key"])
def test_what_was_no_certificate_is_not_brought_back_by_undo(one, damage):
    keep(one)
    if damage == "garbage":
        one.site.cert_path.write_text("garbage\n")
    elif damage == "vanished":
        one.site.cert_path.unlink()
    else:
        one.site.key_path.unlink()
    assert one.run("restore", "a.example.com").code == 0
    assert damage == "without its key" or "no certificate -> " in one.run("history").out
    done = one.run("undo")
    assert done.code == USAGE and "no certificate with a matching key" in done.err, done
    assert one.served() == one.old.thumbprint


def test_two_servers_that_share_a_file_do_not_come_apart(place, authority):
    """The second does not take back what the first has taken already."""
    two = TwoServersOneFile(place, authority)
    assert place.run("rebind", "--pending", *two.both).code == 0
    assert two.rebind().code == 0
    two.apache.server.send(signal.SIGSTOP)
    try:
        done = place.run("restore", two.certificate, two.old.thumbprint[:16], "--json", *two.both)
    finally:
        two.apache.server.send(signal.SIGCONT)
    assert ("nginx", "committed") in outcomes_of(done) and done.code in (
        ROLLED_BACK, NEEDS_OPERATOR), done
    assert "was undone" in done.all, done
    two.serve(two.new)
    # Nobody took NEW away.
    place.run("rebind", "--pending", *two.both)
    two.serve(two.new)


def test_what_would_be_refused_for_the_second_does_not_begin(place, authority):
    two = TwoServersOneFile(place, authority)
    assert place.run("rebind", "--pending", *two.both).code == 0
    both = authority.issue(["a.example.com", "b.example.com"])
    write(two.certificate, both.fullchain_pem)
    write(two.key, both.key_pem)
    two.apache.sites = [("a.example.com", [(two.certificate, two.key)]),
                        ("b.example.com", [(two.certificate, two.key)])]
    two.apache.configure()
    two.apache.server.reload()
    two.nginx.server.reload()
    two.serve(both)
    done = place.run("restore", two.certificate, two.old.thumbprint, *two.both)
    assert done.code == REFUSED and "would lose b.example.com" in done.err, done
    two.serve(both)


# --------------------------------------------------------------------------------------- crashes

@both_builds
@in_shares
def test_killed_anywhere_nothing_empty_is_left(place, authority, shim, share):
    one = OneSite(place, authority)
    keep(one)
    files = (one.site.cert_path, one.site.key_path)

    def vanish():
        for path in files:
            path.unlink(missing_ok=True)

    log = place / "calls"
    vanish()
    assert one.run("restore", "a.example.com", env={**shim, "CRASH_LOG": str(log)}).code == 0
    calls = len(log.read_text().splitlines())
    for at in range(1, calls + 1, {"full": 1, "few": 12, "fewest": 30}.get(SWEEP, 5))[share::SHARES]:
        vanish()
        one.run("restore", "a.example.com", env={**shim, "CRASH_AT": str(at)})
        one.run("recover")
        there = [path.read_text() if path.exists() else None for path in files]
        assert there in ([None, None], [one.old.fullchain_pem, one.old.key_pem]), at
        assert sorted(path.name for path in files[0].parent.iterdir() if path.name.startswith(".")) == []
