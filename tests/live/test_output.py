"""What people read: 208 sites in 80 columns, filters, the pager, colours, local times."""
import datetime
import fcntl
import os
import pathlib
import pty
import re
import select
import struct
import termios
import time

import pytest

from files import write
from markers import needs_root
from pki import utc_now
from ports import free_port
from stages.one_site import OneSite, Site
from waiting import PATIENCE

SITES = 208
NARROW = {"COLUMNS": "80"}
NOBODY = 65534


class ManySites(OneSite):
    """One nginx with 208 sites at one port: one certificate each for eight of them, a wildcard for all others."""

    def __init__(self, place, authority):
        self.place, self.port = place, free_port()
        wildcard = authority.issue("*.example.com", days=60).write(place / "certs/wildcard")
        blocks = []
        for number in range(SITES):
            name = f"site{number:03}.example.com"
            own = number < 8
            begin = utc_now() - datetime.timedelta(days=85 if number == 7 else 1)
            ends = {"not_before": begin, "not_after": begin + datetime.timedelta(days=83 + number)}
            cert, key = authority.issue(name, **ends).write(place / "certs" / name) if own else wildcard
            blocks.append(Site(name, self.port, None, cert, key).block())
        self.nginx = place.nginx()
        self.nginx.write("  server_names_hash_bucket_size 128;\n" + "".join(blocks)).start()


@pytest.fixture
def many(place, authority):
    return ManySites(place, authority)


def lines_of(done):
    assert "\x1b" not in done.out
    return done.out.splitlines()


def assert_fits(lines):
    """At most 80 columns, but for what is pasted, and paths on lines of their own."""
    for line in lines:
        word = line.strip()
        assert len(line) <= 80 or word.startswith("next:") or " " not in word, line


def test_208_sites_are_readable(many):
    checked = many.run("check", env=NARROW)
    first, *others = lines_of(checked)
    assert first.startswith("WARNING - site007.example.com; 208 bindings"), "one line for monitoring, not broken"
    assert_fits(others)
    assert others[0].startswith("WARNING   site007.example.com"), "the worst first"
    fine = [line.split()[1] for line in others if line.startswith("OK ")]
    assert len(fine) == SITES - 1 and fine == sorted(fine), "one line each, by site"

    explained = lines_of(many.run("explain", f":{many.port}", env=NARROW))
    assert len(explained) < 20, explained
    assert_fits(explained)
    assert re.search(r"site008.example.com,\s+site009.example.com,\s+site010.example.com\s+and\s+197\s+more",
                     "\n".join(explained)), "one line for all that is the same"
    assert any(line.endswith("  site007.example.com") for line in explained)
    assert f"certrebind explain :{many.port} --all" in " ".join(explained)
    whole = lines_of(many.run("explain", f":{many.port}", "--all", env=NARROW))
    assert sum(" at 127.0.0.1:" in line for line in whole) == SITES
    assert_fits(whole)
    single = lines_of(many.run("explain", "site007.example.com", env=NARROW))
    assert any(line.startswith("  why ") for line in single), "one site is explained in full"

    for command in (["scan"], ["certificates"], ["status"], ["scan", "--served"]):
        assert_fits(lines_of(many.run(*command, env=NARROW)))


def test_filters_mean_the_same_everywhere(many):
    def bindings(*words, key="bindings"):
        return many.run(*words, "--json").json[key]

    for command, key in (["check"], "bindings"), (["scan"], "bindings"), (["certificates"], "certificates"), \
            (["explain", f":{many.port}"], "answers"):
        assert len(bindings(*command, "--site", "site007.example.com", key=key)) in (1, 2), command
        assert len(bindings(*command, "--expiring", "10", key=key)) == 1, command
        limited = many.run(*command, "--limit", "2", "--json").json
        assert len(limited[key]) == 2 and limited["left_out"] > 0, command
        text = many.run(*command, "-n", "2").out
        assert re.search(r"and \d+ more; all of them: certrebind " + command[0], text), text
    assert many.run("check", "--limit", "1").code == 1, "what is not printed counts all the same"
    for command in (["check"], ["scan"], ["explain", f":{many.port}"]):
        done = many.run(*command, "--site", "site07.example.com")
        assert done.code != 0
        assert command[0] == "explain" or re.search("did you mean '?site007.example.com'?", done.all), done


def test_history_and_events_of_one_site(one, authority):
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
    assert one.run("undo").code == 0

    def ids(*words):
        return [event["id"] for event in one.run("events", *words, "--json").json["events"]]

    def rows(*words):
        return [row["id"] for row in one.run("history", *words, "--json").json["transactions"]]

    assert rows() == [2, 1] and rows("--limit", "1") == [2]
    assert rows("--site", one.name) == [2, 1] and rows("--site", "other.example.com") == []
    everything = ids()
    assert ids("--certificate", one.new.thumbprint[:8]) == ids("--certificate", one.new_cert) != []
    assert ids("--certificate", authority.issue("x.example.com").write(one.place / "x")[0]) == []
    assert 2001 in ids("--site", one.name) and ids("--site", "other.example.com") == []
    assert ids("--since", "1h") == everything and ids("--since", "2999-01-01") == []
    assert ids("--level", "error") == [] and ids("--level", "information") == everything
    assert one.place.run("events", "--service", "nginx:/elsewhere.conf", "--json").json["events"] == []
    assert one.run("events", "--certificate", "12").code == 2
    assert one.place.run("events", "--certificate", "/nowhere.pem").code != 0


