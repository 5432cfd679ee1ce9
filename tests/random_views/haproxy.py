"""Random configurations of HAProxy, with what the one that is tested knows."""
import os
import pathlib
import subprocess

from servers.haproxy import HAPROXY, haproxy_version
from views import NAMES, PORTS, Case, Refused, Server

FILTERS = [*NAMES, "*.b.example", "*.example", "!x.b.example", "!a.example", "*.a.example", "A.example"]
VERSION = haproxy_version()
HAS_STORES = HAS_DEFAULTS = VERSION >= (3, 0)
HAS_USES = VERSION >= (3, 2)
FREES_LOGS = VERSION >= (3, 0)  # an earlier one answers nobody after ten handshakes with a log-forward
VARIABLES = {"ALL4": "0.0.0.0", "ONE": "192.0.2.1", "LO": "127.0.0.1", "LO6": "::1"}


def bind(random, port, tls):
    host = random.choice(["", "*", "*", ":::", "127.0.0.1", "192.0.2.1", "::1", "2001:db8::1", "0.0.0.0", "ipv4@*", "ipv6@",
                          "${ALL4}", "$ONE", "ipv4@${LO}", "${LO6}", "stream+ipv4@*", "stream+127.0.0.1", "ip@192.0.2.1"])
    options = random.choice([""] * 8 + [" v4v6", " v6only"]) if host in (":::", "ipv6@") else ""
    written = random.choice([str(port)] * 5 + [f"${{P{port}}}"])
    address = f":::{written}" if host == ":::" else f"{host}:{written}"
    return f" bind {address}{options} ssl {tls}\n"


