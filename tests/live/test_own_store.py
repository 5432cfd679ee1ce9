"""certrebind's own store: import, request, complete, self-signed, export and remove, with openssl(1) as the other side."""
import datetime
import os
import stat
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from command import Outcome
from daemons import fenced, running_daemon
from files import snapshot, write
from handshakes import handshake
from markers import needs_root
from pki import Certificate, utc_now
from ports import free_port
from stages.daemon import Watch, allow
from stages.one_frontend import frontend
from stages.one_site import make_site
from sweep import in_shares, points
from waiting import until

pytestmark = needs_root

PASSWORD = "s3cret pässword"


def openssl(*words, given=None, code=0):
    done = subprocess.run(["openssl", *map(str, words)], input=given, capture_output=True)
    assert done.returncode == code, done
    return done.stdout


def pfx_of(place, pair, password=PASSWORD, name="in.pfx", extra=()):
    """A PFX of the pair by openssl(1)."""
    cert, key = pair.write(place / "made")
    write(place / "pw", password + "\n", 0o600)
    openssl("pkcs12", "-export", "-in", cert, "-inkey", key, "-out", place / name, "-passout",
            f"pass:{password}", *extra)
    return place / name


def stored(place, name, directory="certificates"):
    return place / directory / name / "current"


def events(place):
    return [event["id"] for event in place.run("events", "--json").lines]


def is_whole(place, name, pair):
    """The store has the pair under this name, in order and private."""
    where = stored(place, name)
    assert (where / "cert.pem").read_text() == pair.leaf_pem
    assert (where / "chain.pem").read_text() == pair.chain_pem
    assert (where / "fullchain.pem").read_text() == pair.fullchain_pem
    key = (where / "privkey.pem").read_text()
    assert (where / "combined.pem").read_text() == pair.fullchain_pem + key
    public = openssl("pkey", "-in", where / "privkey.pem", "-pubout")
    assert public == openssl("x509", "-in", where / "cert.pem", "-pubkey", "-noout")
    for path in [where.parent.parent, where.parent, where.resolve()]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    for path in where.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def forms(place, authority, pair):
    """{name: (arguments, standard input)} of the same pair in every form."""
    cert, key = pair.write(place / "forms")
    root = write(place / "forms/root.pem", authority.root_pem)
    mixed = write(place / "forms/mixed.pem", authority.root_pem + pair.key_pem + pair.chain_pem + pair.leaf_pem)
    encrypted = write(place / "forms/encrypted.pem", pair.encrypted_key_pem(PASSWORD))
    password = write(place / "pw", PASSWORD + "\n", 0o600)
    p7b = place / "forms/chain.p7b"
    openssl("crl2pkcs7", "-nocrl", "-certfile", cert, "-certfile", root, "-outform", "DER", "-out", p7b)
    p7b_pem = place / "forms/chain.p7c"
    openssl("crl2pkcs7", "-nocrl", "-certfile", cert, "-out", p7b_pem)
    key_der = place / "forms/key.der"
    openssl("pkcs8", "-topk8", "-nocrypt", "-in", key, "-outform", "DER", "-out", key_der)
    pfx = pfx_of(place, pair)
    old_pfx = pfx_of(place, pair, name="old.pfx", extra=["-legacy"])
    with_password = ["--password-from", password]
    return {
        "pem and key": ([cert, "--key", key], None),
        "any order": ([mixed], None),
        "encrypted key": ([cert, "--key", encrypted, *with_password], None),
        "key in DER": ([cert, "--key", key_der], None),
        "PKCS #7": ([p7b, "--key", key], None),
        "PKCS #7 in PEM": ([p7b_pem, "--key", key], None),
        "PFX": ([pfx, *with_password], None),
        "PFX of old": ([old_pfx, *with_password], None),
        "standard input": (["-"], mixed.read_bytes()),
        "PFX and password on standard input": (["-", "--password-from", "-"],
                                               PASSWORD.encode() + b"\n" + pfx.read_bytes()),
    }


def import_from(place, arguments, given=None):
    """`place.run` has no standard input."""
    if given is None:
        return place.run("import", *arguments)
    done = subprocess.run([place.binary, "import", *map(str, arguments)], input=given, capture_output=True,
                          env={**os.environ, **place.env})
    return Outcome(done)


