"""The exit status of every command in every situation, as EXIT STATUS in certrebind(1) has it."""
import re

import pytest

from command import run_certrebind
from stages.one_site import OneSite

DONE, DIFFERS, USAGE, UNKNOWN = 0, 1, 2, 3
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

# Each command with: as root where nothing was done yet and one site serves what is on disk; with a mistake in
# certrebind.toml; as a user who may read neither the state nor the server.
TABLE = [
    # command                                     at rest   mistake  nobody
    ("check",                                     (DONE,    UNKNOWN, UNKNOWN)),
    ("check --site nowhere.test",                 (UNKNOWN, UNKNOWN, UNKNOWN)),
    ("scan",                                      (DONE,    USAGE,   DIFFERS)),
    ("certificates",                              (DONE,    USAGE,   DONE)),
    ("show {site}",                               (DONE,    USAGE,   DIFFERS)),
    ("show nowhere.test",                         (USAGE,   USAGE,   DIFFERS)),
    ("explain {site}",                            (DONE,    USAGE,   DIFFERS)),
    ("explain 127.0.0.1:1",                       (DIFFERS, USAGE,   DIFFERS)),
    ("plan {site}",                               (DONE,    USAGE,   DIFFERS)),
    ("plan nowhere.test",                         (DIFFERS, USAGE,   DIFFERS)),
    ("plan {old} {unknown}",                      (USAGE,   USAGE,   DIFFERS)),
    ("plan {old} {new}",                          (DONE,    USAGE,   DIFFERS)),
    ("plan {old}",                                (USAGE,   USAGE,   USAGE)),
    ("rebind {site}",                             (DONE,    USAGE,   DIFFERS)),
    ("rebind nowhere.test",                       (DIFFERS, USAGE,   DIFFERS)),
    ("rebind {unknown} {old}",                    (USAGE,   USAGE,   DIFFERS)),
    ("rebind --pending",                          (DONE,    USAGE,   DIFFERS)),
    ("rebind --pending --dry-run",                (DONE,    USAGE,   DIFFERS)),
    ("undo",                                      (DONE,    USAGE,   DIFFERS)),
    ("undo {site}",                               (DONE,    USAGE,   DIFFERS)),
    ("undo nowhere.test",                         (DIFFERS, USAGE,   DIFFERS)),
    ("undo 99",                                   (USAGE,   USAGE,   DIFFERS)),
    ("restore {site}",                            (DONE,    USAGE,   DIFFERS)),
    ("restore nowhere.test",                      (DIFFERS, USAGE,   DIFFERS)),
    ("restore --list {site}",                     (DONE,    USAGE,   DIFFERS)),
    ("recover",                                   (DONE,    USAGE,   DIFFERS)),
    ("renew {site}",                              (DIFFERS, USAGE,   DIFFERS)),
    ("renew nowhere.test",                        (USAGE,   USAGE,   DIFFERS)),
    ("autoenroll status",                         (DONE,    USAGE,   DONE)),
    ("autoenroll run",                            (DONE,    USAGE,   DONE)),
    ("autoenroll enable",                         (DONE,    USAGE,   DIFFERS)),
    ("autoenroll disable",                        (DONE,    USAGE,   DONE)),
    ("history",                                   (DONE,    USAGE,   DIFFERS)),
    ("history show 99",                           (USAGE,   USAGE,   DIFFERS)),
    ("events",                                    (DONE,    USAGE,   DIFFERS)),
    ("enable",                                    (DONE,    USAGE,   DIFFERS)),
    ("disable",                                   (DONE,    USAGE,   DONE)),
    ("switch {site}",                             (DONE,    USAGE,   DIFFERS)),
    ("switch {old} {new}",                        (DONE,    USAGE,   DIFFERS)),
    ("switch nowhere.test",                       (DIFFERS, USAGE,   DIFFERS)),
    ("status",                                    (DONE,    USAGE,   DIFFERS)),
    ("forget nginx:/nowhere.conf",                (USAGE,   USAGE,   DIFFERS)),
    ("task list",                                 (DONE,    USAGE,   DIFFERS)),
    ("task show nothing",                         (USAGE,   USAGE,   DIFFERS)),
    ("task add one --event 1001 -- /bin/true",    (DONE,    USAGE,   DIFFERS)),
    ("task remove nothing",                       (USAGE,   USAGE,   DIFFERS)),
    ("task run nothing",                          (USAGE,   USAGE,   DIFFERS)),
    ("task history",                              (DONE,    USAGE,   DIFFERS)),
    ("task history --id 99",                      (USAGE,   USAGE,   DIFFERS)),
    ("metrics",                                   (DONE,    USAGE,   DIFFERS)),
    ("notify --to mailto:a@b --sendmail /bin/true", (DONE,  USAGE,   DIFFERS)),
    ("notify --to mailto:a@b --test --sendmail /nowhere", (DIFFERS, USAGE, DIFFERS)),
    ("notify --to nobody",                        (USAGE,   USAGE,   USAGE)),
    ("config check",                              (DONE,    USAGE,   DONE)),
    ("doctor",                                    (DIFFERS, DIFFERS, DIFFERS)),
    ("service list",                              (DONE,    USAGE,   DONE)),
    ("service show postfix",                      (DONE,    USAGE,   DONE)),
    ("service show nothing",                      (USAGE,   USAGE,   USAGE)),
    ("service test /nowhere",                     (USAGE,   USAGE,   USAGE)),
    ("import {new}",                              (DIFFERS,  USAGE,   DIFFERS)),
    ("import /nowhere",                           (USAGE,   USAGE,   DIFFERS)),
    ("request a.example",                         (DONE,    USAGE,   DIFFERS)),
    ("request a/b",                               (USAGE,   USAGE,   DIFFERS)),
    ("requests",                                  (DONE,    USAGE,   DIFFERS)),
    ("requests --remove nothing --yes",           (USAGE,   USAGE,   DIFFERS)),
    ("complete {new}",                            (DIFFERS, USAGE,   DIFFERS)),
    ("self-signed a.example",                     (DONE,    USAGE,   DIFFERS)),
    ("export nothing -o /nowhere/x",              (USAGE,   USAGE,   DIFFERS)),
    ("export {old} -o /nowhere/x",                (USAGE,   USAGE,   DIFFERS)),
    ("remove nothing",                            (USAGE,   USAGE,   DIFFERS)),
    ("remove {old}",                              (DIFFERS, USAGE,   DIFFERS)),
    ("daemon",                                    (None,    USAGE,   DIFFERS)),
]
ENDING = [row for row in TABLE if row[0] != "daemon"]  # at rest it runs until SIGTERM


