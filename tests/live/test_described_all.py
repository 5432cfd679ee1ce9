"""One name on every described server, its certificate renewed once by a real ACME client."""
import subprocess

from acme import Pebble, issued_by_lego
from command import PROBE
from files import write
from markers import needs_root
from pki import Certificate, load_pem
from servers.described import DESCRIBED
from stages.daemon import Watch
from waiting import until

pytestmark = needs_root
NAME = "mx.test"
PATIENCE = 900  # seconds, for all of them under sanitizers on a busy machine


def served_by(server):
    return {subprocess.run([PROBE, "127.0.0.1", str(port), dialect, NAME], capture_output=True, text=True,
                           timeout=60).stdout.strip() for dialect, port in server.endpoints.items()}


def serve(servers, thumbprint):
    return all(served_by(server) == {thumbprint} for server in servers)


def test_one_renewal_reaches_every_described_server(place, authority):
    """Each has a copy of its own, as its user may read it. No command is given after the renewal. Then one comes whose
    key is that of another certificate: nobody is harmed."""
    issued = issued_by_lego(place, Pebble(place), name=NAME)
    old = Certificate(*load_pem(issued.certificate, issued.key))
    servers = []
    for kind in DESCRIBED:
        server = kind(place / kind.kind)
        place.at_end(server.stop)
        servers.append(server.install(old).write().start())
    until(lambda: serve(servers, old.thumbprint), "all serve the old certificate", PATIENCE)
    watch = Watch(place, *servers, more=issued.store).start(old)
    done = place.run("check")
    assert all(server.service in place.run("scan", "--json").out for server in servers), done
    issued.renew()
    assert issued.thumbprint != old.thumbprint
    until(lambda: serve(servers, issued.thumbprint), "all serve the renewed certificate", PATIENCE)
    watch.idle()
    done = place.run("check")
    assert done.code == 0, done
    renewed = issued.thumbprint
    files = [server.files() for server in servers]
    write(issued.certificate, authority.issue([NAME, "www." + NAME]).fullchain_pem)
    done = place.run("rebind", "--pending")
    watch.idle()
    assert [server.files() for server in servers] == files and serve(servers, renewed), done
