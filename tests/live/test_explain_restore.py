"""Why a name is served with its certificate; and the last good pair brought back."""
import datetime
import stat

import pytest

import acme
from files import difference, snapshot, write
from handshakes import handshake
from ports import free_port
from stages.daemon import Watch
from stages.one_frontend import frontend
from stages.one_site import OneSite, Site, keep
from waiting import until
from witnesses import kept_files


# ----------------------------------------------------------------------------------- explain

def test_explain_a_name(one):
    done = one.run("explain", "a.example.com")
    assert done.code == 0, done
    assert f"a.example.com at 127.0.0.1:{one.port}" in done.out
    assert "named there" in done.out
    assert f"{one.site.cert_path} in {one.nginx.prefix}/nginx.conf:" in done.out
    assert one.old.thumbprint[:16] + ": the certificate on disk" in done.out
    assert f"{one.site.key_path}: matches" in done.out
    assert "renewed by nobody" in done.out
    assert "nothing automatic: not enabled (certrebind enable)" in done.out


def test_explain_says_what_becomes_of_a_copy(place, authority):
    """nginx can name the renewer's two files; HAProxy cannot, so its one file gets new content."""
    issued = acme.issued_by_acme_sh(place, authority)
    place.config.write_text(f"default_stores = false\n{issued.store}")
    cert = write(place / "copies/cert.pem", issued.certificate.read_text())
    key = write(place / "copies/key.pem", issued.key.read_text(), 0o600)
    both = write(place / "copies/both.pem", issued.certificate.read_text() + issued.key.read_text(), 0o600)
    nginx, haproxy = place.nginx(), place.haproxy()
    nginx.write(Site(issued.name, free_port(), None, cert, key).block()).start()
    haproxy.write(frontend(free_port(), f"crt {both}")).start()
    for server, what in ((nginx, "the directive will be changed to name it"), (haproxy, "its content will be replaced")):
        done = place.run("explain", issued.name, "--service", server.service)
        assert f"this is a copy: {what}" in done.out, done


def test_explain_a_thumbprint_as_it_is_typed(one):
    colons = ":".join(one.old.thumbprint[i:i + 2] for i in range(0, 64, 2)).upper()
    for typed in (one.old.thumbprint, one.old.thumbprint[:8], colons):
        done = one.run("explain", typed)
        assert done.code == 0 and "this certificate is on disk there" in done.out, done
    mistyped = one.run("explain", "deadbeef")
    assert mistyped.code == 1 and "no binding answers to it" in mistyped.err, mistyped


def test_explain_says_what_is_not_served_yet(one):
    one.new.write(one.site.cert_path.parent)
    done = one.run("explain", "a.example.com")
    assert one.new.thumbprint[:16] + " for" in done.out
    assert one.old.thumbprint[:16] + ": NOT the certificate on disk" in done.out


def test_explain_a_name_that_no_site_has(one):
    done = one.run("explain", "other.example.org")
    assert done.code == 0, done
    assert "the default there: no site has this name" in done.out


@pytest.mark.parametrize("form", ["127.0.0.1:{port}", ":{port}", "{port}"])
def test_explain_a_listener(one, form):
    done = one.run("explain", form.format(port=one.port))
    assert done.code == 0, done
    assert f"a.example.com at 127.0.0.1:{one.port}" in done.out
    assert "it listens there" in done.out


def test_explain_files(one, place):
    link = place / "link.pem"
    link.symlink_to(one.site.cert_path)
    for path, why in ((one.site.cert_path, "its certificate"), (link, "its certificate"),
                      (one.site.key_path, "its key"),
                      (one.nginx.prefix / "nginx.conf", "configures it")):
        done = one.run("explain", path)
        assert done.code == 0, done
        assert f"this is {why}" in done.out or f"this file {why}" in done.out, done


def test_explain_a_thumbprint(one):
    for typed in (one.old.thumbprint, one.old.thumbprint[:8].upper()):
        done = one.run("explain", typed)
        assert done.code == 0 and "this certificate is on disk there" in done.out, done
        assert f"a.example.com at 127.0.0.1:{one.port}" in done.out
    assert "this certificate" not in one.run("explain", one.new.thumbprint).out


def test_explain_as_json(one):
    answer, = one.run("explain", "a.example.com", "--json").json["answers"]
    assert answer["served"] == one.old.thumbprint
    assert answer["certificate"]["thumbprint"] == one.old.thumbprint
    assert answer["renewer"] is None
    assert answer["listens"] == f"127.0.0.1:{one.port}"


