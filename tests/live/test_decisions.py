"""What is decided from what was read: which key, which successor, what a person may overrule, and what
`check` says of stores, encrypted keys and sites without a file."""
import datetime
import os
import re
import resource

import pytest

from files import write
from handshakes import handshake
from markers import needs_root
from ports import free_port
from stages.daemon import Watch
from stages.one_site import OneSite, Site
from waiting import until

NAME = "a.example.com"


class KeyElsewhere(OneSite):
    """The key lies in private/, with nothing to tell by its name."""

    extra = ""  # more lines of the site

    def __init__(self, place, authority, **options):
        self.place, self.name = place, NAME
        self.old, self.new = authority.issue(NAME, **options), authority.issue(NAME)
        self.cert, self.key = place / "public/shop_chained.crt", place / "private/shop.key"
        self.put(self.old)
        self.port = free_port()
        self.site = Site(NAME, self.port, self.old, self.cert, self.key)
        self.nginx = place.nginx()
        self.nginx.write(self.site.block(extra=self.extra)).start()

    def put(self, certificate, key_pem=None):
        write(self.cert, certificate.fullchain_pem)
        write(self.key, key_pem or certificate.key_pem, 0o600)


# ------------------------------------------------------------------------------- the key of NEW

@pytest.mark.parametrize("by", ["thumbprints", "path"])
def test_the_key_that_the_binding_names_comes_first(place, authority, by):
    stage = KeyElsewhere(place, authority, days=20)
    stage.put(stage.new)
    check = stage.run("check")
    assert check.code == 1 and "certrebind rebind" in check.out, check
    new = stage.new.thumbprint if by == "thumbprints" else stage.cert
    for verb in ("plan", "rebind"):
        done = stage.run(verb, stage.old.thumbprint, new)
        assert done.code == 0, done
    assert stage.served() == stage.new.thumbprint


# ---------------------------------------------------------------------- what a person may overrule

def renewed(place, authority, old, new, names=NAME, new_names=NAME):
    return OneSite(place, authority, old=authority.issue(names, **old),
                   new=authority.issue(new_names, **new))


def test_a_shorter_life_in_place_is_no_mistake(place, authority):
    stage = KeyElsewhere(place, authority, days=300)
    stage.put(stage.new)
    done = stage.run("rebind", stage.old.thumbprint, stage.new.thumbprint)
    assert done.code == 0, done
    assert "warning: the new certificate expires on" in done.out
    assert stage.served() == stage.new.thumbprint


def test_a_shorter_life_is_found_by_pending(place, authority):
    stage = KeyElsewhere(place, authority, days=300)
    stage.put(stage.new)
    done = stage.run("rebind", "--pending")
    assert done.code == 0, done
    assert stage.served() == stage.new.thumbprint


def test_a_copy_follows_its_lineage_to_a_shorter_life(place, authority):
    """The copy of a one-year certificate, whose renewer moved to ninety days."""
    live = Lineage(place, NAME)
    old, new = authority.issue(NAME, days=300), authority.issue(NAME, days=89,
                                                                 not_before=datetime.datetime.utcnow())
    live.generation(1, old)
    stage = OneSite(place, authority, old=old)
    place.configure(stores=[("certbot", live.root)])
    assert stage.run("check").code == 0
    live.generation(2, new)
    done = stage.run("rebind", "--pending")
    assert done.code == 0, done
    assert stage.served() == new.thumbprint


# Each is refused, says how to accept it, and is done if it is accepted.
ACCEPTED = {
    "shorter": ({"days": 60}, {"days": 30}, {}),
    "weaker-key": ({"key": "rsa3072"}, {"key": "rsa2048"}, {}),
    "name-lost": ({}, {}, {"names": [NAME, "www." + NAME]}),
    "chain": ({}, {"chain": False}, {}),
}


