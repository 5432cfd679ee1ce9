"""`rebind`, `plan`, `switch` and `undo` take the names of sites, and find OLD and NEW themselves."""
import pytest

from files import difference, snapshot, write
from handshakes import handshake
from ports import free_port
from stages.every_kind import STAGES, NginxStage
from stages.one_site import OneSite, make_site

NAME, TYPO = "shop.example.com", "shop.exampel.com"


@pytest.fixture
def shop(place, authority):
    """One nginx with the site NAME."""
    return OneSite(place, authority, NAME)


def renew_in_place(stage):
    stage.new.write(stage.site.cert_path.parent)


# -------------------------------------------------------------------------------- SITE alone

@pytest.mark.parametrize("kind", STAGES)
def test_a_site_finds_what_was_renewed_in_place(place, authority, kind):
    old, new = authority.pair(NAME)
    stage = STAGES[kind](place, (NAME, [old]))
    new.write(stage.sites[0][1][0][0].parent, "fullchain.pem", stage.key_name)
    done = stage.run("rebind", NAME)
    assert done.code == 0 and "committed" in done.out, done
    assert stage.served(NAME) == new.thumbprint


def test_a_site_with_nothing_newer_is_left_alone(shop):
    before = snapshot(shop.place.path)
    for verb in ("rebind", "plan", "switch"):
        done = shop.run(verb, NAME)
        assert done.code == 0, done
        assert f"{NAME} serves what is on disk: {shop.old.thumbprint[:16]}, expires " in done.out
        assert "nothing to do" in done.out
    assert shop.nginx.reloads() == 0
    assert not difference(before, snapshot(shop.place.path))


def test_a_site_finds_the_successor_in_its_store(place, authority):
    """The bound file is a copy; the store has its renewal."""
    stage = OneSite(place, authority, NAME)
    stage.new.write(place / "store", "shop.pem", "shop.key")
    place.configure(stores=[("directory", place / "store")])
    done = stage.run("rebind", NAME, "--json")
    assert done.code == 0, done
    assert stage.served() == stage.new.thumbprint


def test_policies_do_not_hold_a_person_back(place, authority):
    stage = OneSite(place, authority, NAME)
    place.configure('[[policy]]\nautomatic = "no"\n')
    renew_in_place(stage)
    assert stage.run("rebind", "--pending").code == 0
    assert stage.served() == stage.old.thumbprint
    assert stage.run("rebind", NAME).code == 0
    assert stage.served() == stage.new.thumbprint


def test_other_sites_are_no_concern(place, authority):
    """A second site was renewed too; the server's reload loads it, but no other server is told."""
    old, new = authority.pair(NAME)
    other_old, other_new = authority.pair("other.example.com")
    one = NginxStage(place, (NAME, [old]))
    two = place.nginx("second")
    site = make_site(place, other_old, "other.example.com")
    two.write(site.block()).start()
    new.write(one.sites[0][1][0][0].parent)
    other_new.write(site.cert_path.parent)
    done = place.run("rebind", NAME, "--service", one.server.service, "--service", two.service)
    assert done.code == 0, done
    assert one.served(NAME) == new.thumbprint
    assert handshake(site.port, "other.example.com") == other_old.thumbprint
    assert two.reloads() == 0


def test_what_a_person_must_choose_is_not_chosen(place, authority):
    stage = OneSite(place, authority, NAME)
    third = authority.issue(NAME)
    stage.new.write(place / "store", "one.pem", "one.key")
    third.write(place / "store", "two.pem", "two.key")
    place.configure(stores=[("directory", place / "store")])
    done = stage.run("rebind", NAME)
    assert done.code == 1, done
    assert stage.new.thumbprint[:16] in done.out and third.thumbprint[:16] in done.out
    assert stage.served() == stage.old.thumbprint


# --------------------------------------------------------------------------------- SITE NEW

def test_old_is_taken_from_the_site(shop):
    plan = shop.run("plan", NAME, shop.new_cert)
    assert plan.code == 0 and shop.old.thumbprint[:16] in plan.out, plan
    assert shop.served() == shop.old.thumbprint
    done = shop.run("rebind", NAME, shop.new_cert)
    assert done.code == 0, done
    assert shop.served() == shop.new.thumbprint
    again = shop.run("rebind", NAME, shop.new_cert)
    assert again.code == 0 and "nothing to do" in again.out, again
    assert shop.nginx.reloads() == 1


