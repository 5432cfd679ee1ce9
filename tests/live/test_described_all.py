"""One name on every described server, its certificate renewed once by a real ACME client."""
import os
import shlex

from acme import Pebble, issued_by_lego
from command import REPOSITORY, probed
from files import write
from markers import needs_root
from pki import Certificate, load_pem
from servers.described import DESCRIBED, NAMED_ONLY, RESTART_ONLY
from servers.systemd import Systemd
from stages.daemon import Watch, allow
from waiting import until

pytestmark = needs_root
NAME = "mx.test"
PATIENCE = 900  # seconds, for all of them under sanitizers on a busy machine


def served_by(server):
    return {probed(port, dialect, NAME) for dialect, port in server.endpoints.items()}


def serve(servers, thumbprint):
    return all(served_by(server) == {thumbprint} for server in servers)


def script(path, command, env, log):
    """A script that becomes this command."""
    variables = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in env.items() if
                        os.environ.get(name) != value)
    write(path, f"#!/bin/sh\nexec >>{log} 2>&1\n{variables}exec {shlex.join(map(str, command))}\n", 0o755)
    return [str(path)]


class Host:
    """A systemd whose units are these servers, and certrebind. Each has a copy of its own of the certificate, as its user
    may read it."""

    def __init__(self, place, certificate):
        self.servers = []
        for kind in DESCRIBED + NAMED_ONLY + RESTART_ONLY:
            server = kind(place / kind.kind)
            place.at_end(server.stop)
            server.install(certificate).write().prepare()
            self.servers.append(server)
        for kind in NAMED_ONLY:  # here their only configuration is the usual one
            server = self.of(kind)
            text = (REPOSITORY / f"services.d/{kind.kind}.toml").read_text()
            write(place / f"services.d/{kind.kind}.toml", text.replace('usual = ["', f'usual = ["{server.conf}", "'))
        units = {server.kind: script(server.prefix / "unit", server.command(), server.env, server.prefix / "run/stderr")
                 for server in self.servers}
        units["certrebind"] = script(place / "unit", [place.binary, "daemon"], place.env, place / "daemon.log")
        self.systemd = Systemd(place, units)
        self.before = self.systemd.before
        done = self.systemd.systemctl("start", "--no-block", *(server.kind for server in self.servers))
        assert done.returncode == 0, done

    def of(self, kind):
        return next(server for server in self.servers if type(server) is kind)

    def policies(self):
        restarts = 'automatic = "yes"\nallow_restart = true'
        return "".join(allow(server, restarts) if type(server) in RESTART_ONLY else allow(server)
                       for server in self.servers)


def test_one_renewal_reaches_every_described_server(place, authority):
    """No command is given after the renewal; those that load certificates at their start only are restarted, as their
    policies allow. Then one comes whose key is that of another certificate: nobody is harmed."""
    issued = issued_by_lego(place, Pebble(place), name=NAME)
    old = Certificate(*load_pem(issued.certificate, issued.key))
    host = Host(place, old)
    until(lambda: serve(host.servers, old.thumbprint), "all serve the old certificate", PATIENCE)
    watch = Watch(place, *host.servers, policy=host.policies(), more=issued.store, before=host.before)
    until(lambda: watch.status()["daemon"] and old.thumbprint in watch.watched(), "the daemon watches")
    done = watch.run("check")
    assert done.code == 0, done
    bound = watch.run("scan", "--json").out
    assert [server.service for server in host.servers if server.service not in bound] == []
    issued.renew()
    assert issued.thumbprint != old.thumbprint
    until(lambda: serve(host.servers, issued.thumbprint), "all serve the renewed certificate", PATIENCE)
    watch.idle()
    done = watch.run("check")
    assert done.code == 0, done
    renewed = issued.thumbprint
    files = [server.files() for server in host.servers]
    write(issued.certificate, authority.issue([NAME, "www." + NAME]).fullchain_pem)
    done = watch.run("rebind", "--pending")
    watch.idle()
    assert [server.files() for server in host.servers] == files and serve(host.servers, renewed), done