@pytest.mark.parametrize("risk", ACCEPTED)
def test_a_person_may_accept(place, authority, risk):
    old, new, more = ACCEPTED[risk]
    stage = renewed(place, authority, old, new, **more)
    if risk == "name-lost":
        stage.nginx.write(stage.site.block().replace(f"server_name {NAME}",
                                                     f"server_name {NAME} www.{NAME}")).reload()
    before = stage.served()
    for verb in ("plan", "rebind"):
        refused = stage.run(verb, stage.old.thumbprint, stage.new_cert)
        assert refused.code == 1 and f"--accept={risk}" in refused.out and "if it is meant: certrebind rebind" in refused.out, refused
    others = [each for name in ACCEPTED if name != risk for each in ("--accept", name)]
    refused = stage.run("rebind", stage.old.thumbprint, stage.new_cert, *others)
    assert refused.code == 1, refused
    assert stage.served() == before
    findings = stage.run("plan", stage.old.thumbprint, stage.new_cert, "--json").json["plans"][0]["findings"]
    assert risk in [each.get("accept") for each in findings]
    done = stage.run("rebind", stage.old.thumbprint, stage.new_cert, f"--accept={risk}")
    assert done.code == 0 and "warning: " in done.out, done
    assert stage.served() == stage.new.thumbprint


def test_what_was_accepted_holds_for_the_tasks(place, authority):
    stage = renewed(place, authority, {"days": 60}, {"days": 30})
    assert stage.run("switch", stage.old.thumbprint, stage.new_cert).code == 1
    assert "nothing" in stage.run("rebind", "--pending").out
    done = stage.run("switch", stage.old.thumbprint, stage.new_cert, "--accept", "shorter")
    assert done.code == 0, done
    done = stage.run("rebind", "--pending")
    assert done.code == 0, done
    assert stage.served() == stage.new.thumbprint


def test_an_outage_has_no_name(place, authority):
    stage = renewed(place, authority, {}, {})
    write(stage.new_key, authority.issue(NAME).key_pem, 0o600)
    everything = [each for name in ACCEPTED for each in ("--accept", name)]
    done = stage.run("rebind", stage.old.thumbprint, stage.new_cert, *everything)
    assert done.code == 1 and "belongs to another certificate" in done.out, done
    assert "if it is meant" not in done.out
    assert stage.served() == stage.old.thumbprint


def test_accepting_is_by_known_names_and_for_named_certificates(one):
    done = one.run("rebind", one.old.thumbprint, one.new_cert, "--accept", "everything")
    assert done.code == 2 and "shorter, name-lost, weaker-key, chain" in done.err, done
    done = one.run("rebind", "--pending", "--accept", "shorter")
    assert done.code == 2 and "OLD and NEW" in done.err, done


def test_what_was_refused_is_loaded_by_no_other_reload(place, authority):
    """A weaker key was installed at one site; a rebind of another site would reload both."""
    weak_old = authority.issue("w.example.com", key="rsa3072")
    weak_new = authority.issue("w.example.com", key="rsa2048", days=100)
    old, new = authority.pair(NAME)
    weak_cert, weak_key = weak_old.write(place / "weak")
    cert, key = old.write(place / "good")
    port = free_port()
    weak, good = (Site("w.example.com", port, weak_old, weak_cert, weak_key),
                  Site(NAME, port, old, cert, key))
    nginx = place.nginx()
    nginx.write(weak.block() + good.block()).start()
    weak_new.write(place / "weak")
    refused = place.run("rebind", weak_old.thumbprint, weak_new.thumbprint, "--service", nginx.service)
    assert refused.code == 1 and "weaker" in refused.out, refused
    new_cert, _ = new.write(place / "new")
    refused = place.run("rebind", old.thumbprint, new_cert, "--service", nginx.service)
    assert refused.code == 1, refused
    assert "the same reload would load" in refused.out and "weaker" in refused.out, refused
    assert handshake(port, "w.example.com") == weak_old.thumbprint
    [command] = re.findall(r"if it is meant: certrebind (rebind \S+ \S+ --accept=weaker-key)", refused.out)
    accepted = place.run(*command.split(), "--service", nginx.service)
    assert accepted.code == 0, accepted
    done = place.run("rebind", old.thumbprint, new_cert, "--service", nginx.service)
    assert done.code == 0, done
    assert handshake(port, NAME) == new.thumbprint


