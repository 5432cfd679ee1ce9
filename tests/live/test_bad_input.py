"""What must never reach a server. Each is refused before nginx is touched: the exit status, a
sentence with the fact, the next step, and nothing changed on disk, in the server or on the wire."""
import datetime
import hashlib
import os
import shutil
import signal
import subprocess

import pytest

from command import BINARY, Outcome
from files import difference, snapshot, write
from handshakes import handshake
from markers import both_builds, needs_root
from pki import Authority, Certificate
from ports import free_port
from processes import wait_stopped
from stages.one_site import OneSite, make_site
from waiting import PATIENCE

REFUSED, USAGE, ROLLED_BACK, NEEDS_OPERATOR = 1, 2, 3, 4


class Untouched:
    """What is so before must be so afterwards."""

    def __init__(self, place, *stages):
        self.place, self.stages = place, stages
        self.before = snapshot(place.path)
        self.workers = [nginx.worker_pids() for nginx, _ in stages]
        self.reloads = [nginx.reloads() for nginx, _ in stages]
        self.served = [handshake(*where) for _, where in stages]

    def check(self):
        assert difference(self.before, snapshot(self.place.path)) == []
        for (nginx, where), workers, reloads, served in zip(
                self.stages, self.workers, self.reloads, self.served):
            assert nginx.worker_pids() == workers
            assert nginx.reloads() == reloads
            assert handshake(*where) == served


def untouched(stage):
    return Untouched(stage.place, (stage.nginx, (stage.port, stage.name)))


def refused(stage, *arguments, code=REFUSED, says=(), next_step=(), command="rebind", **options):
    """The command is refused with these words, and nothing has changed. `plan` must say it too."""
    watch = untouched(stage)
    for verb in ("plan", command):
        done = stage.run(verb, *arguments, **options)
        assert done.code == code, done
        for words in says:
            assert words in done.all, f"{words!r} is not in:\n{done}"
        for words in next_step:
            assert words in done.all, f"the next step {words!r} is not in:\n{done}"
        watch.check()
    return done


def renewed(place, authority, old=None, new=None, names="a.example.com"):
    """OLD serves, NEW lies in new/. Each a dict of what `issue` takes."""
    old = authority.issue(names, **{"days": 20, **(old or {})})
    new = authority.issue(names, **(new or {}))
    return OneSite(place, authority, old=old, new=new)


# -------------------------------------------------------------------------------------- the key

def test_key_of_another_certificate(one, authority):
    write(one.new_key, authority.issue("a.example.com").key_pem, 0o600)
    refused(one, one.old.thumbprint, one.new_cert,
            says=["refused", str(one.new_key), "belongs to another certificate"],
            next_step=["next: ", "--key"])


def test_damaged_key(one):
    """A byte of the secret is not what it was: nginx would take it, and every handshake would fail."""
    lines = one.new_key.read_text().splitlines()
    assert lines[0] == "-----BEGIN PRIVATE KEY-----"
    lines[1] = lines[1][:52] + ("B" if lines[1][52] == "A" else "A") + lines[1][53:]
    write(one.new_key, "\n".join(lines) + "\n", 0o600)
    refused(one, one.old.thumbprint, one.new_cert, says=["refused", str(one.new_key), "is damaged"],
            next_step=["next: "])


def test_key_option_with_the_key_of_another_certificate(one):
    refused(one, one.old.thumbprint, one.new_cert, "--key", one.site.key_path,
            says=[str(one.site.key_path), "belongs to another certificate"], next_step=["--key"])


def test_encrypted_key(one):
    write(one.new_key, one.new.encrypted_key_pem(), 0o600)
    refused(one, one.old.thumbprint, one.new_cert, says=[str(one.new_key), "is encrypted"],
            next_step=[f"openssl pkey -in {one.new_key}"])


def test_traditional_encrypted_key(one):
    plain = one.place / "plain.key"
    write(plain, one.new.key_pem, 0o600)
    subprocess.run(["openssl", "ec", "-in", plain, "-aes256", "-passout", "pass:secret", "-out",
                    one.new_key], check=True, capture_output=True)
    plain.unlink()
    assert "DEK-Info" in one.new_key.read_text()
    refused(one, one.old.thumbprint, one.new_cert, says=[str(one.new_key), "is encrypted"])


