"""certrebind-json(5) against what every command really prints: its frame, its keys and its errors."""
import json
import re
import subprocess

import pytest

import acme
from command import REPOSITORY, run_certrebind
from files import write
from markers import needs_root

PAGE = (REPOSITORY / "packaging/man/certrebind-json.5").read_text()
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
PLAIN = {"string": str, "integer": int, "boolean": bool, "map": dict}


def keys_of(text):
    """{key: type} of a section of the page."""
    return dict(re.findall(r'^\.TP\n\.BR (\S+) " \(([^)]+)\)"$', text, re.M))


def sections(heading):
    """{title: keys} of the subsections under a heading."""
    whole = re.search(rf"^\.SH {heading}\n(.*?)(?=^\.SH |\Z)", PAGE, re.M | re.S)[1]
    parts = re.split(r"^\.SS (.+)\n", whole, flags=re.M)
    return {title: keys_of(text) for title, text in zip(parts[1::2], parts[2::2])}


FRAME = keys_of(re.search(r"^\.SH EVERY ANSWER\n(.*?)^\.SH ", PAGE, re.M | re.S)[1])
COMMANDS, OBJECTS = sections("COMMANDS"), sections("OBJECTS")


def check(value, kind, where):
    """Fails for a key that the page lacks, or a value that is of another type than it says."""
    if value is None:
        return
    if kind.startswith("list of "):
        assert isinstance(value, list), where
        for each in value:
            check(each, kind.removeprefix("list of "), f"{where}[]")
    elif kind == "time":
        assert value == "" or TIME.fullmatch(value), (where, value)
    elif kind in PLAIN:
        assert type(value) is PLAIN[kind], (where, value)
    else:
        check_object(value, OBJECTS[kind], where)


def check_object(value, keys, where):
    assert isinstance(value, dict), where
    for key, inner in value.items():
        assert key in keys, f"certrebind-json(5) lacks {where}.{key}"
        check(inner, keys[key], f"{where}.{key}")


def check_answer(answer, command):
    assert answer["schema"] == 1 and isinstance(answer["changed"], bool), answer
    check_object(answer, {**COMMANDS[command], **FRAME}, command)


def names_in(help_text):
    listed = re.search(r"^Subcommands:\n(.*?)(?=^\S|\Z)", help_text, re.M | re.S)
    return re.findall(r"^  ([a-z-]+) ", listed[1], re.M) if listed else []


def all_commands():
    """Asks only for help: nothing is run."""
    found = []
    for name in names_in(run_certrebind("--help").out):
        text = run_certrebind("help", name).out
        subs = names_in(text)
        # Brackets around the subcommand: the command has an answer of its own, too.
        needs_one = subs and "[SUBCOMMAND]" not in text
        found += [] if needs_one else [name]
        found += [f"{name} {sub}" for sub in subs]
    return found


def test_the_page_has_every_command_and_no_other():
    assert sorted(COMMANDS) == sorted(all_commands())


def test_every_type_on_the_page_is_described():
    kinds = {kind.removeprefix("list of ") for keys in [FRAME, *COMMANDS.values(), *OBJECTS.values()]
             for kind in keys.values()}
    assert kinds - {"time", *PLAIN} == set(OBJECTS)


@pytest.fixture
def host(one, authority):
    """`one`, with a renewer, a task, and a way to send mail."""
    issued = acme.issued_by_acme_sh(one.place, authority)
    one.place.config.write_text(f"default_stores = false\n{issued.store}")
    one.issued = issued
    one.sendmail = one.place / "sendmail"
    write(one.sendmail, "#!/bin/sh\ncat >/dev/null\n", 0o755)
    return one


