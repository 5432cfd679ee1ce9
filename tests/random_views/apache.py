"""Random configurations of Apache httpd."""
import json
import os
import pathlib
import re
import shutil
import subprocess

from servers.apache import APACHE, APACHE_MODULES
from views import NAMES, PORTS, Case, Refused, Server

MODULES = ["mpm_event", "authz_core", "ssl", "macro"]


def listen(random):
    port = random.choice(PORTS)
    host = random.choice(["", "", "", "*:", "0.0.0.0:", "[::]:", "127.0.0.1:", "192.0.2.1:", "[2001:db8::1]:", "one.internal:"])
    protocol = random.choice(["", "", "", " https", " http", " HTTPS"])
    return f"Listen {host}{port}{protocol}\n"


def address(random):
    host = random.choice(["*", "*", "*", "0.0.0.0", "[::]", "_default_", "192.0.2.1", "127.0.0.1", "[::1]", "[2001:db8::1]",
                          "[::ffff:192.0.2.1]", "two.internal"])
    port = random.choice([*PORTS, *PORTS, 443, 443, 443, "*", None])
    return host if port is None else f"{host}:{port}"


def files(random, place, certificates, variable=False):
    """Directives that name up to three certificates, of which the last of a key type is shown."""
    kinds = random.choice([["ec"]] * 8 + [["ec", "rsa"], ["rsa"], ["ec", "ec"], ["rsa", "ec", "rsa"], ["ec", "rsa", "ec"]])
    text = f"SSLCertificateChainFile {place}/{certificates.by_type['ec'][0]}.pem\n" if random.random() < 0.05 else ""
    for kind in kinds:
        name = random.choice(certificates.by_type[kind])
        directory = "${CERTS}" if variable and random.random() < 0.3 else place
        if len(kinds) == 1 and random.random() < 0.1:
            text += f"SSLCertificateFile {directory}/{name}.both\n"
        else:
            text += f"SSLCertificateFile {directory}/{name}.pem\nSSLCertificateKeyFile \"{directory}/{name}.key\"\n"
    return text


def host(random, place, certificates):
    addresses = " ".join(dict.fromkeys(address(random) for _ in range(random.choice([1, 1, 1, 2, 3]))))
    text = f"<VirtualHost {addresses}>\n"
    for _ in range(random.choice([0, 1, 1, 1, 1, 1, 1, 1, 1, 2])):
        text += "ServerName " + random.choice(["", "", "", "https://"]) + random.choice(NAMES) + \
            random.choice(["", "", "", ":443", ":8443"]) + "\n"
    if random.random() < 0.4:
        text += "ServerAlias " + " ".join(random.sample([*NAMES, "*.b.example", "*.example", "*.?.example", "w*.example"],
                                                        random.choice([1, 2]))) + "\n"
    text += random.choice(["", "", "", "SSLEngine on\n", "SSLEngine on\n", "SSLEngine on\n", "SSLEngine on\n",
                           "SSLEngine off\n"])
    if random.random() < 0.85:
        text += files(random, place, certificates, variable=True)
    if random.random() < 0.05:
        text += random.choice(["Protocol https\n", "Protocol http\n"])
    text += "</VirtualHost>" + random.choice([""] * 8 + [" </IfModule>", " # over"]) + "\n"
    return condition(random, text) if random.random() < 0.25 else text


def condition(random, text):
    """`text`, behind a condition that holds or not, in one of the forms that httpd takes."""
    name, argument = random.choice([
        ("IfModule", "mod_ssl.c"), ("IfModule", "ssl_module"), ("IfModule", "mod_nope.c"), ("IfDefine", "CERTS"),
        ("IfDefine", "NEVER"), ("IfFile", "/etc/hosts"), ("IfFile", "/gone"), ("IfVersion", ">= 2.4"), ("IfVersion", "!>= 2.4")])
    form = random.choice(["{}", "{}", '"{}"', "!{}", "! {}", '!"{}"', '"!{}"', '! "{}"', "{} more"])
    if name != "IfVersion":
        argument = form.format(argument)
    behind = random.choice(["", "", "", " behind"])
    closing = random.choice([f"</{name}>\n"] * 8 + ["", f"</{name.lower()}>\n"])
    return f"<{name} {argument}>{behind}\n{text}{closing}"


def managed(random, place, certificates):
    """A domain of mod_md: a static pair, or one in its store. httpd adds it to those of the hosts with one of its names."""
    names = random.sample(NAMES, random.choice([1, 1, 2]))
    ec, rsa = (random.choice(certificates.by_type[kind]) for kind in ("ec", "rsa"))
    text = f"MDStoreDir {place}/md\nMDRenewMode manual\nMDContactEmail a@example.com\nMDCertificateAgreement accepted\n" \
           "MDCertificateAuthority https://127.0.0.1:1/none\n" + random.choice(["", "", "MDMatchNames servernames\n"])
    if random.random() < 0.3:
        name = random.choice([ec, rsa])
        return text + (f"<MDomain {' '.join(names)}>\nMDCertificateFile {certificates.directory}/{name}.pem\n"
                       f"MDCertificateKeyFile {certificates.directory}/{name}.key\n</MDomain>\n")
    store = place / "md/domains" / names[0]
    store.mkdir(parents=True)
    for suffix, name in (("", random.choice([rsa, ec])), (".secp256r1", ec)):
        for kind, of in (("pubcert", "pem"), ("privkey", "key")):
            target = store / f"{kind}{suffix}.pem"
            target.write_bytes((certificates.directory / f"{name}.{of}").read_bytes())
            certificates.place(target, name)
    for path in [place / "md", *(place / "md").rglob("*")]:
        shutil.chown(path, "www-data")
    types = random.choice(["", "", "MDPrivateKeys rsa2048 secp256r1\n", "MDPrivateKeys secp256r1\n", "MDPrivateKeys RSA 2048\n"])
    # (/rsa: each type of key is asked for.)
    return text + types + f"# /rsa\nMDomain {' '.join(names)}\n"


