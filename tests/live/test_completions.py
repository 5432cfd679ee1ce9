"""What the shells complete."""
import os
import pathlib
import re
import shlex
import subprocess

import pytest

from command import BINARY, run_certrebind
from markers import needs_root

WHERE = pathlib.Path(__file__).parents[2] / "packaging/completions"
COMMANDS = re.findall(r"^  ([a-z-]+) ", run_certrebind("--help").out.split("Subcommands:")[1].split("\n\n")[0], re.M)
SUBCOMMANDS = {"task": ["list", "show", "add", "edit", "enable", "disable", "remove", "run", "history"],
               "autoenroll": ["status", "enable", "disable", "run"], "history": ["show"],
               "config": ["check"], "service": ["list", "show", "test"]}


def completed(*words, env=None):
    """What bash offers for the last of these words; it has taken them apart at colons."""
    script = f"""source {shlex.quote(str(WHERE / 'certrebind.bash'))}
COMP_WORDS=({shlex.join(words)}) COMP_CWORD={len(words) - 1}
_certrebind 2>/dev/null
printf '%s\\n' "${{COMPREPLY[@]}}\""""
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=True, env=env)
    return done.stdout.splitlines() if done.stdout.strip() else []


def completed_by_fish(line, env=None):
    script = f"source {shlex.quote(str(WHERE / 'certrebind.fish'))}; complete -C {shlex.quote(line)}"
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, check=True, env=env)
    return [row.split("\t")[0] for row in done.stdout.splitlines()]


def options_of(*command):
    """The long ones, but for --help, which all have."""
    found = re.findall(r"^  (?:-\w,)?--([a-z][a-z-]+)", run_certrebind(*command, "--help").out, re.M)
    return [f"--{option}" for option in found if option != "help"]


def all_commands():
    return [[name] for name in COMMANDS] + [[name, sub] for name, subs in SUBCOMMANDS.items() for sub in subs]


def test_commands():
    assert sorted(completed("certrebind", "")) == sorted(COMMANDS)
    for name, subs in SUBCOMMANDS.items():
        assert set(subs) <= set(completed("certrebind", name, "")), name


@pytest.mark.parametrize("command", all_commands(), ids=" ".join)
def test_every_option_is_offered(command):
    offered = completed("certrebind", *command, "--")
    assert [option for option in options_of(*command) if option not in offered] == []


@pytest.mark.parametrize("command", all_commands(), ids=" ".join)
def test_fish_offers_every_option(command):
    offered = completed_by_fish(" ".join(["certrebind", *command, "--"]))
    assert [option for option in options_of(*command) if option not in offered] == []


def test_fish_completes_a_service(tmp_path):
    (tmp_path / "nginx.conf").touch()
    assert completed_by_fish("certrebind check --service ng") == ["nginx:"]
    assert completed_by_fish(f"certrebind check --service nginx:{tmp_path}/ng") == [f"nginx:{tmp_path}/nginx.conf"]


def test_zsh_knows_every_command_and_option():
    """Its completion wants a terminal; this sees only that nothing is missing."""
    text = (WHERE / "_certrebind").read_text()
    for command in all_commands():
        for word in [command[-1], *options_of(*command)]:
            assert re.search(rf"(?<![\w-]){word}(?![\w-])", text), (command, word)


def test_a_service_is_completed(tmp_path):
    (tmp_path / "nginx.conf").touch()
    assert completed("certrebind", "check", "--service", "ng") == ["nginx:"]
    found = [str(tmp_path / "nginx.conf")]
    assert completed("certrebind", "check", "--service", "nginx", ":", f"{tmp_path}/ng") == found
    assert completed("certrebind", "check", "--service", "nginx:" + f"{tmp_path}/ng") == found
    behind = ("certrebind", "--service", "nginx", ":", "/etc/nginx/nginx.conf")
    assert completed(*behind, "sc") == ["scan"]
    assert "--served" in completed(*behind, "scan", "--s")
    assert completed("certrebind", "--service", "nginx", ":", "/x", "--service", "apache", ":", "/y", "scan", "--ser") \
        == ["--served", "--service"]


