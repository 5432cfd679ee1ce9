"""What is installed, and the examples that come with it. The Debian package is tried by packaging/build."""
import pathlib
import re
import shutil
import subprocess

import pytest

from command import BINARY, REPOSITORY
from files import write

EXAMPLES = REPOSITORY / "packaging/examples"


def test_every_setting_of_the_example_is_known(place):
    """Taken out of its comment, each is accepted: the file is what it says."""
    text = (EXAMPLES / "certrebind.toml").read_text()
    settings = re.sub(r"^#(?=\[|\w+ = )", "", text, flags=re.M)
    assert settings.count("\n[") == 7, "the tables that certrebind.toml(5) has"
    write(place.config, settings.replace("default_stores = true", "default_stores = false"))
    done = place.run("certificates")
    assert done.code == 0, done
    write(place.config, settings.replace("quiet_seconds", "quite_seconds"))
    assert place.run("certificates").code == 2, "and is really read"


def test_the_example_tasks_are_tasks(place):
    directory = place / "tasks.d"
    directory.mkdir()
    for example in (EXAMPLES / "tasks.d").iterdir():
        shutil.copy(example, directory)
    done = place.run("task", "list")
    assert done.code == 0 and "left out" not in done.all, done
    for example in (EXAMPLES / "tasks.d").iterdir():
        assert example.stem in done.out, done


def test_installed_under_a_prefix_and_removed(tmp_path):
    """The units start the program of that prefix; `uninstall` leaves no file."""
    build = pathlib.Path(BINARY).parent
    if not (build / "cmake_install.cmake").exists():
        pytest.skip("this certrebind does not lie where it was built")
    subprocess.run(["cmake", "--install", build, "--prefix", tmp_path], check=True, capture_output=True)
    for unit in ("certrebind.service", "certrebind-metrics.service"):
        text = (tmp_path / "lib/systemd/system" / unit).read_text()
        assert f"ExecStart={tmp_path}/bin/certrebind " in text
    assert subprocess.run([tmp_path / "bin/certrebind", "--version"], capture_output=True).returncode == 0
    subprocess.run(["cmake", "--build", build, "--target", "uninstall"], check=True, capture_output=True)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
