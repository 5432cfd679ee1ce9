"""A few random configurations of each server, always the same; `run.py` makes more of them."""
import pathlib
import subprocess
import sys

import pytest

RUN = pathlib.Path(__file__).with_name("run.py")
COUNT, SEED = 15, 7


@pytest.mark.parametrize("kind", ["apache", "nginx", "haproxy"])
def test_no_wrong_claim(kind):
    done = subprocess.run([sys.executable, RUN, kind, "--count", str(COUNT), "--seed", str(SEED)], capture_output=True,
                          text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f'"configurations": {COUNT}, "wrong": 0' in done.stdout, done.stdout
