"""What the shells complete."""
import pathlib
import re
import shlex
import subprocess

import pytest

from command import run_certrebind

WHERE = pathlib.Path(__file__).parents[2] / "packaging/completions"
COMMANDS = re.findall(r"^  ([a-z]+) ", run_certrebind("--help").out.split("Subcommands:")[1].split("\n\n")[0], re.M)
SUBCOMMANDS = {"task": ["list", "show", "add", "remove", "run", "history"],
               "autoenroll": ["status", "enable", "disable", "run"], "history": ["show"],
               "config": ["check"]}


def completed(*words):
    """What bash offers for the last of these words; it has taken them apart at colons."""
    script = f"""source {shlex.quote(str(WHERE / 'certrebind.bash'))}
COMP_WORDS=({shlex.join(words)}) COMP_CWORD={len(words) - 1}
_certrebind 2>/dev/null
printf '%s\\n' "${{COMPREPLY[@]}}\""""
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.split()


def completed_by_fish(line):
    script = f"source {shlex.quote(str(WHERE / 'certrebind.fish'))}; complete -C {shlex.quote(line)}"
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, check=True)
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
