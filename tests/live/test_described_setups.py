"""Ordinary set-ups of described servers, on the real ones: what is found, what is proven, what a renewal reaches."""
import os
import shutil
import socketserver
import subprocess
import threading

import pytest

from command import REPOSITORY, probed
from files import write
from markers import needs_root
from ports import free_port
from processes import runs
from servers.cockpit import CockpitOnDemand
from servers.described import Caddy, Coturn, Lighttpd, Mosquitto, Redis, Stunnel
from servers.dovecot import Dovecot
from servers.ejabberd import Ejabberd
from servers.exim import Exim
from servers.mariadb import MariaDB
from servers.postfix import Postfix
from servers.postgresql import PROGRAMS, PostgreSQL
from servers.prosody import Prosody
from servers.rabbitmq import RabbitMQ
from servers.slapd import Slapd
from waiting import until

pytestmark = needs_root
HOST, OTHER = "mx.test", "other.test"
OK, CRITICAL = 0, 2


class Greeter:
    """A mail server that says no more than its greeting."""

    def __init__(self):
        class Greeting(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(b"220 mx.test ESMTP\r\n")
                for line in self.rfile:
                    self.wfile.write(b"250 mx.test\r\n" if line.upper().startswith(b"EHLO") else b"500 no\r\n")

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Greeting)
        server.daemon_threads = True
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()


class Setup:
    """More than the plain server. `expected` has (certificate's file, port, dialect, whether it is chosen by name); the
    port with its address where that is another than 127.0.0.1."""

    main = "cert.pem"  # the file that `install` writes
    key_type = "ec"  # of its key
    renewed = ("cert.pem", "other.pem")  # what a reload brings to clients
    hidden = ()  # what a client with every key type is not shown

    def other(self, suffix):
        return self.prefix / f"other.{suffix}"

    def install_other(self, certificate):
        certificate.write(self.prefix, "other.pem", "other.key")


class PostfixSubmission(Setup, Postfix):
    """Submission, smtps with a certificate of its own, and a port without TLS."""

    dialects = ("smtp", "submission", "smtps", "plain")

    def write(self):
        super().write()
        with open(self.prefix / "master.cf", "a") as master:
            master.write(f"""127.0.0.1:{self.endpoints["submission"]} inet n - n - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
127.0.0.1:{self.endpoints["smtps"]} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes -o smtpd_tls_cert_file={self.other("pem")}
  -o smtpd_tls_key_file={self.other("key")}
127.0.0.1:{self.endpoints["plain"]} inet n - n - - smtpd
  -o smtpd_tls_security_level=none
""")
        return self

    def expected(self):
        return {("cert.pem", self.endpoints["smtp"], "smtp", False),
                ("cert.pem", self.endpoints["submission"], "smtp", False),
                ("other.pem", self.endpoints["smtps"], "none", False)}


class PostfixChainFiles(Setup, Postfix):
    """Key and chain in one file, key first. The older settings do not count then."""

    def install_other(self, certificate):
        certificate.write_combined(self.other("pem"), key_first=True)

    def write(self):
        return super().write(f"smtpd_tls_chain_files = {self.other('pem')}")

    def expected(self):
        return {("other.pem", self.endpoints["smtp"], "smtp", False)}


class PostfixKeyTypes(Setup, Postfix):
    """A certificate of each key type at one port. A client that takes both is shown ECDSA."""

    key_type = "rsa2048"
    hidden = ("cert.pem",)

    def write(self):
        return super().write(f"smtpd_tls_eccert_file = {self.other('pem')}\nsmtpd_tls_eckey_file = {self.other('key')}")

    def expected(self):
        return {(file, self.endpoints["smtp"], "smtp", False) for file in ("cert.pem", "other.pem")}


class PostfixSeparateChainFiles(PostfixKeyTypes):
    """Each key in a file of its own before its certificate."""

    def write(self):
        files = (self.other("key"), self.other("pem"), self.key, self.certificate)
        return Postfix.write(self, f"smtpd_tls_chain_files = {', '.join(map(str, files))}")