class Writer:
    """One configuration: its files in `place`, and what its sections have in common."""

    def __init__(self, random, certificates, place):
        self.random, self.certificates, self.place = random, certificates, place
        self.count = 0
        self.loads = ""
        self.store = random.choice(["", "web"])
        # How relative paths are found: the lines of `global`, and whether a crt-list is found so too.
        self.naming, self.lists_are_relative = random.choice([
            ("", False), ("", False), ("", False), (f" crt-base {place}\n", False), (f" crt-base {place}/\n", False),
            (" default-path config\n", True), (f" default-path origin {place}\n", True)])

    def fresh(self):
        self.count += 1
        return self.count

    def named(self, path):
        relative = self.naming and self.random.random() < 0.7
        return os.path.relpath(path, self.place) if relative else str(path)

    def copy(self, target, name, ending):
        target.write_bytes((self.certificates.directory / f"{name}.{ending}").read_bytes())
        self.certificates.place(target, name)

    def certificate(self, directory):
        """Where a certificate is: alone, with the key beside it, or a bundle of two types."""
        random, names = self.random, self.certificates.by_type
        shape = random.random()
        name = random.choice(names["ec"] + names["rsa"][:1])
        target = directory / f"pem{self.fresh()}.pem"
        if shape < 0.15:
            self.copy(target, name, "pem")
            target.with_name(target.name + ".key").write_bytes((self.certificates.directory / f"{name}.key").read_bytes())
        elif shape < 0.3:
            for kind, suffix in (("ec", ".ecdsa"), ("rsa", ".rsa")):
                self.copy(pathlib.Path(f"{target}{suffix}"), random.choice(names[kind]), "both")
        else:
            self.copy(target, name, "both")
        return target

    def word(self):
        """What stands behind `crt`."""
        if not HAS_STORES or self.random.random() > 0.15:
            return self.named(self.certificate(self.place))
        return self.stored()

    def stored(self):
        """A certificate of the crt-store, with its key anywhere."""
        name = self.random.choice(self.certificates.by_type["ec"] + self.certificates.by_type["rsa"])
        number = self.fresh()
        target, key = self.place / f"stored{number}.crt", self.place / f"key{number}"
        self.copy(target, name, "pem")
        key.write_bytes((self.certificates.directory / f"{name}.key").read_bytes())
        written = self.named(target)
        alias = self.random.random() < 0.5
        self.loads += f" load crt {written} key {key}" + (f" alias s{number}\n" if alias else "\n")
        if alias:
            return f"@{self.store}/s{number}"
        if self.store:
            return f"@{self.store}{'' if written.startswith('/') else '/'}{written}"
        return written

    def crt_list(self):
        lines = ""
        for _ in range(self.random.choice([1, 2, 3, 4])):
            options = self.random.choice([""] * 6 + [" [alpn h2,http/1.1]", " [ssl-min-ver TLSv1.2]"])
            filters = self.random.sample(FILTERS, self.random.choice([0, 0, 1, 2, 3]))
            if self.random.random() < 0.15:
                filters.append("*")
            lines += " ".join([f"{self.word()}{options}", *filters]) + "\n"
            if self.random.random() < 0.1:
                lines += "# a comment\n\n"
        path = self.place / f"crt{self.fresh()}.list"
        path.write_text(lines)
        return path.name if self.lists_are_relative and self.random.random() < 0.7 else path

    def directory(self):
        directory = self.place / f"dir{self.fresh()}"
        directory.mkdir()
        for _ in range(self.random.choice([1, 2, 3])):
            self.certificate(directory)
        return self.named(directory)

    def source(self):
        """What stands behind `bind … ssl`."""
        words = []
        for _ in range(self.random.choice([1, 1, 2, 3])):
            shape = self.random.random()
            crt = "default-crt" if HAS_DEFAULTS and self.random.random() < 0.3 else "crt"
            if shape < 0.5:
                words.append(f"{crt} {self.word()}")
            elif shape < 0.65:
                words.append(f"{crt} {self.directory()}")
            else:
                words.append(f"crt-list {self.crt_list()}")
        if self.random.random() < 0.15:
            words.append("strict-sni")
        if HAS_USES and self.random.random() < 0.15:
            words.insert(self.random.choice([0, len(words)]), "no-strict-sni")
        return " ".join(words)

    def frontend(self, number):
        text = f"{self.random.choice(['frontend', 'frontend', 'listen'])} s{number}\n"
        uses = HAS_USES and self.random.random() < 0.4
        shared = self.source()
        for _ in range(self.random.choice([1, 1, 2])):
            if self.random.random() < 0.3:
                shared = self.source()
            text += bind(self.random, self.random.choice(PORTS), "" if uses and self.random.random() < 0.6 else shared)
        if uses:
            for _ in range(self.random.choice([1, 2, 3])):
                text += f" ssl-f-use crt {self.word()}\n"
        if self.random.random() < 0.05:
            text += " disabled\n"
        return text

    def peers(self):
        """One listener: its certificates are in a line of their own, or in the one with the address."""
        address = f"{self.random.choice(['127.0.0.1', '${LO}', '192.0.2.2'])}:{self.random.choice(PORTS)}"
        lines = [f" default-bind ssl {self.source()}\n",
                 self.random.choice([f" peer me {address}\n", f" bind {address}\n server me\n",
                                     f" bind {address} ssl {self.source()}\n server me\n"])]
        if self.random.random() < 0.5:
            lines.reverse()
        return "peers mates\n" + "".join(lines)

    def log_forward(self):
        return f"log-forward logs\n{bind(self.random, self.random.choice(PORTS), self.source())} log 127.0.0.1:514 local0\n"

    def whole(self):
        random = self.random
        text = "global\n" + random.choice(["", f" stats socket {self.place}/admin.sock level admin\n"])
        text += random.choice(["", "", " tune.ssl.default-dh-param 2048\n"]) + self.naming
        text += "".join(f" setenv {name} {value}\n" for name, value in VARIABLES.items())
        text += "".join(f" setenv P{port} {port}\n" for port in PORTS)
        text += " ssl-default-bind-options strict-sni\n" if HAS_USES and random.random() < 0.1 else ""
        text += "defaults\n mode http\n timeout client 10s\n timeout server 10s\n timeout connect 5s\n"
        sections = "".join(self.frontend(number) for number in range(random.choice([1, 1, 2, 3])))
        sections += self.peers() if random.random() < 0.2 else ""
        sections += self.log_forward() if FREES_LOGS and random.random() < 0.1 else ""
        stores = f"crt-store {self.store}\n{self.loads}" if self.loads else ""
        return text + stores + sections


def case(random, directory, certificates):
    place = pathlib.Path(directory)
    conf = place / "haproxy.cfg"
    conf.write_text(Writer(random, certificates, place).whole())
    command = [HAPROXY, "-L", "me", "-f", conf]
    if subprocess.run([*command, "-c"], capture_output=True).returncode != 0:
        raise Refused
    server = Server([*command, "-W"], place / "said")
    try:
        server.wait(lambda: "Loading success" in (place / "said").read_text(errors="replace"))
        whole = "".join(path.read_text() for path in [conf, *place.glob("*.list")])
        found = Case(f"haproxy:{conf}", certificates)
        found.all_types = True
        return found.compare(whole)
    finally:
        server.stop()