def test_every_form_gives_the_same_files(place, authority):
    pair = authority.issue(["www.example.com", "example.com"])
    for form, (arguments, given) in forms(place, authority, pair).items():
        name = form.replace(" ", "_").replace("#", "")
        done = import_from(place, [*arguments, "--name", name], given)
        assert done.code == 0 and "imported" in done.out, (form, done)
        is_whole(place, name, pair)
    ids = events(place)
    assert ids.count(1006) == ids.count(1008) > 0


def test_der_without_chain_is_a_warning(place, authority):
    pair = authority.issue("www.example.com", chain=False)
    cert, key = pair.write(place / "made")
    openssl("x509", "-in", cert, "-outform", "DER", "-out", place / "www.cer")
    done = place.run("import", place / "www.cer", "--key", key)
    assert done.code == 0 and "the intermediate certificate is missing" in done.out, done
    is_whole(place, "www.example.com", pair)


def test_the_same_again_is_nothing_to_do(place, authority):
    pair = authority.issue("www.example.com")
    cert, key = pair.write(place / "made")
    assert place.run("import", cert, "--key", key).code == 0
    before, ids = snapshot(place / "certificates"), events(place)
    done = place.run("import", cert, "--key", key, "--json")
    assert done.code == 0 and not done.json["changed"] and not done.json["imported"], done
    assert snapshot(place / "certificates") == before and events(place) == ids


def test_a_renewal_is_a_new_generation(place, authority):
    old, new = authority.pair("www.example.com")
    for number, pair in ((1, old), (2, new)):
        cert, key = pair.write(place / f"made{number}")
        assert place.run("import", cert, "--key", key).code == 0
    is_whole(place, "www.example.com", new)
    assert os.readlink(stored(place, "www.example.com")) == "0002"
    ids = events(place)
    assert ids.count(1001) == ids.count(1005) == 1 and ids.count(1006) == 2
    assert "nobody (certrebind import)" in place.run("certificates").out


def refused(place, pair, sentence, *arguments):
    cert, key = pair.write(place / "refused")
    done = place.run("import", cert, "--key", key, *arguments)
    assert done.code == 1 and sentence in done.all and "next:" in done.out, done
    assert "nothing was imported" in done.out


def test_what_would_be_an_outage_is_refused(place, authority):
    day = datetime.timedelta(days=1)
    refused(place, authority.issue("a.example", not_before=utc_now() - 9 * day, not_after=utc_now() - day), "expired on")
    refused(place, authority.issue("a.example", not_before=utc_now() + day), "not valid before")
    refused(place, authority.issue("a.example", eku="client"), "not for TLS servers")
    refused(place, authority.issue("a.example", ca=True), "is a CA certificate")
    refused(place, authority.issue("a.example", digest=hashes.SHA1()), "signed with")
    refused(place, authority.issue("a.example", key=rsa.generate_private_key(65537, 1024)), "too weak")
    assert not (place / "certificates").exists()


def test_without_a_key(place, authority):
    cert, _ = authority.issue("a.example").write(place / "one")
    done = place.run("import", cert)
    assert done.code == 1 and "no private key for it" in done.out and "--key FILE" in done.out, done
    assert not (place / "certificates").exists()


def test_the_key_of_another_certificate(place, authority):
    cert, _ = authority.issue("a.example").write(place / "one")
    _, key = authority.issue("a.example").write(place / "other")
    done = place.run("import", cert, "--key", key)
    assert done.code == 1 and "belongs to another certificate" in done.out, done
    assert 1009 in events(place) and not (place / "certificates").exists()


def test_fewer_names_under_the_same_name_need_a_word(place, authority):
    cert, key = authority.issue(["a.example", "b.example"], days=20).write(place / "one")
    assert place.run("import", cert, "--key", key).code == 0
    refused(place, authority.issue("a.example"), "does not cover b.example")
    cert, key = authority.issue("a.example").write(place / "two")
    assert place.run("import", cert, "--key", key, "--accept", "name-lost").code == 0


@pytest.mark.parametrize("what, sentence", [
    (b"", "it is empty"), (b"nonsense", "neither PEM, DER, PKCS #7 nor PKCS #12"),
    (b"-----BEGIN CERTIFICATE-----\n", "does not end"),
    (b"-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n", "cannot be read"),
    (b"0\x82\xff\xff", "neither PEM, DER")])
