"""HAProxy with one site, ready made: it serves OLD, and NEW lies beside."""
from command import of_service
from handshakes import handshake
from ports import free_port


def frontend(port, tls, name="www", extra=""):
    return (f"frontend {name}\n bind {port if '@' in str(port) else f'127.0.0.1:{port}'} ssl {tls}\n"
            f" http-request return status 200 content-type text/plain string ok\n{extra}\n")


class OneFrontend:
    """A running HAProxy with one combined PEM that serves OLD; NEW lies in new/, bound nowhere."""

    def __init__(self, place, authority, name="a.example.com", main="", **options):
        self.place, self.name = place, name
        self.old, self.new = authority.pair(name)
        self.port = free_port()
        self.haproxy = place.haproxy(**options)
        self.pem = self.old.write_combined(place / "certs/site.pem")
        self.haproxy.write(frontend(self.port, f"crt {self.pem}"), main=main).start()
        self.new_cert, self.new_key = self.new.write(place / "new")

    def served(self):
        return handshake(self.port, self.name)

    def run(self, *arguments, **options):
        return self.place.run(*of_service(arguments, self.haproxy.service), **options)

    def rebind(self, *more, **options):
        return self.run("rebind", self.old.thumbprint, self.new_cert, *more, **options)


def scan(place, haproxy):
    done = place.run("scan", "--json", "--service", haproxy.service)
    assert done.code == 0, done
    return done.json