class PostfixNames(PostfixSubmission):
    """A certificate for a name, in a table that holds copies, at all ports with TLS."""

    table = "hash"

    def write(self):
        Postfix.write(self, f"tls_server_sni_maps = {self.table}:{self.prefix}/sni")
        with open(self.prefix / "master.cf", "a") as master:
            master.write(f"""127.0.0.1:{self.endpoints["submission"]} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
127.0.0.1:{self.endpoints["smtps"]} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
127.0.0.1:{self.endpoints["plain"]} inet n - n - - smtpd
  -o smtpd_tls_security_level=none
""")
        write(self.prefix / "sni", f"# name, key, certificate\n{OTHER} {self.other('key')},\n  {self.other('pem')}\n",
              0o600)
        if self.table == "hash":
            self.build_table()
        return self

    def build_table(self):
        subprocess.run(["postmap", "-c", self.prefix, "-F", f"hash:{self.prefix}/sni"], check=True)

    def expected(self):
        ports = {(self.endpoints[service], "none" if service == "smtps" else "smtp")
                 for service in ("smtp", "submission", "smtps")}
        return {("cert.pem", *port, False) for port in ports} | {("other.pem", *port, True) for port in ports}


class PostfixNamesAsText(PostfixNames):
    """Postfix reads the text itself."""

    table = "texthash"


class DovecotNames(Setup, Dovecot):
    """imaps beside imap, and a name with a certificate of its own, which LMTP does not show."""

    def __init__(self, prefix):
        super().__init__(prefix)
        self.imaps = free_port()

    def write(self):
        return super().write(f"""service imap-login {{
  inet_listener imaps {{
    {self.address} = 127.0.0.1
    port = {self.imaps}
    ssl = yes
  }}
}}
local_name {OTHER} {{
{self.pair(self.other("pem"), self.other("key"))}}}
""")

    def expected(self):
        ports = {(port, dialect) for dialect, port in self.endpoints.items()} | {(self.imaps, "none")}
        return {("cert.pem", *port, False) for port in ports} | {
            ("other.pem", *port, True) for port in ports if port[1] != "lmtp"}


class LighttpdBlocks(Setup, Lighttpd):
    """A second port, and a name with a certificate of its own."""

    def __init__(self, prefix):
        super().__init__(prefix)
        self.second = free_port()

    def configuration(self):
        other = f'ssl.pemfile = "{self.other("pem")}"\n ssl.privkey = "{self.other("key")}"'
        return (super().configuration() + f'$SERVER["socket"] == "127.0.0.1:{self.second}" {{\n ssl.engine = "enable"\n'
                f' {other}\n}}\n$HTTP["host"] == "{OTHER}" {{\n {other}\n}}\n')

    def expected(self):
        return {("cert.pem", self.port, "none", False), ("other.pem", self.second, "none", False),
                ("other.pem", self.port, "none", True), ("other.pem", self.second, "none", True)}


class DovecotDirect(Setup, Dovecot):
    """TLS from the first byte beside STARTTLS."""

    def __init__(self, prefix):
        super().__init__(prefix)
        self.direct = {service: free_port() for service in ("imap", "pop3")}

    def write(self):
        return super().write("".join(f"""service {service}-login {{
  inet_listener {service}s {{
    {self.address} = 127.0.0.1
    port = {port}
    ssl = yes
  }}
}}
""" for service, port in self.direct.items()))

    def expected(self):
        return ({("cert.pem", port, dialect, False) for dialect, port in self.endpoints.items()} |
                {("cert.pem", port, "none", False) for port in self.direct.values()})


class StunnelForMail(Setup, Stunnel):
    """STARTTLS is taken at a service with a protocol."""

    dialects = ("none", "smtp")

    def configuration(self):
        backend = Greeter()
        return super().configuration() + (f"[mail]\naccept = 127.0.0.1:{self.endpoints['smtp']}\nprotocol = smtp\n"
                                          f"connect = 127.0.0.1:{backend.port}\ncert = {self.other('pem')}\n"
                                          f"key = {self.other('key')}\n")

    def expected(self):
        return {("cert.pem", self.port, "none", False), ("other.pem", self.endpoints["smtp"], "smtp", False)}


class DovecotProtocol(Setup, Dovecot):
    """IMAP has a certificate of its own."""

    def write(self):
        return super().write(f"protocol imap {{\n{self.pair(self.other('pem'), self.other('key'))}}}\n")

    def expected(self):
        return {("other.pem" if dialect == "imap" else "cert.pem", port, dialect, False)
                for dialect, port in self.endpoints.items()}