def test_key_missing(one):
    one.new_key.unlink()
    refused(one, one.old.thumbprint, one.new_cert, says=["no private key", str(one.new_cert)],
            next_step=["--key"])


def test_key_option_names_nothing(one):
    missing = one.place / "missing.key"
    watch = untouched(one)
    done = one.run("rebind", one.old.thumbprint, one.new_cert, "--key", missing)
    assert done.code in (REFUSED, USAGE), done
    assert str(missing) in done.all
    watch.check()


def test_garbage_in_the_key_file(one):
    write(one.new_key, "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n")
    refused(one, one.old.thumbprint, one.new_cert, says=[str(one.new_key), "cannot be read"],
            next_step=["--key"])


# ------------------------------------------------------------------------------ the certificate

def test_leaf_not_first(one):
    write(one.new_cert, one.new.chain_pem + one.new.leaf_pem)
    refused(one, one.old.thumbprint, one.new_cert,
            says=[str(one.new_cert), "does not begin with the leaf"],
            next_step=["put the leaf first"])


def test_chain_missing_where_old_had_one(one):
    write(one.new_cert, one.new.leaf_pem)
    refused(one, one.old.thumbprint, one.new_cert,
            says=[str(one.new_cert), "no intermediate certificate", "the old one had"],
            next_step=["full chain"])


def test_chain_of_a_stranger(one):
    stranger = Authority("Stranger")
    write(one.new_cert, one.new.leaf_pem + stranger.intermediate_pem)
    refused(one, one.old.thumbprint, one.new_cert, says=[str(one.new_cert)],
            next_step=["full chain"])


def test_chain_to_a_root_that_nobody_trusts(one):
    other = Authority("Other").issue("a.example.com")
    other.write(one.place / "new")
    refused(one, one.old.thumbprint, one.new_cert,
            says=["CN=Other Root", "this machine does not trust", "CN=Certrebind Test Root"],
            next_step=["full chain"])


def test_another_private_root_is_taken_where_the_machine_trusts_it(one):
    authority = Authority("Other")
    other = authority.issue("a.example.com")
    other.write(one.place / "new")
    trusted = write(one.place / "trusted.pem", authority.root_pem)
    done = one.run("rebind", one.old.thumbprint, one.new_cert,
                   env={"SSL_CERT_FILE": str(trusted)})
    assert done.code == 0, done
    assert one.served() == other.thumbprint


def test_expired(place, authority):
    start = datetime.datetime.utcnow() - datetime.timedelta(days=30)
    end = datetime.datetime.utcnow() - datetime.timedelta(days=3)
    stage = renewed(place, authority, old={"not_before": start,
                                           "not_after": end - datetime.timedelta(days=5)},
                    new={"not_before": start, "not_after": end})
    refused(stage, stage.old.thumbprint, stage.new_cert,
            says=["expired on", end.strftime("%Y-%m-%d")], next_step=["renew it"])


def test_not_yet_valid(place, authority):
    start = datetime.datetime.utcnow() + datetime.timedelta(days=2)
    stage = renewed(place, authority, new={"not_before": start})
    refused(stage, stage.old.thumbprint, stage.new_cert,
            says=["not valid before", start.strftime("%Y-%m-%d")], next_step=["date -u"])


def test_expires_before_old(place, authority):
    stage = renewed(place, authority, old={"days": 60}, new={"days": 30})
    refused(stage, stage.old.thumbprint, stage.new_cert, says=["expires on", "before the old one"],
            next_step=["swapped"])


def test_name_lost(place, authority):
    old = authority.issue(["a.example.com", "www.a.example.com"], days=20)
    new = authority.issue(["a.example.com"])
    place_site = make_site(place, old, "a.example.com www.a.example.com", directory=place / "certs/a")
    nginx = place.nginx()
    nginx.write(place_site.block()).start()
    stage = OneSite.__new__(OneSite)
    stage.place, stage.nginx, stage.port, stage.name = place, nginx, place_site.port, "a.example.com"
    path, _ = new.write(place / "new")
    refused(stage, old.thumbprint, path, says=["would lose www.a.example.com"],
            next_step=["www.a.example.com too"])


