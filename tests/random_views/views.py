"""Random configurations: what certrebind reads of one, compared with what the real server serves.

`Case.wrong` is the list of wrong claims, a sentence each. A claim is wrong if a handshake contradicts it, or if a
handshake shows a certificate that no binding has.
"""
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))

from command import BINARY  # noqa: E402
from handshakes import handshake  # noqa: E402
from pki import Authority  # noqa: E402
from processes import processes_of_group  # noqa: E402
from waiting import PATIENCE  # noqa: E402

# On the loopback interface of a private network namespace: see `run`.
ADDRESSES = ["127.0.0.1", "::1", "192.0.2.1", "192.0.2.2", "2001:db8::1"]
PORTS = [443, 8443, 9443]
NAMES = ["a.example", "b.example", "c.example", "www.a.example", "x.b.example", "deep.x.b.example", "other.test"]
HOSTS = "127.0.0.1 localhost\n::1 localhost6\n192.0.2.1 one.internal\n192.0.2.2 two.internal\n"


class Refused(Exception):
    """The server does not take this configuration: it is no case."""


class Certificates:
    """A few certificates, made once: each is one file pair in every case."""

    def __init__(self, directory, ec=10, rsa=3):
        authority = Authority()
        self.directory = pathlib.Path(directory)
        self.by_type = {"ec": [], "rsa": []}
        self.path_of = {}  # thumbprint: certificate path
        self.type_of = {}  # certificate path: "ec" or "rsa"
        self.copies = {}  # certificate path: name
        for kind, count in (("ec", ec), ("rsa", rsa)):
            for number in range(count):
                made = authority.issue(["a.example", "*.example", "*.a.example", "*.b.example", "other.test"],
                                       key="ec" if kind == "ec" else "rsa2048")
                name = f"{kind}{number}"
                path, _ = made.write(self.directory, f"{name}.pem", f"{name}.key")
                made.write_combined(self.directory / f"{name}.both")
                self.by_type[kind].append(name)
                for each in (path, self.directory / f"{name}.both"):
                    self.type_of[str(each)] = kind
                self.path_of[made.thumbprint] = name

    def place(self, path, name):
        """A copy of `name` lies at this path, too."""
        self.copies[str(path)] = name
        self.type_of[str(path)] = "rsa" if name.startswith("rsa") else "ec"

    def name_of(self, path):
        return self.copies.get(str(path)) or pathlib.Path(path).name.partition(".")[0]


def shown(host, port, sni, key_type, proxy=False):
    """The thumbprint that a handshake shows; "" for none, None where nobody listens."""
    try:
        return handshake(port, sni, proxy=proxy, key_type=key_type, host=host)
    except ConnectionRefusedError:
        return None
    except OSError:
        return ""


class Server:
    """A server that was started here, ended by its pid."""

    def __init__(self, command, log):
        self.log = pathlib.Path(log)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=open(self.log, "ab"),
                                        stderr=subprocess.STDOUT, start_new_session=True,
                                        env={"PATH": os.environ["PATH"]})

    def wait(self, is_up):
        deadline = time.monotonic() + PATIENCE
        while not is_up():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Refused(self.log.read_text(errors="replace")[-500:])
            time.sleep(0.01)

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in processes_of_group(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)


