"""What the live tests stand on: a certificate authority, real nginx, the command, and witnesses.

Everything lies in one temporary directory a test, ports are reserved across processes, and every
process is ended by the pid that started it.
"""
import contextlib
import datetime
import errno
import fcntl
import hashlib
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import tempfile
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.path.abspath(os.environ.get("CERTREBIND") or REPOSITORY / "build/dev/certrebind")
NGINX = os.environ.get("NGINX", "/usr/sbin/nginx")
HAPROXY = os.environ.get("HAPROXY", "/usr/sbin/haproxy")
MODULES = pathlib.Path("/usr/lib/nginx/modules")
APACHE = os.environ.get("APACHE", "/usr/sbin/apache2")
APACHE_MODULES = pathlib.Path("/usr/lib/apache2/modules")
PATIENCE = 30  # seconds until something that must happen is given up
ROOT = os.geteuid() == 0
SWEEP = os.environ.get("CERTREBIND_SWEEP", "")  # "few": of the points to fail at, every third; "full": all


def points(last):
    """Which calls, counted from 1, a sweep is to fail at."""
    return range(1, last + 1, 3 if SWEEP == "few" else 1)


def until(look, what, seconds=PATIENCE):
    """What `look` gives as soon as it is true; an AssertionError where it never comes to be."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain until {what}")
        time.sleep(0.02)


def wait_staged(directory, count=1):
    """Until so many new files lie beside those that they are to replace: the plan is made then, and nothing is
    changed yet. The server's own test, which a Gate can hold up, begins before the plan."""
    until(lambda: len(list(pathlib.Path(directory).glob(".certrebind-*.new"))) >= count, "the new files are staged")


# ---------------------------------------------------------------------------------- certificates

_KEYS = {
    "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ec384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa3072": lambda: rsa.generate_private_key(65537, 3072),
}


def _now():
    return datetime.datetime.utcnow().replace(microsecond=0)


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Certificate:
    """A leaf with its chain and key, as PEM texts."""

    def __init__(self, leaf, chain, key):
        self.leaf = leaf
        self.key = key
        self.leaf_pem = _pem(leaf)
        self.chain_pem = "".join(_pem(above) for above in chain)
        self.fullchain_pem = self.leaf_pem + self.chain_pem
        self.key_pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()).decode()
        self.der = leaf.public_bytes(serialization.Encoding.DER)
        self.thumbprint = hashlib.sha256(self.der).hexdigest()
        self.sha1 = hashlib.sha1(self.der).hexdigest()

    def encrypted_key_pem(self, passphrase="secret"):
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase.encode())).decode()

    def write(self, directory, name="fullchain.pem", key_name="privkey.pem"):
        """Certificate with chain, and key: (path, path)."""
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        return (write(directory / name, self.fullchain_pem),
                write(directory / key_name, self.key_pem, 0o600))

    def write_combined(self, path, key_first=False, extra=""):
        parts = [self.key_pem, self.fullchain_pem] if key_first else [
            self.fullchain_pem, self.key_pem]
        return write(path, "".join(parts) + extra, 0o600)


