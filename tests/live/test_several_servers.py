"""One site on two servers: nginx, and HAProxy in front of it or beside it."""
import pytest

from handshakes import handshake
from ports import free_port
from stages.one_frontend import frontend
from stages.one_site import make_site

NAME = "two.example.com"


class TwoServers:
    def __init__(self, place, authority):
        self.place = place
        self.old, self.new = authority.pair(NAME)
        self.site = make_site(place, self.old, NAME)
        self.nginx = place.nginx()
        self.nginx.write(self.site.block()).start()
        self.pem = self.old.write_combined(place / "pem/site.pem")
        self.port = free_port()
        self.haproxy = place.haproxy()
        self.haproxy.write(frontend(self.port, f"crt {self.pem}")).start()
        self.new_cert, _ = self.new.write(place / "new")

    def served(self):
        return [{self.old.thumbprint: "old", self.new.thumbprint: "new"}[each] for each in (
            handshake(self.site.port, NAME), handshake(self.port, NAME))]


@pytest.fixture
def two(place, authority):
    return TwoServers(place, authority)


def test_undo_of_a_site_takes_it_back_on_every_server(two):
    assert two.place.run("rebind", NAME, two.new_cert).code == 0
    assert two.served() == ["new", "new"]
    done = two.place.run("undo", NAME)
    assert done.code == 0 and two.served() == ["old", "old"], done
    assert two.place.run("undo", NAME).code == 0 and two.served() == ["old", "old"], "there is no more"


def test_undo_of_one_transaction_says_where_the_rest_is(two):
    assert two.place.run("rebind", NAME, two.new_cert).code == 0
    done = two.place.run("undo")
    assert done.code == 0 and sorted(two.served()) == ["new", "old"]
    assert "still has the certificate of that rebind; next: certrebind undo 1" in done.out, done
    assert "still has" not in two.place.run("undo", 1).out and two.served() == ["old", "old"]


def test_where_one_server_is_refused_the_changed_one_is_named(two):
    (two.place / "pem").chmod(0o777)
    done = two.place.run("rebind", NAME, two.new_cert)
    assert done.code == 1 and two.served() == ["new", "old"], done
    assert f"refused: {two.haproxy.service} was not changed" in done.out, done
    assert f"{two.nginx.service} was changed" in done.out and "nothing was changed" not in done.out
