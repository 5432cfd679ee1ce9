"""The same stage for each kind of server. STAGES has them all, by name."""
import functools
import http.server
import pathlib
import re
import signal
import threading

from command import of_service
from files import difference, snapshot, write
from handshakes import handshake
from ports import free_port


class Stage:
    """A running server with sites on one port; `pairs`: (name, certificates) in the order of the
    configuration."""

    key_name = "privkey.pem"
    reload_signal = signal.SIGHUP

    def __init__(self, place, *pairs, shared=False):
        """`shared`: on a port that others may listen on too."""
        self.place, self.port, self.shared = place, free_port(), shared
        self.sites = [(name, [self.put(place / f"certs/{name}/{number}", certificate)
                              for number, certificate in enumerate(certificates)])
                      for name, certificates in pairs]
        self.server = self.make()
        self.configure()
        self.server.start()

    def put(self, directory, certificate):
        """Gives the paths of the certificate and of its key, named as this kind finds them."""
        return certificate.write(directory, "fullchain.pem", self.key_name)

    def served(self, name, **options):
        return handshake(self.port, name, **options)

    def run(self, *arguments, **options):
        return self.place.run(*of_service(arguments, self.server.service), **options)

    def documents(self):
        """Where what it sends lies."""
        return self.server.prefix / "html"

    def reload_begins(self):
        """Whether the server, whose main process is stopped, was told to reload."""
        status = pathlib.Path(f"/proc/{self.server.master_pid}/status").read_text()
        waiting = int(re.search(r"ShdPnd:\s*(\w+)", status)[1], 16)
        return waiting >> (self.reload_signal - 1) & 1

    def listening_too(self, text, port):
        """The configuration with one more address."""
        return text + f"Listen 127.0.0.1:{port}\n"

    def stopped(self):
        """The processes that a server which does nothing more when told has stopped."""
        return [self.server.master_pid]

    def untouched(self, before, reloads):
        return not difference(before, snapshot(self.place / "certs")) and (
            self.server.reloads() == reloads)


class NginxStage(Stage):
    def make(self):
        return self.place.nginx()

    def configure(self):
        blocks, listen = "", f"127.0.0.1:{self.port} ssl" + " reuseport" * self.shared
        for name, files in self.sites:
            lines = "".join(f"ssl_certificate {cert}; ssl_certificate_key {key};\n"
                            for cert, key in files)
            blocks += (f"server {{\nlisten {listen};\nserver_name {name};\n{lines}"
                       "location = /ok { return 200 ok; }\n}\n")
        self.server.write(blocks)

    def listening_too(self, text, port):
        return text.replace("http {", f"http {{\nserver {{ listen 127.0.0.1:{port}; }}", 1)


class ApacheStage(Stage):
    reload_signal = signal.SIGUSR1

    def make(self):
        return self.place.apache()

    def configure(self):
        hosts = ""
        for name, files in self.sites:
            lines = "".join(f"SSLCertificateFile {cert}\nSSLCertificateKeyFile {key}\n"
                            for cert, key in files)
            hosts += (f"<VirtualHost 127.0.0.1:{self.port}>\nServerName {name}\nSSLEngine on\n{lines}"
                      "</VirtualHost>\n")
        write(self.server.prefix / "html/ok", "ok")
        # A listener for each processor, and room for processes that serve each of them.
        main = "ListenCoresBucketsRatio 1\nMaxRequestWorkers 200\n" * self.shared
        self.server.write(f"{main}<Directory {self.server.prefix}/html>\nRequire all granted\n</Directory>\n"
                          + hosts, ports=[self.port])


class HAProxyStage(Stage):
    key_name = "fullchain.pem.key"
    reload_signal = signal.SIGUSR2
    socket = False

    def make(self):
        return self.place.haproxy(socket=self.socket)

    def configure(self):
        crts = " ".join(f"crt {cert}" for _, files in self.sites for cert, _ in files)
        self.server.write(f"frontend www\n bind 127.0.0.1:{self.port} ssl {crts}\n"
                          " http-request return status 200 content-type text/plain string ok if "
                          f"{{ path /ok }}\n default_backend files\n"
                          f"backend files\n server files 127.0.0.1:{self.file_server()}\n")

    def listening_too(self, text, port):
        return text + f"frontend other\n bind 127.0.0.1:{port}\n http-request return status 200\n"

    def documents(self):
        return self.server.prefix

    def file_server(self):
        """HAProxy sends no files of its own."""
        handler = functools.partial(QuietFiles, directory=self.documents())
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.place.at_end(server.shutdown)
        return server.server_port


class HAProxySocketStage(HAProxyStage):
    socket = True

    def reload_begins(self):
        """Somebody has connected to the socket and waits."""
        text = pathlib.Path("/proc/net/unix").read_text()
        return sum(str(self.server.socket_path) in line for line in text.splitlines()) > 1

    def stopped(self):
        return [*self.server.worker_pids(), self.server.master_pid]


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


STAGES = {"nginx": NginxStage, "apache": ApacheStage, "haproxy": HAProxyStage, "haproxy-socket": HAProxySocketStage}


class TwoServersOneFile:
    """nginx and Apache with the very same certificate and key."""

    def __init__(self, place, authority):
        place.configure(verify=8)
        self.place = place
        self.old, self.new = authority.pair("a.example.com")
        self.nginx = NginxStage(place, ("a.example.com", [self.old]))
        self.certificate, self.key = self.nginx.sites[0][1][0]
        self.apache = ApacheStage(place)
        self.apache.sites = [("a.example.com", [(self.certificate, self.key)])]
        self.apache.configure()
        self.apache.server.reload()
        self.serve(self.old)  # who is stopped before it answers anybody is not held to anything
        self.new_cert, _ = self.new.write(place / "new", "fullchain.pem", "privkey.pem")
        self.both = [word for stage in (self.nginx, self.apache)
                     for word in ("--service", stage.server.service)]

    def rebind(self):
        return self.place.run("rebind", self.old.thumbprint, self.new_cert, "--json", *self.both)

    def serve(self, certificate):
        for stage in (self.nginx, self.apache):
            stage.server.wait_served(certificate.thumbprint, stage.port, "a.example.com")
        assert self.certificate.read_text() == certificate.fullchain_pem
