"""A real ACME server on loopback, and each renewer with everything in a directory of its own.

pebble says yes to every challenge, so no DNS and no port 80 is needed. `issued_by_certbot` and its
siblings issue a certificate and give an `Issued`: where it lies, the store it lies in, and how it
is renewed by the renewer itself.
"""
import contextlib
import hashlib
import http.client
import http.server
import json
import os
import pathlib
import ssl
import subprocess
import threading
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from command import ROOT
from files import write
from pki import Authority
from ports import free_port
from waiting import until

DAYS = 10  # how long pebble's certificates live: due at once by every renewer's 30 days


class Pebble:
    """pebble with its own CA for the endpoint; ended by its pid."""

    def __init__(self, place, days=DAYS):
        self.directory = place.path / "pebble"
        self.directory.mkdir()
        endpoint = Authority("Pebble endpoint").issue("localhost", ca=True, self_signed=True)
        self.ca, key = endpoint.write(self.directory)
        self.port, self.management = free_port(), free_port()
        self.url = f"https://localhost:{self.port}/dir"
        configuration = {"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(self.ca), "privateKey": str(key),
            "httpPort": free_port(), "tlsPort": free_port(), "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
            "certificateValidityPeriod": days * 86400}}
        path = write(self.directory / "pebble.json", json.dumps(configuration))
        self.log = self.directory / "log"
        # The parent's death ends it too.
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "pebble", "-config", path],
            stdin=subprocess.DEVNULL, stdout=open(self.log, "wb"), stderr=subprocess.STDOUT,
            env={**os.environ, "PEBBLE_VA_ALWAYS_VALID": "1", "PEBBLE_VA_NOSLEEP": "1",
                 "PEBBLE_WFE_NONCEREJECT": "0"})
        place.at_end(self.stop)
        until(self._is_up, "pebble answers")

    def _is_up(self):
        assert self.process.poll() is None, self.log.read_text()
        context = ssl.create_default_context(cafile=self.ca)
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(self.url, context=context, timeout=5) as answer:
                return answer.status == 200
        return False

    def root(self):
        """The root of the certificates that it issues, as PEM."""
        context = ssl.create_default_context(cafile=self.ca)
        url = f"https://localhost:{self.management}/roots/0"
        with urllib.request.urlopen(url, context=context, timeout=5) as answer:
            return answer.read().decode()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

    @property
    def env(self):
        """What makes certbot and lego trust the endpoint."""
        return {"REQUESTS_CA_BUNDLE": str(self.ca), "LEGO_CA_CERTIFICATES": str(self.ca)}


class Relay:
    """In front of pebble, which takes no request in chunks; HAProxy sends no others."""

    def __init__(self, place, pebble):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def body(self):
                if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                whole = b""
                while size := int(self.rfile.readline().partition(b";")[0], 16):
                    whole += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return whole

            def relay(self):
                body = self.body()
                hop = {"transfer-encoding", "content-length", "connection"}
                there = http.client.HTTPSConnection("localhost", pebble.port,
                                                    context=ssl.create_default_context(cafile=pebble.ca))
                # The host stays as asked for: pebble makes its URLs of it.
                there.request(self.command, self.path, body or None,
                              {name: text for name, text in self.headers.items() if name.lower() not in hop})
                answer = there.getresponse()
                content = answer.read()
                self.send_response_only(answer.status)
                for name, text in answer.getheaders():
                    if name.lower() not in hop:
                        self.send_header(name, text)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_HEAD = do_POST = relay

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pebble.ca, pebble.directory / "privkey.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        place.at_end(self.server.shutdown)
        self.url = f"https://127.0.0.1:{self.server.server_port}/dir"


class Issued:
    """A certificate that a renewer issued. `store`: a [[store]] table as text."""

    def __init__(self, renewer, name, certificate, key, store, command, env=None):
        self.renewer, self.name = renewer, name
        self.certificate, self.key = pathlib.Path(certificate), pathlib.Path(key)
        self.store, self.command, self.env = store, command, env or {}

    def renew(self):
        """The renewer itself renews it, due or not."""
        call(self.command, self.env)

    @property
    def thumbprint(self):
        leaf = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        return hashlib.sha256(leaf.public_bytes(serialization.Encoding.DER)).hexdigest()


def call(command, env=None):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
                          env={**os.environ, **(env or {})})
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def store_table(kind, path, renew=None):
    text = f'[[store]]\nkind = "{kind}"\npath = "{path}"\n'
    return text + (f"renew = {json.dumps([str(word) for word in renew])}\n" if renew else "")


def script(path, *lines):
    return write(path, "\n".join(["#!/bin/sh", *lines, ""]), 0o755)


