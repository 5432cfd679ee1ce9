"""TLS sessions that go on while a certificate is renewed."""
import os
import selectors
import struct
import subprocess
import time

from waiting import PATIENCE

_STARTTLS = {"none": [], "xmpp-client": ["-starttls", "xmpp"]}  # openssl's own names are the same otherwise

# What a client says then, in each protocol, for which every server has an answer.
_STARTUP = struct.pack("!II", 18, 196608) + b"user\0xy\0\0\0"  # PostgreSQL 3.0, chapter 55.7
_LOGIN = struct.pack("<IIIB23s3s", 35 | 2 << 24, 0x8A00, 1 << 24, 33, b"", b"x")  # MySQL's HandshakeResponse41
_BIND = bytes.fromhex("300c020102600702010304008000")  # LDAP, RFC 4511 section 4.2: anonymous
_STREAM = b"<?xml version='1.0'?><stream:stream to='mx.test' version='1.0' xmlns='jabber:%s' " \
          b"xmlns:stream='http://etherx.jabber.org/streams'>"
WORDS = {"smtp": b"NOOP\r\n", "lmtp": b"NOOP\r\n", "imap": b"a NOOP\r\n", "pop3": b"CAPA\r\n", "sieve": b"CAPABILITY\r\n",
         "ftp": b"NOOP\r\n", "nntp": b"DATE\r\n", "ldap": _BIND, "postgres": _STARTUP, "mysql": _LOGIN, "xmpp-client": _STREAM % b"client",
         "xmpp-server": _STREAM % b"server"}


class Session:
    """An open TLS session at a port. `begin` is what the client says before the renewal, and `begun` what the server then
    answers, if it does; `words` come after it."""

    def __init__(self, port, dialect, name, words=None, begin=b"", begun=b""):
        self.words = words or WORDS[dialect]
        self.openssl = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, "-brief",
             *_STARTTLS.get(dialect, ["-starttls", dialect]), *(["-xmpphost", name] if "xmpp" in dialect else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._await(self.openssl.stderr, b"CONNECTION ESTABLISHED")
        self.openssl.stdin.write(begin)
        self.openssl.stdin.flush()
        if begun:
            self._await(self.openssl.stdout, begun)

    def _await(self, stream, text):
        """What comes until it has this text; fails where the connection ends before. Any text: b''."""
        seen, ends = b"", time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while selector.select(max(0, ends - time.monotonic())):
                more = os.read(stream.fileno(), 65536)
                if not more:
                    break
                seen += more
                if text in seen:
                    return seen
        raise AssertionError(f"{text!r} did not come, but {seen!r}")

    def drain(self):
        """Takes what the server has said so far."""
        os.set_blocking(self.openssl.stdout.fileno(), False)
        self.openssl.stdout.read()
        os.set_blocking(self.openssl.stdout.fileno(), True)

    def is_answered(self):
        """True if the server answers to what the client says now."""
        self.drain()
        try:
            self.openssl.stdin.write(self.words)
            self.openssl.stdin.flush()
            return bool(self._await(self.openssl.stdout, b""))
        except (AssertionError, BrokenPipeError):
            return False

    def end(self):
        self.openssl.kill()
        self.openssl.communicate()
