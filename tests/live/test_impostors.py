"""A user of this host claims root's sites with a server of his own. Root's server, certificates and keys are not his."""
import os
import subprocess

import pytest

from command import committed
from files import write
from handshakes import handshake
from markers import needs_root
from ports import free_port
from servers.haproxy import HAPROXY
from stages.one_frontend import frontend
from stages.one_site import make_site
from waiting import until

EVE = 4321
pytestmark = needs_root
AS_EVE = ["setpriv", f"--reuid={EVE}", f"--regid={EVE}", "--clear-groups"]
TCP = ("defaults\n mode tcp\n timeout client 5s\n timeout server 5s\n timeout connect 5s\nfrontend f\n bind 127.0.0.1:{}\n"
       " default_backend b\nbackend b\n server s 127.0.0.1:{}\n")


class Impostor:
    """Root's nginx with one site; eve's HAProxy, without a master, passes its own port on to it."""

    def __init__(self, place, authority, name="eve.example.com", **of_old):
        self.place, self.name = place, name
        self.old = authority.issue(name, days=20, **of_old)
        self.site = make_site(place, self.old, name)
        self.nginx = place.nginx()
        self.nginx.write(self.site.block()).start()
        self.home = place / "eve"
        self.home.mkdir()
        os.chown(self.home, EVE, EVE)
        self.port = free_port()

    def configure(self, text):
        write(self.home / "x.cfg", text)
        os.chown(self.home / "x.cfg", EVE, EVE)

    def start(self, *arguments, cwd=None, env=None):
        process = subprocess.Popen([*AS_EVE, HAPROXY, *arguments], cwd=cwd or self.home, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
        self.place.at_end(lambda: (process.kill(), process.wait()))
        until(lambda: self.answers(), "eve's HAProxy answers")

    def answers(self):
        try:
            return bool(handshake(self.port, self.name))
        except OSError:
            return False


@pytest.mark.parametrize("given", [["-f", "x.cfg"], ["-C", "{home}", "-f", "x.cfg"], ["-f", "{home}/x.cfg"],
                                   ["-f", "../eve/x.cfg"]])
def test_a_single_haproxy_of_a_user_never_counts_as_roots(place, authority, given):
    """It names root's wildcard as its certificate; nothing of it may come to a site whose key its user reads."""
    eve = Impostor(place, authority)
    wild = authority.issue(["*.example.com"], days=90)
    secret = wild.write_combined(place / "rootonly/wild.pem")
    secret.parent.chmod(0o700)
    eve.configure(TCP.format(eve.port, eve.site.port))
    eve.start(*(word.format(home=eve.home) for word in given))
    eve.configure(frontend(eve.port, f"crt {secret}"))
    files = [path.read_bytes() for path in (eve.site.cert_path, eve.site.key_path)]
    listed = place.run("scan", "--json").json
    assert {each["service"] for each in listed["bindings"]} == {eve.nginx.service}, listed
    assert any("user 4321" in each["message"] for each in listed["diagnostics"]), listed
    done = place.run("rebind", "--pending")
    assert done.code == 0 and "nothing differs" in done.out, done
    assert [path.read_bytes() for path in (eve.site.cert_path, eve.site.key_path)] == files


def test_nothing_of_a_file_of_roots_is_shown(place, authority):
    eve = Impostor(place, authority)
    shadow = write(place / "rootonly/shadow", "root:SECRETHASH\n", 0o600)
    eve.configure(TCP.format(eve.port, eve.site.port))
    eve.start("-f", "x.cfg")
    eve.configure(frontend(eve.port, f"crt-list {shadow}"))
    for command in (["check"], ["scan"], ["doctor"], ["status"], ["rebind", "--pending"]):
        assert "SECRETHASH" not in place.run(*command).all


def test_the_variables_of_a_process_lead_roots_configuration_nowhere(place, authority):
    """Anybody can start HAProxy with root's configuration, and with an environment of his own."""
    eve = Impostor(place, authority)
    pem = eve.old.write_combined(eve.home / "own.pem")
    os.chown(pem, EVE, EVE)
    config = write(place / "haproxy/haproxy.cfg", frontend(eve.port, 'crt "${WHICH}"'))
    eve.start("-f", config, cwd=config.parent, env={**os.environ, "WHICH": str(pem)})
    found = place.run("scan", "--json").json["bindings"]
    assert str(pem) not in {each["certificate_path"] for each in found}, found


def test_the_directory_of_a_process_leads_roots_configuration_nowhere(place, authority):
    """A relative path in root's configuration begins where the process was started."""
    eve = Impostor(place, authority)
    pem = eve.old.write_combined(eve.home / "site.pem")
    os.chown(pem, EVE, EVE)
    config = write(place / "haproxy/haproxy.cfg", frontend(eve.port, "crt site.pem"))
    eve.start("-f", config)
    found = place.run("scan", "--json").json["bindings"]
    assert {each["certificate_path"] for each in found} == {str(eve.site.cert_path)}, found


class NamedUser(Impostor):
    """A user whose servers root handles: `[servers] users`."""

    def __init__(self, place, authority, name="shop.example.com", **of_old):
        super().__init__(place, authority, name, **of_old)
        place.configure(f'[servers]\nusers = ["{EVE}"]')
        self.mine = place.nginx("eve/nginx")
        self.front = free_port()

    def serve(self, text):
        self.mine.write(text)
        subprocess.run(["chown", "-R", f"{EVE}:{EVE}", self.home], check=True)
        process = subprocess.Popen([*AS_EVE, *self.mine.command("-g", "daemon off;")], stdin=subprocess.DEVNULL)
        self.place.at_end(lambda: (process.kill(), process.wait()))
        until(lambda: any(self.mine.service == each["service"] for each in self.place.run("scan", "--json").json["bindings"]),
              "certrebind sees eve's nginx")


def user_nginx(home, listen, name, cert, key):
    return (f"  server {{\n    listen {listen};\n    server_name {name};\n    ssl_certificate {cert};\n"
            f"    ssl_certificate_key {key};\n  }}\n")


def test_what_a_users_server_shows_replaces_nothing_of_roots(place, authority):
    """His port leads to root's site, and his file holds a certificate of his own making for it."""
    eve = NamedUser(place, authority, self_signed=True)  # so that no chain speaks against his
    eve.configure(TCP.format(eve.port, eve.site.port))
    eve.start("-f", "x.cfg")
    his = authority.issue(eve.name, days=200, self_signed=True)
    cert, key = his.write(eve.home / "tls")
    # His nginx loads the file, but the port that its configuration names is by now the proxy's.
    eve.serve(user_nginx(eve.home, f"127.0.0.1:{eve.front} ssl", eve.name, cert, key))
    eve.mine.conf.write_text(eve.mine.conf.read_text().replace(str(eve.front), str(eve.port)))
    done = place.run("rebind", "--pending")
    assert "is left to its user" in done.out and "committed" not in done.out, done
    assert handshake(eve.site.port, eve.name) == eve.old.thumbprint
    assert eve.site.cert_path.read_text() == eve.old.fullchain_pem


def test_the_name_of_a_site_means_roots_site(place, authority):
    """A user's server with the same name neither answers for it nor makes it ambiguous."""
    eve = NamedUser(place, authority)
    his = authority.issue(eve.name, days=30)
    cert, key = his.write(eve.home / "tls")
    eve.serve(user_nginx(eve.home, f"127.0.0.1:{eve.front} ssl", f"{eve.name} www.example.com", cert, key))
    new = authority.issue(eve.name, days=90)
    path, _ = new.write(place / "new")
    assert committed(place.run("rebind", eve.name, path, "--json"))
    assert handshake(eve.site.port, eve.name) == new.thumbprint
    assert handshake(eve.front, eve.name) == his.thumbprint
    none = place.run("rebind", "www.example.com", path)
    assert none.code == 1 and "another user" in none.err and "--service" in none.err, none
    undone = place.run("undo", "www.example.com")
    assert handshake(eve.site.port, eve.name) == new.thumbprint, undone
    assert place.run("undo", eve.name).code == 0 and handshake(eve.site.port, eve.name) == eve.old.thumbprint


def test_a_store_that_others_write_gives_roots_sites_nothing_by_itself(place, authority):
    old = authority.issue("www.example.com", days=20, self_signed=True)
    site = make_site(place, old, "www.example.com")
    nginx = place.nginx()
    nginx.write(site.block()).start()
    store = place / "store"
    his = authority.issue("www.example.com", days=300, self_signed=True)
    his.write(store, "www.pem", "www.key")
    subprocess.run(["chown", "-R", f"{EVE}:{EVE}", store], check=True)
    place.configure(stores=[("directory", store)])
    before = nginx.conf.read_text()
    place.run("rebind", "--pending")
    assert handshake(site.port, site.name) == old.thumbprint and nginx.conf.read_text() == before
    subprocess.run(["chown", "-R", "0:0", store], check=True)
    done = place.run("rebind", "--pending")
    assert done.code == 0 and handshake(site.port, site.name) == his.thumbprint, f"root's own store does: {done}"


def test_what_a_user_names_is_no_neighbour_of_roots_files(place, authority):
    """His configuration names root's certificate and key, which he may not even read."""
    eve = NamedUser(place, authority)
    eve.site.cert_path.chmod(0o600)
    cert, key = authority.issue("eve.example.com").write(eve.home / "tls")
    eve.serve(user_nginx(eve.home, f"127.0.0.1:{eve.front} ssl", "eve.example.com", cert, key))
    conf = eve.mine.conf.read_text()
    eve.mine.conf.write_text(conf.replace(str(cert), str(eve.site.cert_path)).replace(str(key), str(eve.site.key_path)))
    new = authority.issue(eve.name, days=90)
    path, _ = new.write(place / "new")
    done = place.run("rebind", eve.name, path, "--rewrite")
    assert handshake(eve.site.port, eve.name) == new.thumbprint, done
