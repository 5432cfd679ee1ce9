"""mod_md beside the host's own directives: which pairs httpd serves, and what certrebind makes of them."""
import os
import shutil

import pytest

import acme
from command import ROOT, of_service
from files import difference, snapshot
from handshakes import handshake, sent_chain
from ports import free_port
from waiting import until

OK, REFUSED = 0, 1
NAME = "a.example.com"


class Managed:
    """httpd with mod_md and one host. `stored`: pairs in mod_md's store, by what follows "pubcert" in the file's name."""

    def __init__(self, place, own="", main=f"MDomain {NAME}\n", stored=None, server_name=f"ServerName {NAME}\n", extra=""):
        self.place, self.port = place, free_port()
        self.store = place / f"md/domains/{NAME}"
        for suffix, pair in (stored or {}).items():
            self.put(pair, suffix)
        self.apache = place.apache()
        self.apache.write(
            f"MDStoreDir {place.path}/md\nMDCertificateAgreement accepted\nMDContactEmail a@example.com\n"
            f"MDCertificateAuthority https://127.0.0.1:1/none\nMDRenewMode manual\n{main}"
            f"<VirtualHost *:{self.port}>\n{server_name}SSLEngine on\n{own}</VirtualHost>\n{extra.replace('PORT', str(self.port))}",
            ports=[self.port], modules=["md"])
        self.apache.start()

    def put(self, pair, suffix=""):
        pair.write(self.store, f"pubcert{suffix}.pem", f"privkey{suffix}.pem")
        for path in [self.place / "md", *(self.place / "md").rglob("*")] if ROOT else []:
            shutil.chown(path, "www-data")

    def run(self, *arguments):
        return self.place.run(*of_service(arguments, self.apache.service))

    def shows(self):
        """The certificate of each key type; "" if there is none."""
        found = {}
        for kind in ("ec", "rsa"):
            try:
                found[kind] = handshake(self.port, NAME, key_type=kind)
            except OSError:
                found[kind] = ""
        return found

    def bound(self):
        """check's bindings by file name, of which none is complained about."""
        done = self.run("check", "--json")
        assert done.code == OK, done
        return {os.path.basename(each["certificate_path"]): each for each in done.json["bindings"]}


def directives(paths):
    return f"SSLCertificateFile {paths[0]}\nSSLCertificateKeyFile {paths[1]}\n"


def pairs(authority, own="ec", managed="ec"):
    return authority.issue(NAME, days=40, key=own), authority.issue(NAME, days=30, key=managed)


def test_beside_a_certificate_of_the_host_mod_mds_wins(place, authority):
    """Of one key type the last is shown, and mod_md's comes last; an hourly reload would change nothing."""
    own, managed = pairs(authority)
    one = Managed(place, own=directives(own.write(place / "own")), stored={"": managed})
    assert one.shows() == {"ec": managed.thumbprint, "rsa": ""}
    bound = one.bound()
    assert list(bound) == ["pubcert.pem"] and "mod_md" in bound["pubcert.pem"]["not_editable"]
    assert str(place / "own") in str(one.run("check").all)  # the note
    before = snapshot(place.path, without=("run", "state", "home", "apache"))
    done = one.run("rebind", "--pending")
    assert done.code == OK and "nothing differs" in done.all and one.apache.reloads() == 0, done
    path, _ = authority.issue(NAME, days=90).write(place / "new")
    assert one.run("rebind", managed.thumbprint, path).code == REFUSED
    shutil.rmtree(place / "new")
    assert difference(before, snapshot(place.path, without=("run", "state", "home", "apache"))) == []


def test_beside_a_certificate_of_another_type_both_are_shown(place, authority):
    own, managed = pairs(authority, managed="rsa2048")
    one = Managed(place, own=directives(own.write(place / "own")), stored={"": managed})
    assert one.shows() == {"ec": own.thumbprint, "rsa": managed.thumbprint}
    assert list(one.bound()) == ["fullchain.pem", "pubcert.pem"]
    new = authority.issue(NAME, days=90)
    path, _ = new.write(place / "new")
    done = one.run("rebind", own.thumbprint, path)
    assert done.code == OK and one.shows() == {"ec": new.thumbprint, "rsa": managed.thumbprint}, done


def test_until_mod_md_has_a_pair_the_hosts_own_is_shown(place, authority):
    own, _ = pairs(authority)
    one = Managed(place, own=directives(own.write(place / "own")))
    assert one.shows() == {"ec": own.thumbprint, "rsa": ""}
    assert list(one.bound()) == ["fullchain.pem"]
    new = authority.issue(NAME, days=90)
    path, _ = new.write(place / "new")
    assert one.run("rebind", own.thumbprint, path).code == OK
    assert one.shows()["ec"] == new.thumbprint


