"""An nginx that runs in a root directory of its own: found from the process table, its paths translated."""
import pathlib
import subprocess

import pytest

from command import ROOT
from files import difference, snapshot
from handshakes import handshake
from ports import free_port
from processes import processes_of_group
from roots import make_root
from servers.nginx import NGINX
from waiting import until

pytestmark = pytest.mark.skipif(not ROOT, reason="chroot(2) needs root")


@pytest.fixture
def caged(place, authority):
    """(root directory, port, OLD, NEW's path on this host, NEW) of a running chrooted nginx."""
    root = place / "cage"
    root.mkdir()
    make_root(root, NGINX, ["etc/nginx/tls", "srv/new", "var/log/nginx"])
    old, new = authority.pair("a.example.com")
    old.write(root / "etc/nginx/tls")
    new_cert, _ = new.write(root / "srv/new")
    port = free_port()
    temporary = "".join(f"{kind}_temp_path /tmp/{kind};\n" for kind in (
        "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (root / "etc/nginx/nginx.conf").write_text(
        "user root;\nworker_processes 1;\npid /run/nginx.pid;\nerror_log /var/log/nginx/e.log;\n"
        f"events {{ }}\nhttp {{ access_log off;\n{temporary}"
        f"server {{ listen 127.0.0.1:{port} ssl; server_name a.example.com;\n"
        "ssl_certificate tls/fullchain.pem;\nssl_certificate_key tls/privkey.pem; } }\n")
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", "chroot", root, NGINX, "-g", "daemon off;"],
        start_new_session=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end():
        process.terminate()
        process.wait(20)
        until(lambda: not processes_of_group(process.pid), "the caged nginx is gone")

    place.at_end(end)

    def answers():
        try:
            return handshake(port, "a.example.com") == old.thumbprint
        except OSError:
            assert process.poll() is None, "the caged nginx did not start"
    until(answers, "the caged nginx serves")
    return root, port, old, new_cert, new


def bindings_of(place, root):
    every = place.run("scan", "--json").json["bindings"]
    return [one for one in every if one["file"].startswith(str(root))]


def test_found_from_the_process_table(place, caged):
    root, _, old, _, _ = caged
    (binding,) = bindings_of(place, root)
    assert binding["site"] == "a.example.com"
    assert binding["file"] == str(root / "etc/nginx/nginx.conf")
    assert binding["certificate_path"] == str(root / "etc/nginx/tls/fullchain.pem")
    assert binding["certificate"]["thumbprint"] == old.thumbprint


@pytest.mark.parametrize("how", ["--rewrite", "--repoint"])
def test_rebound_and_undone(place, caged, how):
    root, port, old, new_cert, new = caged
    service = f"nginx:{root}/etc/nginx/nginx.conf"
    before = snapshot(root / "etc")
    done = place.run("rebind", old.thumbprint, new_cert, how, "--service", service)
    assert done.code == 0, done
    assert handshake(port, "a.example.com") == new.thumbprint
    if how == "--repoint":
        text = pathlib.Path(root / "etc/nginx/nginx.conf").read_text()
        assert "ssl_certificate /srv/new/fullchain.pem;" in text, "the path as nginx sees it"
    assert place.run("undo", "--service", service).code == 0
    assert difference(before, snapshot(root / "etc")) == []
    assert handshake(port, "a.example.com") == old.thumbprint


def test_a_certificate_outside_the_root_cannot_be_named(place, caged):
    root, port, old, _, new = caged
    outside, _ = new.write(place / "outside")
    service = f"nginx:{root}/etc/nginx/nginx.conf"
    done = place.run("rebind", old.thumbprint, outside, "--repoint", "--service", service)
    assert done.code == 1 and "outside the root directory" in done.out, done
    assert handshake(port, "a.example.com") == old.thumbprint
