"""Random configurations of HAProxy."""
import pathlib
import subprocess

from servers.haproxy import HAPROXY
from views import NAMES, PORTS, Case, Refused, Server

FILTERS = [*NAMES, "*.b.example", "*.example", "!x.b.example", "!a.example", "*.a.example", "A.example"]


def bind(random, port, where):
    host = random.choice(["", "*", "*", ":::", "127.0.0.1", "192.0.2.1", "::1", "2001:db8::1", "0.0.0.0", "ipv4@*", "ipv6@"])
    options = random.choice([""] * 8 + [" v4v6", " v6only"]) if host in (":::", "ipv6@") else ""
    address = f":::{port}" if host == ":::" else f"{host}:{port}"
    return f" bind {address}{options} ssl {where}\n"


def combined(random, certificates, place, number):
    """A certificate's file, at a place of its own: alone, with the key apart, or a bundle of two types."""
    names = certificates.by_type
    shape = random.random()
    name = random.choice(names["ec"] + names["rsa"][:1])
    base = place / f"pem{number}"
    if shape < 0.15:
        target = base.with_suffix(".pem")
        target.write_bytes((certificates.directory / f"{name}.pem").read_bytes())
        target.with_name(target.name + ".key").write_bytes((certificates.directory / f"{name}.key").read_bytes())
        certificates.place(target, name)
        return target
    if shape < 0.3:
        for kind, suffix in (("ec", ".ecdsa"), ("rsa", ".rsa")):
            chosen = random.choice(names[kind])
            target = pathlib.Path(f"{base}.pem{suffix}")
            target.write_bytes((certificates.directory / f"{chosen}.both").read_bytes())
            certificates.place(target, chosen)
        return base.with_suffix(".pem")
    target = base.with_suffix(".pem")
    target.write_bytes((certificates.directory / f"{name}.both").read_bytes())
    certificates.place(target, name)
    return target


def source(random, certificates, place, counter):
    """What stands behind `bind … ssl`."""
    words = []
    for _ in range(random.choice([1, 1, 2, 3])):
        shape = random.random()
        counter[0] += 1
        if shape < 0.5:
            words.append(f"crt {combined(random, certificates, place, counter[0])}")
        elif shape < 0.65:
            directory = place / f"dir{counter[0]}"
            directory.mkdir()
            for _ in range(random.choice([1, 2, 3])):
                counter[0] += 1
                combined(random, certificates, directory, counter[0])
            words.append(f"crt {directory}")
        else:
            lines = ""
            for _ in range(random.choice([1, 2, 3, 4])):
                counter[0] += 1
                options = random.choice([""] * 6 + [" [alpn h2,http/1.1]", " [ssl-min-ver TLSv1.2]"])
                filters = " ".join(random.sample(FILTERS, random.choice([0, 0, 1, 2, 3])))
                lines += f"{combined(random, certificates, place, counter[0])}{options} {filters}".rstrip() + "\n"
                if random.random() < 0.1:
                    lines += "# a comment\n\n"
            path = place / f"crt{counter[0]}.list"
            path.write_text(lines)
            words.append(f"crt-list {path}")
    if random.random() < 0.15:
        words.append("strict-sni")
    return " ".join(words)


def text_of(random, certificates, place):
    text = "global\n" + random.choice(["", f" stats socket {place}/admin.sock level admin\n"])
    text += random.choice(["", "", " tune.ssl.default-dh-param 2048\n"])
    text += "defaults\n mode http\n timeout client 10s\n timeout server 10s\n timeout connect 5s\n"
    counter = [0]
    for number in range(random.choice([1, 1, 2, 3])):
        section = random.choice(["frontend", "frontend", "listen"])
        text += f"{section} s{number}\n"
        shared = source(random, certificates, place, counter)
        for _ in range(random.choice([1, 1, 2])):
            if random.random() < 0.3:
                shared = source(random, certificates, place, counter)
            text += bind(random, random.choice(PORTS), shared)
    return text


def case(random, directory, certificates):
    place = pathlib.Path(directory)
    conf = place / "haproxy.cfg"
    conf.write_text(text_of(random, certificates, place))
    if subprocess.run([HAPROXY, "-c", "-f", conf], capture_output=True).returncode != 0:
        raise Refused
    server = Server([HAPROXY, "-f", conf, "-W"], place / "said")
    try:
        server.wait(lambda: "Loading success" in (place / "said").read_text(errors="replace"))
        whole = "".join(path.read_text() for path in [conf, *place.glob("*.list")])
        found = Case(f"haproxy:{conf}", certificates)
        found.all_types = True
        return found.compare(whole)
    finally:
        server.stop()