def two_key_types(place, authority):
    old = [authority.issue(NAME, days=20, key=key) for key in ("rsa2048", "ec")]
    return old, NginxStage(place, (NAME, old))


@pytest.mark.parametrize("index, key", [(0, "rsa2048"), (1, "ec")])
def test_new_replaces_the_certificate_of_its_key_type(place, authority, index, key):
    old, stage = two_key_types(place, authority)
    new = authority.issue(NAME, key=key)
    path, _ = new.write(place / "new")
    done = stage.run("rebind", NAME, path)
    assert done.code == 0, done
    shown = [stage.served(NAME, key_type=one) for one in ("rsa", "ec")]
    expected = [one.thumbprint for one in old]
    expected[index] = new.thumbprint
    assert shown == expected


def test_new_that_is_served_already_replaces_no_other_key_type(place, authority):
    old, stage = two_key_types(place, authority)
    done = stage.run("rebind", NAME, stage.sites[0][1][1][0])
    assert done.code == 0 and "nothing to do" in done.out, done
    assert [stage.served(NAME, key_type=one) for one in ("rsa", "ec")] == [one.thumbprint for one in old]
    assert stage.server.reloads() == 0


def test_each_certificate_of_a_site_has_its_own_successor(place, authority):
    old, stage = two_key_types(place, authority)
    new = [authority.issue(NAME, key=key) for key in ("rsa2048", "ec")]
    for one, (path, _) in zip(new, stage.sites[0][1]):
        one.write(path.parent)
    done = stage.run("rebind", NAME)
    assert done.code == 0, done
    assert [stage.served(NAME, key_type=one) for one in ("rsa", "ec")] == [one.thumbprint for one in new]


def test_an_ambiguous_new_is_refused_with_the_thumbprints(place, authority):
    """Two servers with the name of the site, and a certificate of one key type each."""
    old = [authority.issue(NAME, days=20) for _ in range(2)]
    stages = [place.nginx("one"), place.nginx("two")]
    sites = [make_site(place, one, NAME, directory=place / f"certs/{i}") for i, one in enumerate(old)]
    for server, site in zip(stages, sites):
        server.write(site.block()).start()
    path, _ = authority.issue(NAME).write(place / "new")
    before = snapshot(place.path)
    done = place.run("rebind", NAME, path, *[word for one in stages for word in ("--service", one.service)])
    assert done.code == 1, done
    assert all(one.thumbprint[:16] in done.err for one in old), done
    assert "next" in done.err or "certrebind rebind" in done.err
    assert not difference(before, snapshot(place.path))
    assert [one.reloads() for one in stages] == [0, 0]


# ------------------------------------------------------------------------------- names

@pytest.mark.parametrize("verb", ["rebind", "plan", "switch", "undo"])
def test_a_misspelt_site_is_refused_and_the_right_one_offered(shop, verb):
    done = shop.run(verb, "shop.exmple.com")
    assert done.code == 1, done
    assert f"did you mean {NAME}?" in done.err


def test_the_default_server_is_not_meant_by_every_name(shop):
    renew_in_place(shop)
    done = shop.run("rebind", "elsewhere.test")
    assert done.code == 1, done
    assert shop.nginx.reloads() == 0


def test_a_name_below_a_wildcard_is_its_site(place, authority):
    stage = OneSite(place, authority, "*.example.com")
    renew_in_place(stage)
    done = stage.run("rebind", "www.example.com")
    assert done.code == 0, done
    assert stage.nginx.reloads() == 1


@pytest.mark.parametrize("words", [[NAME], [NAME, "{new}"], [TYPO, "{new}"], ["{old}", NAME]])
def test_a_file_that_others_may_have_made_is_not_the_site(shop, authority, words):
    """The victim's certificate under the name of a site, in a directory that others write to."""
    directory = shop.place / "anybody"
    directory.mkdir()
    for name in (NAME, TYPO):
        write(directory / name, authority.issue("victim.example.com").fullchain_pem)
    directory.chmod(0o777)
    renew_in_place(shop)
    for verb in ("rebind", "plan", "switch"):
        done = shop.run(verb, *[word.format(new=shop.new_cert, old=shop.old.thumbprint) for word in words], cwd=directory)
        assert done.code == 1, done
        assert "a site, and also a file here" in done.err and "for the file, type ./" in done.err
    assert shop.nginx.reloads() == 0


