"""The daemon on real nginx and with real renewers: what is renewed is noticed, and served."""
import os
import pathlib
import shutil
import signal
import time

import pytest

import acme
from command import BINARY
from files import difference, snapshot, write
from handshakes import handshake
from markers import both_builds, needs_root
from pki import Authority
from ports import free_port
from stages.daemon import RENEWED, Watch, allow, proven
from stages.one_site import OneSite, Site, make_site
from waiting import until


# ------------------------------------------------------------------------- each way of writing

def copy(path, text):
    """cp: truncates and writes, the same inode."""
    path.write_text(text)


def move(path, text):
    write(path, text, path.stat().st_mode & 0o777)


def unlink_and_create(path, text):
    path.unlink()
    path.write_text(text)


def editor(path, text):
    """As vim with a backup: the old file becomes NAME~, a fresh one takes its name."""
    path.rename(path.with_name(path.name + "~"))
    temporary = path.with_name(".swap")
    temporary.write_text(text)
    temporary.rename(path)
    path.with_name(path.name + "~").unlink()


def in_pieces(path, text):
    with open(path, "w") as out:
        for line in text.splitlines(keepends=True):
            out.write(line)
            out.flush()


WAYS = {"cp": copy, "mv": move, "unlink": unlink_and_create, "editor": editor, "pieces": in_pieces}


@pytest.mark.parametrize("order", ["key_first", "certificate_first"])
@pytest.mark.parametrize("way", WAYS)
def test_a_renewal_is_noticed_however_it_is_written(one, way, order):
    watch = Watch(one.place, one.nginx).start(one.old)
    parts = [(one.site.key_path, one.new.key_pem), (one.site.cert_path, one.new.fullchain_pem)]
    for path, text in parts if order == "key_first" else reversed(parts):
        WAYS[way](path, text)
    proven(one.nginx, watch, one.old, one.new, one.port)


def lay_certbot(base, certificate, number):
    archive, live = base / "archive/a", base / "live/a"
    certificate.write(archive, f"fullchain{number}.pem", f"privkey{number}.pem")
    live.mkdir(parents=True, exist_ok=True)
    for stem in ("privkey", "fullchain"):
        fresh = live / f"{stem}.fresh"
        fresh.symlink_to(f"../../archive/a/{stem}{number}.pem")
        fresh.rename(live / f"{stem}.pem")


def lay_kubernetes(base, certificate, number):
    """A directory of each version, and ..data that is flipped from one to the next."""
    certificate.write(base / f"..v{number}")
    fresh = base / "..data_tmp"
    fresh.symlink_to(f"..v{number}")
    fresh.rename(base / "..data")
    for name in ("fullchain.pem", "privkey.pem"):
        if not (base / name).is_symlink():
            (base / name).symlink_to(f"..data/{name}")
    if number > 1:
        shutil.rmtree(base / f"..v{number - 1}")


def lay_anew(base, certificate, number):
    """The whole directory goes, and comes back."""
    if number > 1:
        shutil.rmtree(base)
    certificate.write(base)


def lay_beside(base, certificate, number):
    """A new directory takes the place of the old one."""
    certificate.write(base.with_name("fresh"))
    if number > 1:
        base.rename(base.with_name("former"))
    base.with_name("fresh").rename(base)


LAYOUTS = {"certbot": (lay_certbot, "live/a"), "kubernetes": (lay_kubernetes, ""),
           "vanishing": (lay_anew, ""), "renamed": (lay_beside, "")}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_renewal_is_noticed_through_links_and_directories(place, authority, layout):
    lay, inner = LAYOUTS[layout]
    old, new = authority.pair("a.example.com")
    base = place / "tls" / layout
    lay(base, old, 1)
    files = base / inner
    one_site = Site("a.example.com", free_port(), old, files / "fullchain.pem",
                    files / "privkey.pem")
    nginx = place.nginx()
    nginx.write(one_site.block()).start()
    stores = [("certbot", base)] if layout == "certbot" else []
    watch = Watch(place, nginx, stores=stores).start(old)
    lay(base, new, 2)
    nginx.wait_served(new.thumbprint, one_site.port, one_site.name)
    watch.wait_for(2002, new)
    watch.idle()
    # In certbot's archive a new file is a place of its own, and OLD stays there: not archived.
    paths = [e for e in watch.events(old, new) if e["id"] < 2000]
    assert watch.count(1001, new) == 1 and nginx.reloads() == 1
    if layout != "certbot":
        assert [e["id"] for e in paths] == RENEWED