def test_files_that_are_none(place, what, sentence):
    done = import_from(place, ["-"], what)
    assert done.code == 1 and sentence in done.err, done


def test_a_huge_file(place):
    done = import_from(place, ["-"], bytes(17 << 20))
    assert done.code == 1 and "it is too long" in done.err, done.err[:1000]


def test_the_password_alone_on_standard_input(place, authority):
    pair = authority.issue("a.example")
    done = import_from(place, [pfx_of(place, pair), "--password-from", "-"], f"{PASSWORD}\r\n".encode())
    assert done.code == 0, done
    is_whole(place, "a.example", pair)


def test_a_wrong_password_and_none(place, authority):
    pfx = pfx_of(place, authority.issue("a.example"))
    done = place.run("import", pfx)
    assert done.code == 1 and "needs a password" in done.err and "--password-from" in done.err
    write(place / "wrong", "wrong\n")
    done = place.run("import", pfx, "--password-from", place / "wrong")
    assert done.code == 1 and "password is wrong" in done.err


def test_a_pfx_that_would_take_for_ever(place, authority):
    """Two billion iterations, once for the MAC and once for the cipher, are refused at once."""
    pfx = pfx_of(place, authority.issue("a.example"), extra=["-iter", "1000001", "-nomac"])
    data = pfx.read_bytes()
    number = b"\x02\x03" + (1000001).to_bytes(3, "big")
    assert number in data
    pfx.write_bytes(data.replace(number, b"\x02\x03\x7f\xff\xff"))
    done = place.run("import", pfx, "--password-from", place / "pw", timeout=10)
    assert done.code == 1 and "iterations" in done.err, done


def test_a_pfx_with_several_keys(place, authority):
    one, other = authority.issue("one.example"), authority.issue("other.example")
    text = one.fullchain_pem + one.key_pem + other.leaf_pem + other.key_pem
    done = import_from(place, ["-"], text.encode())
    assert done.code == 1 and "2 certificates with their keys" in done.err and "one.example" in done.err, done


@pytest.mark.parametrize("name", ["../../etc", "a/b", ".hidden", "-x", "", "a\nb", "\x1b[31m", "a" * 200])
def test_a_name_never_leaves_the_store(place, authority, name):
    cert, key = authority.issue("a.example").write(place / "made")
    done = place.run("import", cert, "--key", key, f"--name={name}")
    assert done.code == 2 and not list(place.path.rglob("current")), done
    assert "\x1b" not in done.all and not (place.path.parent / "etc/current").exists()


def test_a_hostile_name_in_the_certificate(place, authority):
    key = authority.issue("x.example").key
    hostile = authority._sign(x509.Name([]), key.public_key(), authority.intermediate.subject,
                              authority.intermediate_key, names=["../../../tmp/evil\x1b[31m", "*.b.example"])
    cert, key_path = Certificate(hostile, [authority.intermediate], key).write(place / "made")
    done = place.run("import", cert, "--key", key_path)
    assert done.code == 0 and "\x1b" not in done.all, done
    [name] = os.listdir(place / "certificates")
    assert name == "_.._.._.._tmp_evil__31m" or name.startswith("_"), name
    done = place.run("import", *authority.issue("*.c.example").write(place / "wild")[:1], "--key",
                     place / "wild/privkey.pem")
    assert done.code == 0 and stored(place, "_wildcard.c.example").exists()


def test_a_store_that_others_can_change(place, authority):
    cert, key = authority.issue("a.example").write(place / "made")
    shared = place / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    done = place.run("import", cert, "--key", key, "--store", shared / "store")
    assert done.code == 1 and "others may change it" in done.err and not os.listdir(shared), done


def test_it_succeeds_a_bound_certificate(one):
    done = one.run("import", one.new_cert, "--key", one.new_key)
    assert done.code == 0 and f"1 site uses {one.old.thumbprint[:16]}" in done.out, done
    [command] = [line.removeprefix("next: ").split() for line in done.out.splitlines() if line.startswith("next: ")]
    assert command[:2] == ["certrebind", "rebind"] and one.served() == one.old.thumbprint
    assert one.run(*command[1:]).code == 0
    assert one.served() == one.new.thumbprint
    assert str(stored(one.place, one.name) / "fullchain.pem") in one.nginx.conf.read_text()


