"""`config check`, windows with days and zones, and a daemon that starts with a mistake in certrebind.toml."""
import datetime
import pathlib
import re

import pytest

from files import write
from stages.daemon import Watch
from stages.one_site import OneSite
from waiting import until

MANUAL = pathlib.Path(__file__).parents[2] / "packaging/man/certrebind.toml.5"


def check(stage, *more):
    return stage.run("config", "check", *more)


def setting(done, key):
    return next(one for one in done.json["settings"] if one["key"] == key)


# ---------------------------------------------------------------------------- what is in force

def test_every_setting_of_the_manual_is_there(one):
    done = check(one, "--json")
    assert done.code == 0, done
    known = {each["key"] for each in done.json["settings"]}
    wanted, section = set(), ""
    for line in MANUAL.read_text().splitlines():
        if line.startswith(".SH"):
            section = re.sub(r"[^a-z]", "", line) + "." if line.startswith(".SH [") and "[[" not in line else (
                "" if "TOP" in line else None)
        elif (key := re.match(r"\.BR (\w+) \" = \"", line)) and section is not None:
            wanted.add(section + key[1])
    assert wanted and wanted == known


def test_values_have_the_line_that_sets_them(one):
    one.place.configure("[daemon]\nquiet_seconds = 3.5\n")
    done = check(one, "--json")
    lines = one.place.config.read_text().splitlines()
    assert setting(done, "daemon.quiet_seconds") == {
        "key": "daemon.quiet_seconds", "value": "3.5", "line": lines.index("quiet_seconds = 3.5") + 1}
    assert setting(done, "default_stores")["value"] == "false"
    assert setting(done, "history.keep_days") == {"key": "history.keep_days", "value": "90", "line": None}
    told = check(one)
    assert "daemon.quiet_seconds = 3.5  (line " in told.out and "history.keep_days = 90  (default)" in told.out


def test_without_a_file_the_defaults_are_in_force(place):
    done = place.run("config", "check", "--json", env={"CERTREBIND_CONFIG": ""})
    assert all(each["line"] is None for each in done.json["settings"]) or pathlib.Path(
        "/etc/certrebind/certrebind.toml").exists()


def test_policies_and_stores_name_what_they_match(one):
    one.place.configure(f'[[policy]]\nsite = "{one.name}"\nautomatic = "notify"\n',
                        stores=[("directory", one.site.cert_path.parent)])
    done = check(one, "--json")
    assert done.code == 0, done
    assert [each["site"] for each in done.json["policies"][0]["bindings"]] == [one.name]
    assert [each["site"] for each in done.json["stores"][0]["bindings"]] == [one.name]
    told = check(one)
    assert f"matches 1 binding ({one.name})" in told.out


@pytest.mark.parametrize("what, text, stores", [
    ("policy", '[[policy]]\nsite = "elsewhere.test"\n', []),
    ("policy", '[[policy]]\nautomatic = "no"\n[[policy]]\nsite = "a.example.com"\n', []),
    ("store", "", [("directory", "/nowhere")]),
])
def test_what_matches_nothing_is_a_warning(one, what, text, stores):
    one.place.configure(text, stores=stores)
    done = check(one)
    assert done.code == 1, done
    assert f"this [[{what}]] matches no binding" in done.out and str(one.place.config) in done.out


# ------------------------------------------------------------------------------ mistakes

@pytest.mark.parametrize("text, says", [
    ("[daemon]\nquiet_second = 2\n", "did you mean 'quiet_seconds'?"),
    ("[daemon]\nlog_days = 0\n", "'log_days' must be"),
    ('[[policy]]\nwindow = "Sut 02:00-04:00"\n', "'Sut' is no day"),
    ('[[policy]]\nwindow = "02:00-04:00 Europe/Berln"\n', "no time zone 'Europe/Berln'"),
    ("[daemon\n", "certrebind.toml:2"),
])
@pytest.mark.parametrize("json", [False, True])
def test_a_mistake_is_2_with_file_and_line(one, text, says, json):
    one.place.configure(text)
    done = check(one, *["--json"] * json)
    assert done.code == 2, done
    assert says in done.all and re.search(re.escape(str(one.place.config)) + r":\d+", done.all), done
    if json:
        assert len(done.json["mistakes"]) == 1