def test_explain_what_nothing_uses(one, place):
    done = one.run("explain", place / "nowhere.pem")
    assert done.code == 1
    assert "no binding answers to it" in done.all
    assert "certrebind scan" in done.all


def test_explain_follows_the_policy(one, place):
    watch = Watch(place, one.nginx)
    assert "automatic: if it is written to" in one.run("explain", "a.example.com").out
    assert "the daemon is not running" in one.run("explain", "a.example.com").out
    watch.start(one.old)
    assert "the daemon is not running" not in one.run("explain", "a.example.com").out
    place.configure('[[policy]]\nautomatic = "notify"\n')
    assert "only a notification" in one.run("explain", "a.example.com").out
    place.configure('[[policy]]\nautomatic = "no"\n')
    assert "a policy excludes it" in one.run("explain", "a.example.com").out


# ----------------------------------------------------------------------------------- restore

def test_a_proven_pair_is_kept_for_its_owner_alone(one, place):
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
    files = kept_files(place)
    assert {path.name for path in files} == {"certificate", "key"}
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((place.state / "kept").stat().st_mode) == 0o700


@pytest.mark.parametrize("damage", ["garbage", "mismatch", "vanished", "another", "empty"])
def test_an_overwritten_pair_is_brought_back(one, authority, damage):
    keep(one)
    before = snapshot(one.place.path)
    if damage == "garbage":
        one.site.cert_path.write_text("garbage\n")
    elif damage == "mismatch":
        one.site.key_path.write_text(one.new.key_pem)
    elif damage == "vanished":
        one.site.cert_path.unlink()
        one.site.key_path.unlink()
    elif damage == "empty":
        one.site.cert_path.write_text("")
    else:  # loaded and served, but not what is wanted
        authority.issue("else.example.com").write(one.site.cert_path.parent)
        one.nginx.reload()
        one.nginx.wait_served(handshake(one.port, one.name), one.port, one.name)
    done = one.run("restore", "a.example.com")
    assert done.code == 0, done
    assert "committed" in done.out
    assert one.served() == one.old.thumbprint
    assert one.site.cert_path.read_text() == one.old.fullchain_pem
    assert one.site.key_path.read_text() == one.old.key_pem
    if damage == "vanished":  # nobody knows what mode they had
        assert stat.S_IMODE(one.site.cert_path.stat().st_mode) == 0o644
        assert stat.S_IMODE(one.site.key_path.stat().st_mode) == 0o600
    else:
        assert not difference(before, snapshot(one.place.path))
    assert "1 ok" in one.run("check").out


def test_restore_can_be_undone(one):
    keep(one)
    one.new.write(one.site.cert_path.parent)
    assert one.run("rebind", one.old.thumbprint, one.site.cert_path).code == 0
    assert one.run("restore", one.site.cert_path, one.old.thumbprint[:16]).code == 0
    assert one.served() == one.old.thumbprint
    done = one.run("undo")
    assert done.code == 0, done
    assert one.served() == one.new.thumbprint


def test_what_a_person_took_away_is_not_brought_again(one, place):
    keep(one)
    one.new.write(one.site.cert_path.parent)
    assert one.run("rebind", "--pending").code == 0
    assert one.served() == one.new.thumbprint
    assert one.run("restore", "a.example.com", one.old.thumbprint[:16]).code == 0
    place.configure("", stores=[("directory", one.new_cert.parent)])
    assert one.run("rebind", "--pending").code == 0
    assert one.served() == one.old.thumbprint


def test_a_preflight_names_the_way_back(one):
    keep(one)
    one.new.write(one.site.cert_path.parent)
    done = one.run("plan", one.old.thumbprint, one.site.cert_path)
    assert f"certrebind restore {one.site.cert_path} {one.old.thumbprint[:16]}" in done.out


def test_a_restore_that_cannot_be_proven_puts_back_what_was_there(one, place, authority):
    keep(one)
    another = authority.issue("else.example.com")
    another.write(one.site.cert_path.parent)
    one.nginx.reload()
    one.nginx.wait_served(another.thumbprint, one.port, one.name)
    with open(one.nginx.prefix / "nginx.conf", "a") as config:
        config.write("broken\n")
    done = one.run("restore", "a.example.com")
    assert done.code in (3, 4), done
    assert one.site.cert_path.read_text() == another.fullchain_pem
    assert one.served() == another.thumbprint


