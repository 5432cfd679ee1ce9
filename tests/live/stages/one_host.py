"""Apache with one site, ready made: it serves OLD, and NEW lies beside."""
from command import of_service
from handshakes import handshake
from stages.one_site import make_site


class OneHost:
    """A running Apache with one host that serves OLD; NEW lies in new/, bound nowhere."""

    def __init__(self, place, authority, name="a.example.com", old=None, new=None, main="",
                 mpm="event", modules=(), extra=""):
        self.place, self.name = place, name
        if old is None:
            old, new = authority.pair(name)
        self.old, self.new = old, new
        self.site = make_site(place, old, name)
        self.port = self.site.port
        self.apache = place.apache(mpm=mpm)
        self.apache.write(main + self.site.host(extra=extra), ports=[self.port],
                          modules=modules).start()
        self.new_cert = self.new_key = None
        if new is not None:
            self.new_cert, self.new_key = new.write(place.path / "new")

    def served(self):
        return handshake(self.port, self.name)

    def run(self, *arguments, **options):
        return self.place.run(*of_service(arguments, self.apache.service), **options)

    def rebind(self, *more):
        return self.run("rebind", self.old.thumbprint, self.new_cert, *more)