@pytest.mark.parametrize("keys, kind", [("rsa2048", "rsa"), ("secp256r1", "ec")])
@pytest.mark.parametrize("how", ["by hand", "pending"])
def test_mod_mds_first_certificate_waits_beside_the_hosts_own(place, authority, keys, kind, how):
    """A real ACME server issues it. The next reload adds it, and proves it."""
    pebble = acme.Pebble(place)
    own, _ = pairs(authority)
    path = own.write(place / "own")
    main = (f"MDomain {NAME}\nMDPrivateKeys {keys}\nMDCertificateAuthority {pebble.url}\nMDRenewMode always\n"
            f"MDCACertificateFile {pebble.ca}\nMDCAChallenges http-01\nMDPortMap 80:{free_port()}\n")
    one = Managed(place, own=directives(path), main=main)
    assert one.shows()["ec"] == own.thumbprint
    job = place / f"md/staging/{NAME}/job.json"
    until(lambda: job.exists() and '"finished": true' in job.read_text(), "mod_md has a certificate")
    done = one.run("check")
    assert done.code == 1 and "waits for a reload" in done.out, done
    done = one.run("rebind", *([path[0], path[0]] if how == "by hand" else ["--pending"]))
    assert done.code == OK and "committed" in done.all, done
    assert one.shows()[kind] not in ("", own.thumbprint)
    assert (one.shows()["ec"] == own.thumbprint) == (kind == "rsa")
    one.bound()
    done = one.run("rebind", "--pending")
    assert done.code == OK and "nothing differs" in done.all and one.apache.reloads() == 1, done


def test_a_chain_file_is_ignored_beside_mod_mds_pair(place, authority):
    own, managed = pairs(authority, managed="rsa2048")
    other = (place / "other.pem")
    other.write_text(authority.issue("x.example.com").leaf_pem)
    one = Managed(place, own=directives(own.write(place / "own")) + f"SSLCertificateChainFile {other}\n",
                  stored={"": managed})
    assert sent_chain(one.port, NAME) == [f"CN = {NAME}", "CN = Certrebind Test Issuer"]
    assert list(one.bound()) == ["fullchain.pem", "pubcert.pem"]


@pytest.mark.parametrize("keys, expected", [
    ("", ["rsa"]), ("rsa2048 secp256r1", ["rsa", "ec"]), ("secp256r1", ["ec"]), ("RSA 2048", ["rsa"]), ("rsa3072", ["rsa"]),
    ("Default", ["rsa"])])
@pytest.mark.parametrize("where", ["main", "set"])
def test_only_the_key_types_that_mod_md_wants(place, authority, keys, expected, where):
    """Files of other types stay in the store and are not served."""
    stored = {"": authority.issue(NAME, key="rsa2048"), ".secp256r1": authority.issue(NAME)}
    wanted = f"MDPrivateKeys {keys}\n" if keys else ""
    main = (f"MDomain {NAME}\n{wanted}" if where == "main" else f"<MDomainSet {NAME}>\n{wanted}</MDomainSet>\n")
    one = Managed(place, main=main, stored=stored)
    files = {"rsa": "pubcert.pem", "ec": "pubcert.secp256r1.pem"}
    by_type = {"rsa": stored[""].thumbprint, "ec": stored[".secp256r1"].thumbprint}
    assert one.shows() == {kind: by_type[kind] if kind in expected else "" for kind in ("ec", "rsa")}
    assert list(one.bound()) == [files[kind] for kind in expected]


@pytest.mark.parametrize("main, server_name, managed", [
    (f"MDomain {NAME}\n", "ServerName b.example.com\nServerAlias " + NAME + "\n", True),
    (f"MDMatchNames servernames\nMDomain {NAME}\n", "ServerName b.example.com\nServerAlias " + NAME + "\n", False),
    (f"MDomain {NAME}\n", "ServerName b.example.com\nServerAlias *.example.com\n", True),
    (f"ServerName {NAME}\nMDomain {NAME}\n", "", True),
    (f"MDomain {NAME}\n", f"ServerName https://{NAME}:443\n", True)])
def test_which_host_is_mod_mds(place, authority, main, server_name, managed):
    own, stored = (authority.issue([NAME, "b.example.com", "*.example.com"], days=days) for days in (40, 30))
    one = Managed(place, own=directives(own.write(place / "own")), main=main, server_name=server_name, stored={"": stored})
    assert one.shows()["ec"] == (stored if managed else own).thumbprint
    assert list(one.bound()) == ["pubcert.pem" if managed else "fullchain.pem"]


def static(paths):
    return f"<MDomain {NAME}>\nMDCertificateFile {paths[0]}\nMDCertificateKeyFile {paths[1]}\n</MDomain>\n"


@pytest.mark.parametrize("own", [None, "ec", "rsa2048"])
@pytest.mark.parametrize("how", ["--rewrite", "--repoint", "in place"])
def test_a_static_pair_under_mod_mds_name(place, authority, own, how):
    """mod_md only reads it: it is rebound like any other, and what lies in the store is not served."""
    old, new = authority.pair(NAME)
    lines = directives(authority.issue(NAME, key=own).write(place / "own")) if own else ""
    one = Managed(place, main=static(old.write(place / "static", "s.pem", "s.key")), own=lines,
                  stored={"": authority.issue(NAME)})
    assert one.shows()["ec"] == old.thumbprint
    bound = one.bound()
    assert list(bound) == (["fullchain.pem", "s.pem"] if own == "rsa2048" else ["s.pem"])
    assert bound["s.pem"]["not_editable"] == ""
    if how == "in place":
        assert one.run("rebind", "--pending").code == OK
        new.write(place / "static", "s.pem", "s.key")
        done = one.run("rebind", "--pending")
    else:
        path, key = new.write(place / "new")
        done = one.run("rebind", old.thumbprint, path, how)
    assert done.code == OK and "committed" in done.all and one.shows()["ec"] == new.thumbprint, done
    if how == "--repoint":
        text = one.apache.conf.read_text()
        assert f"MDCertificateFile {path}\nMDCertificateKeyFile {key}\n" in text