def test_a_site_without_any_of_its_names_is_an_outage(place, authority):
    """Two sites share OLD; NEW is for one of them only."""
    old, new = authority.issue([NAME, "b.example.com"]), authority.issue(NAME)
    cert, key = old.write(place / "certs")
    port = free_port()
    nginx = place.nginx()
    nginx.write("".join(Site(name, port, old, cert, key).block() for name in (NAME, "b.example.com"))).start()
    new_cert, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, new_cert, "--accept=name-lost", "--service", nginx.service)
    assert done.code == 1 and "would lose b.example.com" in done.out and "if it is meant" not in done.out, done
    assert handshake(port, "b.example.com") == old.thumbprint


# ----------------------------------------------------------------------------------- the stores

class Lineage:
    """certbot's directories of one certificate."""

    def __init__(self, place, name):
        self.place, self.root, self.name = place, place / "letsencrypt", name
        self.live, self.archive = self.root / "live" / name, self.root / "archive" / name
        for directory in (self.live, self.archive, self.root / "renewal"):
            directory.mkdir(parents=True, exist_ok=True)
        write(self.root / f"renewal/{name}.conf", f"archive_dir = {self.archive}\n"
              "[renewalparams]\nauthenticator = standalone\n")

    def generation(self, number, certificate, point=True):
        files = {"cert": certificate.leaf_pem, "chain": certificate.chain_pem,
                 "fullchain": certificate.fullchain_pem, "privkey": certificate.key_pem}
        for kind, text in files.items():
            write(self.archive / f"{kind}{number}.pem", text, 0o600 if kind == "privkey" else 0o644)
            link = self.live / f"{kind}.pem"
            if point:
                temporary = self.live / f".{kind}"
                os.symlink(f"../../archive/{self.name}/{kind}{number}.pem", temporary)
                os.replace(temporary, link)
        return self

    @property
    def fullchain(self):
        return self.live / "fullchain.pem"

    def serve(self, certificate):
        """An nginx with one site that uses live/, and the store configured."""
        nginx, port = self.place.nginx(), free_port()
        nginx.write(Site(NAME, port, certificate, self.fullchain, self.live / "privkey.pem").block()).start()
        self.place.configure(stores=[("certbot", self.root)])
        return nginx, port


def test_a_stale_copy_is_not_ok(place, authority):
    """HAProxy's combined PEM is a copy by its nature."""
    old, new = authority.pair(NAME)
    live = Lineage(place, NAME).generation(1, old)
    pem = old.write_combined(place / "haproxy/site.pem")
    port = free_port()
    haproxy = place.haproxy()
    haproxy.write(f"frontend f\n bind 127.0.0.1:{port} ssl crt {pem}\n"
                  " http-request return status 200\n").start()
    place.configure(stores=[("certbot", live.root)])
    check = place.run("check", "--service", haproxy.service)
    assert check.code == 0, check
    live.generation(2, new)
    check = place.run("check", "--service", haproxy.service)
    assert check.code == 1, check
    assert "renewed, copy stale" in check.out and str(live.fullchain) in check.out, check
    assert "next: certrebind rebind --pending" in check.out, check
    done = place.run("rebind", "--pending", "--service", haproxy.service)
    assert done.code == 0, done
    assert handshake(port, NAME) == new.thumbprint
    assert place.run("check", "--service", haproxy.service).code == 0


