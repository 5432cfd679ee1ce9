"""Real renewers against a real ACME server: who renews what, and `renew` and `autoenroll`."""
import datetime
import os
import tomllib

import pytest

import acme
from command import BINARY, ROOT
from files import write


@pytest.fixture
def pebble(place):
    return acme.Pebble(place)


def use(place, *issued, more=""):
    place.config.write_text(f"default_stores = false\n{more}" +
                            "".join(one.store for one in issued))


def listed(place, issued):
    """What `certificates` says of it."""
    done = place.run("certificates", "--json")
    assert done.code == 0, done
    [entry] = [one for one in done.json["certificates"] if one["path"] == str(issued.certificate)]
    return entry


@pytest.mark.parametrize("issue", acme.BY_ACME, ids=lambda f: f.__name__.removeprefix("issued_by_"))
def test_a_real_renewer_is_named_and_told(place, pebble, issue):
    issued = issue(place, pebble)
    use(place, issued)
    entry = listed(place, issued)
    assert entry["store"] == issued.renewer
    assert entry["renewer"]["name"] == issued.renewer
    assert entry["renewer"]["lineage"] == issued.name
    assert entry["renewer"]["key_path"] == str(issued.key)
    due = datetime.datetime.fromisoformat(entry["renewer"]["next_due"])
    end = datetime.datetime.fromisoformat(entry["not_after"])
    assert end - due == datetime.timedelta(days=30)
    before = issued.thumbprint
    assert entry["thumbprint"] == before
    done = place.run("renew", issued.name, env=issued.env)
    assert done.code == 0, done
    assert issued.thumbprint != before
    assert f"a new certificate is at {issued.certificate}" in done.out
    assert issued.thumbprint[:16] in done.out
    assert listed(place, issued)["thumbprint"] == issued.thumbprint


@pytest.mark.parametrize("issue", acme.BY_ACME, ids=lambda f: f.__name__.removeprefix("issued_by_"))
def test_the_renewer_itself_renews_at_the_same_place(place, pebble, issue):
    issued = issue(place, pebble)
    before = issued.thumbprint
    issued.renew()
    assert issued.thumbprint != before
    use(place, issued)
    assert listed(place, issued)["thumbprint"] == issued.thumbprint


def test_certbots_hook_and_renewal_configuration(place, pebble):
    hook = f"echo $RENEWED_LINEAGE >> {place.path}/deployed"
    issued = acme.issued_by_certbot(place, pebble, deploy_hook=hook)
    use(place, issued)
    entry = listed(place, issued)["renewer"]
    assert entry["hooks"] == [hook]
    assert entry["directory"] == str(issued.certificate.parent)
    (place / "deployed").unlink(missing_ok=True)
    assert place.run("renew", issued.thumbprint[:12], env=issued.env).code == 0
    assert (place / "deployed").read_text().split() == [entry["directory"]]
    conf = place.path / "certbot/renewal" / f"{issued.name}.conf"
    conf.write_text(conf.read_text().replace("# renew_before_expiry = 30 days",
                                             "renew_before_expiry = 2 days"))
    entry = listed(place, issued)
    end = datetime.datetime.fromisoformat(entry["not_after"])
    due = datetime.datetime.fromisoformat(entry["renewer"]["next_due"])
    assert end - due == datetime.timedelta(days=2)
    before = issued.thumbprint
    done = place.run("renew", issued.name, env=issued.env)
    assert done.code == 0 and "found nothing to do" in done.out and "--force" in done.out, done
    assert issued.thumbprint == before
    done = place.run("renew", issued.name, "--force", env=issued.env)
    assert done.code == 0 and issued.thumbprint != before, done


def test_what_a_renewer_writes_stays_readable_for_others(place, pebble):
    """certrebind keeps its own files private; what it starts has the mask of a timer."""
    issued = acme.issued_by_certbot(place, pebble)
    use(place, issued)
    assert place.run("renew", issued.name, env=issued.env).code == 0
    assert issued.certificate.stat().st_mode & 0o777 == 0o644
    assert issued.key.stat().st_mode & 0o777 == 0o600