def test_a_name_that_the_site_does_not_use_may_be_lost(place, authority):
    """Names are compared with what the binding serves, not certificate with certificate."""
    old = authority.issue(["a.example.com", "unused.example.com"], days=20)
    stage = OneSite(place, authority, old=old, new=authority.issue("a.example.com"))
    done = stage.run("rebind", old.thumbprint, stage.new_cert)
    assert done.code == 0, done
    assert stage.served() == stage.new.thumbprint


def test_wildcard_does_not_cover_two_labels(place, authority):
    old = authority.issue(["x.y.example.com"], days=20)
    new = authority.issue(["*.example.com"])
    stage = OneSite(place, authority, name="x.y.example.com", old=old, new=new)
    refused(stage, old.thumbprint, stage.new_cert, says=["would lose x.y.example.com"])


def test_ca_certificate(place, authority):
    stage = renewed(place, authority, new={"ca": True})
    refused(stage, stage.old.thumbprint, stage.new_cert, says=["is a CA certificate"],
            next_step=["leaf"])


def test_no_server_authentication(place, authority):
    stage = renewed(place, authority, new={"eku": "client"})
    refused(stage, stage.old.thumbprint, stage.new_cert,
            says=["not for TLS servers", "extended key usage"], next_step=["serverAuth"])


def test_client_binding_needs_client_authentication(place, authority):
    old, new = authority.issue("c.example.com", days=20, eku="both"), authority.issue("c.example.com")
    stage = OneSite(place, authority, old=authority.issue("a.example.com"))
    cert, key = old.write(place / "certs/client")
    stage.nginx.write(stage.site.block(extra=(
        f"location / {{ proxy_pass https://127.0.0.1:1; proxy_ssl_certificate {cert};"
        f" proxy_ssl_certificate_key {key}; }}\n")))
    path, _ = new.write(place / "new")
    refused(stage, old.thumbprint, path, says=["not for TLS clients"], next_step=["clientAuth"])


@pytest.mark.parametrize("old_key, new_key", [
    ("rsa3072", "rsa2048"), ("ec384", "ec"), ("ec", "rsa2048")])
def test_weaker_key(place, authority, old_key, new_key):
    stage = renewed(place, authority, old={"key": old_key}, new={"key": new_key})
    refused(stage, stage.old.thumbprint, stage.new_cert, says=["is weaker than the old one"],
            next_step=["at least as strong"])


@pytest.mark.parametrize("old_key, new_key", [("rsa2048", "rsa3072"), ("rsa2048", "ec")])
def test_stronger_key_is_taken(place, authority, old_key, new_key):
    stage = renewed(place, authority, old={"key": old_key}, new={"key": new_key})
    done = stage.run("rebind", stage.old.thumbprint, stage.new_cert)
    assert done.code == 0, done
    assert stage.served() == stage.new.thumbprint


def test_must_staple_without_stapling(place, authority):
    stage = renewed(place, authority, new={"must_staple": True})
    refused(stage, stage.old.thumbprint, stage.new_cert, says=["Must-Staple", "a.example.com"],
            next_step=["stapling"])


def test_second_certificate_of_one_key_type(place, authority):
    """RSA+ECDSA, and the RSA one is to become a second ECDSA one: nginx would take only the last."""
    rsa = authority.issue("a.example.com", days=20, key="rsa2048")
    ecdsa = authority.issue("a.example.com", days=20)
    port, lines = free_port(), ""
    for name, certificate in (("rsa", rsa), ("ec", ecdsa)):
        cert, key = certificate.write(place / "certs" / name)
        lines += f"ssl_certificate {cert};\nssl_certificate_key {key};\n"
    nginx = place.nginx()
    nginx.write(f"server {{ listen 127.0.0.1:{port} ssl; server_name a.example.com;\n{lines} }}")
    nginx.start()
    stage = OneSite.__new__(OneSite)
    stage.place, stage.nginx, stage.port, stage.name = place, nginx, port, "a.example.com"
    path, _ = authority.issue("a.example.com").write(place / "new")
    refused(stage, rsa.thumbprint, path, says=["already has a certificate"],
            next_step=["the key type of OLD"])


