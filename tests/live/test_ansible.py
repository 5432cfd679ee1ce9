"""The Ansible role and the playbook for a farm. Each host is a process namespace of its own on this machine, with an nginx
and a certrebind of its own; Ansible reaches it through an interpreter that enters the namespace."""
import json
import os
import pathlib
import subprocess

import pytest

from command import BINARY
from files import write
from handshakes import handshake, wait_served
from markers import needs_root
from stages.one_site import make_site

ANSIBLE = pathlib.Path(__file__).parents[2] / "packaging/ansible"
SITE = "shop.example"

pytestmark = needs_root


class FarmHost:
    """One host of the farm: what lies below its directory, and its own processes."""

    def __init__(self, place, certificate, number):
        self.name = f"host{number:02}"
        self.root = place / self.name
        self.site = make_site(place, certificate, SITE, directory=self.root / "certs")
        self.nginx = place.nginx(f"{self.name}/nginx")
        self.nginx.write(self.site.block())
        (self.root / "state").mkdir(mode=0o700)
        self.config = write(self.root / "certrebind.toml", "default_stores = false\n[verify]\nseconds = 10\n")
        self.processes = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
             *self.nginx.command("-g", "daemon off;")], stdin=subprocess.DEVNULL)
        place.at_end(self.end)
        wait_served(certificate.thumbprint, self.site.port, SITE)
        init = pathlib.Path(f"/proc/{self.processes.pid}/task/{self.processes.pid}/children").read_text().strip()
        self.python = write(place / f"{self.name}.python", "#!/bin/sh\n"
                            f"exec nsenter --target {init} --mount --pid /usr/bin/python3 \"$@\"\n", 0o755)

    def end(self):
        self.processes.kill()
        self.processes.wait()

    def served(self):
        return handshake(self.site.port, SITE)

    @property
    def variables(self):
        return {"ansible_connection": "local", "ansible_python_interpreter": str(self.python),
                "certrebind_command": BINARY, "certrebind_config": str(self.config),
                "certrebind_environment": {
                    "CERTREBIND_STATE": str(self.root / "state"), "CERTREBIND_RUN": str(self.root / "run"),
                    "CERTREBIND_CONFIG": str(self.config), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}}


class Farm:
    def __init__(self, place, authority, count):
        self.place = place
        self.old, self.new = authority.pair(SITE)
        self.hosts = [FarmHost(place, self.old, number) for number in range(count)]
        self.inventory = write(place / "hosts.json", json.dumps(
            {"all": {"hosts": {host.name: host.variables for host in self.hosts}}}))

    def play(self, book, **variables):
        """(exit status, output, {host: its recap})."""
        done = subprocess.run(
            ["ansible-playbook", "-i", self.inventory, ANSIBLE / book, "-e", json.dumps(variables)],
            capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
            env={**os.environ, "ANSIBLE_ROLES_PATH": str(ANSIBLE / "roles"), "ANSIBLE_NOCOLOR": "1",
                 "ANSIBLE_STDOUT_CALLBACK": "default", "HOME": str(self.place.home),
                 "ANSIBLE_LOCAL_TEMP": str(self.place / "ansible"), "LC_ALL": "C.UTF-8"})
        recap = {}
        for line in done.stdout.partition("PLAY RECAP")[2].splitlines()[1:]:
            host, _, counts = line.partition(":")
            if counts:
                recap[host.strip()] = {key: int(value) for key, value in (
                    each.split("=") for each in counts.split())}
        return done.returncode, done.stdout + done.stderr, recap

    def renew(self):
        certificate, key = self.new.write(self.place / "new")
        return self.play("farm.yml", site=SITE, certificate=str(certificate), key=str(key))


WANTED = {
    "certrebind_settings": "default_stores = false\n[verify]\nseconds = 10",
    "certrebind_policies": [{"site": SITE, "automatic": "notify"}],
    "certrebind_tasks": [{"name": "cdn", "options": ["--event", "committed"], "command": ["/bin/true", "$(Path)"]}]}


def test_the_role_sets_up_each_host_and_a_second_run_changes_nothing(place, authority):
    farm = Farm(place, authority, 2)
    code, told, recap = farm.play("install.yml", **WANTED)
    assert code == 0 and all(counts["changed"] > 0 for counts in recap.values()), told
    for host in farm.hosts:
        tasks = {path.stem for path in (host.root / "tasks.d").iterdir()}
        assert tasks == {"rebind", "cdn"}
        assert 'automatic = "notify"' in host.config.read_text()
    code, told, recap = farm.play("install.yml", **WANTED)
    assert code == 0 and {counts["changed"] for counts in recap.values()} == {0}, told
    code, told, _ = farm.play("install.yml", certrebind_enabled="false", certrebind_tasks_absent=["cdn"],
                              certrebind_settings="default_stores = false")
    assert code == 0 and not list((farm.hosts[0].root / "tasks.d").iterdir()), told


def test_a_mistake_in_the_settings_is_not_installed(place, authority):
    farm = Farm(place, authority, 1)
    before = farm.hosts[0].config.read_text()
    code, told, _ = farm.play("install.yml", certrebind_settings="defalt_stores = false")
    assert code != 0 and "defalt_stores" in told, told
    assert farm.hosts[0].config.read_text() == before


def test_a_farm_is_renewed_in_batches(place, authority):
    farm = Farm(place, authority, 6)
    code, told, recap = farm.renew()
    assert code == 0 and {counts["changed"] for counts in recap.values()} == {1}, told
    assert {host.served() for host in farm.hosts} == {farm.new.thumbprint}
    assert told.count("PLAY [Rebind a farm]") > 2
    assert "PRIVATE KEY" not in told
    code, told, recap = farm.renew()
    assert code == 0 and {counts["changed"] for counts in recap.values()} == {0}, told


def test_the_first_host_that_fails_stops_the_farm(place, authority):
    """The second host's nginx would not start with its configuration: nothing is changed there, nor on any further one."""
    farm = Farm(place, authority, 4)
    broken = farm.hosts[1]
    broken.nginx.conf.write_text(broken.nginx.conf.read_text() + "nonsense;\n")
    code, told, recap = farm.renew()
    assert code != 0 and "nonsense" in told, told
    assert [host.served() == farm.new.thumbprint for host in farm.hosts] == [True, False, False, False]
    assert {host for host in recap} == {"host00", "host01"}
    left = [path.read_text() for path in pathlib.Path("/tmp").glob("certrebind-*/privkey.pem")]
    assert farm.new.key_pem not in left