def test_a_directory_that_is_long_gone_and_returns(one):
    watch = Watch(one.place, one.nginx).start(one.old)
    directory = one.site.cert_path.parent
    shutil.rmtree(directory)
    watch.wait_for(1004, one.old)
    one.new.write(directory)
    one.nginx.wait_served(one.new.thumbprint, one.port, one.name)
    watch.idle()
    assert one.nginx.reloads() == 1


# ---------------------------------------------------------------------- pairs that do not match

def test_a_pair_that_does_not_match_is_told_and_waited_for(one):
    watch = Watch(one.place, one.nginx).start(one.old)
    copy(one.site.cert_path, one.new.fullchain_pem)
    watch.wait_for(1009, one.new)
    assert one.served() == one.old.thumbprint and one.nginx.reloads() == 0
    assert watch.ids(one.new) == [1009]
    copy(one.site.key_path, one.new.key_pem)
    one.nginx.wait_served(one.new.thumbprint, one.port, one.name)
    watch.wait_for(2002, one.new)
    watch.idle()
    assert watch.ids(one.old, one.new) == [1009, *RENEWED]
    assert one.nginx.reloads() == 1


# ------------------------------------------------------------------------------------- downtime

def test_what_was_renewed_while_nobody_watched(place, authority):
    chain = [authority.issue("a.example.com", days=20 + n) for n in range(4)]
    stage = OneSite(place, authority, old=chain[0])
    watch = Watch(place, stage.nginx).start(chain[0])
    watch.idle()
    assert watch.stop() == 0
    for number in (1, 2, 3):
        chain[number].write(stage.site.cert_path.parent)
    watch.start(chain[3])
    stage.nginx.wait_served(chain[3].thumbprint, stage.port, stage.name)
    watch.wait_for(2002, chain[3])
    watch.idle()
    assert stage.nginx.reloads() == 1
    assert watch.ids(chain[0], chain[3]) == RENEWED
    assert watch.ids(chain[1], chain[2]) == []


def test_a_hook_that_reloaded_already(one):
    watch = Watch(one.place, one.nginx, quiet=1).start(one.old)
    watch.idle()
    looks = watch.count(2014)
    one.new.write(one.site.cert_path.parent)
    one.nginx.reload()
    watch.wait_for(2014, times=looks + 1)
    assert watch.ids(one.old, one.new) == RENEWED
    assert watch.ids(among=[2001, 2002]) == []
    assert one.nginx.reloads() == 1 and one.served() == one.new.thumbprint


# ---------------------------------------------------------------------------- drift, and copies

def test_drift_from_before_the_daemon_is_healed(one):
    one.new.write(one.site.cert_path.parent)
    watch = Watch(one.place, one.nginx).start(one.new)
    one.nginx.wait_served(one.new.thumbprint, one.port, one.name)
    watch.wait_for(2002, one.new)
    watch.idle()
    assert one.nginx.reloads() == 1


def copied(place, authority, inner="live/a"):
    """nginx is configured with a copy of what certbot keeps."""
    old, new = authority.pair("a.example.com")
    base = place / "certbot"
    lay_certbot(base, old, 1)
    stage = OneSite(place, authority, old=old)
    return stage, base, old, new


def test_a_copy_follows_what_is_renewed_in_its_store(place, authority):
    stage, base, old, new = copied(place, authority)
    watch = Watch(place, stage.nginx, stores=[("certbot", base)]).start(old)
    watch.idle()
    before = snapshot(base / "archive/a")
    lay_certbot(base, new, 2)
    stage.nginx.wait_served(new.thumbprint, stage.port, stage.name)
    watch.wait_for(2002, new)
    watch.idle()
    assert stage.nginx.reloads() == 1
    assert snapshot(base / "archive/a/fullchain1.pem") == {
        path: seen for path, seen in before.items() if path.endswith("fullchain1.pem")}


def test_the_same_identity_in_a_store_succeeds_a_copy(place, authority):
    """OLD was never seen in the store: by its names alone."""
    old, new = authority.pair("a.example.com")
    stage = OneSite(place, authority, old=old)
    lego = place / "lego"
    (lego / "certificates").mkdir(parents=True)
    watch = Watch(place, stage.nginx, stores=[("lego", lego)]).start(old)
    watch.idle()
    new.write(lego / "certificates", "a.example.com.crt", "a.example.com.key")
    stage.nginx.wait_served(new.thumbprint, stage.port, stage.name)
    watch.wait_for(2002, new)
    watch.idle()
    assert stage.nginx.reloads() == 1