def test_uacme_that_finds_nothing_to_do(place, pebble):
    issued = acme.issued_by_uacme(place, pebble)
    issued.store = issued.store.replace('"issue"', '"-d", "3", "issue"')
    use(place, issued)
    before = issued.thumbprint
    done = place.run("renew", issued.name)
    assert issued.thumbprint == before
    assert "found nothing to do" in done.out, "its exit status 1 says so"


def test_dehydrateds_alias_and_hook(place, pebble):
    hook = acme.script(place / "hook.sh", "exit 0")
    issued = acme.issued_by_dehydrated(place, pebble, alias="web", hook=hook)
    use(place, issued)
    entry = listed(place, issued)["renewer"]
    assert entry["lineage"] == "web" and entry["hooks"] == [str(hook)]
    assert "--alias web" in entry["renew_command"]
    before = issued.thumbprint
    done = place.run("renew", str(issued.certificate))
    assert done.code == 0 and issued.thumbprint != before, done


def test_acme_sh_by_its_layout(place, authority):
    copy = place.path / "etc" / "f.pem"
    issued = acme.issued_by_acme_sh(place, authority, installed=copy)
    write(copy, issued.certificate.read_text())
    use(place, issued)
    before = issued.thumbprint
    entry = listed(place, issued)
    assert entry["renewer"]["name"] == "acme.sh"
    assert entry["renewer"]["next_due"] == "2023-11-14T22:13:20Z"
    done = place.run("renew", issued.name, "--json")
    assert done.code == 0 and done.json["renewed"] and done.json["before"] == before, done
    assert done.json["after"] == issued.thumbprint != before
    called = (place / "acme.sh/called").read_text().split()
    assert called == ["--renew", "-d", issued.name, "--ecc", "--home", f"{place.path}/acme.sh"]
    assert copy.read_text() == issued.certificate.read_text()


def test_nobody_renews_a_plain_file(place, authority):
    certificate, _ = authority.issue("n.example.com").write(place / "certs", "n.pem", "n.key")
    place.configure(stores=[("directory", place / "certs")])
    [entry] = place.run("certificates", "--json").json["certificates"]
    assert entry["path"] == str(certificate) and entry["renewer"] is None
    assert "nobody" in place.run("certificates").out
    done = place.run("renew", "n.example.com")
    assert done.code == 1 and "nobody renews it" in done.err and "[[store]]" in done.err
    assert place.run("renew", "other.example.com").code == 2


def test_a_dry_run_runs_nothing(place, authority):
    issued = acme.issued_by_acme_sh(place, authority)
    use(place, issued)
    before = issued.thumbprint
    done = place.run("renew", issued.name, "--dry-run")
    assert done.code == 0 and f"--renew -d {issued.name}" in done.out
    assert issued.thumbprint == before and not (place / "acme.sh/called").exists()


def test_a_renewer_that_fails_is_told_with_its_output(place, authority):
    issued = acme.issued_by_acme_sh(place, authority)
    acme.script(place / "acme.sh/acme.sh", "echo the CA said no; exit 3")
    use(place, issued)
    done = place.run("renew", issued.name)
    assert done.code == 1 and "the CA said no" in done.out and "status 3" in done.out, done


def test_a_renewer_that_lies_is_not_believed(place, authority):
    """Due, exit status 0, and nothing new there."""
    issued = acme.issued_by_acme_sh(place, authority)
    acme.script(place / "acme.sh/acme.sh", "echo renewed; exit 0")
    use(place, issued)
    done = place.run("renew", issued.name)
    assert done.code == 1 and "no new certificate" in done.out, done


@pytest.mark.skipif(not ROOT, reason="needs root")
def test_a_script_of_another_user_is_not_run_as_root(place, authority):
    issued = acme.issued_by_acme_sh(place, authority)
    os.chown(place / "acme.sh/acme.sh", 65534, 65534)
    use(place, issued)
    done = place.run("renew", issued.name)
    assert done.code == 1 and "another user" in done.err, done
    assert not (place / "acme.sh/called").exists()


# ------------------------------------------------------------------------------------ autoenroll