def write(path, text, mode=0o644):
    """Writes a file with just these permissions, as a renewer would: anew, not in place."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text if isinstance(text, bytes) else text.encode()
    fresh = path.with_name(path.name + ".writing")
    fresh.write_bytes(data)
    fresh.chmod(mode)
    fresh.rename(path)
    return path


class Authority:
    """A root and an intermediate CA that signs what is asked for."""

    def __init__(self, name="Certrebind Test"):
        self.root_key = _KEYS["ec"]()
        self.root = self._sign(_name(name + " Root"), self.root_key.public_key(),
                               _name(name + " Root"), self.root_key, ca=True, days=3650)
        self.intermediate_key = _KEYS["ec"]()
        self.intermediate = self._sign(_name(name + " Issuer"), self.intermediate_key.public_key(),
                                       self.root.subject, self.root_key, ca=True, days=3650)
        self.root_pem = _pem(self.root)
        self.intermediate_pem = _pem(self.intermediate)

    @staticmethod
    def _sign(subject, public_key, issuer, issuer_key, *, ca=False, days=90, not_before=None,
              not_after=None, names=(), eku=None, must_staple=False,
              digest=hashes.SHA256()):
        start = not_before or _now() - datetime.timedelta(days=1)
        end = not_after or _now() + datetime.timedelta(days=days)
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
                   .public_key(public_key).serial_number(x509.random_serial_number())
                   .not_valid_before(start).not_valid_after(end)
                   .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True))
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
        usages = {"server": [ExtendedKeyUsageOID.SERVER_AUTH],
                  "client": [ExtendedKeyUsageOID.CLIENT_AUTH],
                  "both": [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
                  "email": [ExtendedKeyUsageOID.EMAIL_PROTECTION]}.get(eku)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), False)
        if must_staple:
            builder = builder.add_extension(
                x509.TLSFeature([x509.TLSFeatureType.status_request]), False)
        return builder.sign(issuer_key, digest)

    def issue(self, names, days=90, key="ec", not_before=None, not_after=None, eku="server",
              ca=False, must_staple=False, chain=True, self_signed=False,
              digest=hashes.SHA256()):
        """`not_before`, `not_after`: naive UTC datetimes. `chain=False` leaves the issuer out."""
        names = [names] if isinstance(names, str) else list(names)
        private = _KEYS[key]() if isinstance(key, str) else key
        issuer, issuer_key = self.intermediate.subject, self.intermediate_key
        if self_signed:
            issuer, issuer_key = _name(names[0][:64]), private
        leaf = self._sign(_name(names[0][:64]), private.public_key(), issuer, issuer_key, ca=ca,
                          days=days, not_before=not_before, not_after=not_after, names=names,
                          eku=eku, must_staple=must_staple, digest=digest)
        above = [self.intermediate] if chain and not self_signed else []
        return Certificate(leaf, above, private)

    def pair(self, names, **options):
        """OLD and its renewal."""
        return (self.issue(names, days=20, **options), self.issue(names, days=90, **options))


# ----------------------------------------------------------------------------------------- ports

_port_locks = []


def free_port():
    """A port that is this process's until it ends: below the ephemeral range, guarded by a lock
    file, so that neither another test run nor an outgoing connection takes it."""
    directory = pathlib.Path(f"/tmp/certrebind-test-ports.{os.geteuid()}")
    directory.mkdir(mode=0o700, exist_ok=True)
    for _ in range(2000):
        port = random.randrange(10000, 32000)
        lock = open(directory / str(port), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for family, host in ((socket.AF_INET, ""), (socket.AF_INET6, "::")):
                with socket.socket(family) as probe:
                    if family == socket.AF_INET6:
                        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    probe.bind((host, port))
        except OSError:
            lock.close()
            continue
        _port_locks.append(lock)
        return port
    raise AssertionError("no port is free")


# ------------------------------------------------------------------------------------ handshakes

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
    """The thumbprint that is served. `key_type` ("ec", "rsa") picks one of a dual pair."""
    with connect(where, sni, proxy, key_type, host) as tls:
        return hashlib.sha256(tls.getpeercert(binary_form=True)).hexdigest()


def request(port, sni, path="/", host="127.0.0.1"):
    """One HTTPS request on a connection of its own: (status, body)."""
    with connect(port, sni, host=host) as tls:
        tls.sendall(f"GET {path} HTTP/1.1\r\nHost: {sni}\r\nConnection: close\r\n\r\n".encode())
        answer = http.client.HTTPResponse(tls)
        answer.begin()
        return answer.status, answer.read()


# ----------------------------------------------------------------------------------------- nginx

def processes_naming(path):
    """Pids of those with this path among their arguments."""
    found = set()
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if entry.isdigit() and os.fsencode(path) in pathlib.Path(f"/proc/{entry}/cmdline").read_bytes():
                found.add(int(entry))
    return found


def processes_of_group(group):
    """Pids that are alive (not zombies) in a process group."""
    found = set()
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] not in "ZX":
                found.add(int(entry))
    return found


def end_group(server, number):
    """Ends a server that leads a process group, and waits until all of it is gone."""
    if server.process is None:
        return
    group = server.process.pid
    if server.process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            server.process.send_signal(signal.SIGCONT)
            server.process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(10)
    deadline = time.monotonic() + 10
    while processes_of_group(group):
        if time.monotonic() > deadline or number == signal.SIGKILL:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        time.sleep(0.01)
    server.process.wait()
    server.process = None


def wait_served(thumbprint, where, sni=None, **options):
    def served():
        with contextlib.suppress(OSError):
            return handshake(where, sni, **options) == thumbprint
    until(served, f"{where} ({sni}) serves {thumbprint[:16]}")


class Nginx:
    """A real nginx in its own directory, in a process group of its own."""

    def __init__(self, prefix, name="nginx.conf", workers=1):
        self.prefix = pathlib.Path(prefix)
        self.prefix.mkdir(parents=True, exist_ok=True)
        for directory in ("run", "html", "conf.d"):
            (self.prefix / directory).mkdir(exist_ok=True)
        self.conf = self.prefix / name
        self.log = self.prefix / "run/error.log"
        self.workers_wanted = workers
        self.process = None

    @property
    def service(self):
        return f"nginx:{self.conf}"

    def write(self, http="", stream=None, main=""):
        """The main file: `http` and `stream` are the blocks' contents."""
        run = self.prefix / "run"
        temporary = "".join(f"  {kind}_temp_path {run}/{kind};\n" for kind in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        text = (f"{'user root;' if ROOT else ''}\nworker_processes {self.workers_wanted};\n"
                f"pid {run}/nginx.pid;\nerror_log {self.log} notice;\nlock_file {run}/lock;\n")
        if stream is not None:
            text += f"load_module {MODULES}/ngx_stream_module.so;\n"
        text += f"{main}\nevents {{ worker_connections 2048; }}\n"
        text += f"http {{\n{temporary}  access_log off;\n  root {self.prefix}/html;\n{http}\n}}\n"
        if stream is not None:
            text += f"stream {{\n{stream}\n}}\n"
        write(self.conf, text)
        return self

    def command(self, *more):
        return [NGINX, "-p", str(self.prefix), "-c", str(self.conf), "-e", str(self.log), *more]

    def test(self):
        """nginx -t: (exit status, output)."""
        done = subprocess.run(self.command("-t"), capture_output=True, text=True)
        return done.returncode, done.stderr

    def start(self):
        # The parent's death ends it too; setpriv becomes nginx, so the pid is the master's.
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *self.command("-g", "daemon off;")],
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self.prefix / "run/stderr", "wb"))

        def up():
            if self.process.poll() is not None:
                raise AssertionError("nginx did not start: " + self.errors())
            return len(self.worker_pids()) >= self.workers_wanted

        until(up, "nginx has its workers")
        return self

    def errors(self):
        return "".join(path.read_text(errors="replace") for path in (
            self.prefix / "run/stderr", self.log) if path.exists())

    @property
    def master_pid(self):
        return self.process.pid

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def worker_pids(self):
        """Workers that take connections: those that shut down are left out."""
        found = set()
        for pid in processes_of_group(self.process.pid) - {self.process.pid}:
            with contextlib.suppress(OSError):
                title = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
                if title.startswith(b"nginx: worker process") and b"shutting down" not in title:
                    found.add(pid)
        return found

    def reloads(self):
        """How often the master was told to load its configuration anew."""
        return len(re.findall(r"\(SIGHUP\) received.*reconfiguring", self.errors()))

    def send(self, number):
        self.process.send_signal(number)

    def reload(self):
        """A HUP, waited for: every worker is new."""
        before = self.worker_pids()
        self.send(signal.SIGHUP)
        until(lambda: len(self.worker_pids() - before) >= self.workers_wanted
              and not self.worker_pids() & before, "nginx has reloaded")

    def stop(self, number=signal.SIGTERM):
        """Ends it and waits until master and workers are gone."""
        end_group(self, number)

    def wait_served(self, thumbprint, where, sni=None, **options):
        wait_served(thumbprint, where, sni, **options)