def test_with_rebind_it_is_served(one):
    done = one.run("import", one.new_cert, "--key", one.new_key, "--rebind", "--json")
    assert done.code == 0 and done.json["imported"], done
    assert [each["outcome"] for each in done.json["accounts"]] == ["committed"]
    assert one.served() == one.new.thumbprint


def test_a_site_bound_to_the_store_gets_its_renewal(place, authority):
    old, new = authority.pair("a.example")
    cert, key = old.write(place / "old")
    assert place.run("import", cert, "--key", key).code == 0
    site = make_site(place, old, "a.example")
    site.cert_path, site.key_path = (stored(place, "a.example") / name for name in ("fullchain.pem", "privkey.pem"))
    nginx = place.nginx()
    nginx.write(site.block()).start()
    cert, key = new.write(place / "new")
    done = place.run("import", cert, "--key", key, "--rebind", "--service", nginx.service)
    assert done.code == 0, done
    assert handshake(site.port, "a.example") == new.thumbprint


@pytest.mark.parametrize("held", [False, True], ids=["at once", "in a window"])
def test_it_says_what_the_daemon_will_do(place, authority, held):
    """A site bound to the store is the daemon's, unless a policy holds it back; one bound elsewhere is only offered the certificate."""
    old, new = authority.pair("a.example")
    other_old, other_new = authority.pair("b.example")
    assert place.run("import", *with_key(old.write(place / "old"))).code == 0
    site, other = make_site(place, old, "a.example"), make_site(place, other_old, "b.example")
    site.cert_path, site.key_path = (stored(place, "a.example") / name for name in ("fullchain.pem", "privkey.pem"))
    nginx = place.nginx()
    nginx.write(site.block() + other.block()).start()
    hour = (time.localtime().tm_hour + 6) % 24
    window = allow(nginx, f'window = "{hour:02}:00-{(hour + 1) % 24:02}:00"')
    Watch(place, nginx, policy=window if held else None).start(old)
    done = place.run("import", *with_key(new.write(place / "new")), "--json")
    assert done.code == 0 and done.json["automatic"] is not held and done.json["rebind"], done
    if not held:
        nginx.wait_served(new.thumbprint, site.port, "a.example")
    done = place.run("import", *with_key(other_new.write(place / "b")))
    assert "next: certrebind rebind" in done.out and "by itself" not in done.out, done


def with_key(paths):
    return [paths[0], "--key", paths[1]]


def test_what_is_not_loaded_yet_is_found_again(place, authority):
    """An import without --rebind, then the same with it: the server still has the generation before."""
    old, new = authority.pair("a.example")
    cert, key = old.write(place / "old")
    assert place.run("import", cert, "--key", key).code == 0
    site = make_site(place, old, "a.example")
    site.cert_path, site.key_path = (stored(place, "a.example") / name for name in ("fullchain.pem", "privkey.pem"))
    nginx = place.nginx()
    nginx.write(site.block()).start()
    cert, key = new.write(place / "new")
    again = ["import", cert, "--key", key, "--service", nginx.service]
    assert place.run(*again).code == 0 and handshake(site.port, "a.example") == old.thumbprint
    told = place.run(*again, "--json").json
    assert [each["old"] for each in told["succeeds"]] == [old.thumbprint] and not told["imported"], told
    done = place.run(*again, "--rebind")
    assert done.code == 0 and "nothing to do" not in done.out, done
    assert handshake(site.port, "a.example") == new.thumbprint
    assert "nothing to do" in place.run(*again).out


@in_shares
def test_killed_at_every_call(place, authority, shim, share):
    old, new = authority.pair("a.example")
    old_cert, old_key = old.write(place / "old")
    new_cert, new_key = new.write(place / "new")
    log = place / "calls"

    def bring(number, **env):
        assert place.run("import", old_cert, "--key", old_key, "--name", f"n{number}").code == 0
        return place.run("import", new_cert, "--key", new_key, "--name", f"n{number}", env=env)

    assert bring(0, **shim, CRASH_LOG=str(log)).code == 0
    states = set()
    for at in points(len(log.read_text().splitlines()), share):
        done = bring(at, **shim, CRASH_AT=str(at))
        assert done.code in (-9, 0), done
        now = (stored(place, f"n{at}") / "fullchain.pem").read_text()
        is_whole(place, f"n{at}", new if now == new.fullchain_pem else old)
        states.add(now)
        assert place.run("import", new_cert, "--key", new_key, "--name", f"n{at}").code == 0
        is_whole(place, f"n{at}", new)
        assert sorted(os.listdir(place / f"certificates/n{at}")) == ["0001", "0002", "current"]
        logged = [event for event in place.run("events", "--json").lines
                  if event["id"] == 1006 and f"/n{at}/" in event["message"]]
        assert len(logged) == 2, logged
    assert states == {old.fullchain_pem, new.fullchain_pem}