class DovecotAddress(Setup, Dovecot):
    """An address has a certificate of its own, at a port that is open for all addresses."""

    def __init__(self, prefix):
        super().__init__(prefix)
        self.imaps = free_port()

    def write(self):
        return super().write(f"""service imap-login {{
  inet_listener imaps {{
    {self.address} = *
    port = {self.imaps}
    ssl = yes
  }}
}}
local 127.0.0.7 {{
{self.pair(self.other("pem"), self.other("key"))}}}
""")

    def expected(self):
        return {("cert.pem", port, dialect, False) for dialect, port in self.endpoints.items()} | {
            ("cert.pem", self.imaps, "none", False), ("other.pem", f"127.0.0.7:{self.imaps}", "none", False)}


class StunnelNames(Setup, Stunnel):
    """A service that is chosen by name at the listener of another one."""

    def configuration(self):
        return super().configuration() + (f"[named]\nsni = web:{OTHER}\nconnect = 127.0.0.1:9\n"
                                          f"cert = {self.other('pem')}\nkey = {self.other('key')}\n"
                                          f"[elsewhere]\naccept = 127.0.0.1:{self.second}\nconnect = 127.0.0.1:9\n"
                                          f"cert = {self.certificate}\nkey = {self.key}\n")

    def __init__(self, prefix):
        super().__init__(prefix)
        self.second = free_port()

    def expected(self):
        return {("cert.pem", self.port, "none", False), ("cert.pem", self.second, "none", False),
                ("other.pem", self.port, "none", True)}


class CoturnAddresses(Setup, Coturn):
    """It listens at each of several addresses."""

    def configuration(self):
        return super().configuration() + "listening-ip=127.0.0.7\n"

    def expected(self):
        return {("cert.pem", self.port, "none", False), ("cert.pem", f"127.0.0.7:{self.port}", "none", False)}


class CaddySites(Setup, Caddy):
    """Two sites at one port."""

    def configuration(self):
        return super().configuration() + (f"https://{OTHER}:{self.port} {{\n bind 127.0.0.1\n tls {self.other('pem')} "
                                          f"{self.other('key')}\n respond ok\n}}\n")

    def expected(self):
        return {("cert.pem", self.port, "none", True), ("other.pem", self.port, "none", True)}


class MosquittoDirectory(Setup, Mosquitto):
    """Its listeners are in conf.d. The one for websockets keeps its certificate until a restart."""

    renewed = ("cert.pem",)

    def __init__(self, prefix):
        super().__init__(prefix)
        self.websockets = free_port()

    def configuration(self):
        write(self.prefix / "conf.d/tls.conf", super().configuration().replace("user root\n", "") +
              f"listener {self.websockets} 127.0.0.1\nprotocol websockets\ncertfile {self.other('pem')}\n"
              f"keyfile {self.other('key')}\n")
        return f"user root\ninclude_dir {self.prefix}/conf.d\n"

    def expected(self):
        return {("cert.pem", self.port, "none", False), ("other.pem", self.websockets, "none", False)}


class MariaDBDirectory(Setup, MariaDB):
    """Its settings are in a directory that the main file includes; names with a dash."""

    def write(self):
        super().write()
        text = self.conf.read_text().replace("ssl_cert", "ssl-cert").replace("ssl_key", "ssl-key")
        write(self.prefix / "conf.d/50-server.cnf", text)
        write(self.conf, f"!includedir {self.prefix}/conf.d/\n")
        return self

    def expected(self):
        return {("cert.pem", self.endpoints["mysql"], "mysql", False)}


class RedisSocket(Setup, Redis):
    """A unix socket, by which it is told to load its files."""

    def configuration(self):
        return super().configuration() + f"unixsocket {self.prefix}/run/socket\n"

    def expected(self):
        return {("cert.pem", self.port, "none", False)}


