"""Servers in containers: another root directory, other mounts, another network. They are read through their own root,
asked in their own network, and signalled. No program of theirs is run, and nothing leads out of them."""
import os
import pathlib
import subprocess

import pytest

from daemons import running_daemon
from files import difference, snapshot, write
from handshakes import wait_served
from markers import needs_root
from ports import free_port
from roots import make_root
from servers.container import Container
from servers.haproxy import HAPROXY
from servers.nginx import NGINX
from waiting import until

pytestmark = needs_root
NAME = "a.example.com"
TLS = "/etc/nginx/tls"
PIECES = "".join(f"{kind}_temp_path /tmp/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))


class Web:
    """nginx in a container. Its certificate lies in a directory of this host, which is mounted there, or where `tls`
    says."""

    def __init__(self, place, authority, mode="ro", tls=None, etc=None, mounts=None, before=(), links=None):
        self.place = place
        self.old, self.new = authority.pair(NAME)
        self.host_tls = place / "tls"
        self.host_tls.mkdir()
        self.box = Container(place / "box", NGINX, ["etc/nginx/tls", "var/log/nginx"])
        place.at_end(self.box.stop)
        self.certificate, self.key = self.old.write(tls or self.host_tls)
        self.new_certificate, _ = self.new.write(place / "new")
        for path in (self.certificate, self.key) if links else ():
            os.rename(path, path.parent / links / path.name)
            path.symlink_to(f"{links}/{path.name}")
        self.port = free_port()
        self.etc = etc or self.box.root / "etc/nginx"
        self.configure(TLS)
        if before:
            make_root(self.box.root, before[0])
            self.box.program = before[0]
        program = [*before[1:], NGINX] if before else []
        self.box.start(*program, "-g", "daemon off;",
                       mounts=[(self.host_tls, TLS, mode)] if mounts is None else mounts)
        self.box.wait_served(self.old.thumbprint, self.port, NAME)

    def configure(self, directory, more=""):
        write(self.etc / "nginx.conf",
              "user root;\nworker_processes 1;\npid /run/nginx.pid;\nerror_log /var/log/nginx/e.log;\n"
              f"events {{ }}\nhttp {{ access_log off;\n{PIECES}"
              f"server {{ listen 127.0.0.1:{self.port} ssl; server_name {NAME};\n"
              f"ssl_certificate {directory}/fullchain.pem;\nssl_certificate_key {directory}/privkey.pem; }}\n{more} }}\n")

    @property
    def service(self):
        return "nginx:" + self.box.path("/etc/nginx/nginx.conf")

    def run(self, *words):
        return self.place.run(*words, "--service", self.service)

    def served(self):
        return self.box.served(self.port, NAME)

    def renew(self):
        """As a renewer on this host does: a new file under the old name."""
        for certificate, name in ((self.new.fullchain_pem, "fullchain.pem"), (self.new.key_pem, "privkey.pem")):
            write(self.host_tls / "next", certificate, 0o600)
            os.rename(self.host_tls / "next", self.host_tls / name)


def refused(web, *words):
    """What certrebind says when it changes nothing."""
    before = [snapshot(web.host_tls), snapshot(web.box.root / "etc")]
    done = web.run("rebind", web.old.thumbprint, web.new_certificate, *words)
    assert done.code == 1 and web.served() == web.old.thumbprint, done
    assert [difference(then, snapshot(now)) for then, now in
            zip(before, (web.host_tls, web.box.root / "etc"))] == [[], []]
    return done.all


def test_check_shows_it_in_its_network(place, authority):
    web = Web(place, authority)
    done = web.run("check")
    assert done.code == 0 and NAME in done.out and "runs no program of it" in done.all, done
    (binding,) = web.run("scan", "--json").json["bindings"]
    assert binding["certificate_path"] == str(web.certificate), "as this host names it"
    assert binding["certificate"]["thumbprint"] == web.old.thumbprint
    (endpoint,) = binding["endpoints"]
    assert endpoint["address"] == f"127.0.0.1:{web.port} (network of process {web.box.pid})"


@pytest.mark.parametrize("mode", ["ro", "rw"])
def test_what_is_renewed_on_the_host_is_reloaded(place, authority, mode):
    web = Web(place, authority, mode)
    web.renew()
    assert web.run("check").code == 1 and web.served() == web.old.thumbprint
    done = web.run("rebind", web.old.thumbprint, web.certificate)
    assert done.code == 0 and "committed" in done.out and web.served() == web.new.thumbprint, done
    assert web.run("check").code == 0


def test_the_daemon_reloads_it(place, authority):
    web = Web(place, authority)
    running_daemon(place)
    web.renew()
    until(lambda: web.served() == web.new.thumbprint, "the container serves the renewed certificate")


def test_a_container_that_is_started_again_is_not_missed(place, authority):
    web = Web(place, authority)
    assert place.run("check").code == 0
    web.box.stop()
    web.box.start("-g", "daemon off;", mounts=[(web.host_tls, TLS, "ro")])
    web.box.wait_served(web.old.thumbprint, web.port, NAME)
    done = place.run("check")
    assert done.code == 0 and "not running" not in done.all, done


def test_rewritten_and_undone_on_the_host(place, authority):
    web = Web(place, authority)
    before = snapshot(web.host_tls)
    done = web.run("rebind", web.old.thumbprint, web.new_certificate)
    assert done.code == 0 and web.served() == web.new.thumbprint, done
    assert web.certificate.read_text() == web.new.fullchain_pem
    assert web.run("undo").code == 0
    assert difference(before, snapshot(web.host_tls)) == [] and web.served() == web.old.thumbprint


def test_a_bad_pair_is_not_loaded(place, authority):
    web = Web(place, authority)
    write(web.certificate, web.new.fullchain_pem)
    done = web.run("rebind", web.old.thumbprint, web.certificate)
    assert done.code == 1 and "belongs to another certificate" in done.all and web.served() == web.old.thumbprint, done


def test_what_the_container_may_change_is_not_written(place, authority):
    said = refused(Web(place, authority, "rw"))
    assert "the container may change" in said and "mount the directory read-only" in said


def test_an_image_is_not_written(place, authority):
    said = refused(Web(place, authority, tls=place / "box/etc/nginx/tls", mounts=[]))
    assert "the container may change" in said or "of the container alone" in said, said


def test_what_another_container_may_change_is_not_written(place, authority):
    web = Web(place, authority)
    other = Container(place / "other", "/usr/bin/sleep")
    place.at_end(other.stop)
    other.start("1000", mounts=[(place / "tls", "/data", "rw")])
    until(lambda: os.readlink(f"/proc/{other.pid}/exe") == "/usr/bin/sleep", "the other container runs")
    assert "by another mount" in refused(web)


def test_a_link_to_what_the_container_may_change_is_not_written_through(place, authority):
    (place / "data").mkdir()
    mounts = [(place / "tls", TLS, "ro"), (place / "data", "/etc/nginx/data", "rw")]
    web = Web(place, authority, mounts=mounts, links="../data")
    assert "the container may change" in refused(web)


def test_a_container_that_may_mount_is_not_believed(place, authority):
    """With user ids of its own it makes a mount read-only for this process, which another process may write."""
    mounts = [(place / "tls", TLS, "ro"), (pathlib.Path("/proc"), "/proc", "rw")]
    web = Web(place, authority, mounts=mounts, before=["/usr/bin/unshare", "--user", "--map-root-user"])
    assert "a user namespace" in refused(web)


def test_a_single_mounted_file_is_not_written(place, authority):
    """A new file in its place would not be seen inside, and the old one would be served for ever."""
    names = ("fullchain.pem", "privkey.pem")
    web = Web(place, authority, mounts=[(place / "tls" / name, f"{TLS}/{name}", "ro") for name in names])
    assert "is mounted as a single file" in refused(web)


def test_no_link_leads_out_of_it(place, authority):
    """The container names a file of this host by a link. It means a file of its own by that."""
    web = Web(place, authority)
    secret, _ = authority.issue("secret.example").write(place / "secret")
    link = web.box.root / "etc/nginx/out"
    link.mkdir()
    (link / "fullchain.pem").symlink_to(secret)
    (link / "privkey.pem").symlink_to(place / "secret/privkey.pem")
    (web.box.root / "etc/nginx/conf").symlink_to(place / "secret")
    web.configure(TLS, f"server {{ listen 127.0.0.1:{free_port()} ssl; server_name secret.example;\n"
                  "ssl_certificate out/fullchain.pem; ssl_certificate_key out/privkey.pem; }\n"
                  "include conf/*.pem;")
    said = web.run("scan", "--json")
    by_site = {one["site"]: one for one in said.json["bindings"]}
    assert by_site[NAME]["certificate"]["thumbprint"] == web.old.thumbprint
    assert by_site["secret.example"].get("certificate") is None, said
    assert "BEGIN" not in said.all


def test_no_program_of_it_is_run(place, authority):
    web = Web(place, authority, "rw")
    write(web.box.root / "usr/sbin/nginx.new", f"#!/bin/sh\ntouch {place / 'ran'}\n", 0o755)
    os.rename(web.box.root / "usr/sbin/nginx.new", web.box.root / "usr/sbin/nginx")
    web.renew()
    for words in (["check"], ["rebind", web.old.thumbprint, web.certificate], ["scan"], ["explain", NAME]):
        web.run(*words)
    place.run("check")
    assert not (place / "ran").exists()


def test_a_root_directory_with_a_name_of_this_host(place):
    """A directory is mounted in the container under the name that it has here, and the server changes its root to it:
    all paths are those of this host, but the program is the container's."""
    shared, chroot = place / "shared", "/usr/sbin/chroot"
    for program in (NGINX, "/bin/sh"):
        make_root(shared, program, ["etc/nginx", "var/log/nginx"])
    write(shared / "etc/nginx/nginx.conf", f"user root;\npid /run/nginx.pid;\nevents {{ }}\nhttp {{ {PIECES} }}\n")
    box = Container(place / "box", chroot)
    place.at_end(box.stop)
    box.start(str(shared), NGINX, "-g", "daemon off;", mounts=[(shared, str(shared), "rw")])
    until(lambda: (shared / "run/nginx.pid").exists(), "nginx runs")
    write(shared / "usr/sbin/next", "#!/bin/sh\n: > /ran\n", 0o755)
    os.rename(shared / "usr/sbin/next", shared / "usr/sbin/nginx")
    assert os.readlink(f"/proc/{box.pid}/root") == str(shared), "as it is called here"
    for words in (["scan"], ["check"]):
        place.run(*words)
    assert not (shared / "ran").exists()


def test_a_container_with_many_servers_is_read_in_part(place, authority):
    """It could keep root busy with a thousand of them."""
    web = Web(place, authority, mounts=[(place / "tls", TLS, "ro"), (pathlib.Path("/proc"), "/proc", "rw")])
    for number in range(20):
        write(web.box.root / f"etc/nginx/{number}.conf", (web.etc / "nginx.conf").read_text()
              .replace("/run/nginx.pid", f"/run/{number}.pid").replace(str(web.port), str(free_port())))
        subprocess.run(["nsenter", "--mount", "--root", "--net", "--target", str(web.box.pid), NGINX,
                        "-c", f"/etc/nginx/{number}.conf"], check=True)
        pid_file = web.box.root / f"run/{number}.pid"
        until(lambda: pid_file.exists() and pid_file.read_text().strip(), "nginx has started")
        pid = int(pid_file.read_text())
        place.at_end(lambda pid=pid: os.kill(pid, 15))
        until(lambda: b"nginx: master" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes(), "it has its title")
    said = place.run("scan", "--json").json
    assert len(said["bindings"]) == 16 and "runs more than 16 servers" in str(said["diagnostics"])


def test_no_device_of_it_is_opened(place, authority):
    """A device in a container is one of this host: to open it may be an act."""
    web = Web(place, authority)
    directory = web.box.root / "etc/nginx/dev"
    directory.mkdir()
    subprocess.run(["mknod", directory / "fullchain.pem", "c", "1", "5"], check=True)
    os.mkfifo(directory / "privkey.pem")
    web.configure(TLS, f"server {{ listen 127.0.0.1:{free_port()} ssl; server_name d.example;\n"
                  "ssl_certificate dev/fullchain.pem; ssl_certificate_key dev/privkey.pem; }")
    by_site = {one["site"]: one for one in web.run("scan", "--json").json["bindings"]}
    assert by_site["d.example"].get("certificate") is None
    assert "no regular file" in str(by_site["d.example"])


def test_haproxy(place, authority):
    old, new = authority.pair(NAME)
    (place / "tls").mkdir()
    old.write_combined(place / "tls/site.pem")
    port = free_port()
    box = Container(place / "box", HAPROXY, ["etc/haproxy"])
    place.at_end(box.stop)
    write(box.root / "etc/haproxy/haproxy.cfg",
          f"defaults\n mode http\n timeout client 60s\n timeout server 60s\n timeout connect 5s\n"
          f"frontend f\n bind 127.0.0.1:{port} ssl crt /etc/haproxy/tls/\n")
    box.start("-W", "-f", "/etc/haproxy/haproxy.cfg", mounts=[(place / "tls", "/etc/haproxy/tls", "ro")])
    box.wait_served(old.thumbprint, port, NAME)
    new_certificate, _ = new.write(place / "new")
    service = "haproxy:" + box.path("/etc/haproxy/haproxy.cfg")
    done = place.run("rebind", old.thumbprint, new_certificate, "--service", service)
    assert done.code == 0 and box.served(port, NAME) == new.thumbprint, done


def test_a_described_server(place, authority):
    old, new = authority.pair(NAME)
    old.write(place / "tls")
    port = free_port()
    box = Container(place / "box", "/usr/sbin/mosquitto", ["etc/mosquitto"])
    place.at_end(box.stop)
    write(box.root / "etc/mosquitto/mosquitto.conf",
          f"user root\nlistener {port} 127.0.0.1\ncertfile /tls/fullchain.pem\nkeyfile /tls/privkey.pem\n"
          "allow_anonymous true\n")
    box.start("-c", "/etc/mosquitto/mosquitto.conf", mounts=[(place / "tls", "/tls", "ro")])
    box.wait_served(old.thumbprint, port, NAME)
    new_certificate, _ = new.write(place / "new")
    service = "mosquitto:" + box.path("/etc/mosquitto/mosquitto.conf")
    done = place.run("rebind", old.thumbprint, new_certificate, "--service", service)
    assert done.code == 0 and box.served(port, NAME) == new.thumbprint, done


def test_a_described_server_here_and_in_a_container(place, authority):
    """Their configurations have one name. Neither hides the other, whichever is found first."""
    old, new = authority.pair(NAME)
    certificate, key = old.write(place / "tls")
    port, configuration = free_port(), place / "mosquitto.conf"
    text = (f"user root\nlistener {port} 127.0.0.1\ncertfile {certificate}\nkeyfile {key}\n"
            "allow_anonymous true\n")
    boxes = [Container(place / name, "/usr/sbin/mosquitto") for name in ("before", "after")]
    write(configuration, text)
    server = None
    for box in boxes:
        place.at_end(box.stop)
        inside = box.root / str(configuration).lstrip("/")
        inside.parent.mkdir(parents=True)
        write(inside, text)
        box.start("-c", str(configuration), mounts=[(place / "tls", str(place / "tls"), "ro")])
        until(lambda: os.readlink(f"/proc/{box.pid}/exe") == "/usr/sbin/mosquitto", "it is in its own network")
        box.wait_served(old.thumbprint, port, NAME)
        if server is None:
            server = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "/usr/sbin/mosquitto", "-c", configuration])
            place.at_end(server.kill)
            wait_served(old.thumbprint, port, NAME)
    new_certificate, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, new_certificate)
    assert done.code == 0, done
    wait_served(new.thumbprint, port, NAME)
    shown = [box.served(port, NAME) for box in boxes]
    assert shown == [new.thumbprint] * 2, (shown, done)