def signed(place, authority, csr, name="signed.pem"):
    """What a CA makes of a request: here openssl(1), with the extensions that were asked for."""
    ca_key = write(place / "ca.key", authority.intermediate_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()), 0o600)
    ca = write(place / "ca.pem", authority.intermediate_pem)
    openssl("x509", "-req", "-in", csr, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "90",
            "-copy_extensions", "copyall", "-out", place / "leaf.pem")
    return write(place / name, (place / "leaf.pem").read_text() + authority.intermediate_pem)


@pytest.mark.parametrize("key", [["ec"], ["rsa", "--bits", "2048"], ["ec", "--bits", "384"]], ids=" ".join)
def test_a_request_is_completed(place, authority, key):
    done = place.run("request", "www.example.com", "192.0.2.7", "2001:db8::7", "--key-type", *key, "--subject",
                     r"O=Example\, Inc,C=DE", "-o", place / "www.csr")
    assert done.code == 0 and "PRIVATE" not in done.all, done
    text = openssl("req", "-in", place / "www.csr", "-verify", "-noout", "-text").decode()
    for part in ("DNS:www.example.com", "IP Address:192.0.2.7", "IP Address:2001:DB8:0:0:0:0:0:7", "Example, Inc",
                 "TLS Web Server Authentication"):
        assert part in text, text
    [request] = place.run("requests", "--json").json["requests"]
    assert request["csr"] == (place / "www.csr").read_text()
    assert request["name"] == "www.example.com" and len(request["names"]) == 3
    home = place / "requests/www.example.com"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "privkey.pem").stat().st_mode) == 0o600
    again = place.run("request", "www.example.com")
    assert again.code == 1 and "there is an open request" in again.err, again
    done = place.run("complete", signed(place, authority, place / "www.csr"))
    assert done.code == 0 and "it completes" in done.out, done
    assert place.run("requests").out.startswith("there is no open request") and not home.exists()
    where = stored(place, "www.example.com")
    openssl("verify", "-partial_chain", "-CAfile", place / "ca.pem", where / "cert.pem")


def test_import_finds_the_key_of_a_request(place, authority):
    assert place.run("request", "www.example.com", "-o", place / "www.csr").code == 0
    pem = signed(place, authority, place / "www.csr")
    openssl("crl2pkcs7", "-nocrl", "-certfile", pem, "-out", place / "www.p7b", "-outform", "DER")
    done = place.run("import", place / "www.p7b")
    assert done.code == 0 and not (place / "requests/www.example.com").exists(), done


def test_a_request_is_not_written_over_a_file(place):
    write(place / "www.csr", "precious")
    done = place.run("request", "www.example.com", "-o", place / "www.csr")
    assert done.code == 1 and "exists already" in done.err and not (place / "requests").exists(), done
    assert (place / "www.csr").read_text() == "precious"


def test_a_request_on_standard_output(place):
    done = place.run("request", "www.example.com", "-o", "-")
    assert done.code == 0 and done.out == (place / "requests/www.example.com/request.csr").read_text(), done


def test_a_certificate_that_lacks_a_requested_name(place, authority):
    assert place.run("request", "a.example", "b.example").code == 0
    key = serialization.load_pem_private_key((place / "requests/a.example/privkey.pem").read_bytes(), None)
    cert, _ = authority.issue("a.example", key=key).write(place / "made")
    for command in ("complete", "import"):
        done = place.run(command, cert)
        assert done.code == 1 and "does not cover b.example" in done.out and "name-lost" in done.out, done
    assert (place / "requests/a.example").exists() and not (place / "certificates").exists()
    assert place.run("complete", cert, "--accept", "name-lost").code == 0