class PostgreSQLOfDebian(Setup, PostgreSQL):
    """The configuration in a directory of its own, TLS in conf.d, the key root's and for the group ssl-cert."""

    def __init__(self, prefix):
        super().__init__(prefix)
        self.data, self.conf = self.conf.parent, self.prefix / "etc/postgresql.conf"

    def install(self, certificate):
        super().install(certificate)
        shutil.chown(self.key, "root", "ssl-cert")
        self.key.chmod(0o640)
        return self

    def write(self):
        self.own("run", "data", "etc")
        subprocess.run([*self.as_user(), PROGRAMS / "initdb", "--no-sync", "--auth=trust", "-D", self.data],
                       check=True, stdout=subprocess.DEVNULL, cwd="/")
        write(self.conf, f"""data_directory = '{self.data}'
hba_file = '{self.data}/pg_hba.conf'
ident_file = '{self.data}/pg_ident.conf'
listen_addresses = 'localhost'\t\t# what IP address(es) to listen on;
port = {self.endpoints["postgres"]}\t\t# (change requires restart)
unix_socket_directories = '{self.prefix}/run'
include_dir = 'conf.d'\t\t\t# include files ending in '.conf'
""")
        write(self.prefix / "etc/conf.d/tls.conf", f"ssl = on\nssl_cert_file = '{self.certificate}'\n"
                                                   f"ssl_key_file = '{self.key}'\n")
        return self

    def command(self):
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups", str(PROGRAMS / "postgres"),
                "-D", str(self.data), "-c", f"config_file={self.conf}"]

    def expected(self):
        return {("cert.pem", self.endpoints["postgres"], "postgres", False)}


class ProsodyDirectory(Setup, Prosody):
    """Certificates in a directory, chosen by the hosts' names; and a host with a certificate of its own, which TLS from
    the first byte does not show."""

    main = "cert.crt"
    renewed = ("cert.crt", "other.pem")

    def __init__(self, prefix):
        super().__init__(prefix)
        self.certificate, self.key = self.prefix / "certs/cert.crt", self.prefix / "certs/cert.key"
        self.direct = free_port()

    def install_other(self, certificate):
        super().install_other(certificate)
        shutil.chown(self.other("key"), self.user)

    def settings(self):
        return f'certificates = "certs"\nc2s_direct_tls_ports = {{ {self.direct} }}'

    def write(self):
        (self.prefix / "conf.d").mkdir(exist_ok=True)
        write(self.prefix / "conf.d/other.cfg.lua", f"""VirtualHost "{OTHER}"
        ssl = {{
                key = "{self.other('key')}"; -- a comment
                ["certificate"] = '{self.other('pem')}';
        }}
""")
        return super().write(HOST, f'Component "conference.{HOST}" "muc"\nInclude "conf.d/*.cfg.lua"\n')

    def expected(self):
        return {("cert.crt", self.direct, "none", True)} | {
            (file, port, dialect, True) for dialect, port in self.endpoints.items()
            for file in ("cert.crt", "other.pem")}


class EximKeyTypes(Setup, Exim):
    """A certificate of each key type, in Exim's lists. A client that takes both is shown the first."""

    key_type = "rsa2048"
    hidden = ("other.pem",)

    def install_other(self, certificate):
        super().install_other(certificate)
        shutil.chown(self.other("key"), self.user)

    def write(self, more=""):
        certificates, keys = (" : ".join(map(str, pair)) for pair in (
            (self.certificate, self.other("pem")), (self.key, self.other("key"))))
        super().write()
        text = self.conf.read_text().replace(f"MAIN_TLS_CERTIFICATE = {self.certificate}",
                                             f"MAIN_TLS_CERTIFICATE = {certificates}")
        write(self.conf, text.replace(f"tls_privatekey = {self.key}", f"tls_privatekey = {keys}"))
        return self

    def expected(self):
        return {(file, port, dialect, False) for file in ("cert.pem", "other.pem")
                for dialect, port in self.endpoints.items()}


class SlapdDirect(Setup, Slapd):
    """ldaps beside ldap."""

    dialects = ("ldap", "none")

    def command(self):
        urls = f"{super().command()[-1]} ldaps://127.0.0.1:{self.endpoints['none']}"
        return [*super().command()[:-1], urls]

    def expected(self):
        return {("cert.pem", port, dialect, False) for dialect, port in self.endpoints.items()}


