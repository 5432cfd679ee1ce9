"""Files that an administrator made of a renewer's: combined, converted, given to a service's user. A renewal makes them
anew."""
import datetime
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from command import probed
from files import write
from markers import needs_root
from pki import utc_now
from servers.described import Hitch, Lighttpd, Mosquitto, Stunnel
from servers.mariadb import MariaDB
from servers.postfix import Postfix
from servers.postgresql import PostgreSQL
from stages.daemon import Watch
from waiting import until

pytestmark = needs_root
HOST = "mx.test"
OK, WARNING, CRITICAL = 0, 1, 2
PARAMETERS = ("-----BEGIN DH PARAMETERS-----\nMIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz\n"
              "+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a\n"
              "87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7\n"
              "YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi\n"
              "7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD\n"
              "ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==\n-----END DH PARAMETERS-----\n")


def renew(root, certificate, number):
    """What certbot does."""
    archive, live = root / "archive" / HOST, root / "live" / HOST
    live.mkdir(parents=True, exist_ok=True)
    for stem, text in (("fullchain", certificate.fullchain_pem), ("privkey", certificate.key_pem)):
        write(archive / f"{stem}{number}.pem", text, 0o600 if stem == "privkey" else 0o644)
        fresh = live / f"{stem}.fresh"
        fresh.symlink_to(f"../../archive/{HOST}/{stem}{number}.pem")
        fresh.rename(live / f"{stem}.pem")
    return live / "fullchain.pem", live / "privkey.pem"


class LighttpdCombined(Lighttpd):
    """cat fullchain.pem privkey.pem"""

    def configuration(self):
        return super().configuration().replace(f'ssl.privkey = "{self.key}"\n', "")

    def copy(self, certificate, key):
        write(self.certificate, certificate.read_text() + key.read_text(), 0o640)
        shutil.chown(self.certificate, "root", "www-data")


class HitchKeyFirst(Hitch):
    """cat privkey.pem fullchain.pem dhparams.pem"""

    def copy(self, certificate, key):
        write(self.certificate, key.read_text() + certificate.read_text() + PARAMETERS, 0o600)

    def is_as_it_was(self):
        text = self.certificate.read_text()
        return text.startswith("-----BEGIN PRIVATE KEY") and text.endswith(PARAMETERS)


class StunnelPkcs12(Stunnel):
    """openssl pkcs12 -export -passout pass:"""

    def __init__(self, prefix):
        super().__init__(prefix)
        self.certificate = self.prefix / "cert.p12"

    def configuration(self):
        return super().configuration().replace(f"key = {self.key}\n", "")

    def copy(self, certificate, key):
        subprocess.run(["openssl", "pkcs12", "-export", "-in", certificate, "-inkey", key, "-passout", "pass:",
                        "-out", self.certificate], check=True)
        self.certificate.chmod(0o600)

    def is_as_it_was(self):
        key, leaf, chain = pkcs12.load_key_and_certificates(self.certificate.read_bytes(), b"")
        return key and leaf and len(chain) == 1


class Separate:
    """install -o USER fullchain.pem privkey.pem"""

    def copy(self, certificate, key):
        write(self.certificate, certificate.read_text())
        write(self.key, key.read_text(), 0o600)
        for path in (self.certificate, self.key):
            shutil.chown(path, self.user)


class PostgreSQLSeparate(Separate, PostgreSQL):
    pass


class MariaDBSeparate(Separate, MariaDB):
    pass


class MosquittoSeparate(Separate, Mosquitto):
    pass


class PostfixSeparate(Separate, Postfix):
    pass


COPIES = [LighttpdCombined, HitchKeyFirst, StunnelPkcs12, PostgreSQLSeparate, MariaDBSeparate, MosquittoSeparate,
          PostfixSeparate]