# -------------------------------------------------------------------------------- what is typed

def bad_new(one, kind):
    path = one.place / "bad.pem"
    if kind == "garbage":
        write(path, os.urandom(4096))
    elif kind == "text":
        write(path, "this is no certificate\n")
    elif kind == "broken base64":
        write(path, "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n")
    elif kind == "not DER":
        write(path, "-----BEGIN CERTIFICATE-----\nbm90IERFUg==\n-----END CERTIFICATE-----\n")
    elif kind == "cut off":
        write(path, one.new.leaf_pem[:len(one.new.leaf_pem) // 2])
    elif kind == "trailing garbage in the chain":
        write(path, one.new.leaf_pem + one.new.chain_pem[:200])
    elif kind == "empty":
        write(path, "")
    elif kind == "DER":
        write(path, one.new.der)
    elif kind == "huge":
        with open(path, "wb") as out:
            out.write(one.new.fullchain_pem.encode())
            out.truncate(8 << 30)  # sparse: reading it all would show
    elif kind == "directory":
        path.mkdir()
    elif kind == "FIFO":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "missing":
        pass
    elif kind == "link loop":
        path.symlink_to(path.name)
    elif kind == "below a file":
        return one.new_cert / "x.pem"
    return path


@pytest.mark.parametrize("side", ["OLD", "NEW"])
@pytest.mark.parametrize("kind", [
    "garbage", "text", "broken base64", "not DER", "cut off", "trailing garbage in the chain",
    "empty", "huge", "directory", "FIFO", "device", "missing", "link loop", "below a file"])
def test_not_a_certificate(one, kind, side):
    path = bad_new(one, kind)
    arguments = [path, one.new_cert] if side == "OLD" else [one.old.thumbprint, path]
    watch = None if kind == "huge" else untouched(one)
    done = one.run("rebind", *arguments)
    assert done.code in (REFUSED, USAGE), done
    assert done.code == USAGE or kind not in ("missing",), done
    assert str(path) in done.all, done
    assert done.err.startswith("certrebind: "), done
    if watch:
        watch.check()
    assert one.served() == one.old.thumbprint and one.nginx.reloads() == 0


@pytest.mark.parametrize("kind", ["FIFO", "device", "directory", "huge"])
def test_key_option_that_is_no_file(one, kind):
    path = bad_new(one, kind)
    done = one.run("rebind", one.old.thumbprint, one.new_cert, "--key", path)
    assert done.code in (REFUSED, USAGE), done
    assert str(path) in done.all
    assert one.served() == one.old.thumbprint and one.nginx.reloads() == 0


@pytest.mark.parametrize("arguments, says", [
    (["{unknown}", "{new}"], ["no certificate with this thumbprint", "certrebind certificates"]),
    (["{old}", "{unknown}"], ["no certificate with this thumbprint", "certrebind certificates"]),
    (["{old8}", "{new}", "{old}"], ["pairs"]),
    (["{old}"], ["pairs"]),
    ([], []),
    (["{old}", "{new}", "--repoint", "--rewrite"], []),
    (["{old}", "{new}", "--no-such-option"], ["--no-such-option"]),
    (["{old}", "{new}", "{new}", "{new}", "--key", "{key}"], ["--key", "one pair"]),
])
def test_usage(one, arguments, says):
    words = {"unknown": "ab" * 32, "old": one.old.thumbprint, "old8": one.old.thumbprint[:8],
             "new": str(one.new_cert), "key": str(one.new_key)}
    refused(one, *[argument.format(**words) for argument in arguments], code=USAGE, says=says)


@pytest.mark.parametrize("typed, code", [("1234567", USAGE), ("12345", USAGE), ("ab" * 33, USAGE), ("zz" * 32, REFUSED),
                                         ("0123456g", REFUSED)])
def test_not_a_thumbprint(one, typed, code):
    """Told as what it is: a path that does not exist, or the name of no site."""
    done = refused(one, typed, one.new_cert, code=code, says=[typed])
    assert done.err.startswith("certrebind: "), done


def test_ambiguous_thumbprint(place, authority):
    """Eight digits that two certificates share: the message names both, one digit more helps."""
    stage = renewed(place, authority)
    first, second = collision(authority)
    first.write(place / "store", "one.pem", "one.key")
    second.write(place / "store", "two.pem", "two.key")
    place.configure(stores=[("directory", place / "store")])
    prefix = os.path.commonprefix([first.thumbprint, second.thumbprint])
    assert len(prefix) >= 8
    refused(stage, prefix, stage.new_cert, code=USAGE,
            says=["it matches 2 certificates", first.thumbprint, second.thumbprint],
            next_step=["more digits"])
    done = stage.run("plan", first.thumbprint, stage.new_cert)
    assert done.code == 0, done


def collision(authority):
    """Two certificates whose SHA-256 share 32 bits. The signature of an ECDSA certificate is not
    looked at by anything that lists certificates, so its last bytes are counted up: some 80,000
    hashes until a birthday."""
    base = authority.issue("twin.example.com")
    der = bytearray(base.der)
    seen = {}
    counter = 0
    while True:
        der[-6:] = counter.to_bytes(6, "big")
        digest = hashlib.sha256(der).digest()
        if digest[:4] in seen:
            return twin(base, der, seen[digest[:4]]), twin(base, der, counter)
        seen[digest[:4]] = counter
        counter += 1


def twin(base, der, counter):
    from cryptography import x509
    der = bytes(der[:-6]) + counter.to_bytes(6, "big")
    return Certificate(x509.load_der_x509_certificate(der), [], base.key)


def test_old_is_bound_nowhere(one, authority):
    """Nothing to do is no failure."""
    other = authority.issue("other.example.com", days=20)
    path, _ = other.write(one.place / "other")
    watch = untouched(one)
    for command in ("plan", "rebind"):
        done = one.run(command, path, one.new_cert)
        assert done.code == 0, done
        assert f"no named server uses {other.thumbprint[:16]}" in done.out
        assert "nothing to do" in done.out
    watch.check()
    assert one.run("history", "--json").json["transactions"] == []


@pytest.mark.parametrize("kind, says", [("der", "certrebind import"), ("p12", "certrebind import"),
                                        ("key", "give the certificate, and its key with --key")])
def test_new_in_another_format(one, kind, says):
    """What a person has at hand, and what makes of it what is wanted."""
    given = one.place / f"new.{kind}"
    if kind == "der":
        given.write_bytes(one.new.der)
    elif kind == "p12":
        subprocess.run(["openssl", "pkcs12", "-export", "-passout", "pass:", "-in", one.new_cert,
                        "-inkey", one.new_key, "-out", given], check=True)
    else:
        given.write_text(one.new.key_pem)
    watch = untouched(one)
    done = one.run("rebind", one.old.thumbprint, given)
    assert done.code in (REFUSED, USAGE), done
    assert str(given) in done.err and says in done.err, done
    watch.check()


def test_too_few_digits(one):
    done = one.run("plan", one.old.thumbprint[:7], one.new_cert)
    assert done.code == USAGE and "at least 8 hexadecimal digits" in done.err, done


def test_what_is_typed_wrong_names_the_command(one):
    done = one.run("rebind", "--no-such-option")
    assert done.code == USAGE and done.err.startswith("certrebind rebind: "), done
    assert "certrebind rebind --help" in done.err


def test_old_and_new_exchanged(one):
    done = one.run("rebind", one.new_cert, one.old.thumbprint)
    assert done.code == REFUSED and "nothing to do" in done.out, done
    assert "did you swap OLD and NEW?" in done.out


def test_old_is_bound_by_a_server_that_is_down(one, authority):
    other = make_site(one.place, authority.issue("b.example.com"), "b.example.com")
    one.place.nginx("other").write(other.block()).start()
    one.nginx.stop()
    done = one.place.run("rebind", one.site.cert_path, one.new_cert)
    assert done.code == 0 and "no running server uses" in done.out, done
    assert "name a stopped server with --service" in done.out


def test_old_may_be_bound_where_nothing_can_be_read(one, authority):
    """Another server's broken configuration: nobody can tell what it binds."""
    broken = one.place / "broken.conf"
    broken.write_text("http { server {\n")
    other, _ = authority.issue("other.example.com", days=20).write(one.place / "other")
    for command in ("plan", "rebind"):
        done = one.place.run(command, other, one.new_cert, "--service", one.nginx.service,
                             "--service", f"nginx:{broken}")
        assert done.code == 1, done
        assert "it may be bound where they are" in done.out and str(broken) in done.err, done


# ------------------------------------------------------------------------- who may read, and space

def as_nobody(stage, *arguments, anywhere=False):
    """Runs certrebind as an ordinary user, with a state directory of its own; `anywhere`: no server is named."""
    state = stage.place / "nobody"
    if not state.exists():
        state.mkdir(mode=0o700)
        os.chown(state, 65534, 65534)
        (stage.place / "bin").mkdir()
    # Where the binary lies, others may not be able to go.
    binary = shutil.copy(BINARY, stage.place / "bin/certrebind")
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", binary, *arguments,
         *([] if anywhere else ["--service", stage.nginx.service])], capture_output=True, timeout=60,
        env={**os.environ, **stage.place.env, "CERTREBIND_STATE": str(state / "state"),
             "CERTREBIND_RUN": str(state / "run")}, cwd="/")
    return Outcome(done)