def issued_by_certbot(place, pebble, name="a.example.com", deploy_hook=None):
    home = place.path / "certbot"
    places = ["--config-dir", home, "--work-dir", place / "certbot-work",
              "--logs-dir", place / "certbot-logs"]
    hook = ["--deploy-hook", deploy_hook] if deploy_hook else []
    call(["certbot", "certonly", "-n", "--agree-tos", "--register-unsafely-without-email",
          "--server", pebble.url, *places, "--standalone", "--http-01-port", free_port(),
          "-d", name, "-d", "www." + name, *hook], pebble.env)
    live = home / "live" / name
    renew = ["certbot", "renew", "-n", "--no-random-sleep-on-renew", "--force-renewal",
             "--cert-name", name, *places]
    return Issued("certbot", name, live / "fullchain.pem", live / "privkey.pem",
                  store_table("certbot", home), renew, pebble.env)


def issued_by_lego(place, pebble, name="b.example.com"):
    home = place.path / "lego"
    lego = ["/usr/bin/lego", "--server", pebble.url, "--email", "a@example.com", "--accept-tos",
            "--path", home, "--http", "--http.port", f":{free_port()}"]
    call([*lego, "-d", name, "-d", "www." + name, "run"], pebble.env)
    renew = [*lego, "-d", "{name}", "-d", "www.{name}", "renew", "--no-random-sleep"]
    files = home / "certificates"
    return Issued("lego", name, files / f"{name}.crt", files / f"{name}.key",
                  store_table("lego", home, renew),
                  [str(word).replace("{name}", name) for word in renew], pebble.env)


def issued_by_uacme(place, pebble, name="c.example.com"):
    """uacme believes the system's CA file alone: it sees pebble's there, in a mount namespace."""
    home = place.path / "uacme"
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    uacme = script(place / "uacme.sh", f"exec unshare {'-m' if ROOT else '-rm'} sh -c "
                   f"'mount --bind {pebble.ca} {bundle} && exec /usr/bin/uacme \"$@\"' uacme \"$@\"")
    hook = script(place / "uacme-hook.sh", "exit 0")
    start = [uacme, "-a", pebble.url, "-c", home]
    call([*start, "-y", "new"])
    call([*start, "-h", hook, "issue", name, "www." + name])
    renew = [*start, "-h", hook, "issue", "{name}", "www." + name]
    return Issued("uacme", name, home / name / "cert.pem", home / "private" / name / "key.pem",
                  store_table("uacme", home, renew),
                  [*start, "-f", "-h", hook, "issue", name, "www." + name])


def issued_by_dehydrated(place, pebble, name="d.example.com", alias=None, hook=None):
    home = place.path / "dehydrated"
    (home / "challenges").mkdir(parents=True)
    configuration = write(home / "config", "\n".join([
        f'CA="{pebble.url}"', f"BASEDIR={home}", 'WELLKNOWN="${BASEDIR}/challenges"',
        f'CURL_OPTS="--cacert {pebble.ca}"', *([f"HOOK={hook}"] if hook else []), ""]))
    write(home / "domains.txt", f"{name} www.{name}{f' > {alias}' if alias else ''}\n")
    call(["dehydrated", "--register", "--accept-terms", "-f", configuration])
    call(["dehydrated", "--cron", "-f", configuration])
    files = home / "certs" / (alias or name)
    return Issued("dehydrated", alias or name, files / "fullchain.pem", files / "privkey.pem",
                  store_table("dehydrated", home / "certs"),
                  ["dehydrated", "--cron", "--force", "-f", configuration])


def issued_by_acme_sh(place, authority, name="f.example.com", installed=None):
    """Its layout by hand: Debian has no acme.sh. The script in it renews by taking the next of two
    certificates, as acme.sh does: in its own directory, then where a copy is installed."""
    home = place.path / "acme.sh"
    files = home / f"{name}_ecc"
    old, new = authority.pair(name)
    certificate, key = old.write(files, "fullchain.cer", f"{name}.key")
    new.write(place / "acme.sh-next", "fullchain.cer", f"{name}.key")
    write(files / f"{name}.conf", "\n".join([
        f"Le_Domain='{name}'", "Le_Alt='no'", "Le_Webroot='/var/www'", "Le_Keylength='ec-256'",
        "Le_NextRenewTime='1700000000'", f"Le_RealFullChainPath='{installed or ''}'", ""]))
    copies = [f"cat {certificate} > {installed}"] if installed else []
    program = script(home / "acme.sh", f'echo "$@" >> {home}/called',
                     f"cat {place.path}/acme.sh-next/{name}.key > {key}",
                     f"cat {place.path}/acme.sh-next/fullchain.cer > {certificate}", *copies)
    return Issued("acme.sh", name, certificate, key, store_table("acme.sh", home),
                  [program, "--renew", "-d", name, "--ecc", "--force"])


BY_ACME = [issued_by_certbot, issued_by_lego, issued_by_uacme, issued_by_dehydrated]