def near_end(place, authority):
    issued = acme.issued_by_acme_sh(place, authority)
    now = datetime.datetime.utcnow().replace(microsecond=0)
    old = authority.issue(issued.name, not_before=now - datetime.timedelta(days=80),
                          not_after=now + datetime.timedelta(days=10))
    old.write(issued.certificate.parent, issued.certificate.name, issued.key.name)
    return issued


def test_autoenroll_is_off_until_it_is_enabled(place, authority):
    use(place, near_end(place, authority))
    task = place.path / "tasks.d/autoenroll.toml"
    assert "off" in place.run("autoenroll").out and not task.exists()
    assert place.run("autoenroll", "status", "--json").json["enabled"] is False
    assert place.run("autoenroll", "enable").code == 0
    written = tomllib.loads(task.read_text())
    assert written["name"] == "autoenroll" and written["every"] == "8h"
    assert written["retries"] == 0 and written["description"]
    assert written["command"][0] == os.path.realpath(BINARY)
    assert written["command"][-2:] == ["autoenroll", "run"]
    assert task.stat().st_mode & 0o777 == 0o644
    assert place.run("autoenroll", "enable").code == 0, "a second time"
    assert place.run("autoenroll", "status", "--json").json["enabled"] is True
    assert place.run("autoenroll", "disable").code == 0 and not task.exists()
    assert place.run("autoenroll", "disable").code == 0
    assert list(task.parent.iterdir()) == []


def test_the_task_renews_what_is_near_its_end_through_its_owner(place, authority):
    issued = near_end(place, authority)
    use(place, issued)
    assert place.run("autoenroll", "enable").code == 0
    before = issued.thumbprint
    done = place.run("task", "run", "autoenroll")
    assert done.code == 0, done
    assert issued.thumbprint != before
    assert "--force" in (place / "acme.sh/called").read_text()
    (place / "acme.sh/called").unlink()
    done = place.run("autoenroll", "run")
    assert done.code == 0 and not (place / "acme.sh/called").exists(), "not near its end any more"


def test_autoenroll_says_what_it_cannot_renew(place, authority):
    issued = near_end(place, authority)
    (place / "acme.sh/acme.sh").unlink()
    use(place, issued)
    done = place.run("autoenroll", "run")
    assert done.code == 1 and "cannot be renewed: acme.sh is not installed" in done.out, done


@pytest.fixture
def with_timer(place):
    """What goes before certrebind so that it sees a host that systemd runs, with an enabled timer
    of acme.sh: in a mount namespace of its own."""
    return [acme.script(
        place / "with-timer.sh",
        "exec unshare -m sh -c '"
        "mount -t tmpfs none /run && mkdir -p /run/systemd/system && "
        "mount -t tmpfs none /etc/systemd/system && cd /etc/systemd/system && "
        "mkdir timers.target.wants && ln -s ../acme.timer timers.target.wants/acme.timer && "
        "echo \"[Timer]\" > acme.timer && "
        f"printf \"[Service]\\nExecStart={place.path}/acme.sh/acme.sh --cron\\n\" > acme.service && "
        "cd / && exec \"$@\"' with-timer \"$@\"")]


@pytest.mark.skipif(not ROOT, reason="needs root")
def test_what_has_a_timer_is_left_to_it(place, authority, with_timer):
    issued = near_end(place, authority)
    use(place, issued)
    assert "acme.sh, but nothing runs it" in place.run("certificates").out
    table = place.run("certificates", before=with_timer).out
    assert "acme.sh" in table and "nothing runs it" not in table
    [entry] = place.run("certificates", "--json", before=with_timer).json["certificates"]
    assert entry["renewer"]["scheduled_by"] == "acme.timer"
    done = place.run("autoenroll", "enable", before=with_timer)
    assert "acme.sh is run by acme.timer" in done.out, done
    done = place.run("autoenroll", "run", before=with_timer)
    assert done.code == 0 and "left to acme.timer" in done.out, done
    assert not (place / "acme.sh/called").exists()
    before = issued.thumbprint
    done = place.run("autoenroll", "run", "--all", before=with_timer)
    assert done.code == 0 and issued.thumbprint != before, done
