"""Runs certrebind, and reads its answer."""
import json
import os
import pathlib
import subprocess

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.path.abspath(os.environ.get("CERTREBIND") or REPOSITORY / "build/dev/certrebind")
PROBE = os.path.abspath(os.environ.get("PROBE") or REPOSITORY / "build/dev/probe")  # makes one handshake
ROOT = os.geteuid() == 0
os.environ["COLUMNS"] = "10000"  # lines are not broken, whoever starts certrebind; test_output.py tests that they are

# These commands always concern the whole machine, never one service.
WHOLE_MACHINE = {"enable", "disable", "status", "daemon", "recover", "task", "request", "requests", "remove"}


class Outcome(str):
    """Exit status and output of one call of certrebind. A text: of anything else pytest leaves out the middle when it is
    what an assertion fails with."""

    def __new__(cls, done):
        out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        told = f"--- stderr ---\n{err}" if err else ""
        return super().__new__(cls, f"exit {done.returncode} of {' '.join(map(str, done.args))}\n{out}{told}")

    def __init__(self, done):
        self.arguments = done.args
        self.code = done.returncode
        self.out = done.stdout.decode(errors="replace")
        self.err = done.stderr.decode(errors="replace")

    @property
    def all(self):
        return self.out + self.err

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def fields(self):
        """The answer without the frame that every answer has."""
        return {key: value for key, value in self.json.items() if key not in ("schema", "changed", "error")}

    @property
    def lines(self):
        """The events of `events --json`."""
        return self.json["events"]


def run_certrebind(*arguments, env=None, cwd=None, before=(), binary=BINARY, timeout=180):
    """Runs certrebind. `before` goes in front of it (setpriv, say); `env` is added."""
    command = [*before, binary, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, cwd=cwd,
                          env={**os.environ, **(env or {})}, timeout=timeout)
    return Outcome(done)


def probed(port, dialect, name, host="127.0.0.1"):
    """The thumbprint that a handshake shows there, or why it fails."""
    return subprocess.run([PROBE, host, str(port), dialect, name], capture_output=True, text=True,
                          timeout=60).stdout.strip()


def of_service(arguments, service):
    """The arguments, restricted to one service if the command can be."""
    return arguments if arguments[0] in WHOLE_MACHINE else (*arguments, "--service", service)


def outcomes_of(done):
    """[(kind of server, outcome)] of a `--json` answer."""
    return [(each["service"].split(":")[0], each["outcome"]) for each in done.json["accounts"]]


def committed(done, kind=None):
    """Asserts that a `--json` answer tells of one committed transaction (by plans of this kind only)."""
    assert done.code == 0, done
    assert [each["outcome"] for each in done.json["accounts"]] == ["committed"], done
    kinds = {binding["kind"] for plan in done.json["plans"] for binding in plan["bindings"]}
    assert kind is None or kinds == {kind}, done
    return done.json