def test_a_certificate_of_no_request(place, authority):
    cert, _ = authority.issue("a.example").write(place / "made")
    done = place.run("complete", cert)
    assert done.code == 1 and "no open request has the key" in done.err, done


def test_a_request_is_removed_only_with_a_word(place):
    assert place.run("request", "a.example").code == 0
    done = place.run("requests", "--remove", "a.example")
    assert done.code == 1 and "--yes" in done.err and (place / "requests/a.example").exists()
    assert place.run("requests", "--remove", "a.example", "--yes").code == 0
    assert not (place / "requests/a.example").exists()
    assert place.run("requests", "--remove", "a.example", "--yes").code == 2


@pytest.mark.parametrize("name", ["a b", "..", "-a.example", "a.example/x", "a.*", "\x1b", "a..b"])
def test_names_that_are_none(place, name):
    done = place.run("request", "--", name)
    assert done.code == 2 and "neither a host name nor an IP address" in done.err and "\x1b" not in done.err, done


def test_self_signed(place):
    done = place.run("self-signed", "a.example", "192.0.2.1", "--days", "30")
    assert done.code == 0, done
    cert = stored(place, "a.example") / "cert.pem"
    openssl("verify", "-CAfile", cert, cert)
    text = openssl("x509", "-in", cert, "-noout", "-text", "-checkip", "192.0.2.1").decode()
    assert "CA:FALSE" in text and "TLS Web Server Authentication" in text and "does match" in text
    openssl("x509", "-in", cert, "-noout", "-checkend", str(29 * 86400))
    openssl("x509", "-in", cert, "-noout", "-checkend", str(31 * 86400), code=1)


@pytest.fixture
def imported(place, authority):
    pair = authority.issue("a.example")
    cert, key = pair.write(place / "made")
    assert place.run("import", cert, "--key", key).code == 0
    return pair


def test_export_as_pem(place, imported):
    out = place / "out.pem"
    assert place.run("export", "a.example", "-o", out).code == 0
    assert out.read_text() == imported.fullchain_pem and stat.S_IMODE(out.stat().st_mode) == 0o600
    again = place.run("export", imported.thumbprint, "-o", out)
    assert again.code == 1 and "exists already" in again.err and "--force" in again.err, again
    done = place.run("export", imported.thumbprint[:16], "--with-key", "--force", "-o", out)
    assert done.code == 0 and "BEGIN PRIVATE KEY" in out.read_text(), done
    assert {path.name for path in place.path.glob(".certrebind*")} == set()
    messages = [event["message"] for event in place.run("events", "--json").lines if event["id"] == 1007]
    assert len(messages) == 2 and "without its key" in messages[0] and "with its key" in messages[1]


def test_export_replaces_only_a_file(place, imported):
    victim = write(place / "victim", "precious")
    (place / "link").symlink_to(victim)
    (place / "directory").mkdir()
    os.mkfifo(place / "pipe")
    for name, sentence in (("link", "a symbolic link"), ("directory", "a directory"), ("pipe", "a pipe")):
        done = place.run("export", "a.example", "--force", "-o", place / name)
        assert done.code == 1 and sentence in done.err, done
    assert victim.read_text() == "precious" and (place / "link").is_symlink()


def test_nobody_can_block_an_export(place, imported):
    """Names that a user could foresee, and the longest that there are."""
    occupied = write(place / ".certrebind-out.pem", "somebody's")
    assert place.run("export", "a.example", "-o", place / "out.pem").code == 0
    assert occupied.read_text() == "somebody's"
    assert place.run("export", "a.example", "-o", place / ("x" * 255)).code == 0


def test_export_as_pfx(place, imported):
    write(place / "pw", PASSWORD + "\n")
    out = place / "out.pfx"
    done = place.run("export", "a.example", "--pfx", "--with-key", "--password-from", place / "pw", "-o", out)
    assert done.code == 0, done
    told = subprocess.run(["openssl", "pkcs12", "-in", out, "-info", "-nodes", "-passin", f"pass:{PASSWORD}"],
                          capture_output=True, check=True)
    assert b"PBES2, PBKDF2, AES-256-CBC" in told.stderr and b"sha256" in told.stderr.lower(), told.stderr
    text = told.stdout.decode()
    assert imported.leaf_pem in text and imported.chain_pem in text and "PRIVATE KEY" in text
    missing = place.run("export", "a.example", "--pfx", "-o", place / "none.pfx")
    assert missing.code == 2 and "needs a password" in missing.err