@needs_root
@pytest.mark.parametrize("verb", ["plan", "rebind"])
def test_new_key_unreadable_for_who_is_not_root(one, verb):
    """It is there, and it is said that it may not be read."""
    one.nginx.stop()  # else who is not root cannot even tell whether it runs
    done = as_nobody(one, verb, one.old.thumbprint, one.new_cert)
    assert done.code == REFUSED, done
    assert str(one.new_key) in done.all and "ermission denied" in done.all, done


@needs_root
@pytest.mark.parametrize("verb", ["plan", "rebind"])
def test_a_server_that_may_not_be_looked_into(one, verb):
    """It would look as if it were down, and its proof would be owed for ever."""
    one.new_key.chmod(0o644)
    done = as_nobody(one, verb, one.old.thumbprint, one.new_cert)
    assert done.code == REFUSED, done
    assert "may not be looked into" in done.err and "run certrebind as root" in done.err, done
    assert one.served() == one.old.thumbprint and one.nginx.reloads() == 0


@needs_root
def test_what_may_be_bound_where_nobody_could_look_is_not_bound_nowhere(one):
    one.new_key.chmod(0o644)
    hidden = "may not be looked into: run certrebind as root"
    unknown = as_nobody(one, "plan", one.old.thumbprint, one.new_cert, anywhere=True)
    assert unknown.code == USAGE and "no server was found" in unknown.err and hidden in unknown.err, unknown
    for verb in ("plan", "rebind", "switch"):
        idle = as_nobody(one, verb, one.site.cert_path, one.new_cert, anywhere=True)
        assert idle.code == REFUSED and "but see the errors" in idle.out and hidden in idle.err, idle
    for dry in ([], ["--dry-run"]):
        pending = as_nobody(one, "rebind", "--pending", *dry, anywhere=True)
        assert pending.code == REFUSED and "nothing differs in what could be read, but" in pending.out, pending
        assert hidden in pending.err, pending
    told = as_nobody(one, "plan", one.site.cert_path, one.new_cert, "--json", anywhere=True)
    assert told.code == REFUSED and hidden in told.json["diagnostics"][0]["message"], told


