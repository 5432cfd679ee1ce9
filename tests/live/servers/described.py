"""Servers that a description in services.d/ teaches certrebind. DESCRIBED has one line for each."""
import http.server
import os
import shutil
import signal
import socketserver
import threading

from files import write
from ports import free_port
from servers.cockpit import Cockpit
from servers.dovecot import Dovecot
from servers.ejabberd import Ejabberd
from servers.exim import Exim
from servers.mariadb import MariaDB
from servers.plain_first import PlainFirst
from servers.postfix import Postfix
from servers.postgresql import PostgreSQL
from servers.proftpd import ProFTPD
from servers.prosody import Prosody
from servers.rabbitmq import RabbitMQ
from servers.slapd import Slapd, SlapdConf
from servers.vsftpd import Vsftpd


class TlsServer(PlainFirst):
    """TLS from the first byte, at one port. `configuration` is the text of the main file."""

    dialects = ("none",)
    name = "server.conf"

    def __init__(self, prefix):
        super().__init__(prefix, self.name)

    @property
    def port(self):
        return self.endpoints["none"]

    def configuration(self):
        raise NotImplementedError

    def write(self):
        write(self.conf, self.configuration())
        return self


class WebServer(TlsServer):
    """Half of a request has come when it reloads."""

    begin, words = b"GET / HTTP/1.1\r\n", b"Host: mx.test\r\n\r\n"


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            self.wfile.write(line)


class Accepts(http.server.BaseHTTPRequestHandler):
    """Takes the whole of what it is sent."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()


class Forwarder(TlsServer):
    """It forwards what is in TLS, here to a server that says the same."""

    words = b"hello\n"
    behind = Echo

    def __init__(self, prefix):
        super().__init__(prefix)
        self.backend = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self.behind)
        self.backend.daemon_threads = True
        threading.Thread(target=self.backend.serve_forever, daemon=True).start()

    @property
    def backend_port(self):
        return self.backend.server_address[1]


class Mosquitto(TlsServer):
    kind = "mosquitto"
    words = bytes.fromhex("100d00044d5154540402003c000178")  # MQTT 3.1.1, section 3.1: CONNECT

    def configuration(self):
        return (f"user root\nlistener {self.port} 127.0.0.1\ncertfile {self.certificate}\n"
                f"keyfile {self.key}\nallow_anonymous true\n")

    def command(self):
        return ["/usr/sbin/mosquitto", "-c", str(self.conf)]


class Redis(TlsServer):
    """With a password, and no port without TLS."""

    kind = "redis"
    words = b"PING\r\n"

    def configuration(self):
        return (f"bind 127.0.0.1\nport 0\ntls-port {self.port}\ntls-cert-file {self.certificate}\n"
                f"tls-key-file {self.key}\ntls-auth-clients no\ntls-ca-cert-file {self.certificate}\n"
                f'save ""\ndir {self.prefix}\nrequirepass secret\nset-proc-title no\n')

    def command(self):
        return ["/usr/bin/redis-server", str(self.conf)]


class Stunnel(Forwarder):
    kind = "stunnel"

    def configuration(self):
        return (f"foreground = yes\npid = {self.prefix}/run/pid\n[web]\naccept = 127.0.0.1:{self.port}\n"
                f"connect = 127.0.0.1:{self.backend_port}\ncert = {self.certificate}\nkey = {self.key}\n")

    def command(self):
        return ["/usr/bin/stunnel4", str(self.conf)]


class Lighttpd(WebServer):
    kind = "lighttpd"
    keeps_sessions = False  # only what it answers already

    def configuration(self):
        return (f'server.modules = ("mod_openssl")\nserver.port = {self.port}\nserver.bind = "127.0.0.1"\n'
                f'server.document-root = "{self.prefix}"\nssl.engine = "enable"\n'
                f'ssl.pemfile = "{self.certificate}"\nssl.privkey = "{self.key}"\n')

    def command(self):
        return ["/usr/sbin/lighttpd", "-D", "-f", str(self.conf)]


class Hitch(Forwarder):
    """Certificate and key in one file."""

    kind = "hitch"

    def configuration(self):
        return (f'frontend = {{\n host = "127.0.0.1"\n port = "{self.port}"\n}}\nbackend = "[127.0.0.1]:{self.backend_port}"\n'
                f'workers = 1\ndaemon = off\nuser = "nobody"\npem-file = "{self.certificate}"\n')

    def install(self, certificate):
        certificate.write_combined(self.certificate)
        return self

    def command(self):
        return ["/usr/sbin/hitch", f"--config={self.conf}"]


class Caddy(Forwarder):
    """A request's headers have come when it reloads: it waits for no others for more than five seconds."""

    kind = "caddy"
    name = "Caddyfile"
    behind = Accepts
    begin = b"POST / HTTP/1.1\r\nHost: mx.test\r\nContent-Length: 6\r\n\r\n"

    def configuration(self):
        return (f"{{\n admin unix/{self.prefix}/run/admin\n auto_https off\n}}\nhttps://mx.test:{self.port} {{\n"
                f" bind 127.0.0.1\n tls {self.certificate} {self.key}\n"
                f" reverse_proxy 127.0.0.1:{self.backend_port}\n}}\n")

    @property
    def env(self):
        return {**os.environ, "HOME": str(self.prefix), "XDG_DATA_HOME": str(self.prefix)}

    def command(self):
        return ["/usr/bin/caddy", "run", "--config", str(self.conf), "--adapter", "caddyfile"]