def test_what_is_exported_can_be_imported(place, imported):
    write(place / "pw", "\n")
    out = place / "out.pfx"
    assert place.run("export", "a.example", "--pfx", "--with-key", "--password-from", place / "pw", "-o", out).code == 0
    assert place.run("import", out, "--name", "again").code == 0
    is_whole(place, "again", imported)


def test_export_to_standard_output(place, imported):
    assert place.run("export", "a.example", "-o", "-").out == imported.fullchain_pem
    write(place / "pw", "x\n")
    done = subprocess.run([place.binary, "export", "a.example", "--pfx", "--with-key", "--password-from", place / "pw",
                           "-o", "-"], capture_output=True, env={**os.environ, **place.env}, check=True)
    openssl("pkcs12", "-in", "/dev/stdin", "-nodes", "-passin", "pass:x", given=done.stdout)


def test_export_follows_no_link_of_others(place, imported):
    shared = place / "shared"
    shared.mkdir()
    os.chown(shared, 65534, 65534)
    victim = write(place / "victim", "precious")
    (shared / "out.pem").symlink_to(victim)
    done = place.run("export", "a.example", "--force", "--with-key", "-o", shared / "out.pem")
    assert done.code == 1 and victim.read_text() == "precious", done
    assert sorted(os.listdir(shared)) == ["out.pem"]


def test_remove_and_purge(place, imported):
    done = place.run("remove", "a.example")
    assert done.code == 0 and not (place / "certificates/a.example").exists(), done
    assert (place / "archive/a.example/0001/current/privkey.pem").exists()
    assert 1005 in events(place) and 1004 not in events(place)
    assert place.run("remove", "a.example").code == 2
    cert = place / "made/fullchain.pem"
    assert place.run("import", cert, "--key", place / "made/privkey.pem").code == 0
    unasked = place.run("remove", imported.thumbprint[:16], "--purge")
    assert unasked.code == 1 and "nobody said yes" in unasked.err
    assert place.run("remove", imported.thumbprint[:16], "--purge", "--yes").code == 0
    assert not os.listdir(place / "certificates") and 1004 in events(place)


def test_remove_from_another_store(place, imported):
    """It finds nothing elsewhere, and what lies where others could put something is not touched."""
    cert, key, store = place / "made/fullchain.pem", place / "made/privkey.pem", place / "other/store"
    assert place.run("import", cert, "--key", key, "--store", store).code == 0
    assert place.run("remove", "nothing", "--store", store).code == 2
    unasked = place.run("remove", "a.example", "--store", store, "--purge")
    assert f"certrebind remove a.example --store {store} --purge --yes" in unasked.err, unasked
    os.chown(store.parent, 65534, 65534)
    assert place.run("remove", "a.example", "--store", store).code == 1 and (store / "a.example").exists()
    os.chown(store.parent, 0, 0)
    done = place.run("remove", "a.example", "--store", store)
    assert done.code == 0 and not (store / "a.example").exists() and (store.parent / "archive/a.example").exists(), done
    assert stored(place, "a.example").exists()


def test_what_is_bound_is_not_removed(one):
    assert one.run("import", one.new_cert, "--key", one.new_key, "--rebind").code == 0
    for words in (["remove", one.name], ["remove", one.name, "--purge", "--yes"]):
        done = one.place.run(*words)
        assert done.code == 1 and one.name in done.err and "certrebind rebind" in done.err, done
    assert stored(one.place, one.name).exists() and one.served() == one.new.thumbprint


@pytest.mark.parametrize("line", ["ssl_client_certificate {}/certificates/ca/current/fullchain.pem;",
                                  "ssl_trusted_certificate {}/certificates/ca/0001/cert.pem;",
                                  "ssl_crl {}/certificates/$ssl_server_name/current/cert.pem;"])
def test_what_any_directive_names_is_not_removed(place, authority, line):
    cert, key = authority.issue("ca").write(place / "made")
    assert place.run("import", cert, "--key", key).code == 0
    site = make_site(place, authority.issue("a.example"), "a.example")
    nginx = place.nginx()
    nginx.write(site.block(extra="    # " * ("$" in line) + "    " + line.format(place.path) + "\n")).start()
    done = place.run("remove", "ca", "--purge", "--yes")
    assert done.code == 1 and f"{nginx.conf}:" in done.err, done
    assert stored(place, "ca").exists()


