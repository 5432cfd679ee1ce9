"""`doctor` finds what would keep the next rebind from working, says how to mend it, and changes nothing."""
import os

import pytest

from files import difference, snapshot, write
from markers import needs_root
from servers.described import Squid
from stages.daemon import Watch
from stages.one_site import OneSite, make_site

WITHOUT = ("run", "state", "home", "daemon.log")
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def found(stage, *more, **options):
    """The sentences, after a look that changed nothing but the state."""
    before = snapshot(stage.place.path, WITHOUT)
    done = stage.run("doctor", "--json", *more, **options)
    assert done.code in (0, 1), done
    assert not difference(before, snapshot(stage.place.path, WITHOUT)), done
    assert (done.code == 1) == bool(done.json["found"])
    return [(each["subject"], each["sentence"], each["next"]) for each in done.json["found"]]


def says(stage, words, next_step="", **options):
    all_found = found(stage, **options)
    assert [each for each in all_found if words in each[1] and next_step in each[2]], all_found
    told = stage.run("doctor", **options)
    assert told.code == 1 and words in told.out and next_step in told.out, told


def test_nothing_found_is_0(place, authority):
    """Enabled, the daemon runs, somebody is told, and what nobody renews is left alone by a policy."""
    stage = OneSite(place, authority)
    watch = Watch(place, stage.nginx, policy="")
    assert place.run("enable", "--notify", "http://127.0.0.1:9/").code == 0
    watch.start()
    done = stage.run("doctor")
    assert done.code == 0 and "nothing was found" in done.out, done
    under_systemd = ["unshare", "-m", "sh", "-c",
                     'mount -t tmpfs none /run && mkdir -p /run/systemd/system && exec "$@"', "under-systemd"]
    says(stage, "is not started after a reboot", "systemctl enable certrebind", before=under_systemd)
    watch.stop()
    says(stage, "the daemon does not run", "systemctl enable --now certrebind")


def test_its_own_set_up(one):
    says(one, "certrebind is not enabled", "certrebind enable")
    assert one.place.run("enable").code == 0
    says(one, "nobody is told what needs a person", "certrebind enable --notify")
    one.place.configure("[daemon]\nquiet_second = 2\n")
    says(one, "'quiet_second'", "quiet_seconds")
    one.place.configure()
    write(one.place / "tasks.d/broken.toml", "nonsense = 1\n", 0o600)
    says(one, "broken.toml")


def test_the_state_directory(one):
    assert one.run("rebind", "--pending").code == 0
    one.place.state.chmod(0o755)
    says(one, "others than its owner may enter", f"chmod 0700 {one.place.state}")
    one.place.state.chmod(0o700)
    os.chown(one.place.state, 65534, 65534)
    says(one, "belongs to user 65534", "chown root:")


def test_no_space_and_read_only(place, authority):
    small = place.tmpfs("small", "200k")
    certificate = authority.issue("a.example.com")
    site = make_site(place, certificate, directory=small / "certs")
    nginx = place.nginx()
    nginx.write(site.block()).start()
    stage = OneSite.__new__(OneSite)
    stage.place, stage.nginx = place, nginx
    says(stage, "KiB left", "df -h")
    os.system(f"mount -o remount,ro {small}")
    says(stage, "is read-only", "findmnt")


def test_a_server_whose_own_test_fails(one):
    write(one.nginx.conf, one.nginx.conf.read_text().replace("http {", "http {\nnonsense;\n", 1))
    says(one, "the server's own test fails", "certrebind check")


def test_a_key_that_does_not_match(one, authority):
    write(one.site.key_path, authority.issue("a.example.com").key_pem, 0o600)
    says(one, "key")


def test_files_that_are_not_changed(place, authority):
    stage = OneSite(place, authority)
    stage.site.cert_path.parent.chmod(0o777)
    says(stage, "certrebind does not write there", "chown root")


def test_nobody_renews(one):
    says(one, "nobody is known to renew this certificate", "certrebind rebind SITE NEW.pem")


def test_a_renewer_that_nothing_runs(place, authority):
    stage = OneSite(place, authority)
    place.config.write_text(f'default_stores = false\n[[store]]\nkind = "directory"\npath = "{stage.site.cert_path.parent}"\n'
                            'renew = ["/bin/true", "{name}"]\n')
    says(stage, "but nothing runs it", "certrebind autoenroll enable")
    assert place.run("autoenroll", "enable").code == 0
    assert not [each for each in found(stage) if "nothing runs it" in each[1]]


@pytest.mark.parametrize("hook, is_named", [
    ("systemctl reload nginx squid", True), ("service squid reload", True), ("squid -k reconfigure", False),
    ("systemctl reload squid-deb-proxy", False)])
@pytest.mark.parametrize("is_script", [True, False], ids=["script", "command"])
@needs_root
def test_a_hook_that_reloads_what_that_harms(place, authority, hook, is_named, is_script):
    """Debian's unit sends Squid the HUP that ends it on a bad pair."""
    root = place / "letsencrypt"
    server = Squid(place / "s")
    place.at_end(server.stop)
    server.certificate, server.key = authority.issue("mx.test").write(root / "live/mx.test", "fullchain.pem", "privkey.pem")
    write(root / "renewal/mx.test.conf", "[renewalparams]\nauthenticator = standalone\n" +
          ("" if is_script else f"renew_hook = {hook}\n"))
    if is_script:
        write(root / "renewal-hooks/deploy/mine", f"#!/bin/sh\n{hook}\n", 0o755)
    server.write().start()
    place.configure(stores=[("certbot", root)])
    done = place.run("doctor")
    assert ("a hook of certbot reloads squid.service" in done.out) == is_named, done
    assert ("take that out of the hook" in done.out) == is_named, done


def test_the_clock(place, authority):
    import datetime
    later = datetime.datetime.utcnow().replace(microsecond=0) + datetime.timedelta(days=2)
    stage = OneSite(place, authority, old=authority.issue("a.example.com", not_before=later,
                                                          not_after=later + datetime.timedelta(days=30)))
    says(stage, "the clock of this machine shows", "timedatectl")


def test_sites_with_the_same_ailment_are_said_once(place, authority):
    sites = [make_site(place, authority.issue(name), name) for name in ("a.test", "b.test", "c.test", "d.test", "e.test")]
    nginx = place.nginx()
    nginx.write("".join(site.block() for site in sites)).start()
    stage = OneSite.__new__(OneSite)
    stage.place, stage.nginx = place, nginx
    told = [each[1] for each in found(stage) if "nobody is known to renew" in each[1]]
    assert told == ["a.test, b.test, c.test and 2 more: nobody is known to renew this certificate"]


def test_as_an_ordinary_user(one):
    """He may not see all, and that is said."""
    assert one.run("rebind", "--pending").code == 0
    done = one.run("doctor", before=NOBODY)
    assert done.code == 1 and "run this as root" in done.out, done


def test_no_server(place):
    done = place.run("doctor", "--service", f"nginx:{place.path}/none.conf")
    assert done.code != 0, done


def test_mail_without_a_mail_program(place, authority):
    stage = OneSite(place, authority)
    told = place.run("enable", "--notify", "mailto:root@localhost")
    missing = not os.path.exists("/usr/sbin/sendmail")
    assert told.code == 0 and ("cannot be told" in told.out) == missing, told
    assert any("mail cannot be sent" in each[1] for each in found(stage)) == missing
