"""What is drawn on a terminal while a command works; elsewhere nothing is."""
import os
import pty

import pytest

from markers import both_builds


def drawn(one, *arguments):
    """The lines that a command draws over each other on its standard error, a terminal."""
    ours, theirs = pty.openpty()
    process = one.place.popen(*arguments, "--service", one.nginx.service, stdout=-3, stderr=theirs)
    os.close(theirs)
    text = b""
    try:
        while more := os.read(ours, 65536):
            text += more
    except OSError:  # the last who held the other end is gone
        pass
    os.close(ours)
    assert process.wait() in (0, 1), text
    return [line.strip() for line in text.decode().split("\r\x1b[K")]


@both_builds
@pytest.mark.parametrize("command", [["scan", "--served"], ["check"]], ids=["scan", "check"])
def test_handshakes_are_counted(one, command):
    lines = drawn(one, *command)
    count = 2  # with the site's name, and without SNI
    assert [f"handshakes: {done} of {count}" for done in (1, 2)] == lines[1:3]
    assert lines[-1] == ""


@both_builds
def test_phases_and_proof(one):
    lines = drawn(one, "rebind", one.old.thumbprint, one.new_cert)
    wanted = ["preparing", "staged", "swapping files", "testing the new files",
              "tested", "reloading", "proving by handshakes", "proving by handshakes: 2 of 2"]
    told = [line.removeprefix(f"{one.nginx.service}: ") for line in lines]
    at = -1
    for words in wanted:
        at = next(i for i, line in enumerate(told) if i > at and line.startswith(words))


@both_builds
def test_many_handshakes_are_not_each_drawn(one):
    names = " ".join(f"n{i}.example.com" for i in range(400))
    one.nginx.write(one.site.block(extra=f"    server_name {names};\n"))
    one.nginx.reload()
    counts = [line for line in drawn(one, "check") if line.startswith("handshakes: ")]
    assert counts[-1] == "handshakes: 402 of 402"
    assert 100 <= len(counts) <= 101