def test_a_purge_leaves_no_copy_of_the_key(place, authority):
    pair, other = authority.pair("a.example")
    cert, key = pair.write(place / "made")
    assert place.run("import", cert, "--key", key).code == 0
    site = make_site(place, pair, "a.example")
    nginx = place.nginx()
    nginx.write(site.block()).start()
    assert place.run("rebind", "--pending", "--service", nginx.service).code == 0
    kept = place.state / "kept"
    assert any(pair.leaf_pem in path.read_text() for path in kept.rglob("certificate"))
    nginx.stop()
    site = make_site(place, other, "a.example", site.port)
    nginx.write(site.block()).start()
    assert place.run("rebind", "--pending", "--service", nginx.service).code == 0
    done = place.run("remove", "a.example", "--purge", "--yes")
    assert done.code == 0, done
    assert not any(pair.key_pem in path.read_text() for path in place.path.rglob("key"))


def test_a_thumbprint_wins_over_a_name(place, authority):
    one, other = authority.pair("a.example")
    for name, pair in (("one", one), (one.thumbprint, other)):
        cert, key = pair.write(place / name)
        assert place.run("import", cert, "--key", key, "--name", name).code == 0
    assert place.run("export", one.thumbprint, "-o", "-").out == one.fullchain_pem
    assert place.run("remove", one.thumbprint).code == 0
    assert not stored(place, "one").exists() and stored(place, one.thumbprint).exists()


def test_what_others_renew_is_not_removed(one):
    done = one.place.run("remove", one.old.thumbprint)
    assert done.code == 1 and "outside certrebind's own store" in done.err, done


@pytest.mark.parametrize("words", [["import", "/nowhere"], ["request", "a.example"], ["requests"],
                                   ["complete", "/nowhere"], ["self-signed", "a.example"],
                                   ["export", "a", "-o", "/nowhere/x"], ["remove", "a"]], ids=" ".join)
def test_only_root(place, words):
    done = place.run(*words, before=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    assert done.code == 1 and "only root" in done.err, done


def test_no_key_and_no_password_is_told(place, authority):
    pfx = pfx_of(place, authority.issue("a.example"), password="Tr0ub4dor")
    done = place.run("import", pfx, "--password-from", place / "pw", "--verbose")
    told = done.all + place.run("events", "--json").out + place.run("show", "a.example").out
    assert done.code == 0 and "Tr0ub4dor" not in told and "PRIVATE KEY" not in told
    database = (place.state / "state.db").read_bytes()
    assert b"PRIVATE KEY" not in database and b"Tr0ub4dor" not in database


def test_haproxy_bound_to_the_combined_file(place, authority):
    old, new = authority.pair("a.example")
    cert, key = old.write(place / "old")
    assert place.run("import", cert, "--key", key).code == 0
    port = free_port()
    haproxy = place.haproxy()
    haproxy.write(frontend(port, f"crt {stored(place, 'a.example') / 'combined.pem'}")).start()
    cert, key = new.write(place / "new")
    done = place.run("import", cert, "--key", key, "--rebind", "--service", haproxy.service)
    assert done.code == 0 and handshake(port, "a.example") == new.thumbprint, done


def test_the_daemon_rebinds_a_new_generation(place, authority):
    """An import without --rebind is a renewal like any other, and is logged once."""
    old, new = authority.pair("a.example")
    cert, key = old.write(place / "old")
    assert place.run("import", cert, "--key", key).code == 0
    site = make_site(place, old, "a.example")
    site.cert_path, site.key_path = (stored(place, "a.example") / name for name in ("fullchain.pem", "privkey.pem"))
    nginx = place.nginx()
    nginx.write(site.block()).start()
    fenced(place, nginx)
    running_daemon(place)
    cert, key = new.write(place / "new")
    assert place.run("import", cert, "--key", key).code == 0
    until(lambda: handshake(site.port, "a.example") == new.thumbprint, "the new generation is served")
    until(lambda: 2002 in events(place), "the rebind has ended")
    ids = events(place)
    assert ids.count(1001) == 1 and ids.count(1005) == 1, ids