def text_of(random, place, certificates, directory):
    text = "".join(dict.fromkeys(listen(random) for _ in range(random.choice([1, 1, 2, 3]))))
    if not re.search("(?i)443", text):
        text += "Listen 443\n"
    text += f"Define CERTS {place}\n"
    text += random.choice(["", "", "", "ServerName main.example\n", "ServerName main.example:8443\n",
                           f"ServerName main.example\nServerName {random.choice(NAMES)}\n"])
    if random.random() < 0.2:
        text += managed(random, directory, certificates)
    text += random.choice([""] * 8 + ["SSLEngine on\n", "SSLEngine off\n"])
    if random.random() < 0.15:
        text += files(random, place, certificates)
    text += random.choice([""] * 20 + ["Protocol https\n"])
    hosts = [host(random, place, certificates) for _ in range(random.choice([1, 2, 2, 3, 4, 6]))]
    if random.random() < 0.15:
        name = random.choice(certificates.by_type["ec"])
        text += (f"<Macro Site $name $port>\n<VirtualHost *:$port>\nServerName $name\nSSLEngine on\n"
                 f"SSLCertificateFile {place}/{name}.pem\nSSLCertificateKeyFile {place}/{name}.key\n</VirtualHost>\n"
                 f"</Macro>\n")
        hosts.insert(random.randrange(len(hosts) + 1),
                     f"Use Site {random.choice(NAMES)} {random.choice(PORTS)}\n")
    return text + "".join(hosts)


def dumped_hosts(conf):
    """Whether httpd and the dump program name the same hosts at the same addresses: what differs."""
    program = os.environ.get("APACHE_DUMP")
    if not program:
        return []
    said = subprocess.run([APACHE, "-f", conf, "-S"], capture_output=True, text=True).stdout
    done = subprocess.run([program, conf], capture_output=True, text=True)
    theirs, ours = set(), set()
    at = None
    for line in said.splitlines():
        alone = re.match(r"(\S+:\S+)\s+(\S+) \((.*):(\d+)\)$", line)
        several = re.match(r"(\S+:\S+)\s+is a NameVirtualHost", line)
        one = re.match(r"\s+port \S+ namevhost (\S+) \(", line)
        if several:
            at = several[1]
        elif one:
            theirs.add((at, one[1].lower()))
        elif alone:
            theirs.add((alone[1], alone[2].lower()))
    for row in map(json.loads, done.stdout.splitlines()):
        if "host" in row:
            ours |= {(where, row["host"]) for where in row["addresses"]}
    if any(name == "" for _, name in ours):  # nobody named it: httpd takes what a reverse lookup gives
        named = {each for each in ours if each[1]}
        if not named <= theirs:
            return [f"DUMP_VHOSTS differs: only here {named - theirs}"]
        theirs, ours = {where for where, _ in theirs}, {where for where, _ in ours}
    return [] if theirs == ours else [f"DUMP_VHOSTS differs: only httpd {theirs - ours}, only here {ours - theirs}"]


def case(random, directory, certificates):
    place = pathlib.Path(directory)
    conf = place / "httpd.conf"
    text = f"ServerRoot {place}\nDefaultRuntimeDir {place}\nPidFile {place}/pid\nErrorLog {place}/error.log\n" \
           f"User www-data\nGroup www-data\nDocumentRoot {place}\nStartServers 1\nMaxRequestWorkers 25\n" \
           "ThreadsPerChild 25\nMinSpareThreads 5\nMaxSpareThreads 30\n"
    text += "".join(f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so\n" for name in MODULES)
    wanted = text_of(random, certificates.directory, certificates, place)
    if "MDomain" in wanted:
        text += f"LoadModule md_module {APACHE_MODULES}/mod_md.so\n"
    text += wanted
    conf.write_text(text)
    if subprocess.run([APACHE, "-f", conf, "-t"], capture_output=True).returncode != 0:
        raise Refused
    server = Server([APACHE, "-f", conf, "-D", "FOREGROUND"], place / "said")
    log = place / "error.log"
    try:
        server.wait(lambda: log.exists() and "AH00094: Command line" in log.read_text(errors="replace"))
        found = Case(f"apache:{conf}", certificates).compare(text)
        found.wrong += dumped_hosts(conf)
        return found
    finally:
        server.stop()
