"""`rebind --pending` does nothing that nobody asked for: no site gets another site's certificate, and none is taken from
its renewer."""
import pytest

from files import difference, snapshot, write
from handshakes import handshake
from ports import free_port
from stages.one_site import make_site

OK = 0


def pending(place, *services):
    return place.run("rebind", "--pending", *[word for each in services for word in ("--service", each)])


def files_of(place):
    return snapshot(place.path, without=("run", "state", "home", "html"))


def test_what_lies_at_another_site_is_nobodys_old(place, authority):
    """A site that the server has not loaded yet is answered for by the default one."""
    port = free_port()
    first = make_site(place, authority.issue(["*.example.com"], days=20), "a.example.com", port)
    added = make_site(place, authority.issue(["*.example.com"], days=90), "b.example.com", port)
    nginx = place.nginx()
    nginx.write(first.block()).start()
    assert pending(place, nginx.service).code == OK
    nginx.write(first.block() + added.block())
    before = files_of(place)
    done = pending(place, nginx.service)
    assert "is unchanged at" in done.all and "needs a person" in done.all, done
    assert difference(before, files_of(place)) == [] and nginx.reloads() == 0
    assert handshake(port, "a.example.com") == first.certificate.thumbprint
    nginx.reload()
    done = pending(place, nginx.service)
    assert done.code == OK and "nothing differs" in done.all, done


@pytest.mark.parametrize("names, follows", [(["*.example.com"], True), (["*.example.com", "b.example.com"], False)])
def test_one_of_two_copies_gets_one_of_its_own(place, authority, names, follows):
    """A copy follows a renewal; a certificate of one's own is no renewal of the other site's."""
    port = free_port()
    shared = authority.issue(["*.example.com"], days=20)
    sites = [make_site(place, shared, f"{name}.example.com", port) for name in "ab"]
    nginx = place.nginx()
    nginx.write("".join(each.block() for each in sites)).start()
    assert pending(place, nginx.service).code == OK
    own = authority.issue(names, days=90)
    own.write(sites[1].cert_path.parent, sites[1].cert_path.name, sites[1].key_path.name)
    before = sites[0].cert_path.read_bytes(), sites[0].key_path.read_bytes()
    done = pending(place, nginx.service)
    assert done.code == OK and "committed" in done.all, done
    assert handshake(port, "b.example.com") == own.thumbprint
    if not follows:
        assert before == (sites[0].cert_path.read_bytes(), sites[0].key_path.read_bytes())
    assert handshake(port, "a.example.com") == (own if follows else shared).thumbprint
    assert "nothing differs" in pending(place, nginx.service).all


class Shop:
    """A site at certbot's files, and one of the same names with files of its own, which last longer."""

    def __init__(self, place, authority, kind="nginx"):
        self.place, self.authority = place, authority
        self.names = ["shop.example.com", "www.shop.example.com"]
        self.live = place / "le/live/shop"
        self.renew(days=60)
        write(place / "le/renewal/shop.conf",
              f"cert = {self.live}/cert.pem\nprivkey = {self.live}/privkey.pem\nfullchain = {self.live}/fullchain.pem\n")
        self.admin = authority.issue(self.names, days=89)
        cert, key = self.admin.write(place / "ssl", "admin.pem", "admin.key")
        place.configure(stores=[("certbot", place / "le"), ("directory", place / "ssl")])
        self.ports = free_port(), free_port()
        self.server = getattr(place, kind)()
        blocks = [(self.ports[0], self.live / "fullchain.pem", self.live / "privkey.pem"), (self.ports[1], cert, key)]
        if kind == "nginx":
            self.server.write("".join(
                f"server {{ listen 127.0.0.1:{port} ssl; server_name {' '.join(self.names)}; ssl_certificate {cert}; "
                f"ssl_certificate_key {key}; }}\n" for port, cert, key in blocks)).start()
        else:
            self.server.write("".join(
                f"<VirtualHost *:{port}>\nServerName {self.names[0]}\nSSLEngine on\nSSLCertificateFile {cert}\n"
                f"SSLCertificateKeyFile {key}\n</VirtualHost>\n" for port, cert, key in blocks), ports=self.ports).start()

    def renew(self, days):
        self.current = self.authority.issue(self.names, days=days)
        self.current.write(self.live)

    def served(self):
        return [handshake(port, self.names[0]) for port in self.ports]


@pytest.mark.parametrize("kind", ["nginx", "apache"])
def test_a_site_stays_with_its_renewer(place, authority, kind):
    shop = Shop(place, authority, kind)
    for days in (None, 88, 95):  # renewed in between, to end before and after the other's
        if days:
            shop.renew(days)
        conf = shop.server.conf.read_bytes()
        before = (place / "ssl/admin.pem").read_bytes(), (place / "ssl/admin.key").read_bytes()
        done = pending(place, shop.server.service)
        assert done.code == OK, done
        assert shop.server.conf.read_bytes() == conf, done
        assert before == ((place / "ssl/admin.pem").read_bytes(), (place / "ssl/admin.key").read_bytes())
        assert shop.served() == [shop.current.thumbprint, shop.admin.thumbprint]
    assert shop.server.reloads() == 2