@needs_root
def test_bound_files_not_writable_for_who_is_not_root(one):
    one.new_key.chmod(0o644)
    one.nginx.stop()
    as_nobody(one, "scan")
    before = snapshot(one.place.path, without=("run", "state", "home", "nobody"))
    done = as_nobody(one, "rebind", one.old.thumbprint, one.new_cert)
    assert done.code == REFUSED, done
    assert "ermission denied" in done.all and "root" in done.all, done
    assert difference(before, snapshot(
        one.place.path, without=("run", "state", "home", "nobody"))) == []


@needs_root
def test_state_directory_not_writable_for_who_is_not_root(one):
    one.nginx.stop()
    as_nobody(one, "scan")
    os.chown(one.place / "nobody", 0, 0)
    done = as_nobody(one, "rebind", one.old.thumbprint, one.new_cert)
    assert done.code == REFUSED, done
    assert "ermission denied" in done.err and "--state" in done.err, done


def fill(path):
    """Takes all the space that is left."""
    with open(path, "wb", buffering=0) as filler:
        with pytest.raises(OSError, match="No space left"):
            while True:
                filler.write(bytes(4096))


@needs_root
def test_disk_full_while_staging(place, authority):
    """The certificates lie on a file system with no room for a second copy."""
    old, new = authority.pair("a.example.com")
    small = place.tmpfs("small", "64k")
    one_site = make_site(place, old, directory=small / "certs")
    nginx = place.nginx()
    nginx.write(one_site.block()).start()
    path, _ = new.write(place / "new")
    fill(small / "filler")
    watch = Untouched(place, (nginx, (one_site.port, "a.example.com")))
    done = place.run("rebind", old.thumbprint, path, "--service", nginx.service)
    assert done.code == REFUSED, done
    assert "No space left on device" in done.out and str(small) in done.out, done
    assert "nothing was changed" in done.out
    watch.check()
    (small / "filler").unlink()
    done = place.run("rebind", old.thumbprint, path, "--service", nginx.service)
    assert done.code == 0, done
    assert handshake(one_site.port, "a.example.com") == new.thumbprint