class RabbitMQPages(Setup, RabbitMQ):
    """The pages of its management and its metrics name a certificate of their own."""

    def __init__(self, prefix):
        super().__init__(prefix)
        self.pages, self.metrics = free_port(), free_port()

    def install_other(self, certificate):
        super().install_other(certificate)
        shutil.chown(self.other("key"), self.user)

    def write(self):
        super().write()
        write(self.prefix / "plugins", "[rabbitmq_management, rabbitmq_prometheus].\n")
        with open(self.conf, "a") as conf:
            for name, port in (("management", self.pages), ("prometheus", self.metrics)):
                conf.write(f"{name}.ssl.ip = 127.0.0.1\n{name}.ssl.port = {port}\n"
                           f"{name}.ssl.certfile = {self.other('pem')}\n{name}.ssl.keyfile = {self.other('key')}\n")
        return self

    def expected(self):
        return {("cert.pem", self.endpoints["none"], "none", False), ("other.pem", self.pages, "none", False),
                ("other.pem", self.metrics, "none", False)}


class EjabberdHosts(Setup, Ejabberd):
    """Two hosts, the second with its key in a file of its own."""

    def install_other(self, certificate):
        super().install_other(certificate)
        shutil.chown(self.other("key"), self.user)

    def write(self):
        super().write()
        text = self.conf.read_text().replace("  - mx.test\n", f"  - mx.test\n  - {OTHER}\n")
        write(self.conf, text.replace(f'  - "{self.certificate}"\n', f'  - "{self.certificate}"\n'
                                      f'  - "{self.other("pem")}"\n  - {self.other("key")}\n'))
        shutil.chown(self.conf, self.user)
        return self

    def expected(self):
        return {(file, port, dialect, True) for file in ("cert.pem", "other.pem")
                for dialect, port in self.endpoints.items()}


class EjabberdPattern(Setup, Ejabberd):
    """A renewer's directory by a pattern, as ejabberd's manual has it."""

    main = "fullchain.pem"
    renewed = ("fullchain.pem", "cert.pem")

    def install(self, certificate):
        for name, text in (("fullchain", certificate.fullchain_pem), ("cert", certificate.leaf_pem),
                           ("chain", certificate.chain_pem), ("privkey", certificate.key_pem)):
            write(self.prefix / f"live/{HOST}/{name}.pem", text, 0o600)
            shutil.chown(self.prefix / f"live/{HOST}/{name}.pem", self.user)
        return self

    def write(self):
        super().write()
        write(self.conf, self.conf.read_text().replace(str(self.certificate), f"{self.prefix}/live/*/*.pem"))
        shutil.chown(self.conf, self.user)
        return self

    def expected(self):
        return {(file, port, dialect, True) for file in ("cert.pem", "fullchain.pem")
                for dialect, port in self.endpoints.items()}


SETUPS = [PostfixSubmission, PostfixChainFiles, PostfixKeyTypes, PostfixSeparateChainFiles, PostfixNames,
          PostfixNamesAsText, DovecotNames, DovecotDirect, DovecotProtocol, DovecotAddress,
          LighttpdBlocks, StunnelForMail, StunnelNames, CoturnAddresses, CaddySites, MosquittoDirectory,
          MariaDBDirectory, RedisSocket, PostgreSQLOfDebian, ProsodyDirectory, EximKeyTypes, SlapdDirect,
          RabbitMQPages, EjabberdHosts, EjabberdPattern]


def place_of(address):
    host, _, port = address.rpartition(":")
    return int(port) if host == "127.0.0.1" else address


def test_a_server_that_its_next_client_starts_is_not_missing(place, authority):
    """Between two clients no process of Cockpit runs. Each start loads what lies there then."""
    old, new = authority.pair(HOST)
    server = CockpitOnDemand(place / "s")
    text = (REPOSITORY / "services.d/cockpit.toml").read_text().replace('"/etc/cockpit/ws-certs.d"', f'"{server.conf}"')
    # No process, no arguments.
    write(place / "services.d/cockpit.toml", text.replace('{/Socket/ListenStream|9090}', server.port))
    place.at_end(server.stop)
    server.install(old).write().start()

    until(lambda: served(server.port, "none", HOST) == old.thumbprint, "it serves the old certificate")
    done = place.run("check")
    assert done.code == OK and server.service in place.run("scan", "--json").out, done
    until(lambda: not runs("cockpit-tls"), "the last client is gone")
    done = place.run("check")
    assert done.code == OK and server.service in place.run("scan", "--json").out, done
    until(lambda: not runs("cockpit-tls"), "the last client is gone")
    server.install(new)
    done = place.run("check", "--service", server.service)
    assert done.code == OK and served(server.port, "none", HOST) == new.thumbprint, done