def test_a_mistake_in_a_task_is_2(one):
    tasks = one.place / "tasks.d"
    tasks.mkdir(mode=0o700)
    write(tasks / "broken.toml", 'name = "broken"\nevnts = [1001]\n', 0o600)
    done = check(one)
    assert done.code == 2 and "broken.toml:2" in done.out and "did you mean 'events'?" in done.out, done


def test_control_characters_are_escaped(one):
    one.place.configure('[[policy]]\nsite = "evil\\u001b[31m"\n')
    done = check(one)
    assert "\x1b" not in done.all and "\\x1b" in done.out, done


# --------------------------------------------------------------------------------- the daemon

def test_it_says_what_the_daemon_goes_by(place, authority):
    stage = OneSite(place, authority)
    watch = Watch(place, stage.nginx).start(stage.old)
    good = place.config.read_text()
    copy = place / f".{place.config.name}.last-good"
    until(copy.exists, "the daemon keeps a copy")
    write(place.config, good + "nonsense = 1\n")
    done = check(stage)
    assert done.code == 2 and f"the daemon goes by what the file said before: {copy}" in done.out, done
    watch.stop()


def test_the_daemon_starts_with_a_mistake_if_it_knows_a_good_one(place, authority):
    stage = OneSite(place, authority)
    watch = Watch(place, stage.nginx).start(stage.old)
    until((place / f".{place.config.name}.last-good").exists, "the daemon keeps a copy")
    assert watch.stop() == 0
    good = place.config.read_text()
    write(place.config, good + "nonsense = 1\n")
    log = place / "again.log"
    with open(log, "ab") as told:
        daemon = place.popen("daemon", stdout=told, stderr=told)
    until(lambda: "what it said before is in force" in log.read_text(), "the daemon runs, and says the mistake")
    stage.new.write(stage.site.cert_path.parent)
    stage.nginx.wait_served(stage.new.thumbprint, stage.port, stage.name)
    assert daemon.poll() is None
    daemon.terminate()
    assert daemon.wait(30) == 0


def test_the_daemon_ends_with_a_mistake_if_it_knows_none(place):
    place.configure("[daemon]\nquiet_second = 2\n")
    done = place.run("daemon")
    assert done.code == 2, done
    assert f"{place.config}:" in done.err and "'quiet_second'" in done.err and "quiet_seconds" in done.err


# ------------------------------------------------------------------------------------- windows

def other_hours():
    """Two times of day in UTC that do not include now, and will not for hours."""
    now = datetime.datetime.now(datetime.timezone.utc)
    begin = now + datetime.timedelta(hours=11)
    return begin, f"{begin:%H:%M}-{begin + datetime.timedelta(hours=1):%H:%M} UTC"


def renewed_with(one, window):
    one.place.configure(f'[[policy]]\nwindow = "{window}"\n')
    one.new.write(one.site.cert_path.parent)


def test_a_closed_window_says_when_it_opens(one):
    begin, window = other_hours()
    renewed_with(one, window)
    opens = begin.astimezone().strftime("%a %Y-%m-%d %H:%M")
    for words in (["rebind", "--pending"], ["rebind", "--pending", "--dry-run"], ["config", "check"]):
        done = one.run(*words)
        assert f"opens {opens}" in done.out, done
    assert one.served() == one.old.thumbprint
    assert one.run("rebind", one.name).code == 0, "a person need not wait"
    assert one.served() == one.new.thumbprint


def test_a_day_that_is_not_today_is_closed(one):
    tomorrow = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)
    renewed_with(one, f"{tomorrow:%a} 00:00-23:59 UTC")
    assert "waits for its window" in one.run("rebind", "--pending").out
    assert one.served() == one.old.thumbprint


def test_an_open_window_in_another_zone(one):
    """Today, all day, at the other end of the world: what is open there is open."""
    there = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=14)))
    if there.strftime("%H:%M") == "23:59":
        there += datetime.timedelta(minutes=1)
    renewed_with(one, f"{there:%a} 00:00-23:59 Pacific/Kiritimati")
    done = check(one)
    assert "open now" in done.out, done
    assert one.run("rebind", "--pending").code == 0
    assert one.served() == one.new.thumbprint
