"""What clients are sent leads where it led before: the chain is judged by what was served, whether OLD lies on disk or not."""
import subprocess

import pytest

from command import of_service
from files import write
from handshakes import handshake
from pki import Authority, common_name
from stages.one_site import make_site


def sent(port, name):
    """The subjects that a handshake shows."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, "-showcerts"],
                          input="", capture_output=True, text=True)
    return [line.split(":", 1)[1].strip() for line in done.stdout.splitlines() if " s:" in line]


class Stage:
    """One nginx whose site has one file with leaf and chain; it was looked at once if `seen`."""

    def __init__(self, place, authority, seen):
        place.configure(verify=3, stores=[("certbot", place / "letsencrypt")])
        self.place, self.name = place, "a.example.com"
        self.old, self.new = authority.pair(self.name)
        self.site = make_site(place, self.old, self.name)
        self.nginx = place.nginx()
        self.nginx.write(self.site.block()).start()
        if seen:
            assert self.run("rebind", "--pending").code == 0  # what is proven is kept

    def renew(self, chain):
        write(self.site.cert_path, self.new.leaf_pem + chain)
        write(self.site.key_path, self.new.key_pem, 0o600)

    def run(self, *arguments):
        return self.place.run(*of_service(arguments, self.nginx.service))

    def stays(self, done):
        assert done.code == 1, done
        assert handshake(self.site.port, self.name) == self.old.thumbprint
        assert len(sent(self.site.port, self.name)) == 2
        return done


@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize("way", ["rebind", "--pending"])
@pytest.mark.parametrize("chain", ["none", "of another issuer", "of an equal subject"])
def test_the_intermediate_is_lost(place, authority, seen, way, chain):
    stage = Stage(place, authority, seen)
    other = {"none": lambda: "", "of another issuer": lambda: Authority("Other").intermediate_pem,
             "of an equal subject": lambda: Authority().intermediate_pem}[chain]()
    stage.renew(other)
    old = stage.old.thumbprint
    stage.stays(stage.run("rebind", "--pending") if way == "--pending"
                else stage.run("rebind", old, stage.site.cert_path))


@pytest.mark.parametrize("seen", [True, False])
def test_the_whole_chain_in_a_store_is_offered_and_can_be_had(place, authority, seen):
    stage = Stage(place, authority, seen)
    live = place / "letsencrypt/live" / stage.name
    stage.new.write(live)
    stage.renew("")
    said = stage.stays(stage.run("rebind", stage.old.thumbprint, stage.site.cert_path))
    assert f"certrebind rebind {stage.old.thumbprint[:16]} {live / 'fullchain.pem'}" in said.out, said
    done = stage.run("rebind", stage.old.thumbprint, live / "fullchain.pem")
    assert done.code == 0, done
    assert handshake(stage.site.port, stage.name) == stage.new.thumbprint
    assert len(sent(stage.site.port, stage.name)) == 2


@pytest.mark.parametrize("seen", [True, False])
def test_another_intermediate_of_the_same_root(place, authority, seen):
    stage = Stage(place, authority, seen)
    second = Authority()
    second.root, second.root_key = authority.root, authority.root_key
    second.intermediate = second._sign(common_name("Second Issuer"), second.intermediate_key.public_key(),
                                       authority.root.subject, authority.root_key, ca=True, days=3650)
    stage.new = second.issue(stage.name, days=90)
    stage.renew(stage.new.chain_pem)
    assert stage.run("rebind", "--pending").code == 0
    assert sent(stage.site.port, stage.name)[1:] == ["CN = Second Issuer"]


@pytest.mark.parametrize("follows", [True, False])
def test_apaches_chain_file(place, authority, follows):
    """The intermediates stand in a file of their own, that was renewed along, or was not."""
    place.configure(verify=3)
    old, new = authority.pair("a.example.com")
    site = make_site(place, old, "a.example.com")
    write(site.cert_path, old.leaf_pem)
    chain = write(place / "certs/chain.pem", old.chain_pem)
    apache = place.apache()
    apache.write(site.host(extra=f"  SSLCertificateChainFile {chain}\n"), ports=[site.port]).start()
    if not follows:
        write(chain, Authority("Other").intermediate_pem)
    write(site.cert_path, new.leaf_pem)
    write(site.key_path, new.key_pem, 0o600)
    done = place.run("rebind", "--pending", "--service", apache.service)
    assert done.code == (0 if follows else 1), done
    assert handshake(site.port, site.name) == (new if follows else old).thumbprint
