"""Asks a server over TLS which certificate it serves."""
import contextlib
import hashlib
import http.client
import socket
import ssl
import subprocess

from waiting import until

_TLS12 = {"ec": "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384",
          "rsa": "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"}


def _context(key_type=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if key_type:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_TLS12[key_type])
    return context


def connect(where, sni=None, proxy=False, key_type=None, host="127.0.0.1", timeout=10):
    """A completed TLS connection to a port, or to a unix socket's path."""
    if isinstance(where, int):
        raw = socket.create_connection((host, where), timeout)
    else:
        raw = socket.socket(socket.AF_UNIX)
        raw.settimeout(timeout)
        raw.connect(str(where))
    try:
        if proxy:
            raw.sendall(b"PROXY TCP4 127.0.0.1 127.0.0.1 1234 443\r\n")
        return _context(key_type).wrap_socket(raw, server_hostname=sni)
    except BaseException:
        raw.close()
        raise


def handshake(where, sni=None, proxy=False, key_type=None, host="127.0.0.1"):
    """The thumbprint of the served certificate. `key_type` ("ec", "rsa") picks one of a dual pair."""
    with connect(where, sni, proxy, key_type, host) as tls:
        return hashlib.sha256(tls.getpeercert(binary_form=True)).hexdigest()


def request(port, sni, path="/", host="127.0.0.1"):
    """One HTTPS request on a connection of its own: (status, body)."""
    with connect(port, sni, host=host) as tls:
        tls.sendall(f"GET {path} HTTP/1.1\r\nHost: {sni}\r\nConnection: close\r\n\r\n".encode())
        answer = http.client.HTTPResponse(tls)
        answer.begin()
        return answer.status, answer.read()


def sent_chain(port, name):
    """The subjects of the certificates that the server sends, leaf first."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername",
                           name, "-showcerts"], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=30)
    return [line.split(":", 1)[1].strip() for line in done.stdout.splitlines()
            if line.strip().split(" ")[0].isdigit() and " s:" in line]


def wait_served(thumbprint, where, sni=None, **options):
    def served():
        with contextlib.suppress(OSError):
            return handshake(where, sni, **options) == thumbprint
    until(served, f"{where} ({sni}) serves {thumbprint[:16]}")