class Coturn(TlsServer):
    kind = "coturn"
    words = bytes.fromhex("000100002112a442") + b"certrebind.."  # RFC 8489, section 5: a binding request
    reload_signal = signal.SIGUSR2

    def __init__(self, prefix):
        super().__init__(prefix)
        self.plain_port = free_port()

    def configuration(self):
        return (f"listening-ip=127.0.0.1\nlistening-port={self.plain_port}\ntls-listening-port={self.port}\n"
                f"cert={self.certificate}\npkey={self.key}\nrelay-ip=127.0.0.1\nno-cli\nlog-file=stdout\n"
                f"userdb={self.prefix}/run/turndb\npidfile={self.prefix}/run/pid\n")

    def command(self):
        return ["/usr/bin/turnserver", "-c", str(self.conf)]


class PgBouncer(PlainFirst):
    kind = "pgbouncer"
    dialects = ("postgres",)
    user = "postgres"

    def __init__(self, prefix):
        super().__init__(prefix, "pgbouncer.ini")

    def write(self):
        write(self.conf, f"""[databases]
* = host=127.0.0.1 port=9
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.endpoints["postgres"]}
unix_socket_dir =
auth_type = any
client_tls_sslmode = allow
client_tls_cert_file = {self.certificate}
client_tls_key_file = {self.key}
""")
        return self

    def command(self):
        return [*self.as_user(), "/usr/sbin/pgbouncer", str(self.conf)]


class Squid(WebServer):
    kind = "squid"

    def configuration(self):
        return (f"https_port 127.0.0.1:{self.port} tls-cert={self.certificate} tls-key={self.key}\n"
                f"pid_filename {self.prefix}/run/pid\ncache_log {self.log}\naccess_log none\nnetdb_filename none\n"
                f"coredump_dir {self.prefix}/run\nshutdown_lifetime 1 seconds\nvisible_hostname mx.test\n"
                f"cache_effective_user proxy\n")

    def write(self):
        shutil.chown(self.prefix / "run", "proxy")
        return super().write()

    def command(self):
        return ["/usr/sbin/squid", "--foreground", "-f", str(self.conf)]


class Etcd(WebServer):
    """Its settings are arguments."""

    kind = "etcd"
    name = "data"

    def __init__(self, prefix):
        super().__init__(prefix)
        self.peer_port = free_port()

    def write(self):
        self.conf.mkdir(mode=0o700)
        return self

    def command(self):
        client, peer = f"https://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.peer_port}"
        return ["/usr/bin/etcd", f"--data-dir={self.conf}", f"--cert-file={self.certificate}", f"--key-file={self.key}",
                f"--listen-client-urls={client}", f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}"]


class NodeExporter(WebServer):
    kind = "node-exporter"
    program = "/usr/bin/prometheus-node-exporter"

    def configuration(self):
        return f"tls_server_config:\n  cert_file: {self.certificate}\n  key_file: {self.key}\n"

    def command(self):
        return [self.program, f"--web.config.file={self.conf}", f"--web.listen-address=127.0.0.1:{self.port}"]


class Prometheus(NodeExporter):
    kind = "prometheus"
    program = "/usr/bin/prometheus"

    def command(self):
        return [*super().command(), f"--config.file={write(self.prefix / 'prometheus.yml', '')}",
                f"--storage.tsdb.path={self.prefix}/run"]


class DockerRegistry(TlsServer):
    kind = "docker-registry"
    name = "config.yml"

    def configuration(self):
        return (f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {self.prefix}/run\nhttp:\n"
                f"  addr: 127.0.0.1:{self.port}\n  tls:\n    certificate: {self.certificate}\n"
                f"    key: {self.key}\n")

    def command(self):
        return ["/usr/bin/docker-registry", "serve", str(self.conf)]


class Unbound(TlsServer):
    """DNS over TLS."""

    kind = "unbound"
    user = "unbound"

    def configuration(self):
        return (f'server:\n directory: "{self.prefix}"\n chroot: ""\n username: "unbound"\n use-syslog: no\n'
                f' pidfile: "{self.prefix}/run/pid"\n interface: 127.0.0.1@{self.port}\n tls-port: {self.port}\n'
                f' tls-service-pem: "{self.certificate.name}"\n tls-service-key: "{self.key}"\n')

    def command(self):
        return ["/usr/sbin/unbound", "-d", "-p", "-c", str(self.conf)]


DESCRIBED = [Caddy, Coturn, Dovecot, Ejabberd, Etcd, Exim, Hitch, Lighttpd, MariaDB, Mosquitto, NodeExporter,
             PgBouncer, Postfix, PostgreSQL, Prometheus, Prosody, RabbitMQ, Redis, Slapd, Squid, Stunnel]
NAMED_ONLY = [ProFTPD]  # their titles hide which configuration they use
RESTART_ONLY = [Cockpit, DockerRegistry, SlapdConf, Unbound, Vsftpd]
