"""nginx with one site, ready made: it serves OLD, and NEW lies beside."""
import pathlib

from command import of_service
from handshakes import handshake
from ports import free_port


class Site:
    """An HTTPS site with its certificate files; `make_site` writes them."""

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
        """The site as a virtual host of Apache."""
        key_line = f"  SSLCertificateKeyFile {self.key_path}\n" if key else ""
        return (f"<VirtualHost {address or f'*:{self.port}'}>\n  ServerName {self.name}\n"
                f"  SSLEngine on\n  SSLCertificateFile {self.cert_path}\n{key_line}{extra}"
                "</VirtualHost>\n")


def make_site(place, certificate, name="a.example.com", port=None, directory=None):
    """Writes the certificate into <place>/certs/NAME/ and returns the Site."""
    where = pathlib.Path(directory or place.path / "certs" / name)
    cert_path, key_path = certificate.write(where)
    return Site(name, port or free_port(), certificate, cert_path, key_path)


class OneSite:
    """One running nginx with one site that serves OLD. NEW lies in new/, bound nowhere."""

    def __init__(self, place, authority, name="a.example.com", old=None, new=None, **write_options):
        self.place = place
        if old is None:
            old, new = authority.pair(name)
        self.old, self.new = old, new
        self.name = name
        self.site = make_site(place, old, name)
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


def keep(one):
    """Has certrebind prove the served pair, and so keep it."""
    done = one.run("rebind", "--pending")
    assert done.code == 0, done