def runs(host):
    """Every command, in an order in which each has something to tell: (section, arguments, exit codes)."""
    old, new, site = host.old.thumbprint, str(host.new_cert), host.name
    return [
        ("import", ["import", str(host.new_cert), "--key", str(host.new_key), "--name", "new"], {0}),
        ("request", ["request", "asked.example.com"], {0}),
        ("requests", ["requests"], {0}),
        ("complete", ["complete", str(host.new_cert)], {1}),
        ("requests", ["requests", "--remove", "asked.example.com", "--yes"], {0}),
        ("self-signed", ["self-signed", "self.example.com"], {0}),
        ("export", ["export", "self.example.com", "-o", str(host.place / "out.pem")], {0}),
        ("remove", ["remove", "self.example.com"], {0}),
        ("remove", ["remove", "new"], {0}),
        ("enable", ["enable", "--notify", "mailto:ops@example.com"], {0, 1}),
        ("check", ["check"], {0, 1}),
        ("scan", ["scan"], {0}),
        ("scan", ["scan", "--served", "--limit", "1"], {0}),
        ("certificates", ["certificates"], {0}),
        ("show", ["show", old], {0}),
        ("explain", ["explain", site], {0}),
        ("plan", ["plan", old, new], {0}),
        ("plan", ["plan", site], {0}),
        ("switch", ["switch", "--notify-only", old, new], {0}),
        ("rebind", ["rebind", "--dry-run", old, new], {0}),
        ("rebind", ["rebind", old, new], {0}),
        ("rebind", ["rebind", "--pending"], {0}),
        ("rebind", ["rebind", site], {0}),
        ("restore", ["restore", site], {0}),
        ("check", ["check", "--problems"], {0, 1}),
        ("restore", ["restore", "--list", site], {0}),
        ("undo", ["undo"], {0}),
        ("restore", ["restore", site], {0, 1, 2}),
        ("rebind", ["rebind", "--pending"], {0, 1}),
        ("recover", ["recover"], {0}),
        ("renew", ["renew", "--dry-run", host.issued.name], {0}),
        ("renew", ["renew", host.issued.name], {0}),
        ("autoenroll", ["autoenroll"], {0}),
        ("autoenroll status", ["autoenroll", "status"], {0}),
        ("autoenroll enable", ["autoenroll", "enable"], {0}),
        ("autoenroll run", ["autoenroll", "run", "--all"], {0}),
        ("autoenroll disable", ["autoenroll", "disable"], {0}),
        ("history", ["history"], {0}),
        ("history show", ["history", "show", "1"], {0}),
        ("events", ["events"], {0}),
        ("task add", ["task", "add", "t", "--event", "1001", "--env", "A=b", "--", "/bin/echo", "x"], {0}),
        ("task run", ["task", "run", "t"], {0}),
        ("task list", ["task", "list"], {0}),
        ("task show", ["task", "show", "t"], {0}),
        ("task history", ["task", "history"], {0}),
        ("task history", ["task", "history", "--id", "2"], {0}),
        ("task disable", ["task", "disable", "t"], {0}),
        ("task enable", ["task", "enable", "t"], {0}),
        ("task remove", ["task", "remove", "t"], {0}),
        ("config check", ["config", "check"], {0, 1}),
        ("service list", ["service", "list"], {0}),
        ("service show", ["service", "show", "postfix"], {0}),
        ("service test", ["service", "test", str(write(host.place / "stunnel.toml", (REPOSITORY / "services.d/stunnel.toml").read_text()))], {1}),
        ("doctor", ["doctor"], {0, 1}),
        ("status", ["status"], {0, 1}),
        ("metrics", ["metrics"], {0}),
        ("metrics", ["metrics", "--output", str(host.place / "m.prom")], {0}),
        ("notify", ["notify", "--to", "mailto:a@example.com", "--sendmail", str(host.sendmail), "--test"], {0}),
        ("notify", ["notify", "--to", "mailto:a@example.com", "--sendmail", str(host.sendmail)], {0}),
        ("disable", ["disable"], {0}),
        ("help", ["help", "scan"], {0}),
    ]


# What must be true of `changed` in that order.
CHANGES = {"enable", "switch", "undo", "autoenroll enable", "autoenroll disable", "task add", "task run", "task remove",
           "task disable", "task enable", "disable"}
READS = {"check", "scan", "certificates", "show", "explain", "plan", "history", "history show", "events", "status",
         "task list", "task show", "task history", "help", "autoenroll", "autoenroll status", "recover", "config check",
         "doctor"}


