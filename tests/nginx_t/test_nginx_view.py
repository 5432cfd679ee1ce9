"""What we read of nginx configurations, compared with nginx itself.

Needs nginx 1.22 with its Lua and stream modules, and our dump program, whose path is in NGINX_DUMP.
Everything runs in temporary directories.
"""
import json
import os
import random
import re
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

CORPUS = Path(__file__).resolve().parent.parent / "corpus" / "nginx"
VALID = sorted(path.name for path in (CORPUS / "valid").iterdir())
REFUSED = sorted(path.name for path in (CORPUS / "refused").iterdir())
FILES_OF_ROWS = {"geo.txt", "map-1.txt", "types.txt"}  # of the configuration "rows"
DUMP = os.environ["NGINX_DUMP"]



def nginx(directory, *arguments):
    command = ["nginx", "-p", str(directory), "-c", str(directory / "nginx.conf"), "-e", "stderr"]
    run = subprocess.run(command + list(arguments), capture_output=True, timeout=20)
    return run.stdout.decode("latin-1"), run.stderr.decode("latin-1")


def dump(directory):
    run = subprocess.run([DUMP, str(directory / "nginx.conf")], capture_output=True, timeout=20)
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.decode().splitlines()]


def directives_of(rows):
    return [row for row in rows if "words" in row]


def make_certificate(directory, name):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", directory / f"{name}.key", "-out", directory / f"{name}.pem",
         "-subj", f"/CN={name}"], check=True, capture_output=True)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    directory = tmp_path_factory.mktemp("certificates")
    for name in ("site", "ec"):
        make_certificate(directory, name)
    return directory


def lay_out(name, certificates, target):
    shutil.copytree(CORPUS / "valid" / name, target, symlinks=True)
    shutil.copytree(certificates, target / "certs")
    (target / "logs").mkdir()
    return target


@pytest.fixture(params=VALID)
def valid(request, certificates, tmp_path):
    directory = lay_out(request.param, certificates, tmp_path / "conf")
    _, errors = nginx(directory, "-t")
    assert "[emerg]" not in errors, errors
    return directory


def test_the_same_files_in_the_same_order(valid):
    listed, _ = nginx(valid, "-T")
    theirs = re.findall(r"^# configuration file (.*):$", listed, re.M)
    rows = dump(valid)
    assert [row["read"] for row in rows if "read" in row] == theirs
    assert [row for row in rows if "error" in row] == []
    for row in rows:
        if "read" in row:
            assert row["bytes"] == Path(row["read"]).stat().st_size


def without_lua(text):
    """Blanks the Lua blocks of the corpus, whose closing brace is found by counting those that are
    in no string, bracket or comment."""
    skip = re.compile(r"--\[(=*)\[.*?\]\1\]|--[^\n]*|\[(=*)\[.*?\]\2\]|\"(?:\\.|[^\"\\\n])*\""
                      r"|'(?:\\.|[^'\\\n])*'|[{}]", re.S)
    out, at = "", 0
    for start in re.finditer(r"^[^#\n]*_by_lua_block[^{]*\{", text, re.M):
        if start.end() <= at:
            continue
        depth, end = 1, start.end()
        while depth:
            found = skip.search(text, end)
            depth += {"{": 1, "}": -1}.get(found.group(), 0)
            end = found.end()
        out += text[at:start.end()] + "}"
        at = end
    return out + text[at:]


WORD = re.compile(r"""[ \t\r\n]+|\#[^\n]*|
    (?P<dq>"(?:\\.|[^"\\])*")|(?P<sq>'(?:\\.|[^'\\])*')|(?P<mark>[;{}])|
    (?P<plain>(?:\$\{+|\\.|[^ \t\r\n;{\\])+)""", re.S | re.X)


def simply_read(text):
    """Words as written, a list for each directive: another way than our lexer's, by one regex."""
    statements, words, at = [], [], 0
    while at < len(text):
        found = WORD.match(text, at)
        at = found.end()
        if found.lastgroup == "mark":
            if words:
                statements.append(words)
            words = []
        elif found.lastgroup:
            words.append(found.group())
    assert not words
    return statements


def test_the_same_words_as_a_simple_reading(valid):
    rows = dump(valid)
    for row in rows:
        if "read" not in row:
            continue
        text = Path(row["read"]).read_bytes().decode("latin-1")
        ours = [[written for _, written in directive["words"]]
                for directive in directives_of(rows) if directive["file"] == row["read"]]
        assert ours == simply_read(without_lua(text)), row["read"]


def test_nginx_sees_directives_where_we_do(valid):
    """A made-up directive before any of ours is met by nginx, and on the line that we say."""
    places = [row for row in directives_of(dump(valid))
              if not row["in_rows"] and Path(row["file"]).name not in FILES_OF_ROWS]
    random.Random(1).shuffle(places)
    for row in places[:12]:
        file = Path(row["file"])
        text = file.read_bytes()
        real = file.resolve()
        real.write_bytes(text[:row["begin"]] + b"made_up_directive;" + text[row["begin"]:])
        _, errors = nginx(valid, "-t")
        real.write_bytes(text)
        assert f'unknown directive "made_up_directive" in {file}:{row["line"]}' in errors, row