def test_a_copy_follows_its_lineage_to_another_type_of_key(place, authority):
    """certbot's default went from RSA to ECDSA."""
    old, new = authority.issue(NAME, key="rsa2048"), authority.issue(NAME, not_before=datetime.datetime.utcnow())
    live = Lineage(place, NAME).generation(1, old).generation(2, new)
    pem = old.write_combined(place / "haproxy/site.pem")
    port, haproxy = free_port(), place.haproxy()
    haproxy.write(f"frontend f\n bind 127.0.0.1:{port} ssl crt {pem}\n"
                  " http-request return status 200\n").start()
    place.configure(stores=[("certbot", live.root)])
    assert place.run("check", "--service", haproxy.service).code == 1
    done = place.run("rebind", "--pending", "--service", haproxy.service)
    assert done.code == 0, done
    assert handshake(port, NAME) == new.thumbprint


def test_no_command_is_printed_that_somebody_else_could_have_chosen(place, authority):
    """A name that a shell would take apart."""
    old = authority.issue([NAME], days=20)
    live = Lineage(place, NAME).generation(1, old)
    Lineage(place, "a;id;#").generation(1, authority.issue([NAME, "mail." + NAME]))
    nginx, _ = live.serve(old)
    assert "a;id" not in place.run("check", "--service", nginx.service).all


def test_a_lineage_of_more_names_is_named(place, authority):
    old = authority.issue([NAME], days=20)
    live = Lineage(place, NAME).generation(1, old)
    wider = Lineage(place, NAME + "-0001").generation(1, authority.issue([NAME, "mail." + NAME]))
    nginx, _ = live.serve(old)
    check = place.run("check", "--service", nginx.service)
    assert f"certrebind rebind {old.thumbprint[:16]} {wider.fullchain}" in check.all, check
    done = place.run("rebind", old.thumbprint, wider.fullchain, "--service", nginx.service)
    assert done.code == 0, done
    assert str(wider.fullchain) not in place.run("check", "--service", nginx.service).all


def test_a_lineage_of_other_names_is_not_named(place, authority):
    old = authority.issue([NAME, "www." + NAME], days=20)
    live = Lineage(place, NAME).generation(1, old)
    Lineage(place, NAME + "-0001").generation(1, authority.issue([NAME, "mail." + NAME]))
    nginx, _ = live.serve(old)
    assert "-0001" not in place.run("check", "--service", nginx.service).all


def test_a_generation_that_live_does_not_point_to_is_named(place, authority):
    old, new = authority.pair(NAME)
    live = Lineage(place, NAME).generation(1, old)
    nginx, port = live.serve(old)
    assert "later generation" not in place.run("check", "--service", nginx.service).all
    live.generation(2, new, point=False)
    check = place.run("check", "--service", nginx.service)
    assert f"{live.archive}/fullchain2.pem is a later generation" in check.all, check
    command = check.all.split("next: ")[1].split(", then")[0]
    assert os.system(command) == 0
    done = place.run("rebind", "--pending", "--service", nginx.service)
    assert done.code == 0, done
    assert handshake(port, NAME) == new.thumbprint


# ------------------------------------------------------------------------------- encrypted keys

class EncryptedKey(KeyElsewhere):
    def __init__(self, place, authority):
        passphrase = write(place / "passphrase", "secret\n", 0o600)
        self.extra = f"    ssl_password_file {passphrase};\n"
        super().__init__(place, authority, days=20)

    def put(self, certificate, passphrase="secret"):
        super().put(certificate, certificate.encrypted_key_pem(passphrase))


def test_apache_opens_encrypted_keys_by_a_program(place, authority):
    """`SSLPassPhraseDialog exec:`; the rehearsal and the reload ask it too."""
    old, new = authority.pair(NAME)
    cert, key = old.write(place / "certs")
    write(key, old.encrypted_key_pem(), 0o600)
    dialog = write(place / "passphrase.sh", "#!/bin/sh\necho secret\n", 0o755)
    apache, port = place.apache(), free_port()
    apache.write(f"SSLPassPhraseDialog exec:{dialog}\n<VirtualHost *:{port}>\nServerName {NAME}\nSSLEngine on\n"
                 f"SSLCertificateFile {cert}\nSSLCertificateKeyFile {key}\n</VirtualHost>\n", ports=[port]).start()
    check = place.run("check", "--service", apache.service)
    assert check.code == 0, check
    write(cert, new.fullchain_pem)
    write(key, new.encrypted_key_pem(), 0o600)
    done = place.run("rebind", old.thumbprint, new.thumbprint, "--service", apache.service)
    assert done.code == 0, done
    assert handshake(port, NAME) == new.thumbprint