def haproxy_version():
    said = subprocess.run([HAPROXY, "-v"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in re.search(r"version (\d+)\.(\d+)", said).groups())


class HAProxy:
    """A real HAProxy in its own directory, in a process group of its own. `-W` unless `master` is
    False; an admin socket in run/ unless `socket` is False."""

    def __init__(self, prefix, name="haproxy.cfg", workers=1, master=True, socket=True):
        self.prefix = pathlib.Path(prefix)
        self.prefix.mkdir(parents=True, exist_ok=True)
        (self.prefix / "run").mkdir(exist_ok=True)
        self.conf = self.prefix / name
        self.log = self.prefix / "run/error.log"
        self.workers_wanted = workers
        self.master, self.has_socket = master, socket
        self.socket_path = self.prefix / "run/admin.sock"
        self.process = None

    @property
    def service(self):
        return f"haproxy:{self.conf}"

    def write(self, frontends="", main="", defaults=""):
        """The main file: `frontends` are whole sections, `main` and `defaults` go into theirs."""
        socket = f" stats socket {self.socket_path} mode 600 level admin\n" if self.has_socket else ""
        write(self.conf, f"global\n{socket}{main}\ndefaults\n mode http\n timeout client 60s\n"
              f" timeout server 60s\n timeout connect 5s\n{defaults}\n{frontends}\n")
        return self

    def command(self, *more):
        return [HAPROXY, "-f", str(self.conf), *more]

    def test(self):
        """haproxy -c: (exit status, output)."""
        done = subprocess.run(self.command("-c"), capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def start(self, *arguments, env=None, cwd=None):
        """`arguments` replace "-f CONF"."""
        command = [HAPROXY, *arguments] if arguments else self.command()
        loads = self._loads()
        # The parent's death ends it too; setpriv becomes haproxy, so the pid is the master's.
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command, "-W" if self.master else "-db"],
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self.log, "ab"), env={**os.environ, **(env or {})}, cwd=cwd)

        def up():
            if self.process.poll() is not None:
                raise AssertionError("haproxy did not start: " + self.errors())
            return len(self.worker_pids()) >= self.workers_wanted and (
                not self.master or self._loads() > loads and self._takes_signals())

        until(up, "haproxy has its worker")
        return self

    def errors(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def master_pid(self):
        return self.process.pid

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def worker_pids(self):
        """Processes that take connections: those that only finish are left out."""
        family = processes_of_group(self.process.pid)
        if self.master:
            family -= {self.process.pid}
        return {pid for pid in family if self._listens(pid)}

    @staticmethod
    def _listens(pid):
        sockets = set()
        with contextlib.suppress(OSError):
            for descriptor in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
                    if target.startswith("socket:["):
                        sockets.add(target[8:-1])
            for table, column in (("tcp", 9), ("tcp6", 9), ("unix", 6)):
                for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                    fields = line.split()
                    if len(fields) > column and fields[column] in sockets and fields[3] in (
                            "0A", "00010000"):
                        return True
        return False

    def reloads(self):
        """How often the master was told to load its configuration anew."""
        return len(re.findall(r"Reloading HAProxy", self.errors()))

    def send(self, number):
        self.process.send_signal(number)

    def _takes_signals(self):
        """A USR2 is lost while the master runs itself anew, which it does after each load."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        caught, held = (int(re.search(rf"^{name}:\s*(\w+)", status, re.M)[1], 16)
                        for name in ("SigCgt", "SigBlk"))
        return bool(caught & ~held & 1 << signal.SIGUSR2 - 1)

    def _loads(self):
        return self.errors().count("Loading success")

    def reload(self):
        """A USR2, waited for: every worker is new."""
        before, loads = self.worker_pids(), self._loads()
        self.send(signal.SIGUSR2)
        until(lambda: len(self.worker_pids() - before) >= self.workers_wanted
              and not self.worker_pids() & before and self._loads() > loads
              and self._takes_signals(), "haproxy has reloaded")

    def say(self, text):
        """What the admin socket answers."""
        with socket.socket(socket.AF_UNIX) as raw:
            raw.settimeout(10)
            raw.connect(str(self.socket_path))
            raw.sendall(text.encode())
            answer = b""
            while part := raw.recv(65536):
                answer += part
        return answer.decode()

    def stop(self, number=signal.SIGTERM):
        """Ends it and waits until master and workers are gone."""
        end_group(self, number)

    def wait_served(self, thumbprint, where, sni=None, **options):
        wait_served(thumbprint, where, sni, **options)


class Apache:
    """A real Apache httpd in its own directory, in a process group of its own."""

    def __init__(self, prefix, name="httpd.conf", mpm="event"):
        self.prefix = pathlib.Path(prefix)
        self.prefix.mkdir(parents=True, exist_ok=True)
        for directory in ("run", "html", "conf.d"):
            (self.prefix / directory).mkdir(exist_ok=True)
        self.conf = self.prefix / name
        self.log = self.prefix / "run/error.log"
        self.pid_file = self.prefix / "run/httpd.pid"
        self.mpm = mpm
        self.arguments = []  # further ones: -D SSL
        self.environment = {}
        self.process = None

    @property
    def service(self):
        return f"apache:{self.conf}"

    def write(self, main="", modules=(), ports=()):
        """The main file: `main` stands at the level of the server; `ports` are listened on."""
        wanted = ["mpm_" + self.mpm, "authz_core", "ssl", *modules]
        text = (f"ServerRoot {self.prefix}\nServerName localhost\nPidFile {self.pid_file}\n"
                f"DefaultRuntimeDir {self.prefix}/run\nErrorLog {self.log}\nLogLevel notice\n"
                f"DocumentRoot {self.prefix}/html\n")
        text += "".join(f"LoadModule {module}_module {APACHE_MODULES}/mod_{module}.so\n"
                        for module in wanted)
        if ROOT:
            text += "User www-data\nGroup www-data\n"
        text += "StartServers 2\nMaxRequestWorkers 50\n"
        if self.mpm != "prefork":
            # (httpd complains of the default of spare threads here, a second after its start.)
            text += "ThreadsPerChild 25\nMinSpareThreads 5\n"
        text += "".join(f"Listen {port if ':' in str(port) else f'127.0.0.1:{port}'}\n"
                        for port in ports)
        write(self.conf, text + main)
        return self

    def command(self, *more):
        return [APACHE, "-f", str(self.conf), *self.arguments, *more]

    @property
    def env(self):
        return {"PATH": os.environ["PATH"], **self.environment}

    def test(self):
        """apache2 -t: (exit status, output)."""
        done = subprocess.run(self.command("-t"), capture_output=True, text=True, env=self.env)
        return done.returncode, done.stdout + done.stderr

    def start(self):
        starts = self._starts()
        # The parent's death ends it too; setpriv becomes httpd, so the pid is the master's.
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *self.command("-D", "FOREGROUND")],
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self.prefix / "run/stderr", "wb"), env=self.env)

        def up():
            if self.process.poll() is not None:
                raise AssertionError("httpd did not start: " + self.errors())
            return self.pid_file.exists() and self.worker_pids() and self._starts() > starts

        until(up, "httpd has its workers")
        return self

    def errors(self):
        return "".join(path.read_text(errors="replace") for path in (
            self.prefix / "run/stderr", self.log) if path.exists())

    @property
    def master_pid(self):
        return self.process.pid

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def _sockets(self, pid):
        found = set()
        with contextlib.suppress(OSError):
            for descriptor in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
                    if target.startswith("socket:"):
                        found.add(target)
        return found

    def worker_pids(self):
        """Children that take connections: they hold a socket that the master has too."""
        masters = self._sockets(self.process.pid)
        return {pid for pid in processes_of_group(self.process.pid) - {self.process.pid}
                if self._sockets(pid) & masters}

    def reloads(self):
        """How often the master was told to load its configuration anew."""
        return len(re.findall(r"SIGUSR1 received|Graceful restart requested",
                              self.errors()))

    def send(self, number):
        self.process.send_signal(number)

    def _starts(self):
        """How often it had all its workers: it says so behind the last of them."""
        return self.errors().count("AH00094: Command line")

    def reload(self):
        """A USR1, waited for: every worker is new."""
        before, starts = self.worker_pids(), self._starts()
        self.send(signal.SIGUSR1)
        until(lambda: self.worker_pids() and not self.worker_pids() & before
              and self._starts() > starts, "httpd has reloaded")

    stop = Nginx.stop
    wait_served = Nginx.wait_served


class Gate:
    """Holds up every load of a configuration that says `ssl_password_file <gate.path>;` (put it at
    http level): nginx waits at the FIFO until `let_pass`. What `wait_for_load` returns from is
    therefore sure to happen while an `nginx -t`, or a reload, is under way."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        os.mkfifo(self.path, 0o600)
        self._arrived = threading.Semaphore(0)
        self._passes = threading.Semaphore(0)
        self._open = False
        self._ended = False
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    @property
    def directive(self):
        return f"  ssl_password_file {self.path};\n"

    def _readers(self):
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                for descriptor in os.listdir(f"/proc/{entry}/fd"):
                    if os.readlink(f"/proc/{entry}/fd/{descriptor}") == str(self.path):
                        return True
        return False

    def _keep(self):
        while not self._ended:
            descriptor = os.open(self.path, os.O_WRONLY)  # returns when nginx has opened it
            if not self._ended and not self._open:
                self._arrived.release()
                self._passes.acquire()
            with contextlib.suppress(BrokenPipeError):
                os.write(descriptor, b"unused\n")
            os.close(descriptor)
            while not self._ended and self._readers():
                time.sleep(0.005)

    def open(self):
        """From now on nobody is held up."""
        self._open = True
        self._passes.release()

    def close(self):
        """From now on each load is held up."""
        while self._passes.acquire(blocking=False):
            pass
        self._open = False

    def wait_for_load(self, seconds=PATIENCE):
        assert self._arrived.acquire(timeout=seconds), "nobody came to the gate"

    def let_pass(self):
        self._passes.release()

    def end(self):
        self._ended = True
        self.open()
        with contextlib.suppress(OSError):
            os.close(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK))
        deadline = time.monotonic() + 5
        while self._thread.is_alive() and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                os.close(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK))
            time.sleep(0.01)