def found(place, server):
    """What a scan finds, in the form of `expected`."""
    scanned = place.run("scan", "--json", "--service", server.service)
    assert scanned.code == OK and not scanned.json["diagnostics"], scanned
    return {(os.path.basename(binding["certificate_path"]), place_of(endpoint["address"]),
             endpoint["start_tls"] or "none", bool(endpoint["probe_names"]))
            for binding in scanned.json["bindings"] for endpoint in binding["endpoints"]}


def served(where, dialect, name):
    host, _, port = str(where).rpartition(":")
    return probed(port, dialect, name, host or "127.0.0.1")


def serve(expected, certificates):
    """Whether each endpoint serves its file's certificate."""
    return all(served(port, dialect, OTHER if by_name and file == "other.pem" else HOST) ==
               certificates[file].thumbprint for file, port, dialect, by_name in expected)


@pytest.mark.parametrize("kind", SETUPS, ids=lambda kind: kind.__name__)
def test_finds_and_renews(place, authority, kind):
    place.configure(verify=240, handshake=30)  # many endpoints, on a busy machine
    pairs = {"other.pem": authority.pair(OTHER)}
    pairs |= dict.fromkeys({kind.main, *kind.renewed} - {"other.pem"}, authority.pair(HOST, key=kind.key_type))
    old, new = ({file: pair[i] for file, pair in pairs.items()} for i in (0, 1))
    server = kind(place / "s")
    place.at_end(server.stop)
    server.install_other(old["other.pem"])
    server.install(old[kind.main]).write().start()
    expected = server.expected()
    shown = {endpoint for endpoint in expected if endpoint[0] not in server.hidden}
    until(lambda: serve(shown, old), "it serves the old certificates")
    assert found(place, server) == expected
    done = place.run("check", "--service", server.service)
    assert done.code == OK, done
    server.install(new[kind.main])
    if "other.pem" in server.renewed:
        server.install_other(new["other.pem"])
    done = place.run("rebind", "--pending", "--service", server.service)
    assert done.code == OK, done
    renewed = {endpoint for endpoint in shown if endpoint[0] in server.renewed}
    assert serve(renewed, new), done
    done = place.run("check", "--service", server.service)
    assert done.code == OK, done


def test_a_pattern_s_files_are_changed_together(place, authority):
    """Certificate, chain and key in files of their own, and all of it once more in one."""
    place.configure(verify=240, handshake=30)
    old, new = authority.pair(HOST)
    server = EjabberdPattern(place / "s")
    place.at_end(server.stop)
    server.install(old).write().start()
    port = server.endpoints["none"]
    until(lambda: served(port, "none", HOST) == old.thumbprint, "it serves the old certificate")
    done = place.run("rebind", old.thumbprint, new.write(place / "new")[0], "--service", server.service)
    assert done.code == OK and served(port, "none", HOST) == new.thumbprint, done
    assert (server.prefix / f"live/{HOST}/cert.pem").read_text() == new.leaf_pem
    assert (server.prefix / f"live/{HOST}/fullchain.pem").read_text() == new.fullchain_pem
    done = place.run("check", "--service", server.service)
    assert done.code == OK, done
    done = place.run("undo")
    assert done.code == OK and served(port, "none", HOST) == old.thumbprint, done


@pytest.mark.parametrize("key", ["ec", "rsa2048"])
def test_half_a_renewal_in_memory(place, authority, key):
    """While nobody is connected, RabbitMQ reads a certificate again that is also its `cacertfile`, and not the key."""
    place.configure(verify=240, handshake=30)
    old, new = authority.pair(HOST, key=key)
    server = RabbitMQ(place / "s")
    place.at_end(server.stop)
    server.install(old).write().start()
    port = server.endpoints["none"]
    until(lambda: served(port, "none", HOST) == old.thumbprint, "it serves the old certificate")
    server.install(new)
    until(lambda: served(port, "none", HOST) == "bad signature", "it has the certificate of one pair and the key of another")
    done = place.run("check", "--service", server.service)
    assert done.code == CRITICAL and "the key that the server has is not its certificate's" in done.out, done
    done = place.run("rebind", "--pending", "--service", server.service)
    assert done.code == OK and served(port, "none", HOST) == new.thumbprint, done