def test_a_refusal_is_a_warning_in_the_log(one, authority):
    other = authority.issue("other.example.com").write(one.place / "other")[0]
    assert one.run("rebind", one.old.thumbprint, other).code == 1
    events = one.run("events", "--level", "warning", "--json").json["events"]
    assert [(event["id"], event["level"]) for event in events] == [(2004, "warning")]


def test_times_are_local_for_people_and_utc_in_json(one):
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
    berlin = {"TZ": "Europe/Berlin"}
    for command in (["history"], ["events"], ["history", "show", "1"], ["status"], ["show", one.new.thumbprint]):
        told = one.run(*command, env=berlin)
        assert re.search(r"\d\d:\d\d:\d\d CES?T", told.out), told
        assert " UTC" not in told.out and "(UTC)" not in told.out, told
    row = one.run("history", "--json", env=berlin).json["transactions"][0]
    assert row["started"].endswith("Z") and row["ended"].endswith("Z")


# ----------------------------------------------------------------------------------- on a terminal

def start_on_terminal(place, *arguments, env=None, rows=10, columns=80):
    """certrebind on a terminal of this size, and the other end of the terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = place.popen(*arguments, stdout=slave, stderr=slave,
                          env={"TERM": "xterm", "COLUMNS": "", "NO_COLOR": "", "PAGER": "", **(env or {})},
                          preexec_fn=lambda: (os.setsid(), fcntl.ioctl(1, termios.TIOCSCTTY, 0)))
    os.close(slave)
    return process, master


def rest_of(master, typing=b""):
    """What is still written there. Types the keys whenever nothing comes."""
    text = b""
    deadline = time.monotonic() + PATIENCE
    try:
        while True:
            assert time.monotonic() < deadline, text
            if select.select([master], [], [], 0.2)[0]:
                more = os.read(master, 65536)
                if not more:
                    break
                text += more
            elif typing:
                os.write(master, typing)
    except OSError:  # the last who held the other end is gone
        pass
    os.close(master)
    return text


def on_terminal(place, *arguments, **options):
    """All that certrebind writes to a terminal, and its exit code."""
    process, master = start_on_terminal(place, *arguments, **options)
    text = rest_of(master).decode()
    return text, process.wait()


def fake_pager(place):
    """A program that says who it is and what it was given."""
    return write(place / "pager", "#!/bin/sh\necho \"PAGER $* uid=$(id -u) secure=$LESSSECURE\"\ncat\n", 0o755)


def test_long_output_goes_through_the_pager(many):
    pager = fake_pager(many.place)
    text, code = on_terminal(many.place, "scan", env={"PAGER": f"{pager} -x"})
    assert code == 0 and text.startswith("PAGER -x uid=") and "site207.example.com" in text
    assert "PAGER" not in on_terminal(many.place, "scan", "--no-pager", env={"PAGER": pager})[0]
    assert "PAGER" not in on_terminal(many.place, "scan", "--limit", "1", env={"PAGER": pager})[0], "it fits"
    assert "PAGER" not in on_terminal(many.place, "scan", env={"PAGER": pager, "TERM": "dumb"})[0]
    assert "PAGER" not in on_terminal(many.place, "scan", "--json", env={"PAGER": pager})[0]
    text, code = on_terminal(many.place, "scan", env={"PAGER": "/nowhere/pager"})
    assert code == 0 and "site207.example.com" in text, "without a pager it is printed"
    text, code = on_terminal(many.place, "check", env={"PAGER": pager})
    assert code == 1 and "PAGER" in text, "the exit code is the command's"


@needs_root
def test_under_sudo_the_pager_has_the_rights_of_the_caller(many):
    """PAGER may be anything then: it is not run. less runs in its secure mode, with the caller's rights, and starts no
    shell: neither for a key nor for its environment."""
    anybody = many.place / "anybody"
    anybody.mkdir()
    anybody.chmod(0o777)
    opened, shell = anybody / "opened", anybody / "shell"
    lesspipe = write(many.place / "lesspipe", f"#!/bin/sh\ntouch {opened}\n", 0o755)
    process, master = start_on_terminal(many.place, "scan", env={
        "PAGER": fake_pager(many.place), "SUDO_UID": str(NOBODY), "LESSOPEN": f"{lesspipe} %s",
        "LESS": f"+!touch {shell}"})
    text = b""
    while b"site00" not in text:
        text += os.read(master, 65536)
    [child] = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    status = pathlib.Path(f"/proc/{child}/status").read_text()
    environment = pathlib.Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
    os.write(master, b"!touch " + bytes(shell) + b"\r")
    text += rest_of(master, typing=b"\rq")
    process.wait()
    assert b"PAGER" not in text and not shell.exists() and not opened.exists()
    assert re.search(rf"^Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}$", status, re.M), status
    assert re.search(r"^CapEff:\t0+$", status, re.M) and re.search(r"^NoNewPrivs:\t1$", status, re.M), status
    assert b"LESSSECURE=1" in environment
    assert not any(each.startswith((b"CERTREBIND", b"HOME=", b"LESSOPEN=")) for each in environment)


def test_colour(one):
    def coloured(**env):
        return "\x1b[3" in on_terminal(one.place, "check", rows=100, env=env)[0]

    assert coloured() and not coloured(NO_COLOR="1") and not coloured(TERM="dumb")


def test_a_wide_terminal_is_used(many):
    text, _ = on_terminal(many.place, "scan", "--no-pager", columns=300)
    assert sum("site207.example.com" in line for line in text.splitlines()) == 1
    assert any("site207.example.com" in line and "nginx.conf:" in line for line in text.splitlines()), "one line each"