# ----------------------------------------------------------------------------------- the command

class Outcome:
    """What a call of certrebind gave."""

    def __init__(self, done):
        self.arguments = done.args
        self.code = done.returncode
        self.out = done.stdout.decode(errors="replace")
        self.err = done.stderr.decode(errors="replace")

    @property
    def all(self):
        return self.out + self.err

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        """Each line of the output as JSON of its own."""
        return [json.loads(line) for line in self.out.splitlines()]

    def __repr__(self):
        return (f"exit {self.code} of {' '.join(map(str, self.arguments))}\n{self.out}"
                f"{'--- stderr ---' + chr(10) + self.err if self.err else ''}")


# What runs behind it, as root, sees no process but itself.
ALONE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def run(*arguments, env=None, cwd=None, before=(), timeout=180):
    """Runs certrebind. `before` goes in front of it (setpriv, say); `env` is added."""
    command = [*before, BINARY, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, cwd=cwd,
                          env={**os.environ, **(env or {})}, timeout=timeout)
    return Outcome(done)


class Place:
    """A test's own directory, with certrebind's state, run directory and configuration in it."""

    def __init__(self):
        # Short, for the sake of unix sockets; open to others, for workers that are not root.
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="crb-", dir="/tmp")).resolve()
        self.path.chmod(0o755)
        self.state = self.path / "state"
        self.state.mkdir(mode=0o700)
        self.run_directory = self.path / "run"
        self.config = self.path / "certrebind.toml"
        self.home = self.path / "home"
        self.home.mkdir()
        self._ends = []
        self.configure()

    def __truediv__(self, name):
        return self.path / name

    def configure(self, text="", stores=(), verify=10):
        """`stores`: (kind, path) pairs. `verify`: how long a reload may take at the least."""
        whole = f"default_stores = false\n{text}\n[verify]\nseconds = {verify}\n"
        for kind, path in stores:
            whole += f'[[store]]\nkind = "{kind}"\npath = "{path}"\n'
        self.config.write_text(whole)

    @property
    def env(self):
        return {"CERTREBIND_STATE": str(self.state), "CERTREBIND_RUN": str(self.run_directory),
                "CERTREBIND_CONFIG": str(self.config), "HOME": str(self.home)}

    def run(self, *arguments, env=None, **options):
        return run(*arguments, env={**self.env, **(env or {})}, **options)

    def popen(self, *arguments, env=None, before=(), **options):
        """certrebind in the background; killed at the end if it still runs."""
        process = subprocess.Popen([*before, BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                   env={**os.environ, **self.env, **(env or {})}, **options)

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
        self.at_end(end)
        return process

    def nginx(self, name="nginx", **options):
        server = Nginx(self.path / name, **options)
        self.at_end(server.stop)
        return server

    def haproxy(self, name="haproxy", **options):
        server = HAProxy(self.path / name, **options)
        self.at_end(server.stop)
        return server

    def apache(self, name="apache", **options):
        server = Apache(self.path / name, **options)
        self.at_end(server.stop)
        return server

    def gate(self, name="gate"):
        gate = Gate(self.path / name)
        self.at_end(gate.end)
        return gate

    def tmpfs(self, name, size):
        """A small file system of its own; for root."""
        where = self.path / name
        where.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", where], check=True)
        self.at_end(lambda: subprocess.run(["umount", "-l", where], check=True))
        return where

    def at_end(self, act):
        self._ends.append(act)

    def end(self):
        failures = []
        for act in reversed(self._ends):
            try:
                act()
            except BaseException as failure:  # the rest must be ended all the same
                failures.append(failure)
        if not os.environ.get("CERTREBIND_KEEP"):
            shutil.rmtree(self.path, ignore_errors=True)
        if failures:
            raise failures[0]


# ------------------------------------------------------------------------------------- witnesses

def snapshot(directory, without=("run", "state", "home")):
    """Everything below a directory: {path: (bytes, mode, uid, gid, xattrs, target)}. Directories
    count too (without bytes), so that a leftover shows. `without`: names that are left out."""
    seen = {}

    def look(path):
        info = path.lstat()
        kind = stat.S_IFMT(info.st_mode)
        data, target, extended = None, None, {}
        if kind == stat.S_IFLNK:
            target = os.readlink(path)
        else:
            if kind == stat.S_IFREG:
                data = path.read_bytes()
            for name in os.listxattr(path):
                extended[name] = os.getxattr(path, name)
        seen[str(path)] = (data, info.st_mode, info.st_uid, info.st_gid, extended, target)
        if kind == stat.S_IFDIR:
            for inner in sorted(path.iterdir()):
                if inner.name not in without:
                    look(inner)

    look(pathlib.Path(directory))
    return seen


def difference(before, after):
    """Paths whose snapshot differs."""
    return sorted(path for path in before.keys() | after.keys()
                  if before.get(path) != after.get(path))


class Load:
    """Fresh HTTPS requests, one after the other, from entering to leaving."""

    def __init__(self, port, sni, path="/", expect=200):
        self.port, self.sni, self.path, self.expect = port, sni, path, expect
        self.answered = 0
        self.failures = []
        self.served = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def _loop(self):
        while not self._stop.is_set():
            try:
                with connect(self.port, self.sni) as tls:
                    self.served.add(
                        hashlib.sha256(tls.getpeercert(binary_form=True)).hexdigest())
                    tls.sendall(f"GET {self.path} HTTP/1.1\r\nHost: {self.sni}\r\n"
                                "Connection: close\r\n\r\n".encode())
                    answer = http.client.HTTPResponse(tls)
                    answer.begin()
                    answer.read()
                    if answer.status != self.expect:
                        raise OSError(f"status {answer.status}")
                self.answered += 1
            except (OSError, http.client.HTTPException) as failure:
                self.failures.append(repr(failure))

    def __enter__(self):
        self._thread.start()
        until(lambda: self.answered or self.failures, "the first request is answered")
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def wait_for_more(self, number=10):
        """Until so many further requests were answered."""
        wanted = self.answered + number
        until(lambda: self.answered >= wanted, f"{number} more requests are answered")


class Download:
    """A large answer of which the first part is read at once and the rest only by `finish`: the
    transfer is in flight in between, since it does not fit into the sockets' buffers."""

    def __init__(self, port, sni, path):
        self.tls = connect(port, sni, timeout=60)
        self.tls.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {sni}\r\nConnection: close\r\n\r\n".encode())
        self.answer = http.client.HTTPResponse(self.tls)
        self.answer.begin()
        assert self.answer.status == 200, self.answer.status
        self.length = int(self.answer.getheader("Content-Length"))
        self.hash = hashlib.sha256()
        self.read = 0
        self._take(1 << 20)

    def _take(self, most):
        data = self.answer.read(most)
        self.hash.update(data)
        self.read += len(data)
        return data

    def finish(self):
        """(bytes read, their SHA-256)."""
        while self._take(1 << 20):
            pass
        self.tls.close()
        return self.read, self.hash.hexdigest()


def large_file(path, megabytes=100):
    """A file of pseudo-random content; its SHA-256."""
    block = random.Random(7).randbytes(1 << 20)
    digest = hashlib.sha256()
    with open(path, "wb") as out:
        for number in range(megabytes):
            part = number.to_bytes(8, "big") + block[8:]
            out.write(part)
            digest.update(part)
    return digest.hexdigest()


# ------------------------------------------------------------------------------------ whole sites

class Site:
    """An HTTPS server block with its certificate files, as written by `site`."""

    def __init__(self, name, port, certificate, cert_path, key_path):
        self.name, self.port, self.certificate = name, port, certificate
        self.cert_path, self.key_path = cert_path, key_path

    def block(self, listen=None, extra=""):
        return (f"  server {{\n    listen {listen or f'127.0.0.1:{self.port} ssl'};\n"
                f"    server_name {self.name};\n"
                f"    ssl_certificate {self.cert_path};\n"
                f"    ssl_certificate_key {self.key_path};\n{extra}"
                f"    location = /ok {{ return 200 ok; }}\n  }}\n")


    def host(self, address=None, extra="", key=True):
        """The same site as Apache's virtual host."""
        key_line = f"  SSLCertificateKeyFile {self.key_path}\n" if key else ""
        return (f"<VirtualHost {address or f'*:{self.port}'}>\n  ServerName {self.name}\n"
                f"  SSLEngine on\n  SSLCertificateFile {self.cert_path}\n{key_line}{extra}"
                "</VirtualHost>\n")


def site(place, certificate, name="a.example.com", port=None, directory=None):
    """Writes the certificate into <place>/certs/NAME/ and gives a Site."""
    where = pathlib.Path(directory or place.path / "certs" / name)
    cert_path, key_path = certificate.write(where)
    return Site(name, port or free_port(), certificate, cert_path, key_path)


# Their subject is no service.
WHOLE_MACHINE = {"enable", "disable", "status", "daemon", "events", "recover", "task"}


def of_service(arguments, service):
    """The arguments, restricted to one service where the command can be."""
    return arguments if arguments[0] in WHOLE_MACHINE else (*arguments, "--service", service)


class OneSite:
    """The usual stage: one running nginx with one site that serves OLD; NEW lies loose in new/."""

    def __init__(self, place, authority, name="a.example.com", old=None, new=None, **write_options):
        self.place = place
        if old is None:
            old, new = authority.pair(name)
        self.old, self.new = old, new
        self.name = name
        self.site = site(place, old, name)
        self.port = self.site.port
        self.nginx = place.nginx()
        self.nginx.write(self.site.block(), **write_options).start()
        self.new_cert = self.new_key = None
        if new is not None:
            self.new_cert, self.new_key = new.write(place.path / "new")

    def served(self):
        return handshake(self.port, self.name)

    def run(self, *arguments, **options):
        return self.place.run(*of_service(arguments, self.nginx.service), **options)