def test_two_containers_with_one_configuration(place, authority):
    """Copies of one service: each is reloaded."""
    (place / "etc/tls").mkdir(parents=True)
    mounts = [(place / "etc", "/etc/nginx", "rw"), (place / "tls", TLS, "ro")]
    web = Web(place, authority, etc=place / "etc", mounts=mounts)
    twin = Container(place / "twin", NGINX, ["etc/nginx", "var/log/nginx"])
    place.at_end(twin.stop)
    twin.start("-g", "daemon off;", mounts=mounts)
    twin.wait_served(web.old.thumbprint, web.port, NAME)
    done = place.run("rebind", web.old.thumbprint, web.new_certificate)
    assert done.code == 0, done
    assert [box.served(web.port, NAME) for box in (web.box, twin)] == [web.new.thumbprint] * 2, done


def test_a_network_of_its_own_alone(place, authority):
    """As `ip netns exec` and a unit's PrivateNetwork make it."""
    old, new = authority.pair(NAME)
    certificate, key = old.write(place / "tls")
    port = free_port()
    nginx = place.nginx()
    nginx.write(f"server {{ listen 127.0.0.1:{port} ssl; server_name {NAME};\n"
                f"ssl_certificate {certificate}; ssl_certificate_key {key}; }}\n")
    box = Container.__new__(Container)
    box.process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", "unshare", "--net", "sh", "-c",
         f"ip link set lo up; exec {NGINX} -c {nginx.conf} -p {nginx.prefix} -g 'daemon off;'"],
        start_new_session=True, stdin=subprocess.DEVNULL)
    place.at_end(box.stop)
    box.wait_served(old.thumbprint, port, NAME)
    new_certificate, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, new_certificate, "--service", f"nginx:{nginx.conf}")
    assert done.code == 0 and box.served(port, NAME) == new.thumbprint, done