class Stage:
    """A server that serves a copy of what certbot keeps."""

    def __init__(self, place, authority, kind):
        self.place, self.server, self.lineage = place, kind(place / "s"), place / "letsencrypt"
        self.old = authority.issue(HOST, days=20, not_before=utc_now() - datetime.timedelta(days=70))
        self.new = authority.issue(HOST)
        place.at_end(self.server.stop)
        paths = renew(self.lineage, self.old, 1)
        self.server.copy(*paths)
        self.server.write()
        self.server.start()
        until(lambda: self.serves(self.old), "it serves the old certificate")
        self.watch = Watch(place, self.server, stores=[("certbot", self.lineage)])

    def serves(self, certificate):
        (dialect, port), = self.server.endpoints.items()
        shown = probed(port, dialect, HOST)
        return shown == certificate.thumbprint

    def rights(self):
        info = self.server.certificate.stat()
        return info.st_mode, info.st_uid, info.st_gid


@pytest.fixture(params=COPIES, ids=lambda kind: kind.__name__)
def stage(request, place, authority):
    return Stage(place, authority, request.param)


def is_made_anew(stage, before):
    until(lambda: stage.serves(stage.new), "it serves the new certificate")
    stage.watch.wait_for(2002, stage.new)
    stage.watch.idle()
    assert stage.rights() == before
    assert getattr(stage.server, "is_as_it_was", lambda: True)()
    done = stage.watch.run("check")
    assert done.code == OK, done


def test_a_renewal_makes_the_copy_anew(stage):
    before = stage.rights()
    stage.watch.start(stage.old)
    stage.watch.idle()
    renew(stage.lineage, stage.new, 2)
    is_made_anew(stage, before)


def test_a_copy_that_was_stale_before_is_made_anew(stage):
    """certrebind never saw OLD in the renewer's place. The renewer keeps it beside the new one."""
    before = stage.rights()
    renew(stage.lineage, stage.new, 2)
    done = stage.watch.run("check")
    assert done.code == WARNING and "renewed, copy stale" in done.out, done
    stage.watch.start()
    is_made_anew(stage, before)


def test_a_converted_copy_can_be_taken_back(place, authority):
    stage = Stage(place, authority, StunnelPkcs12)
    renew(stage.lineage, stage.new, 2)
    done = place.run("rebind", "--pending")
    assert done.code == OK and stage.serves(stage.new), done
    done = place.run("undo")
    assert done.code == OK and stage.serves(stage.old) and stage.server.is_as_it_was(), done


def test_a_converted_copy_that_a_hook_makes_anew_is_loaded(place, authority):
    stage = Stage(place, authority, StunnelPkcs12)
    stage.server.copy(*renew(stage.lineage, stage.new, 2))
    done = place.run("check")
    assert done.code == WARNING and "renewed but not reloaded" in done.out, done
    done = place.run("rebind", "--pending")
    assert done.code == OK and stage.serves(stage.new), done


@pytest.mark.parametrize("content, says", [
    (b"\xfe\xed\xfe\xed\0\0\0\2", "it is a Java keystore, which certrebind neither reads nor writes"),
    (None, "it is a PKCS #12 file under a password, or of another user, which certrebind does not read"),
], ids=["jks", "password"])
def test_what_cannot_be_made_anew_is_named(place, authority, content, says):
    stage = Stage(place, authority, StunnelPkcs12)
    sealed = pkcs12.serialize_key_and_certificates(b"x", stage.new.key, stage.new.leaf, [],
                                                   serialization.BestAvailableEncryption(b"secret"))
    stage.server.certificate.write_bytes(content or sealed)
    done = place.run("check")
    assert done.code == CRITICAL and says in done.out, done


def test_a_converted_copy_of_another_user_is_not_opened(place, authority):
    """Whoever wrote it chose what it costs to open."""
    stage = Stage(place, authority, StunnelPkcs12)
    shutil.chown(stage.server.certificate, "nobody")
    done = place.run("check")
    assert done.code == CRITICAL and "or of another user" in done.out, done