class Case:
    """One configuration, served. `names`: the exact names to ask for beside those in NAMES."""

    def __init__(self, service, certificates, addresses=None, proxied=()):
        self.service = service
        self.certificates = certificates
        self.addresses = addresses or ADDRESSES
        self.proxied = set(proxied)  # (host, port) that want a PROXY header first
        self.unproven = set()
        self.all_types = False  # ask for each type of key in any case
        self.wrong = []

    def _check(self):
        with tempfile.TemporaryDirectory() as state:
            environment = {"PATH": os.environ["PATH"], "CERTREBIND_STATE": f"{state}/state",
                           "CERTREBIND_RUN": f"{state}/run", "CERTREBIND_CONFIG": f"{state}/none.toml"}
            pathlib.Path(f"{state}/none.toml").touch(0o600)
            done = subprocess.run([BINARY, "check", "--json", "--service", self.service], capture_output=True,
                                  text=True, timeout=120, env=environment)
        try:
            return json.loads(done.stdout)
        except ValueError:
            self.wrong.append(f"check ended with {done.returncode}: {done.stdout}{done.stderr}")
            return None

    def _served(self):
        """{(host, port, name or None, type): name of the certificate}"""
        served = {}
        types = ("ec", "rsa") if self.has_rsa else (None,)
        for host in self.addresses:
            for port in PORTS:
                for sni in (None, *NAMES, "certrebind-probe.b.example", "nobody.invalid"):
                    answers = {kind: shown(host, port, sni, kind, self._is_proxied(host, port)) for kind in types}
                    if None in answers.values():
                        break
                    for kind, answer in answers.items():
                        if answer:
                            served[host, port, sni, kind] = self.certificates.path_of[answer]
        return served

    def _is_proxied(self, host, port):
        own = {at for at in self.proxied if at[1] == port}
        wildcard = "::" if ":" in host else "0.0.0.0"
        return (host, port) in own or ((wildcard, port) in own and (host, port) not in self.specific)

    def compare(self, configuration):
        """`configuration`: all of its text."""
        self.has_rsa = self.all_types or "/rsa" in configuration
        self.specific = {(host.strip("[]"), int(port)) for host, port in re.findall(
            r"listen (\S+?):(\d+)", configuration.replace("localhost", "127.0.0.1").replace("one.internal", "192.0.2.1"))}
        report = self._check()
        if report is None:
            return self
        bindings = [each for each in report["bindings"] if each["role"] == "server" and each["certificate_path"]]
        served = self._served()
        claimed = {}  # (host, port): names of certificates
        for binding in bindings:
            self._claims(binding, claimed)
            for remark in binding["remarks"]:
                if remark["complaint"] in ("serves another certificate", "unreachable", "renewed but not reloaded"):
                    self.wrong.append("check: " + remark["sentence"])
        for diagnostic in report["diagnostics"]:
            if "itself" in diagnostic["message"]:
                self.wrong.append("doubt: " + diagnostic["message"])
        bound = {self.certificates.name_of(each["certificate_path"]) for each in bindings}
        for (host, port, sni, _), name in served.items():
            where = f"{host} port {port} shows {name} for {sni}"
            if name not in bound:
                self.wrong.append(f"{where}, which nothing binds")
            elif (host, port) in claimed and (host, port) not in self.unproven and name not in claimed[host, port]:
                self.wrong.append(f"{where}, and no binding of it answers there")
            elif not any(name in names for (_, at), names in claimed.items() if at == port):
                self.wrong.append(f"{where}, and no binding of it has that port")
        self.wrong = list(dict.fromkeys(self.wrong))
        return self

    def _claims(self, binding, claimed):
        name = self.certificates.name_of(binding["certificate_path"])
        kind = self.certificates.type_of[binding["certificate_path"]] if self.has_rsa else None
        for endpoint in binding["endpoints"]:
            found = re.fullmatch(r"\[?(.*?)\]?:(\d+)", endpoint["address"])
            if not found:
                continue
            host, port = found[1], int(found[2])
            claimed.setdefault((host, port), set()).add(name)
            if "shares this address" in endpoint["unproven"]:
                self.unproven.add((host, port))  # and who answers is not told
            if endpoint["unproven"]:
                continue
            asked = [*endpoint["probe_names"], *([None] if endpoint["without_sni"] else [])]
            for sni in asked:
                answer = shown(host, port, sni, kind, endpoint["proxy_protocol"])
                answer = self.certificates.path_of.get(answer, answer)
                if answer != name:
                    self.wrong.append(f"{binding['site']} ({name}) is said to answer for {sni} at {host} port {port}: "
                                      f"{answer or 'no handshake'}")
