"""Random configurations of nginx: http, and stream where its module is there."""
import pathlib
import re
import subprocess

from processes import processes_of_group
from servers.nginx import NGINX
from views import NAMES, PORTS, Case, Refused, Server


def listens(random, plain=False):
    """Directives `listen`; their parameters must agree where several servers share an address: see `agreed`."""
    found = []
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        host = random.choice(["", "", "", "*:", "0.0.0.0:", "[::]:", "[::]:", "127.0.0.1:", "192.0.2.1:", "[::1]:",
                              "[2001:db8::1]:", "one.internal:", "localhost:"])
        found.append(f"{host}{random.choice(PORTS)}")
    return [] if plain and random.random() < 0.2 else list(dict.fromkeys(found))


class Agreed:
    """What all servers at one address have in common, and which is its default."""

    def __init__(self, random):
        self.random = random
        self.of = {}
        self.defaults = set()

    @staticmethod
    def address(text):
        host, _, port = text.rpartition(":")
        host = {"": "0.0.0.0", "*": "0.0.0.0", "one.internal": "192.0.2.1", "localhost": "127.0.0.1"}.get(host, host)
        return host, port

    def parameters(self, text):
        random = self.random
        at = self.address(text)
        if at not in self.of:
            self.of[at] = random.choice(["ssl"] * 12 + ["", "ssl proxy_protocol"])
            if at[0] == "[::]" and not any(known == ("0.0.0.0", at[1]) for known in self.of) and random.random() < 0.3:
                self.of[at] += " ipv6only=off"
        elif at[0] == "0.0.0.0" and "ipv6only=off" in self.of.get(("[::]", at[1]), ""):
            raise Refused("both would bind IPv4")
        words = self.of[at]
        if at not in self.defaults and random.random() < 0.2:
            self.defaults.add(at)
            words += random.choice([" default_server", " default_server", " default"])
        elif "ipv6only" in words:
            words = words.replace(" ipv6only=off", "")  # it may be said once only
        return words


def files(random, place, certificates):
    kinds = random.choice([["ec"]] * 8 + [["ec", "rsa"], ["rsa"], ["ec", "ec"]])
    text = ""
    for kind in kinds:
        name = random.choice(certificates.by_type[kind])
        if random.random() < 0.1:
            text += f"ssl_certificate {place}/{name}.both; ssl_certificate_key {place}/{name}.both;\n"
        else:
            quote = random.choice(["", "", '"', "'"])
            text += f"ssl_certificate {quote}{place}/{name}.pem{quote};\nssl_certificate_key {place}/{name}.key;\n"
    return text


def names(random):
    chosen = random.sample([*NAMES, "*.b.example", ".a.example", "*.example", "www.*", "x.b.*", "A.Example", "_", '""',
                            r"~^(?<who>.+)\.a\.example$", r"~^x\.", "~other"], random.choice([1, 1, 2, 3]))
    return f"server_name {' '.join(chosen)};\n"


def server(random, place, certificates, agreed):
    text = "server {\n"
    for each in listens(random):
        text += f"listen {each} {agreed.parameters(each)};\n"
    if random.random() < 0.9:
        text += names(random)
    if random.random() < 0.15:
        text += names(random)
    if random.random() < 0.9:
        text += files(random, place, certificates)
    if random.random() < 0.05:
        text += random.choice(["ssl on;\n", "ssl_reject_handshake on;\n"])
    if random.random() < 0.1:
        (place / "passphrases").write_text("secret\n")
        text += random.choice([f"ssl_password_file {place}/passphrases;\n",
                               "ssl_conf_command Options -SessionTicket;\n"])
    return text + "}\n"


def text_of(random, place, certificates, directory):
    agreed = Agreed(random)
    text = ""
    if random.random() < 0.25:
        text += files(random, place, certificates)
    if random.random() < 0.05:
        text += "ssl_reject_handshake off;\n"
    servers = [server(random, place, certificates, agreed) for _ in range(random.choice([1, 2, 2, 3, 4, 6]))]
    for number, each in enumerate(servers):
        if random.random() < 0.15:
            (directory / f"site{number}.conf").write_text(each)
            servers[number] = f"include {random.choice([directory, ''])}/site{number}*.conf;\n".replace(" /", " ") \
                if random.random() < 0.5 else f"include site{number}.conf;\n"
    return text + "".join(servers), agreed


def ports_of(text):
    return {int(port) for port in re.findall(r"listen \S*?(\d+) ", text)}


def case(random, directory, certificates):
    place = pathlib.Path(directory)
    conf = place / "nginx.conf"
    http, agreed = text_of(random, certificates.directory, certificates, place)
    temporary = "".join(f"{kind}_temp_path {place}/{kind};\n"
                        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    conf.write_text(f"user root;\nworker_processes 1;\npid {place}/pid;\nerror_log {place}/error.log;\n"
                    f"events {{ worker_connections 512; }}\nhttp {{\n{temporary}access_log off;\n{http}}}\n")
    command = [NGINX, "-p", place, "-c", conf, "-e", place / "error.log"]
    if subprocess.run([*command, "-t"], capture_output=True).returncode != 0:
        raise Refused
    server_of = Server([*command, "-g", "daemon off;"], place / "said")
    proxied = {(host.strip("[]"), int(port)) for (host, port), words in agreed.of.items() if "proxy_protocol" in words}
    try:
        server_of.wait(lambda: any(
            b"worker process" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            for pid in processes_of_group(server_of.process.pid)))
        whole = "".join(path.read_text() for path in place.glob("*.conf"))
        return Case(f"nginx:{conf}", certificates, proxied=proxied).compare(whole)
    finally:
        server_of.stop()

