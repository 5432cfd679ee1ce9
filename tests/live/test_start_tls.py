"""STARTTLS on real servers: the handshake shows what they serve, and says when their TLS is off."""
import contextlib
import subprocess

import pytest

from command import PROBE
from markers import needs_root
from servers.dovecot import Dovecot
from servers.exim import Exim
from servers.inn import Inn
from servers.mariadb import MariaDB
from servers.postfix import Postfix
from servers.postgresql import PostgreSQL
from servers.prosody import Prosody
from servers.slapd import Slapd
from servers.vsftpd import Vsftpd
from waiting import until

pytestmark = needs_root
HOST = "mx.test"


def probe(port, dialect):
    """The thumbprint of what is served, or why there was no handshake."""
    done = subprocess.run([PROBE, "127.0.0.1", str(port), dialect, HOST], capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


def written(server):
    return server.write(HOST) if isinstance(server, Prosody) else server.write()


@pytest.mark.parametrize("kind", [Postfix, Dovecot, Exim, Inn, Vsftpd, Slapd, PostgreSQL, MariaDB, Prosody])
def test_shows_what_is_served(place, authority, kind):
    old, new = authority.issue(HOST), authority.issue(HOST)
    server = kind(place / "s")
    place.at_end(server.stop)
    written(server.install(old)).start()
    for dialect, port in server.endpoints.items():
        assert probe(port, dialect) == old.thumbprint, dialect
    server.install(new).reload()
    for dialect, port in server.endpoints.items():
        until(lambda: probe(port, dialect) == new.thumbprint, f"{dialect} serves the new certificate")


@pytest.mark.parametrize("kind, says", [
    (Postfix, {"smtp": "the server's temporary refusal: 454 4.7.0 TLS not available due to local problem"}),
    (Dovecot, {"imap": "* BYE [UNAVAILABLE] TLS initialization failed.",
               "pop3": "-ERR [SYS/TEMP] TLS initialization failed.",
               "lmtp": "the server does not offer STARTTLS: 502 5.5.1 TLS support is not enabled.",
               "sieve": "BYE \"TLS initialization failed.\""}),
    (Exim, {"smtp": "the server's temporary refusal: 454 TLS currently unavailable",
            "none": "the server closed the connection without an answer"}),
    (Inn, {"nntp": "the server's temporary refusal: 580 Error initializing TLS"}),
    (Slapd, {"ldap": "the server's temporary refusal: result 52: Could not initialize TLS"}),
    (Prosody, {"xmpp-client": "no xmpp-client: the server answered \"<stream:error>",
               "xmpp-server": "the server does not offer STARTTLS: <failure "})])
def test_says_that_tls_is_off(place, authority, kind, says):
    """After a reload with a key of another certificate these servers go on without TLS."""
    good, bad = authority.issue(HOST), authority.issue(HOST)
    bad.key_pem = good.key_pem
    server = kind(place / "s")
    place.at_end(server.stop)
    written(server.install(good)).start()
    server.install(bad)
    with contextlib.suppress(subprocess.CalledProcessError):  # of ldapmodify
        server.reload()
    for dialect, port in server.endpoints.items():
        # Dovecot starts a service whose processes fail again after a pause only, of up to a minute.
        until(lambda: says[dialect] in probe(port, dialect), f"{dialect} says that its TLS is off", 120)