@pytest.mark.parametrize("name", ["db", "cafe", "feed"])
def test_a_site_may_be_called_like_a_few_digits(place, authority, name):
    stage = OneSite(place, authority, name)
    directory = place / "anybody"
    directory.mkdir()
    write(directory / name, authority.issue("victim.example.com").fullchain_pem)
    directory.chmod(0o777)
    done = stage.run("rebind", name, stage.new_cert, cwd=directory)
    assert done.code == 1 and "it is a site, and also a file here" in done.err, done
    assert stage.run("rebind", name, stage.new_cert).code == 0 and stage.served() == stage.new.thumbprint


def test_a_file_of_roots_comes_before_a_site(place, authority):
    stage = OneSite(place, authority, NAME)
    directory = place / "mine"
    directory.mkdir(mode=0o700)
    write(directory / NAME, stage.old.fullchain_pem)
    # Below /tmp; the directory itself is ours alone.
    done = stage.run("rebind", NAME, stage.new_cert, cwd=directory)
    assert done.code == 0, done
    assert stage.served() == stage.new.thumbprint
    assert stage.run("rebind", NAME, cwd=directory).code == 2


@pytest.mark.parametrize("words, cause", [
    (["{new}"], "they come in pairs"),
    (["{old}", NAME], "they come in pairs"),
    ([NAME, "--key", "{new}"], "name NEW after the site"),
    ([], "there are none"),
])
def test_words_in_another_order_are_a_usage_error(shop, words, cause):
    typed = [word.format(new=shop.new_cert, old=shop.old.thumbprint) for word in words]
    done = shop.run("rebind", *typed)
    assert done.code == 2 and cause in done.err, done


def test_hostile_names_are_printed_escaped(shop):
    done = shop.run("rebind", "evil\x1b[31m.example.com")
    assert done.code == 1 and "\x1b" not in done.all, done


# ------------------------------------------------------------------------------ undo, switch

def test_undo_takes_back_the_last_rebind_of_a_site(place, authority):
    names = (NAME, "other.example.com")
    pairs = [authority.pair(name) for name in names]
    stage = NginxStage(place, *[(name, [old]) for name, (old, _) in zip(names, pairs)])
    for name, (old, new) in zip(names, pairs):
        path, _ = new.write(place / f"new/{name}")
        assert stage.run("rebind", name, path, "--rewrite").code == 0
    done = stage.run("undo", NAME)
    assert done.code == 0, done
    assert stage.served(NAME) == pairs[0][0].thumbprint
    assert stage.served(names[1]) == pairs[1][1].thumbprint
    again = stage.run("undo", NAME)
    assert again.code == 0 and "nothing to do" in again.out, again
    assert stage.run("undo", names[1]).code == 0
    assert stage.served(names[1]) == pairs[1][0].thumbprint


def test_switch_declares_what_a_site_needs(shop):
    shop.new.write(shop.place / "store", "shop.pem", "shop.key")
    shop.place.configure(stores=[("directory", shop.place / "store")])
    done = shop.run("switch", NAME, "--json")
    assert done.code == 0, done
    assert done.json["declared"] == [{"old": shop.old.thumbprint, "new": shop.new.thumbprint}]
    assert shop.nginx.reloads() == 0
    assert shop.run("rebind", "--pending").code == 0
    assert shop.served() == shop.new.thumbprint


def test_sites_and_pairs_may_be_mixed(place, authority):
    names = ("a.example.com", "b.example.com", "c.example.com")
    pairs = [authority.pair(name) for name in names]
    stage = NginxStage(place, *[(name, [old]) for name, (old, _) in zip(names, pairs)])
    paths = [new.write(place / f"new/{name}")[0] for name, (_, new) in zip(names, pairs)]
    pairs[0][1].write(stage.sites[0][1][0][0].parent)
    done = stage.run("rebind", names[0], names[1], paths[1], pairs[2][0].thumbprint, paths[2])
    assert done.code == 0, done
    assert [stage.served(name) for name in names] == [new.thumbprint for _, new in pairs]
    assert stage.server.reloads() == 1