def test_an_encrypted_client_key_is_no_error(place, authority):
    """`proxy_ssl_password_file`, in a location below the block that names it."""
    old, new = authority.pair("client.example.com", eku="client")
    cert, key = old.write(place / "client")
    write(key, old.encrypted_key_pem(), 0o600)
    passphrase = write(place / "passphrase", "secret\n", 0o600)
    nginx = place.nginx()
    nginx.write(f"proxy_ssl_password_file {passphrase};\n"
                f"server {{ listen 127.0.0.1:{free_port()};\nlocation / {{ proxy_pass https://127.0.0.1:9;\n"
                f"proxy_ssl_certificate {cert}; proxy_ssl_certificate_key {key}; }} }}\n").start()
    check = place.run("check", "--service", nginx.service)
    assert check.code == 0, check
    assert place.run("rebind", "--pending", "--service", nginx.service).code == 0  # OLD was seen from now on
    write(cert, new.fullchain_pem)
    write(key, new.encrypted_key_pem(), 0o600)
    done = place.run("rebind", "--pending", "--service", nginx.service)
    assert done.code == 0 and nginx.reloads() == 1, done


@needs_root
def test_an_encrypted_key_that_nothing_can_try_holds_up_a_reload(place, authority):
    """In a container httpd cannot be started apart, its own test loads no keys, and a wrong one would end it."""
    old, new = authority.pair(NAME)
    cert, key = old.write(place / "certs")
    write(key, old.encrypted_key_pem(), 0o600)
    dialog = write(place / "passphrase.sh", "#!/bin/sh\necho secret\n", 0o755)
    apache, port = place.apache(), free_port()
    apache.write(f"SSLPassPhraseDialog exec:{dialog}\n<VirtualHost *:{port}>\nServerName {NAME}\nSSLEngine on\n"
                 f"SSLCertificateFile {cert}\nSSLCertificateKeyFile {key}\n</VirtualHost>\n", ports=[port]).start()
    write(cert, new.fullchain_pem)
    write(key, authority.issue(NAME).encrypted_key_pem(), 0o600)
    done = place.run("rebind", old.thumbprint, new.thumbprint, "--service", apache.service,
                     before=["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"])
    assert done.code != 0 and "nothing tells whether the encrypted key" in done.all, done
    assert apache.reloads() == 0 and handshake(port, NAME) == old.thumbprint


@pytest.mark.parametrize("way", ["rebind", "pending"])
def test_an_encrypted_key_that_the_server_can_open_is_no_error(place, authority, way):
    stage = EncryptedKey(place, authority)
    check = stage.run("check")
    assert check.code == 0, check
    stage.put(stage.new)
    names = [stage.old.thumbprint, stage.new.thumbprint] if way == "rebind" else ["--pending"]
    done = stage.run("rebind", *names)
    assert done.code == 0, done
    assert stage.served() == stage.new.thumbprint
    assert stage.run("check").code == 0


def test_an_encrypted_key_of_another_passphrase_is_left_to_the_servers_test(place, authority):
    stage = EncryptedKey(place, authority)
    stage.put(stage.new, passphrase="another")
    done = stage.run("rebind", stage.old.thumbprint, stage.new.thumbprint)
    assert done.code != 0, done
    assert stage.served() == stage.old.thumbprint


def test_the_daemon_takes_an_encrypted_renewal(place, authority):
    stage = EncryptedKey(place, authority)
    watch = Watch(place, stage.nginx).start(stage.old)
    stage.put(stage.new)
    stage.nginx.wait_served(stage.new.thumbprint, stage.port, NAME)
    watch.stop()


