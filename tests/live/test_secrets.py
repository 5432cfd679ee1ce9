"""Promise 5: nothing that certrebind writes or shows holds key material, and what has to is private."""
import os
import pathlib
import stat
import threading

from markers import both_builds
from stages.one_site import OneSite


def key_lines(certificate):
    """The base64 of the key, line by line: none of it may be found anywhere."""
    return [line for line in certificate.key_pem.splitlines() if not line.startswith("-----")]


class Arguments:
    """Reads every process's arguments and environment while something runs."""

    def __init__(self, needles):
        self.needles = [needle.encode() for needle in needles]
        self.found, self.seen = [], 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self):
        while not self._ended.is_set():
            for pid in filter(str.isdigit, os.listdir("/proc")):
                for entry in ("cmdline", "environ"):
                    try:
                        text = pathlib.Path(f"/proc/{pid}/{entry}").read_bytes()
                    except OSError:
                        continue
                    self.seen += b"certrebind" in text
                    self.found += [needle for needle in self.needles if needle in text]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()


def everything_written(place):
    return {path: path.read_bytes() for path in place.state.rglob("*") if path.is_file()}


def test_no_key_material_anywhere(place, authority):
    one = OneSite(place, authority)
    needles = key_lines(one.old) + key_lines(one.new)
    shown = []
    with Arguments(needles) as arguments:
        for command in (
            ["plan", one.old.thumbprint, one.new_cert],
            ["rebind", one.old.thumbprint, one.new_cert],
            ["rebind", one.new.thumbprint, one.new_cert, "--json"],
            ["check"], ["check", "--json"], ["scan", "--served"], ["scan", "--served", "--json"],
            ["certificates", "--json"], ["show", one.new.thumbprint, "--json"],
            ["undo"], ["history"], ["history", "--json"], ["history", "show", "1", "--json"],
            ["events"], ["events", "--json"],
            # Bad keys are complained of, not shown.
            ["rebind", one.old.thumbprint, one.new_cert, "--key", one.site.key_path],
        ):
            done = one.run(*command)
            assert done.code in (0, 1), done
            shown.append(done.all)
    assert arguments.seen > 0, "the witness saw nothing"
    assert arguments.found == []
    for needle in needles:
        for text in shown:
            assert needle not in text
    for path, content in everything_written(place).items():
        if any(path.is_relative_to(place.state / name) for name in ("before", "kept")):
            continue
        for needle in needles:
            assert needle.encode() not in content, path


def test_files_that_hold_a_key_are_private(place, authority):
    one = OneSite(place, authority)
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
    holding = [path for path, content in everything_written(place).items()
               if b"PRIVATE KEY" in content]
    assert holding, "the before-image of the key is kept for undo"
    for path in holding:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700, path.parent
    for path in (place.state, place.state / "before", place.state / "kept"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for name in place.state.glob("state.db*"):
        assert stat.S_IMODE(name.stat().st_mode) == 0o600


@both_builds
def test_no_core_dump_and_no_tracer(place, authority):
    gate = place.gate()
    gate.open()
    one = OneSite(place, authority)
    one.nginx.write(gate.directive + one.site.block())
    one.nginx.reload()
    gate.close()
    process = place.popen("rebind", one.old.thumbprint, str(one.new_cert), "--service",
                          one.nginx.service, stdout=-1, stderr=-2)
    gate.wait_for_load()
    limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text()
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
    # proc(5): the files of a process that is not dumpable belong to root, whoever runs it. As root that
    # tells nothing, but the kernel also hides them from a tracer without the capability.
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    assert "CoreDumping:\t0" in status
    gate.open()
    assert process.wait(60) == 0


def test_a_state_directory_that_others_may_enter_is_refused(place, authority):
    one = OneSite(place, authority)
    place.state.chmod(0o755)
    done = one.run("rebind", one.old.thumbprint, one.new_cert)
    assert done.code == 1 and "chmod 0700" in done.err, done
    assert one.served() == one.old.thumbprint