def test_nginx_decodes_words_as_we_do(valid, tmp_path):
    """Every odd word as written, in the place of a directive's name, which nginx then prints."""
    odd = {written: value for row in directives_of(dump(valid)) for value, written in row["words"]
           if re.search(r"[\"'\\$#]", written)}
    (tmp_path / "logs").mkdir()
    for written, value in sorted(odd.items())[:25]:
        (tmp_path / "nginx.conf").write_bytes(f"events{{}}\n{written};".encode("latin-1"))
        _, errors = nginx(tmp_path, "-t")
        assert f'unknown directive "{value}" in ' in errors, written


@pytest.mark.parametrize("name", REFUSED)
def test_we_complain_on_the_line_that_nginx_names(name, tmp_path):
    shutil.copy(CORPUS / "refused" / name, tmp_path / "nginx.conf")
    (tmp_path / "logs").mkdir()
    _, errors = nginx(tmp_path, "-t")
    assert "dlopen" not in errors, "a module of nginx is not installed"
    line = int(re.search(r"\[emerg\].*nginx\.conf:(\d+)$", errors, re.M).group(1))
    assert line in [row["line"] for row in dump(tmp_path) if "error" in row], errors


SERVERS = 8


@pytest.fixture(scope="session")
def many_certificates(tmp_path_factory):
    directory = tmp_path_factory.mktemp("many")
    for i in range(SERVERS):
        make_certificate(directory, f"s{i}")
    return directory


def random_servers(rng, ports):
    """Servers whose names and addresses collide in every way that nginx allows."""
    names = ["a.test", "b.a.test", "c.b.a.test", "*.a.test", ".a.test", "*.b.a.test", "b.*", "b.a.*",
             ".test", "_", '""', "~^b", "~.", "certrebind-probe.a.test", "10.1.1.1", "B.A.Test",
             "b.certrebind-probe.test"]
    listens = [f"127.0.0.1:{ports[0]} ssl", f"127.0.0.1:{ports[0]}", f"{ports[1]} ssl",
               f"127.0.0.1:{ports[1]} ssl", f"127.0.0.2:{ports[1]}"]
    servers = []
    for i in range(SERVERS):
        # The first two are one address, and nginx refuses that twice in a server.
        choice = listens[2:] + [listens[rng.randint(0, 1)]]
        server = {"listen": rng.sample(choice, rng.randint(1, 2)),
                  "names": rng.sample(names, rng.randint(0, 3)), "name": f"s{i}",
                  "certificate": i == 0 or rng.random() < 0.8, "rejects": rng.random() < 0.1}
        if i == 0:  # a default server everywhere, so that nginx accepts the others
            server["listen"], server["rejects"] = [listens[0], listens[2], listens[3], listens[4]], False
        servers.append(server)
    return servers


def written(servers, certificates):
    text = "daemon off; pid nginx.pid; events { worker_connections 64; }\nhttp { access_log off;\n"
    for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):
        text += f"{kind}_temp_path temp;"
    for server in servers:
        text += "server {" + "".join(f" listen {listen};" for listen in server["listen"])
        if server["names"]:
            text += f" server_name {' '.join(server['names'])};"
        if server["certificate"]:
            path = certificates / server["name"]
            text += f" ssl_certificate {path}.pem; ssl_certificate_key {path}.key;"
        if server["rejects"]:
            text += " ssl_reject_handshake on;"
        text += "}\n"
    return text + "}\n"


def shown(host, port, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((host, port), 5) as plain:
        with context.wrap_socket(plain, server_hostname=name) as stream:
            return stream.getpeercert(True)


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def wait_for(port, server):
    for _ in range(100):
        assert server.poll() is None, server.stderr.read()
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)


@pytest.mark.parametrize("seed", range(12))
def test_nginx_shows_what_we_say_for_every_name(seed, many_certificates, tmp_path):
    rng = random.Random(seed)
    ports = free_ports(2)
    (tmp_path / "nginx.conf").write_text(written(random_servers(rng, ports), many_certificates))
    _, errors = nginx(tmp_path, "-t")
    assert "[emerg]" not in errors, errors
    server = subprocess.Popen(["nginx", "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", "stderr"],
                              stderr=subprocess.PIPE)
    try:
        wait_for(ports[0], server)
        asked = 0
        for row in dump(tmp_path):
            if not row.get("site") or row["unproven"]:
                continue
            expected = ssl.PEM_cert_to_DER_cert(Path(row["certificate"]).read_text())
            for name in row["probe_names"] + [None] * row["without_sni"]:
                assert shown(row["host"], row["port"], name) == expected, (row, name)
                asked += 1
        assert asked
    finally:
        server.terminate()
        server.communicate(timeout=10)