# ------------------------------------------------------------------------- sites without a file

def test_a_site_with_a_variable_path_is_judged_by_what_it_serves(place, authority):
    """Expiry and names are of the certificate on the wire."""
    soon = authority.issue("other.example.com", not_before=datetime.datetime.utcnow() - datetime.timedelta(days=80),
                           days=3)
    soon.write(place / "certs", f"{NAME}.pem", f"{NAME}.key")
    port = free_port()
    nginx = place.nginx()
    nginx.write(f"server {{ listen 127.0.0.1:{port} ssl; server_name {NAME};\n"
                f"ssl_certificate {place.path}/certs/$ssl_server_name.pem;\n"
                f"ssl_certificate_key {place.path}/certs/$ssl_server_name.key; }}\n").start()
    check = place.run("check", "--service", nginx.service)
    assert check.code == 1, check
    assert "about to expire" in check.out and f"does not cover {NAME}" in check.out, check


def test_a_site_with_a_variable_path_that_does_not_answer_is_critical(place):
    """No file lies where the name leads."""
    nginx = place.nginx()
    nginx.write(f"server {{ listen 127.0.0.1:{free_port()} ssl; server_name {NAME};\n"
                f"ssl_certificate {place.path}/none/$ssl_server_name.pem;\n"
                f"ssl_certificate_key {place.path}/none/$ssl_server_name.key; }}\n").start()
    check = place.run("check", "--service", nginx.service)
    assert check.code == 2 and "unreachable" in check.out, check


def test_a_site_that_nobody_sees_is_not_ok(place, authority):
    nginx = place.nginx()
    nginx.write(f"server {{ listen 127.0.0.1:{free_port()};\n"
                f"location / {{ proxy_pass https://127.0.0.1:9; proxy_ssl_certificate {place.path}/$host.pem;\n"
                f"proxy_ssl_certificate_key {place.path}/$host.key; }} }}\n").start()
    check = place.run("check", "--service", nginx.service)
    assert check.code == 1 and "not seen" in check.out, check


# ------------------------------------------------------------------------------ why it failed

@needs_root
def test_the_servers_log_tells_why_a_reload_failed(one):
    """The master runs out of file descriptors: only its log says so."""
    one.place.configure(verify=2)
    master = one.nginx.process.pid
    open_now = len(os.listdir(f"/proc/{master}/fd"))
    resource.prlimit(master, resource.RLIMIT_NOFILE, (open_now, open_now))
    done = one.run("rebind", one.old.thumbprint, one.new_cert)
    assert done.code in (3, 4), done
    assert "the server's log: " in done.all and "Too many open files" in done.all, done
    assert one.served() == one.old.thumbprint


@needs_root
def test_all_endpoints_that_failed_are_named_on_request(place, authority):
    old, new = authority.pair(NAME)
    cert, key = old.write(place / "certs")
    ports = [free_port() for _ in range(8)]
    listens = "".join(f"listen 127.0.0.1:{port} ssl;\n" for port in ports)
    nginx = place.nginx()
    nginx.write(f"server {{ {listens} server_name {NAME};\n"
                f"ssl_certificate {cert}; ssl_certificate_key {key}; }}\n").start()
    place.configure(verify=2)
    new_cert, _ = new.write(place / "new")
    master = nginx.process.pid
    open_now = len(os.listdir(f"/proc/{master}/fd"))
    resource.prlimit(master, resource.RLIMIT_NOFILE, (open_now, open_now))
    few = place.run("rebind", old.thumbprint, new_cert, "--service", nginx.service)
    assert few.code in (3, 4) and "--verbose names all" in few.all, few
    every = place.run("rebind", old.thumbprint, new_cert, "--service", nginx.service, "--verbose")
    assert every.code in (3, 4) and all(f":{port} " in every.all for port in ports), every