def test_every_key_of_every_command_is_on_the_page(host):
    seen = set()
    for section, arguments, codes in runs(host):
        before, *behind = " ".join(arguments).partition(" -- ")  # what is behind is another command's
        done = host.run(*before.split(), "--json", *"".join(behind).split())
        assert done.code in codes, done
        check_answer(done.json, section)
        assert section not in CHANGES or done.json["changed"], done
        assert section not in READS or not done.json["changed"], done
        assert done.code != 0 or "error" not in done.json, done
        seen.add(section)
    # The daemon has no end, an editor needs a terminal, and `forget` has a test below.
    assert set(COMMANDS) - seen == {"daemon", "task edit", "forget"}


def test_a_second_time_nothing_changes(one):
    rebind = ["rebind", "--pending"]
    one.new.write(one.site.cert_path.parent)
    for command, first in ((["enable", "--notify", "mailto:ops@example.com"], True), (rebind, True), (["disable"], True)):
        assert one.run(*command, "--json").json["changed"] is first, command
        if command != ["disable"]:
            assert one.run(*command, "--json").json["changed"] is False, command
    assert one.run("disable", "--json").json["changed"] is False


def test_a_dead_server_is_forgotten(one):
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
    one.nginx.stop()
    assert one.place.run("check").code != 0
    done = one.place.run("forget", one.nginx.service, "--json")
    check_answer(done.json, "forget")
    assert done.code == 0 and done.json["changed"], done


# ------------------------------------------------------------------------------------------- errors

def failed(done, code, message, next_step=None):
    assert done.code == code, done
    check_object(done.json["error"], OBJECTS["error"], "error")
    error = done.json["error"]
    assert error["exit_code"] == code and message in error["message"], done
    assert next_step is None or next_step in error["next"], done
    return done.json


@pytest.mark.parametrize("words, code, message, next_step", [
    (["scan", "--sitee", "x"], 2, "did you mean '--site'?", "certrebind scan --help"),
    (["scna"], 2, "did you mean 'scan'?", "--help"),
    ([], 2, "no command was given", "certrebind --help"),
    (["check", "--nosuch"], 3, "--nosuch", "certrebind check --help"),
    (["history", "show", "x"], 2, "'x' is not a record number", None),
    (["help", "tsak"], 2, "there is no such command", "did you mean 'task'?"),
    (["enable", "--service", "nginx:/x"], 2, "about the whole machine", None),
    (["forget", "nginx:/x"], 2, "nothing is remembered", None),
    (["events", "--since", "yesterday"], 2, "that is no time", "2h, 3d"),
    (["events", "--level", "loud"], 2, "'loud' is not error", None),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_wrong_words(place, words, code, message, next_step):
    answer = failed(place.run(*words, "--json"), code, message, next_step)
    assert answer["changed"] is False and "still served" in answer["error"]["served"]


@pytest.mark.parametrize("command", [["check"], ["scan"], ["status"], ["rebind", "--pending"], ["task", "list"],
                                     ["words", "sites"]], ids=" ".join)
def test_a_mistake_in_the_configuration(place, command):
    place.config.write_text("[chekc]\n")
    failed(place.run(*command, "--json"), 3 if command == ["check"] else 2, f"{place.config}:1: ")


@needs_root
@pytest.mark.parametrize("command", [["enable"], ["rebind", "--pending"], ["undo"], ["task", "remove", "x"]], ids=" ".join)
def test_not_root(place, command):
    done = place.run(*command, "--json", before=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    assert done.code == 1, done
    failed(done, 1, "")


def test_refused_and_rolled_back(one, authority):
    other = authority.issue("other.example.com").write(one.place / "other")[0]
    answer = failed(one.run("rebind", one.old.thumbprint, other, "--json"), 1, "refused: ")
    assert answer["changed"] is False and "next" in answer["error"]
    assert one.run("plan", one.old.thumbprint, other, "--json").json["error"]["exit_code"] == 1


def test_a_failed_task(place):
    assert place.run("task", "add", "bad", "--event", "1001", "--", "/bin/sh", "-c", "exit 7").code == 0
    answer = failed(place.run("task", "run", "bad", "--json"), 1, "exit status 7", "certrebind task history --id 1")
    assert answer["status"] == 7 and answer["changed"]


def test_followed_events_are_lines(one):
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
    following = one.place.popen("events", "--follow", "--json", stdout=subprocess.PIPE)
    event = json.loads(following.stdout.readline())
    following.kill()
    assert event.pop("schema") == 1
    check_object(event, OBJECTS["event"], "event")