def test_two_lineages_of_the_same_names_make_no_site_flip(place, authority):
    """Each is renewed in turn; the site stays with the one that it is bound to."""
    shop = Shop(place, authority)
    other = place / "le/live/shop-0001"
    conf = shop.server.conf.read_bytes()
    for days in (87, 91):  # before and after the other site's end, never with it
        authority.issue(shop.names, days=days).write(other)
        write(place / "le/renewal/shop-0001.conf",
              f"cert = {other}/cert.pem\nprivkey = {other}/privkey.pem\nfullchain = {other}/fullchain.pem\n")
        assert pending(place, shop.server.service).code == OK
        assert shop.server.conf.read_bytes() == conf
        shop.renew(days + 4)
        assert pending(place, shop.server.service).code == OK
        assert shop.server.conf.read_bytes() == conf
        assert shop.served()[0] == shop.current.thumbprint


def test_a_copy_of_one_of_two_lineages_takes_none_of_the_other(place, authority):
    names = ["a.example.com"]
    one, other = place / "le/live/one", place / "le/live/other"
    first = authority.issue(names, days=30)
    for directory in (one, other):
        write(place / f"le/renewal/{directory.name}.conf", f"fullchain = {directory}/fullchain.pem\n"
              f"privkey = {directory}/privkey.pem\ncert = {directory}/cert.pem\n")
    first.write(one)
    authority.issue(names, days=20).write(other)
    place.configure(stores=[("certbot", place / "le")])
    site = make_site(place, first, names[0])
    nginx = place.nginx()
    nginx.write(site.block()).start()
    assert pending(place, nginx.service).code == OK
    authority.issue(names, days=90).write(other)
    assert pending(place, nginx.service).code == OK
    assert handshake(site.port, names[0]) == first.thumbprint, "it is the other's renewal"
    renewed = authority.issue(names, days=80)
    renewed.write(one)
    done = pending(place, nginx.service)  # nobody has seen yet where the copy comes from
    assert "a person must choose one" in done.all, done
    assert handshake(site.port, names[0]) == first.thumbprint


def test_where_the_server_sees_something_else_nothing_is_done_by_itself(place, authority):
    """<IfDirective> is not understood: httpd has a host there that is not seen here."""
    port = free_port()
    old, new = authority.pair("a.example.com")
    seen = make_site(place, old, "a.example.com", port)
    hidden = make_site(place, authority.issue(["b.example.com"]), "b.example.com", port)
    apache = place.apache()
    apache.write(seen.host() + f"<IfDirective AcceptPathInfo>\n{hidden.host()}</IfDirective>\n", ports=[port]).start()
    new.write(seen.cert_path.parent, seen.cert_path.name, seen.key_path.name)
    before = files_of(place)
    done = pending(place, apache.service)
    assert "httpd itself names" in done.all and "needs a person" in done.all, done
    assert apache.reloads() == 0 and difference(before, files_of(place)) == []
    done = place.run("rebind", old.thumbprint, new.thumbprint, "--service", apache.service)
    assert handshake(port, "a.example.com") == new.thumbprint, done


def test_a_shared_directive_is_left_out_with_the_site_of_a_policy(place, authority):
    """Two sites include one certificate; a policy leaves one of them alone. A third site is rebound all the same."""
    shared, own = authority.issue(["*.w.example.com"], days=20), authority.issue("o.example.com", days=20)
    shared_cert, shared_key = shared.write(place / "ssl", "shared.pem", "shared.key")
    write(place / "snippet.conf", f"ssl_certificate {shared_cert};\nssl_certificate_key {shared_key};\n")
    site, port = make_site(place, own, "o.example.com"), free_port()
    nginx = place.nginx()
    nginx.write(site.block() + "".join(
        f"server {{ listen 127.0.0.1:{port} ssl; server_name {name}; include {place.path}/snippet.conf; }}\n"
        for name in ("a.w.example.com", "b.w.example.com"))).start()
    authority.issue(["*.w.example.com"], days=80).write(place / "store", "w.pem", "w.key")
    renewed = authority.issue("o.example.com", days=80)
    renewed.write(place / "store", "o.pem", "o.key")
    place.configure("[[policy]]\nsite = \"a.w.example.com\"\nautomatic = \"no\"\n", stores=[("directory", place / "store")])
    done = pending(place, nginx.service)
    assert handshake(site.port, "o.example.com") == renewed.thumbprint, done
    assert handshake(port, "b.w.example.com") == shared.thumbprint