@pytest.mark.parametrize("is_named", [False, True])
def test_a_container_whose_server_is_not_roots(place, authority, is_named):
    """As HAProxy's own image. Left to the user with this number, until he is named."""
    old, new = authority.pair(NAME)
    old.write_combined(place / "tls/site.pem").chmod(0o644)
    port = free_port()
    box = Container(place / "box", HAPROXY, ["etc/haproxy"])
    place.at_end(box.stop)
    write(box.root / "etc/haproxy/haproxy.cfg",
          f"defaults\n mode http\n timeout client 60s\n timeout server 60s\n timeout connect 5s\n"
          f"frontend f\n bind 127.0.0.1:{port} ssl crt /etc/haproxy/tls/\n")
    box.start("-W", "-f", "/etc/haproxy/haproxy.cfg", mounts=[(place / "tls", "/etc/haproxy/tls", "ro")], user=4242)
    box.wait_served(old.thumbprint, port, NAME)
    if is_named:
        place.configure('[servers]\nusers = ["4242"]\n')
    new.write_combined(place / "tls/site.pem").chmod(0o644)
    done = place.run("rebind", old.thumbprint, place / "tls/site.pem")
    assert (done.code == 0) == is_named, done
    assert box.served(port, NAME) == (new if is_named else old).thumbprint