@needs_root
def test_disk_full_in_the_state_directory(place, authority):
    """Where no before-image can be kept, nothing is touched."""
    stage = OneSite(place, authority)
    where = place.tmpfs("full", "256k")
    state = where / "state"
    state.mkdir(mode=0o700)
    env = {"CERTREBIND_STATE": str(state)}
    assert stage.run("rebind", stage.old.thumbprint, stage.old.thumbprint, env=env).code == 0
    fill(where / "filler")
    watch = Untouched(place, (stage.nginx, (stage.port, stage.name)))
    watch.before = snapshot(place.path, without=("run", "state", "home", "full"))
    done = stage.run("rebind", stage.old.thumbprint, stage.new_cert, env=env)
    assert done.code in (REFUSED, 4), done
    assert difference(watch.before,
                      snapshot(place.path, without=("run", "state", "home", "full"))) == []
    assert stage.served() == stage.old.thumbprint
    assert stage.nginx.worker_pids() == watch.workers[0]
    assert "full" in done.all or "space" in done.all, done


@needs_root
def test_read_only_configuration(place, authority):
    stage = OneSite(place, authority)
    subprocess.run(["mount", "--bind", stage.site.cert_path.parent, stage.site.cert_path.parent],
                   check=True)
    place.at_end(lambda: subprocess.run(["umount", "-l", stage.site.cert_path.parent], check=True))
    subprocess.run(["mount", "-o", "remount,ro,bind", stage.site.cert_path.parent], check=True)
    done = refused_once(stage, stage.old.thumbprint, stage.new_cert)
    assert "ead-only file system" in done.out, done


def refused_once(stage, *arguments):
    """For what only the act itself can find, not the plan."""
    watch = untouched(stage)
    done = stage.run("rebind", *arguments)
    assert done.code == REFUSED, done
    watch.check()
    return done


def test_state_directory_open_to_others(one):
    one.place.state.chmod(0o755)
    done = refused_once(one, one.old.thumbprint, one.new_cert)
    assert str(one.place.state) in done.err and "chmod 0700" in done.err


# ------------------------------------------------------------------------------------- the server

def test_configuration_broken_before(one):
    """nginx's own complaint is told, and that it was there before."""
    with open(one.nginx.conf, "a") as conf:
        conf.write("no_such_directive on;\n")
    done = refused_once(one, one.old.thumbprint, one.new_cert)
    assert "already fails" in done.out and "no_such_directive" in done.out
    assert str(one.nginx.conf) in done.out
    assert "the old files are restored" in done.out and "next: repair the configuration" in done.out


def test_configuration_that_does_not_parse(one):
    with open(one.nginx.conf, "a") as conf:
        conf.write("http {\n")
    done = refused_once(one, one.old.thumbprint, one.new_cert)
    assert str(one.nginx.conf) in done.all