# ------------------------------------------------------------------- what only a person decides

def test_two_candidates_need_a_person(place, authority):
    old = authority.issue("a.example.com", days=20)
    one_of, other = authority.issue("a.example.com", days=80), authority.issue("a.example.com")
    stage = OneSite(place, authority, old=old)
    store = place / "store"
    store.mkdir()
    watch = Watch(place, stage.nginx, stores=[("directory", store)], quiet=1).start(old)
    watch.idle()
    before = snapshot(place.path, without=("run", "state", "home", "store", "daemon.log"))
    for name, new in (("one", one_of), ("other", other)):
        new.write(store, f"{name}.pem", f"{name}.key")
    needed = until(lambda: watch.status()["needs_person"], "somebody is needed")
    watch.idle()
    assert one_of.thumbprint[:16] in needed[0]["sentence"]
    assert other.thumbprint[:16] in needed[0]["sentence"]
    assert watch.run("status").code == 1 and watch.count(2012) == 1
    assert stage.served() == old.thumbprint and stage.nginx.reloads() == 0
    after = snapshot(place.path, without=("run", "state", "home", "store", "daemon.log"))
    assert difference(before, after) == []
    (store / "one.pem").unlink()
    (store / "one.key").unlink()
    watch.wait_for(1004, one_of)
    assert watch.run("rebind", "--pending").code == 0
    assert stage.served() == other.thumbprint
    assert watch.status()["needs_person"] == [] and watch.count(2013) == 1


@pytest.mark.parametrize("rule, told", [
    ('automatic = "no"', "excluded by a policy"),
    ('automatic = "notify"', "notify only"),
    ('window = "{window}"', "waits for its window")])
def test_a_policy_holds_back(place, authority, rule, told):
    hour = (time.localtime().tm_hour + 6) % 24
    stages = {}
    for name in ("held", "free"):
        old, new = authority.pair(f"{name}.example.com")
        one_site = make_site(place, old, f"{name}.example.com")
        nginx = place.nginx(name)
        nginx.write(one_site.block()).start()
        stages[name] = old, new, one_site, nginx
    held, free = stages["held"], stages["free"]
    policy = allow(held[3], rule.format(window=f"{hour:02}:00-{(hour + 1) % 24:02}:00"))
    watch = Watch(place, policy=policy + allow(free[3])).start(held[0], free[0])
    watch.idle()
    held[1].write(held[2].cert_path.parent)
    watch.wait_for(1005, held[0])
    free[1].write(free[2].cert_path.parent)
    free[3].wait_served(free[1].thumbprint, free[2].port, free[2].name)
    watch.wait_for(2002, free[1])
    watch.idle()
    assert handshake(held[2].port, held[2].name) == held[0].thumbprint
    assert held[3].reloads() == 0 and free[3].reloads() == 1
    assert watch.ids(held[0], held[1]) == RENEWED
    assert told in watch.run("rebind", "--pending", "--dry-run").out
    assert (watch.status()["needs_person"] != []) == ("notify" in rule)
    assert watch.run("status").code == (1 if "notify" in rule else 0)


def test_a_failed_preflight_needs_a_person(one):
    """NEW has lost the site's name."""
    new = Authority().issue("b.example.com")
    watch = Watch(one.place, one.nginx).start(one.old)
    watch.idle()
    new.write(one.site.cert_path.parent)
    watch.wait_for(2012)
    needed = until(lambda: watch.status()["needs_person"], "somebody is needed")
    assert any(one.nginx.service in each["subject"] + each["sentence"] for each in needed), needed
    assert watch.run("status").code == 1 and watch.count(2012) == 1
    assert one.served() == one.old.thumbprint and one.nginx.reloads() == 0
    one.new.write(one.site.cert_path.parent)
    one.nginx.wait_served(one.new.thumbprint, one.port, one.name)
    until(lambda: watch.status()["needs_person"] == [], "nobody is needed any more")
    watch.idle()
    assert watch.count(2012) == watch.count(2013) == 1 and one.nginx.reloads() == 1


# ------------------------------------------------------------------------------------ a batch

