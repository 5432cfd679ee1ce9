"""A pair that is renewed in place with another type of key is found, and never brought where it could not be used."""
import pytest

from command import of_service
from handshakes import handshake
from ports import free_port
from stages.one_frontend import frontend
from stages.one_site import make_site

SUITES = {"rsa2048": "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256",
          "rsa3072": "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256",
          "ec": "ECDHE-ECDSA-AES256-GCM-SHA384"}


class Stage:
    def __init__(self, place, authority, kind, old_key, new_key, suites="", newest=False):
        place.configure(verify=5)
        self.place, self.name, self.kind = place, "a.example.com", kind
        self.old = authority.issue(self.name, days=20, key=old_key)
        self.new = authority.issue(self.name, days=90, key=new_key)
        self.port = free_port()
        if kind == "haproxy":
            self.path = self.old.write_combined(place / "certs/site.pem")
            self.server = place.haproxy()
            tls = f" ciphers {suites}" if suites else ""
            tls += " ssl-min-ver TLSv1.3" if newest else " ssl-max-ver TLSv1.2" if suites else ""
            self.server.write(frontend(self.port, f"crt {self.path}{tls}")).start()
            return
        site = make_site(place, self.old, self.name, port=self.port)
        self.path = site.cert_path
        if kind == "nginx":
            extra = f"    ssl_ciphers {suites};\n" if suites else ""
            extra += f"    ssl_protocols {'TLSv1.3' if newest else 'TLSv1.2'};\n" if suites else ""
            self.server = place.nginx()
            self.server.write(site.block(extra=extra)).start()
        else:
            extra = f"  SSLCipherSuite {suites}\n" if suites else ""
            extra += f"  SSLProtocol {'-all +TLSv1.3' if newest else '-all +TLSv1.2'}\n" if suites else ""
            self.server = place.apache()
            self.server.write(site.host(extra=extra), ports=[self.port]).start()

    def renew(self):
        if self.kind == "haproxy":
            self.new.write_combined(self.path)
        else:
            self.new.write(self.path.parent)

    def run(self, *arguments):
        return self.place.run(*of_service(arguments, self.server.service))

    def served(self):
        return handshake(self.port, self.name)


KINDS = ["nginx", "apache", "haproxy"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("old_key, new_key", [("rsa2048", "ec"), ("ec", "rsa3072")])
@pytest.mark.parametrize("way", ["rebind", "--pending"])
def test_in_place_with_the_other_type(place, authority, kind, old_key, new_key, way):
    stage = Stage(place, authority, kind, old_key, new_key)
    assert stage.run("check").code == 0
    stage.renew()
    said = stage.run("check")
    assert said.code == 1 and "renewed but not reloaded" in said.out and "unreachable" not in said.out, said
    done = (stage.run("rebind", "--pending") if way == "--pending"
            else stage.run("rebind", stage.old.thumbprint, stage.new.thumbprint))
    assert done.code == 0 and "committed" in done.out, done
    assert stage.served() == stage.new.thumbprint
    assert stage.run("check").code == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("old_key, new_key", [("rsa2048", "ec"), ("ec", "rsa3072")])
def test_cipher_suites_that_do_not_know_it(place, authority, kind, old_key, new_key):
    stage = Stage(place, authority, kind, old_key, new_key, suites=SUITES[old_key])
    stage.renew()
    done = stage.run("rebind", "--pending")
    assert done.code == 1 and "allows no cipher suite for that" in done.out, done
    assert stage.served() == stage.old.thumbprint


@pytest.mark.parametrize("kind", KINDS)
def test_with_tls_1_3_alone_they_do_not_matter(place, authority, kind):
    stage = Stage(place, authority, kind, "rsa2048", "ec", suites=SUITES["rsa2048"], newest=True)
    stage.renew()
    assert stage.run("rebind", "--pending").code == 0
    assert stage.served() == stage.new.thumbprint