def test_a_mended_configuration_is_tried_at_once(place, authority):
    """After a failure the next attempt is due in ten minutes; nobody has to wait for it."""
    stage = OneSite(place, authority)
    watch = Watch(place, stage.nginx).start(stage.old)
    watch.idle()
    good = stage.nginx.conf.read_text()
    write(stage.nginx.conf, good + "nonsense;\n")
    write(stage.site.cert_path, stage.new.fullchain_pem)
    write(stage.site.key_path, stage.new.key_pem, 0o600)

    def failed():
        states = {run["state"] for run in watch.run("task", "history", "--json").json["runs"]}
        return "failed" in states and "running" not in states
    until(failed, "the attempt has failed, and none is at work")
    write(stage.nginx.conf, good)
    stage.nginx.wait_served(stage.new.thumbprint, stage.port, NAME)
    watch.stop()


def test_a_missing_semicolon_hides_no_site(place, authority):
    """`gzip on` without its `;` swallows the server block: nobody may say that nothing is to do."""
    stage = KeyElsewhere(place, authority, days=20)
    assert stage.run("check").code == 0
    write(stage.nginx.conf, stage.nginx.conf.read_text().replace("  server {", "  gzip on\n  server {", 1))
    stage.put(stage.new)
    done = stage.run("rebind", "--pending")
    assert done.code == 1 and "a ; is missing after gzip" in done.all, done
    done = stage.run("rebind", stage.old.thumbprint, stage.cert)
    assert done.code != 0 and "a ; is missing after gzip" in done.all, done


# ------------------------------------------------------------------------ overridden by OpenSSL

def test_a_certificate_that_openssl_overrides_is_said(place, authority):
    stage = OneSite(place, authority)
    other, other_key = authority.issue("other.example.com").write(place / "other")
    stage.nginx.write(stage.site.block(
        extra=f"    ssl_conf_command Certificate {other};\n"
              f"    ssl_conf_command PrivateKey {other_key};\n")).reload()
    check = stage.run("check")
    assert check.code == 1 and "ssl_conf_command Certificate overrides" in check.all, check


def test_a_passphrase_that_never_comes_holds_up_no_check(place, authority):
    """`ssl_password_file` is a FIFO by now, and nobody writes to it: the server's own test waits for ever."""
    stage = EncryptedKey(place, authority)
    (place / "passphrase").unlink()
    os.mkfifo(place / "passphrase")
    check = stage.run("check")
    assert check.code == 1 and "no reload can succeed" in check.out and "did not end within" in check.out, check


# ------------------------------------------------------------------ what a person agreed to stays agreed

def test_a_name_that_a_person_agreed_to_lose_is_no_warning(place, authority):
    """Over renewals too, until a further name is missing."""
    old, new, again = authority.issue([NAME, "www." + NAME]), authority.issue(NAME), authority.issue(NAME)
    stage = OneSite(place, authority, old=old, new=new)

    def serve(*names):
        stage.nginx.write(stage.site.block().replace(f"server_name {NAME}", "server_name " + " ".join(names))).reload()

    serve(NAME, "www." + NAME)
    assert stage.run("check").code == 0
    assert stage.run("rebind", old.thumbprint, stage.new_cert, "--accept=name-lost").code == 0
    check = stage.run("check")
    assert check.code == 0 and "does not cover www." in check.out and "a person accepted this" in check.out, check
    [binding] = stage.run("check", "--json").json["bindings"]
    assert [remark["accepted"] for remark in binding["remarks"]] == [True] and binding["level"] == "OK"
    assert "nothing needs a person" in stage.run("status").out
    again.write(stage.site.cert_path.parent)
    assert stage.run("rebind", "--pending").code == 0 and stage.served() == again.thumbprint
    assert stage.run("check").code == 0, "the renewal lost nothing more"
    serve(NAME, "www." + NAME, "ftp." + NAME)
    assert stage.run("check").code == 1, "nobody agreed to this one"