def test_twenty_renewals_at_once_are_one_reload(place, authority):
    names = [f"s{number}.example.com" for number in range(20)]
    pairs = {name: authority.pair(name) for name in names}
    port = free_port()
    sites = [make_site(place, pairs[name][0], name, port) for name in names]
    nginx = place.nginx()
    nginx.write("".join(each.block() for each in sites)).start()
    watch = Watch(place, nginx, quiet=0.5).start(*(old for old, _ in pairs.values()))
    watch.idle()
    for each in sites:
        pairs[each.name][1].write(each.cert_path.parent)
    for name in names:
        nginx.wait_served(pairs[name][1].thumbprint, port, name)
    watch.wait_for(2002)
    watch.idle()
    assert nginx.reloads() == 1
    replaced = [event["new"] for event in watch.events() if event["id"] == 1001]
    assert sorted(replaced) == sorted(new.thumbprint for _, new in pairs.values())


# ------------------------------------------------------------------------------- the daemon itself

def test_sigterm_ends_it_and_status_says_so(one):
    watch = Watch(one.place, one.nginx).start(one.old)
    assert watch.run("status").code == 0
    assert watch.stop() == 0
    assert watch.count(2010) == watch.ids(among=[2011]).count(2011) == 1
    done = watch.run("status", "--json")
    assert done.code == 1 and done.json["daemon"] is False


def test_sighup_makes_it_look_again(place, authority, one):
    """A second server is nothing that the kernel tells of."""
    watch = Watch(place, one.nginx).start(one.old)
    watch.idle()
    old, new = authority.pair("b.example.com")
    second = make_site(place, old, "b.example.com")
    nginx = place.nginx("second")
    nginx.write(second.block()).start()
    watch.daemon.send_signal(signal.SIGHUP)
    until(lambda: old.thumbprint in watch.watched(), "the second server is watched")
    new.write(second.cert_path.parent)
    watch.wait_for(1005, old)
    assert watch.is_up()


def test_a_second_daemon_is_refused(one):
    watch = Watch(one.place, one.nginx).start(one.old)
    done = watch.run("daemon")
    assert done.code not in (0, 2), done
    assert "cannot start the daemon" in done.err and "runs already" in done.err
    assert str(watch.daemon.pid) in done.err, "it says which"
    assert watch.is_up()


def test_killed_between_renewal_and_rebind(one):
    watch = Watch(one.place, one.nginx, quiet=20).start(one.old)
    watch.idle()  # it looks once when it starts
    one.new.write(one.site.cert_path.parent)
    watch.wait_for(1005, one.old)
    assert watch.stop(signal.SIGKILL) == -signal.SIGKILL
    assert one.served() == one.old.thumbprint
    text = one.place.config.read_text()
    one.place.config.write_text(text.replace("quiet_seconds = 20", "quiet_seconds = 0.2"))
    watch.start(one.new)
    proven(one.nginx, watch, one.old, one.new, one.port)


@both_builds
def test_killed_in_the_middle_of_a_rebind(place, authority):
    gate = place.gate()
    old, new = authority.pair("a.example.com")
    one_site = make_site(place, old)
    nginx = place.nginx()
    gate.open()
    nginx.write(gate.directive + one_site.block()).start()
    watch = Watch(place, nginx).start(old)
    watch.idle()
    gate.close()
    new.write(one_site.cert_path.parent)
    gate.wait_for_load()
    assert watch.stop(signal.SIGKILL) == -signal.SIGKILL
    watch.start(new)
    gate.open()
    nginx.wait_served(new.thumbprint, one_site.port, one_site.name)
    until(lambda: watch.count(2002, new) + watch.count(2006, new), "it is proven")
    assert watch.ids(old, new) == RENEWED
    assert nginx.reloads() == 1


def test_a_site_that_is_added_is_watched(place, authority, one):
    watch = Watch(place, one.nginx).start(one.old)
    watch.idle()
    old, new = authority.pair("b.example.com")
    added = make_site(place, old, "b.example.com")
    one.nginx.write(one.site.block() + added.block())
    one.nginx.reload()
    until(lambda: old.thumbprint in watch.watched(), "the new site is watched")
    watch.idle()
    new.write(added.cert_path.parent)
    one.nginx.wait_served(new.thumbprint, added.port, added.name)
    watch.wait_for(2002, new)
    watch.idle()
    assert watch.ids(new) == [1006, 1008, 1001]
    assert one.served() == one.old.thumbprint and one.nginx.reloads() == 2


# --------------------------------------------------------------------------------- real renewers

