"""What we read of Apache configurations, compared with httpd itself.

Needs apache2 2.4 and our dump program, whose path is in APACHE_DUMP. Everything runs in temporary
directories, and nothing is started.
"""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CORPUS = Path(__file__).resolve().parent.parent / "corpus" / "apache"
VALID = sorted(path.name for path in (CORPUS / "valid").iterdir())
REFUSED = sorted(path.name for path in (CORPUS / "refused").iterdir())
DUMP = os.environ["APACHE_DUMP"]
HTTPD = os.environ.get("APACHE", "/usr/sbin/apache2")


def lay_out(source, directory):
    if source.is_dir():
        shutil.copytree(source, directory)
    else:
        directory.mkdir()
        shutil.copy(source, directory / "main.conf")
    for path in directory.rglob("*"):  # read with their line ends
        if path.is_file():
            data = path.read_bytes()
            for mark, value in (("@PREFIX@", str(directory)), ("@PORT@", "9443"),
                                ("@MODULES@", "/usr/lib/apache2/modules")):
                data = data.replace(mark.encode(), value.encode())
            path.write_bytes(data)
    for name in ("site", "other"):
        (directory / f"{name}.pem").write_text("not looked at\n")
        (directory / f"{name}.key").write_text("not looked at\n")
    return directory


def defines(directory):
    path = directory / "defines"
    return [word for name in (path.read_text().split() if path.exists() else [])
            for word in ("-D", name)]


def httpd(directory, *arguments):
    done = subprocess.run([HTTPD, "-f", directory / "main.conf", *defines(directory), *arguments],
                          capture_output=True, timeout=30,
                          env={"PATH": os.environ["PATH"]})
    return done.returncode, done.stdout.decode("latin-1") + done.stderr.decode("latin-1")


def dump(directory):
    done = subprocess.run([DUMP, directory / "main.conf", *defines(directory)],
                          capture_output=True, timeout=30, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


@pytest.fixture(params=VALID)
def valid(request, tmp_path):
    directory = lay_out(CORPUS / "valid" / request.param, tmp_path / "conf")
    status, said = httpd(directory, "-t")
    assert status == 0, said
    return directory


def test_what_httpd_accepts_has_no_errors(valid):
    assert [row for row in dump(valid) if "error" in row] == []


def test_the_same_files_in_the_same_order(valid):
    _, said = httpd(valid, "-t", "-D", "DUMP_INCLUDES")
    theirs = re.findall(r"^ +\(.*?\) (/.*)$", said, re.M)
    ours = [row["read"] for row in dump(valid) if "read" in row]
    assert ours == list(dict.fromkeys(theirs))


def hosts_of(said):
    """{(address, name, aliases)} as -S tells; where one host has an address alone it names no
    aliases."""
    found, address, entry = [], None, None
    for line in said.splitlines():
        alone = re.match(r"(\S+:\S+)\s+(\S+) \((.*):(\d+)\)$", line)
        several = re.match(r"(\S+:\S+)\s+is a NameVirtualHost", line)
        one = re.match(r"\s+port \S+ namevhost (\S+) \((.*):(\d+)\)$", line)
        alias = re.match(r"\s+(?:wild )?alias (.*)$", line)
        if several:
            address = several[1]
        elif one:
            entry = (address, one[1], [])
            found.append(entry)
        elif alias:
            entry[2].append(alias[1].lower())
        elif alone:
            found.append((alone[1], alone[2], None))
    return sorted((a, n.lower(), sorted(x) if x is not None else None) for a, n, x in found)


def test_the_same_hosts_with_the_same_names(valid):
    _, said = httpd(valid, "-S")
    theirs = hosts_of(said)
    ours = sorted((address, row["host"], sorted(row["aliases"])) for row in dump(valid)
                  if "host" in row for address in row["addresses"])
    alone = {(address, name) for address, name, aliases in theirs if aliases is None}
    ours = sorted((a, n, None if (a, n) in alone else x) for a, n, x in ours)
    assert ours == theirs, said


def line_in_file(place):
    """httpd counts from the first line of a macro, which may stand in a macro in turn."""
    begins = map(int, re.findall(r"line (\d+)", place[1]))
    return f"({place[2]}:{sum(begins) + int(place[3])})"


def test_the_same_lines(valid):
    _, said = httpd(valid, "-S")
    said = re.sub(r"\(((?:macro '[^']*' \(defined on line \d+ of \")+)(/[^\"]*)\".*:(\d+)\)$",
                  line_in_file, said, flags=re.M)
    theirs = {(path, int(line)) for path, line in re.findall(r"\((/.*):(\d+)\)$", said, re.M)}
    ours = {(row["file"], row["line"]) for row in dump(valid) if row.get("line") and "host" in row}
    assert ours == theirs


def test_the_same_certificates(valid):
    _, said = httpd(valid, "-t", "-D", "DUMP_CERTS")
    theirs = sorted(re.findall(r"^  (/.*)$", said, re.M))
    ours = sorted(path for row in dump(valid) if "host" in row for path in row["certificates"])
    assert ours == theirs


@pytest.mark.parametrize("name", REFUSED)
def test_what_httpd_refuses_is_an_error(name, tmp_path):
    directory = lay_out(CORPUS / "refused" / name, tmp_path / "conf")
    status, said = httpd(directory, "-t")
    assert status != 0, said
    assert [row for row in dump(directory) if "error" in row]