def run(stage, typed, **options):
    words = typed.format(site=stage.name, old=stage.old.thumbprint, new=stage.new_cert, unknown="ab" * 32).split()
    return stage.place.run(*words, **options)


@pytest.fixture
def stage(place, authority):
    """One site. The state is there, and nothing was rebound."""
    stage = OneSite(place, authority)
    assert place.run("task", "add", "first", "--event", "1001", "--", "/bin/true").code == 0
    assert place.run("task", "remove", "first").code == 0
    return stage


def test_the_table_has_every_command():
    listed = re.findall(r"^  ([a-z-]+) ", run_certrebind("--help").out.split("Subcommands:")[1].split("\n\n")[0], re.M)
    # `help` reads neither configuration nor host: test_help_needs_nothing.
    assert {typed.split()[0] for typed, _ in TABLE} | {"help"} == set(listed)


def test_help_needs_nothing(place):
    place.config.write_text("quiet_second = 1\n")
    for words, code in ((["help"], DONE), (["help", "task", "add"], DONE), (["help", "nothing"], USAGE)):
        assert place.run(*words).code == place.run(*words, before=NOBODY).code == code, words


@pytest.mark.parametrize("typed, codes", ENDING, ids=[typed for typed, _ in ENDING])
def test_at_rest(stage, typed, codes):
    done = run(stage, typed)
    assert done.code == codes[0], done
    assert done.code == DONE or done.all, "it says why"


@pytest.mark.parametrize("typed, codes", TABLE, ids=[typed for typed, _ in TABLE])
def test_with_a_mistake_in_the_configuration(stage, typed, codes):
    stage.place.configure("[daemon]\nquiet_second = 2\n")
    done = run(stage, typed)
    assert done.code == codes[1], done
    if not typed.startswith("help"):  # which reads no configuration
        assert "quiet_second" in done.all and f"{stage.place.config}:" in done.all, done


@pytest.mark.parametrize("typed, codes", TABLE, ids=[typed for typed, _ in TABLE])
def test_as_a_user_who_may_not(stage, typed, codes):
    """The reason is that he may not, and not that nothing is there."""
    done = run(stage, typed, before=NOBODY)
    assert done.code == codes[2], done
    if done.code == DIFFERS and not typed.endswith("/nowhere"):
        assert re.search("permission denied", done.all, re.I) or "root" in done.all, done
        assert "cannot find" not in done.all or "may see only a part" in done.all, done


@pytest.mark.parametrize("words", [["frobnicate"], ["scan", "--nonsense"], ["rebind"], ["undo", "-1"], ["history", "show"],
                                   ["scan", "--service", "nginx"], ["--config", "/nowhere.toml", "scan"]])
def test_what_is_typed_wrong_is_a_usage_error(place, words):
    assert place.run(*words).code == USAGE