@both_builds
@pytest.mark.parametrize("what", ["certificate", "configuration"])
def test_edit_between_plan_and_swap(place, authority, shim, what):
    """An administrator saves the file as the last thing before it is swapped: the edit wins. Of a pair it is for
    the administrator to say whether the key that is back belongs to it."""
    one = OneSite(place, authority)
    watch = Untouched(place, (one.nginx, (one.port, "a.example.com")))
    running = place.popen("rebind", one.old.thumbprint, one.new_cert, "--service", one.nginx.service,
                          "--repoint" if what == "configuration" else "--rewrite", env={**shim, "STOP_IN": "renameat2"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_stopped(running.pid)
    edited = one.nginx.conf if what == "configuration" else one.site.cert_path
    write(edited, edited.read_text() + "# saved by an administrator\n")
    watch.before[str(edited)] = snapshot(edited.parent)[str(edited)]
    os.kill(running.pid, signal.SIGCONT)
    told, _ = running.communicate(timeout=PATIENCE)
    assert running.returncode == (ROLLED_BACK if what == "configuration" else NEEDS_OPERATOR), told
    assert str(edited) in told and "somebody changed it" in told
    watch.check()
    assert edited.read_text().endswith("# saved by an administrator\n")


@pytest.mark.parametrize("kind", ["rewrite", "repoint"])
def test_server_down(place, authority, kind):
    """Files are rebound and tested, the server is not started, and check owes the proof."""
    stage = OneSite(place, authority)
    stage.nginx.stop()
    done = stage.run("rebind", stage.old.thumbprint, stage.new_cert, f"--{kind}")
    assert done.code == 0, done
    assert "proof is owed" in done.out and "not running" in done.out
    with pytest.raises(OSError):
        stage.served()
    [row] = stage.run("history", "--json").json["transactions"]
    assert row["proof_owed"] is True and row["outcome"] == "committed"
    assert stage.nginx.test()[0] == 0
    check = stage.run("check")
    assert check.code == 2 and "proof is owed" in check.out, check
    stage.nginx.start()
    assert stage.served() == stage.new.thumbprint
    check = stage.run("check")
    assert check.code == 0, check
    assert "proof is owed" not in stage.run("check").out
    assert stage.run("history", "--json").json["transactions"][0]["proof_owed"] is False
    ids = [event["id"] for event in stage.place.run("events", "--json").lines]
    assert ids.index(2008) < ids.index(2009)


def test_server_down_and_started_with_something_else_owes_on(place, authority):
    stage = OneSite(place, authority)
    stage.nginx.stop()
    assert stage.run("rebind", stage.old.thumbprint, stage.new_cert).code == 0
    stage.old.write(stage.site.cert_path.parent)  # somebody put OLD back
    stage.nginx.start()
    assert stage.served() == stage.old.thumbprint
    check = stage.run("check")
    assert check.code == 1 and "proof is owed" in check.out, check


def test_server_down_with_a_broken_configuration(one):
    one.nginx.stop()
    with open(one.nginx.conf, "a") as conf:
        conf.write("no_such_directive on;\n")
    before = snapshot(one.place.path)
    done = one.run("rebind", one.old.thumbprint, one.new_cert)
    assert done.code == REFUSED, done
    assert "already fails" in done.out
    assert difference(before, snapshot(one.place.path)) == []


def test_service_that_does_not_exist(one):
    done = one.place.run("rebind", one.old.thumbprint, one.new_cert, "--service",
                         "nginx:/nowhere/nginx.conf")
    assert done.code == USAGE, done
    assert "/nowhere/nginx.conf" in done.err
    assert one.served() == one.old.thumbprint


def test_not_editable_binding_is_refused(place, authority):
    """NEW elsewhere cannot be brought to a path with a variable in it, nor to `data:`."""
    old, new = authority.pair("a.example.com")
    port = free_port()
    nginx = place.nginx()
    cert, key = old.write(place / "certs")
    nginx.write(f"server {{ listen 127.0.0.1:{port} ssl; server_name a.example.com;\n"
                f"ssl_certificate \"{cert}\"; ssl_certificate_key \"data:{old.key_pem}\"; }}")
    nginx.start()
    stage = OneSite.__new__(OneSite)
    stage.place, stage.nginx, stage.port, stage.name = place, nginx, port, "a.example.com"
    path, _ = new.write(place / "new")
    refused(stage, old.thumbprint, path, says=["cannot be edited", "data:", str(nginx.conf)],
            next_step=["by hand"])