class Lying:
    """What lies at a renewer's place now."""

    def __init__(self, issued):
        self.thumbprint = issued.thumbprint


def renewed_for_real(place, issued):
    """The renewer itself renews; no hook, no other help."""
    old = Lying(issued)
    one_site = Site(issued.name, free_port(), old, issued.certificate, issued.key)
    nginx = place.nginx()
    nginx.write(one_site.block()).start()
    assert handshake(one_site.port, issued.name) == old.thumbprint
    watch = Watch(place, nginx, more=issued.store).start(old)
    watch.idle()
    issued.renew()
    new = Lying(issued)
    assert new.thumbprint != old.thumbprint
    nginx.wait_served(new.thumbprint, one_site.port, issued.name)
    watch.wait_for(2002, new)
    watch.idle()
    [told] = [event for event in watch.events(new) if event["id"] == 1001]
    assert (told["old"], told["new"]) == (old.thumbprint, new.thumbprint)
    assert watch.details(told)["renewer"] == issued.renewer
    assert told["message"].endswith(f"by {issued.renewer}")
    assert watch.count(2002, new) == 1 and nginx.reloads() == 1


@pytest.mark.parametrize("issue", acme.BY_ACME, ids=lambda f: f.__name__.removeprefix("issued_by_"))
def test_what_a_real_renewer_renews_is_served(place, issue):
    renewed_for_real(place, issue(place, acme.Pebble(place)))


def test_what_acme_sh_renews_is_served(place, authority):
    renewed_for_real(place, acme.issued_by_acme_sh(place, authority))


def test_a_copy_that_acme_sh_installs_is_served(place, authority):
    """As `acme.sh --install-cert` does: the certificate is written at a second place, too."""
    copy_of = place / "installed/f.pem"
    issued = acme.issued_by_acme_sh(place, authority, installed=copy_of)
    write(copy_of, issued.certificate.read_text())
    old = Lying(issued)
    one_site = Site(issued.name, free_port(), old, copy_of, issued.key)
    nginx = place.nginx()
    nginx.write(one_site.block()).start()
    watch = Watch(place, nginx, more=issued.store).start(old)
    watch.idle()
    issued.renew()
    nginx.wait_served(issued.thumbprint, one_site.port, issued.name)
    watch.wait_for(2002, Lying(issued))
    watch.idle()
    assert watch.count(1001, old) == 1 and nginx.reloads() == 1


# ------------------------------------------------------------------------------- ordinary users

@needs_root
def test_an_ordinary_user_looks_after_what_is_his(place, authority):
    """An ordinary user's daemon, files and nginx. (As such a user, the whole file tests this.)"""
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    old, new = authority.pair("a.example.com")
    one_site = make_site(place, old)
    nginx = place.nginx()
    nginx.write(one_site.block())
    write(nginx.conf, nginx.conf.read_text().replace("user root;", ""))
    nginx.command = lambda *more, command=nginx.command: [*as_nobody, *command(*more)]
    (place / "bin").mkdir()
    program = shutil.copy(BINARY, place / "bin/certrebind")  # he may not go where it lies
    for path in [place.path, *place.path.rglob("*")]:
        os.chown(path, 65534, 65534)
    place.config.unlink()
    nginx.start()
    watch = Watch(place, nginx, before=[*as_nobody, "env", "-u", "XDG_RUNTIME_DIR"], enable=False)
    os.chown(place.config, 65534, 65534)
    place.binary = program
    assert watch.run("enable").code == 0
    watch.start(old)
    [status] = pathlib.Path(f"/proc/{watch.daemon.pid}/status").read_text().split(
        "\nUid:")[1:]
    assert status.split()[0] == "65534"
    new.write(one_site.cert_path.parent)
    for path in (one_site.cert_path, one_site.key_path):
        os.chown(path, 65534, 65534)
    proven(nginx, watch, old, new, one_site.port)


def test_many_renewals_leave_no_descriptor_open(one, place, authority):
    watch = Watch(place, one.nginx).start(one.old)
    watch.idle()

    def descriptors():
        return len(os.listdir(f"/proc/{watch.daemon.pid}/fd"))
    before = descriptors()
    for number in range(30):
        last = authority.issue("a.example.com")
        last.write(one.site.cert_path.parent)
        watch.wait_for(1006, times=number + 1)
    one.nginx.wait_served(last.thumbprint, one.port, one.name)
    watch.idle()
    assert descriptors() == before