def test_what_had_vanished_is_not_there_again_if_it_cannot_be_proven(one, place):
    keep(one)
    one.site.cert_path.unlink()
    one.site.key_path.unlink()
    with open(one.nginx.prefix / "nginx.conf", "a") as config:
        config.write("broken\n")
    before = snapshot(place.path)
    done = one.run("restore", "a.example.com")
    assert done.code in (3, 4), done
    assert difference(before, snapshot(place.path)) == [] and not one.site.cert_path.exists()
    assert one.served() == one.old.thumbprint


def test_restore_of_what_was_never_kept(one):
    done = one.run("restore", "a.example.com")
    assert done.code == 0
    assert f"nothing was kept for {one.site.cert_path} yet; nothing to do" in done.out
    done = one.run("restore", "nobody.example.com")
    assert done.code == 1
    assert "certrebind scan" in done.all


def test_an_expired_pair_is_not_brought_back(place, authority):
    old = authority.issue("a.example.com", not_after=datetime.datetime.now(datetime.timezone.utc)
                          + datetime.timedelta(seconds=10))
    one = OneSite(place, authority, old=old)
    keep(one)
    authority.issue("a.example.com").write(one.site.cert_path.parent)
    until(lambda: "expired" in one.run("restore", "a.example.com", old.thumbprint).all, "OLD has expired")


def test_only_two_pairs_are_kept(one, authority):
    for _ in range(4):
        authority.issue("a.example.com").write(one.site.cert_path.parent)
        assert one.run("rebind", "--pending").code == 0
    assert len(kept_files(one.place)) == 4


def test_an_expired_pair_pushes_out_no_good_one(place, authority):
    good = authority.issue("a.example.com", days=40)
    one = OneSite(place, authority, old=good)
    keep(one)
    over = authority.issue("a.example.com", not_before=past(20), not_after=past(10))
    over.write(one.site.cert_path.parent)
    one.nginx.reload()
    one.nginx.wait_served(over.thumbprint, one.port, one.name)
    one.run("rebind", "--pending")
    listed = one.run("restore", "--list", "a.example.com", "--json").json
    assert [each["thumbprint"] for each in listed["kept"]] == [good.thumbprint]
    done = one.run("restore", "a.example.com")
    assert done.code == 0 and one.served() == good.thumbprint, done


def past(days):
    return datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)


def test_restore_says_what_it_brings_back_and_what_there_is(one):
    keep(one)
    one.new.write(one.site.cert_path.parent)
    keep(one)
    listed = one.run("restore", "--list", one.site.cert_path)
    assert listed.code == 0, listed
    assert [line.split()[0] for line in listed.out.splitlines()] == [
        one.new.thumbprint[:16], one.old.thumbprint[:16]], "newest first"
    done = one.run("restore", "a.example.com", one.old.thumbprint)
    assert done.code == 0, done
    assert f"restore of {one.site.cert_path}: {one.old.thumbprint[:16]}, which expires on " in done.out
    assert f"instead of {one.new.thumbprint[:16]}" in done.out


def test_restore_list_of_what_was_never_kept(one, place):
    done = one.run("restore", "--list", "a.example.com")
    assert done.code == 0 and "nothing was kept for" in done.out, done
    assert list(place.state.iterdir()) == [], "a look writes nothing"


def test_restore_list_takes_no_thumbprint(one):
    done = one.run("restore", "--list", "a.example.com", one.old.thumbprint)
    assert done.code == 2 and "--list shows all that is kept" in done.err, done


def test_check_keeps_no_pair_of_what_a_policy_leaves_alone(one, place):
    one.nginx.stop()
    assert "proof is owed" in one.run("rebind", one.old.thumbprint, one.new_cert).out
    one.nginx.start()
    one.nginx.wait_served(one.new.thumbprint, one.port, one.name)
    place.configure('[[policy]]\nautomatic = "no"\n')
    assert one.run("check").code == 0
    assert kept_files(place) == []


def test_what_check_proves_is_kept(one):
    """Of a server that was down when its files were swapped."""
    keep(one)
    one.nginx.stop()
    assert "proof is owed" in one.run("rebind", one.old.thumbprint, one.new_cert).out
    one.nginx.start()
    one.nginx.wait_served(one.new.thumbprint, one.port, one.name)
    assert "proof" not in one.run("check").out
    listed = one.run("restore", "--list", "a.example.com", "--json").json
    assert [each["thumbprint"] for each in listed["kept"]] == [one.new.thumbprint, one.old.thumbprint]