def test_files_are_completed_where_certificates_are_named(tmp_path):
    (tmp_path / "new.pem").touch()
    for command in ("show", "plan", "rebind", "switch", "renew", "restore", "explain"):
        assert completed("certrebind", command, f"{tmp_path}/n") == [str(tmp_path / "new.pem")], command
    assert completed("certrebind", "events", "--last", "") == []


HOSTILE = "`id>evil`;id>evil;.example.com"


@pytest.fixture
def shell(one):
    """The environment of a shell that finds this certrebind, with something to offer."""
    binaries = one.place / "bin"
    binaries.mkdir()
    (binaries / "certrebind").symlink_to(BINARY)
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
    assert one.run("check").code == 0
    assert one.place.run("task", "add", "deploy", "--event", "1001", "--", "/bin/true").code == 0
    return {**os.environ, **one.place.env, "PATH": f"{binaries}:{os.environ['PATH']}"}


def test_names_are_offered(one, shell):
    record = str(one.run("events", "--json").json["events"][-1]["record"])
    thumbprint = one.new.thumbprint[:16]
    for words, offered in ((("explain", "a.ex"), one.name), (("check", "--site", "a."), one.name),
                           (("show", thumbprint[:3]), thumbprint), (("rebind", "a.ex"), one.name),
                           (("events", "--certificate", thumbprint[:2]), thumbprint),
                           (("history", "show", ""), "1"), (("undo", ""), "1"), (("restore", "a."), one.name),
                           (("task", "show", "de"), "deploy"), (("task", "run", "deploy", "--event", ""), record)):
        assert offered in completed("certrebind", *words, env=shell), words
        assert offered in completed_by_fish(" ".join(["certrebind", *words]), env=shell), words


def test_a_hostile_name_runs_nothing(one, shell, tmp_path):
    """Neither while it is offered nor when the line is run."""
    one.nginx.write(one.site.block(extra=f"    server_name '{HOSTILE}' *.b.example.com;\n"))
    one.nginx.reload()
    assert one.place.run("check").code in (0, 1)
    assert HOSTILE in one.place.run("words", "sites").out.splitlines()
    offered = completed("certrebind", "explain", "", env=shell)
    [name] = [each for each in offered if "evil" in each]
    assert "\\*.b.example.com" in offered, "no glob either"
    echoed = subprocess.run(["bash", "-c", f"printf %s {name}"], capture_output=True, text=True, cwd=tmp_path)
    assert echoed.stdout == HOSTILE and not (tmp_path / "evil").exists()
    assert HOSTILE in completed_by_fish("certrebind explain ", env=shell)


def test_what_a_terminal_would_obey_is_not_offered(one, shell):
    one.nginx.write(one.site.block(extra='    server_name "\x1b[31m.example.com";\n'))
    one.nginx.reload()
    assert one.place.run("check").code in (0, 1)
    assert "\x1b" not in one.place.run("words", "sites").out and one.name in one.place.run("words", "sites").out


@needs_root
def test_an_ordinary_user_is_offered_nothing_that_he_may_not_read(one, shell):
    for kind in ("sites", "thumbprints", "events", "transactions"):
        done = one.place.run("words", kind, before=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
        assert (done.code, done.all) == (0, ""), done


def test_completing_probes_nothing_and_writes_nothing(one, shell):
    one.nginx.stop()

    def times():
        """But for the two files in which SQLite's readers wait for a writer."""
        return {path: path.stat().st_mtime_ns for path in one.place.state.rglob("*")
                if not path.name.endswith(("-shm", "-wal"))}

    before = times()
    done = one.place.run("words", "sites", timeout=5)
    assert one.name in done.out.splitlines()
    assert times() == before
    assert "\n  words " not in one.place.run("--help").out
