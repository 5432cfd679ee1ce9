"""OLD is only served: its files were overwritten by a third certificate that no reload has taken up."""
import signal

import pytest

from files import difference, snapshot
from handshakes import handshake
from ports import free_port
from stages.one_frontend import OneFrontend, frontend
from stages.one_host import OneHost
from stages.one_site import OneSite, make_site
from waiting import until

REFUSED, ROLLED_BACK = 1, 3


class Overwritten(OneSite):
    """nginx serves OLD; BETWEEN lies at its path, and NEW in new/."""

    def __init__(self, place, authority, new=90, between=75):
        super().__init__(place, authority, old=authority.issue("a.example.com", days=60),
                         new=authority.issue("a.example.com", days=new))
        self.settle()
        self.between = authority.issue("a.example.com", days=between)
        self.between.write(self.site.cert_path.parent)

    def settle(self):
        """When workers were started is told in hundredths of a second: the next ones are surely younger
        than the configuration."""
        self.nginx.reload()

    def rebind(self, *more, **options):
        return self.run("rebind", self.old.thumbprint, self.new_cert, "--json", *more, **options)


@pytest.fixture
def one(place, authority):
    place.configure(stores=[("directory", place.path / "new")], verify=3)
    return Overwritten(place, authority)


def bindings_of(done, code=0):
    assert done.code == code, done
    return [binding for plan in done.json["plans"] for binding in plan["bindings"]]


def findings_of(done):
    return " ".join(finding["sentence"] for plan in done.json["plans"] for finding in plan["findings"])


@pytest.mark.parametrize("kind", ["repoint", "rewrite"])
def test_new_is_served(one, kind):
    done = one.rebind(f"--{kind}")
    assert [binding["kind"] for binding in bindings_of(done)] == [kind]
    assert f"{one.between.thumbprint[:16]} is on disk at {one.site.cert_path}" in findings_of(done), done
    assert one.served() == one.new.thumbprint
    assert one.run("check").code == 0


def test_a_thumbprint_that_was_never_seen_is_asked_for(one):
    """The first command of all: nothing but the handshake knows OLD."""
    plan = one.run("plan", one.old.thumbprint[:16], one.new_cert, "--json")
    assert len(bindings_of(plan)) == 1 and one.served() == one.old.thumbprint
    assert one.rebind().code == 0 and one.served() == one.new.thumbprint


def test_old_on_disk_elsewhere_and_served_here(one):
    """Both the site whose file holds OLD and the one that only serves it."""
    one.old.write(one.site.cert_path.parent)
    second = make_site(one.place, one.old, one.name, directory=one.place.path / "second")
    one.nginx.write(one.site.block() + second.block())
    one.nginx.reload()
    one.nginx.wait_served(one.old.thumbprint, second.port, one.name)
    one.settle()
    one.between.write(second.cert_path.parent)
    assert len(bindings_of(one.rebind("--rewrite"))) == 2
    assert handshake(one.port, one.name) == handshake(second.port, one.name) == one.new.thumbprint


def test_a_default_server_under_no_name_of_its_own(place, authority):
    place.configure(verify=3)
    one = Overwritten(place, authority)
    one.nginx.write(one.site.block().replace("server_name a.example.com", "server_name other.test"))
    one.old.write(one.site.cert_path.parent)
    one.nginx.reload()
    one.nginx.wait_served(one.old.thumbprint, one.port, "other.test")
    one.settle()
    one.between.write(one.site.cert_path.parent)
    assert len(bindings_of(one.rebind())) == 1
    assert handshake(one.port, "other.test") == one.new.thumbprint


def test_where_new_cannot_be_proven_all_is_as_before(one):
    before = snapshot(one.place.path)
    one.nginx.send(signal.SIGSTOP)  # the master hears nothing
    done = one.rebind()
    assert done.code == ROLLED_BACK, done
    assert difference(before, snapshot(one.place.path)) == [], done
    assert one.served() == one.old.thumbprint, "from memory, as before"
    one.nginx.send(signal.SIGCONT)
    until(lambda: one.nginx.reloads() > 0, "the master has heard")
    one.nginx.wait_served(one.between.thumbprint, one.port, one.name)


def test_undo_brings_back_what_lay_there(one):
    assert one.rebind("--rewrite").code == 0
    done = one.run("undo")
    assert done.code == 0, done
    assert one.served() == one.between.thumbprint
    assert f"{one.between.thumbprint[:16]} replaces {one.new.thumbprint[:16]}" in done.out


def test_a_new_one_without_the_chain_that_is_sent(one, authority):
    """The file of OLD is gone; what is sent with it is not."""
    bare = authority.issue("a.example.com", days=90, chain=False)
    path, _ = bare.write(one.place.path / "bare")
    assert "sends 1 with the old certificate" in one.run("plan", one.old.thumbprint, path).out
    bare.write(one.site.cert_path.parent)
    assert "sends 1 with the old certificate" in one.run("plan", one.old.thumbprint, one.site.cert_path).out


def test_a_site_that_nobody_can_ask_is_told(place, authority):
    """A regular expression is no name that could be sent, and another site is the default."""
    names = ["*.example.com"]
    place.configure(verify=3)
    one = Overwritten(place, authority)
    default = make_site(place, authority.issue("z.test"), "z.test", port=one.port)
    old, between = (authority.issue(names, days=days) for days in (60, 75))
    regex = one.site.block().replace("server_name a.example.com", r"server_name ~^x\\d+\\.example\\.com$")
    one.nginx.write(default.block().replace(" ssl;", " ssl default_server;") + regex)
    old.write(one.site.cert_path.parent)
    one.nginx.reload()
    one.nginx.wait_served(old.thumbprint, one.port, "x1.example.com")
    one.settle()
    between.write(one.site.cert_path.parent)
    copy, _ = old.write(place.path / "copy")
    new, _ = authority.issue(names, days=90).write(place.path / "newer")
    done = one.run("rebind", copy, new)
    assert done.code == REFUSED and "no handshake can show what it serves" in done.err, done
    assert handshake(one.port, "x1.example.com") == old.thumbprint


def test_history_knows_what_was_served(one):
    assert one.rebind().code == 0
    rebound = one.run("history", "show", "1")
    assert f"{one.between.thumbprint} -> {one.new.thumbprint}" in rebound.out, rebound
    assert f"served until then, from memory only: {one.old.thumbprint}" in rebound.out, rebound
    succession = one.run("history", "show", "1", "--json").json["successions"][0]
    assert succession["served_instead_of_old"] == [one.old.thumbprint], succession
    assert one.run("undo").code == 0
    assert "from memory" not in one.run("history", "show", "2").out


def test_what_lies_there_and_lasts_longer_is_told(place, authority):
    place.configure(stores=[("directory", place.path / "new")])
    one = Overwritten(place, authority, new=70, between=80)
    done = one.run("plan", one.old.thumbprint, one.new_cert)
    assert done.code == 0, done
    assert "expires later than the new certificate" in done.out
    assert f"certrebind rebind {one.old.thumbprint[:16]} {one.site.cert_path}" in done.out
    again = one.run("rebind", one.old.thumbprint, one.site.cert_path)
    assert again.code == 0 and one.served() == one.between.thumbprint, again


def test_garbage_at_its_path_is_replaced(one):
    """No reload could succeed with it, and the test of what will be loaded passes."""
    one.site.cert_path.write_text("no certificate\n")
    done = one.rebind()
    assert done.code == 0, done
    assert one.served() == one.new.thumbprint


def test_a_declared_order_goes_over_what_lies_there(one):
    """As the daemon does it: what a person declared is the strongest word."""
    one.place.configure(stores=[("directory", one.place.path / "new")], verify=3)
    done = one.run("switch", one.old.thumbprint, one.new_cert)
    assert done.code == 0, done
    pending = one.run("rebind", "--pending")
    assert pending.code == 0, pending
    assert one.served() == one.new.thumbprint


def test_what_lies_there_decides_between_two_successions(one, authority):
    later = authority.issue("a.example.com", days=100)
    later_cert, _ = later.write(one.place / "new" / "later")
    done = one.run("rebind", one.old.thumbprint, one.new_cert, one.between.thumbprint, later_cert, "--json")
    [binding] = bindings_of(done)
    assert binding["old"] == one.between.thumbprint and one.served() == later.thumbprint


def test_haproxy_serves_old_from_memory(place, authority):
    site = OneFrontend(place, authority)
    site.haproxy.reload()
    between = authority.issue(site.name, days=75)
    between.write_combined(site.pem)
    done = site.rebind("--json")
    assert len(bindings_of(done)) == 1
    assert site.served() == site.new.thumbprint


def test_apache_serves_old_from_memory(place, authority):
    host = OneHost(place, authority)
    host.apache.reload()
    between = authority.issue(host.name, days=75)
    between.write(host.site.cert_path.parent)
    done = host.run("rebind", host.old.thumbprint, host.new_cert, "--json")
    assert len(bindings_of(done)) == 1
    assert host.served() == host.new.thumbprint


def test_a_site_that_is_not_loaded_yet_keeps_its_own(place, authority):
    """The default server answers for it, with OLD: what lies in its file was never OLD's."""
    place.configure(verify=3)
    old, new = authority.pair(["a.example.com", "*.example.com"])
    one = OneSite(place, authority, old=old, new=new)
    own = authority.issue("b.example.com", days=80)
    second = make_site(place, own, "b.example.com", port=one.port)
    one.nginx.write(one.site.block() + second.block())
    assert handshake(one.port, "b.example.com") == old.thumbprint
    before = second.cert_path.read_bytes()
    done = one.run("rebind", old.thumbprint, one.new_cert, "--json")
    assert len(bindings_of(done, REFUSED)) == 1, "done, and what is doubtful is no success"
    told = " ".join(each["message"] for each in done.json["diagnostics"])
    assert "b.example.com shows" in told and "configuration changed after the server loaded it" in told, done
    assert second.cert_path.read_bytes() == before
    one.nginx.wait_served(own.thumbprint, one.port, "b.example.com")


def test_a_site_that_was_linked_and_is_not_loaded_yet_keeps_its_own(place, authority):
    """As Debian enables sites: the link is new, what it leads to is old."""
    place.configure(verify=3)
    old, new = authority.pair(["a.example.com", "*.example.com"])
    first = make_site(place, old, "a.example.com")
    second = make_site(place, authority.issue("b.example.com", days=80), "b.example.com", port=first.port)
    nginx = place.nginx()
    for directory in ("sites-available", "sites-enabled"):
        (nginx.prefix / directory).mkdir(parents=True)
    available = nginx.prefix / "sites-available/b.conf"
    available.write_text(second.block())
    nginx.write(first.block() + f"include {nginx.prefix}/sites-enabled/*;\n").start()
    nginx.reload()
    own = authority.issue("b.example.com", days=70)
    own.write(second.cert_path.parent)
    (nginx.prefix / "sites-enabled/b.conf").symlink_to(available)
    assert handshake(first.port, "b.example.com") == old.thumbprint
    new_cert, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, new_cert, "--json", "--service", nginx.service)
    assert len(bindings_of(done, REFUSED)) == 1
    assert second.cert_path.read_text() == own.fullchain_pem
    nginx.wait_served(own.thumbprint, first.port, "b.example.com")


def test_where_it_cannot_be_told_nothing_is_said_to_be_done(place, authority):
    place.configure(verify=3)
    one = Overwritten(place, authority)
    one.nginx.write(one.site.block() + "# the administrator was here\n")
    done = one.run("rebind", one.old.thumbprint, one.new_cert)
    assert done.code == REFUSED, done
    assert f"a.example.com shows {one.old.thumbprint[:16]}" in done.err and "cannot tell whether" in done.err
    one.run("rebind", one.between.thumbprint, one.new_cert)
    assert one.served() == one.new.thumbprint, "what lies there is the way out, as said"


def test_what_was_seen_there_needs_no_proof_of_the_configuration(place, authority):
    place.configure(verify=3)
    one = Overwritten(place, authority)
    one.old.write(one.site.cert_path.parent)
    assert one.rebind("--dry-run").code == 0
    one.run("rebind", one.old.thumbprint, one.old.thumbprint)  # remembers what lies there
    one.between.write(one.site.cert_path.parent)
    one.nginx.write(one.site.block() + "# the administrator was here\n")
    assert len(bindings_of(one.rebind())) == 1 and one.served() == one.new.thumbprint


def test_another_certificate_of_a_directory_is_not_taken_for_it(place, authority):
    """HAProxy has its names from what lies there: under a new one, the default answers."""
    old, new = authority.pair(["a.example.com", "*.example.com"])
    haproxy = place.haproxy()
    port = free_port()
    default = old.write_combined(place / "default.pem")
    directory = place / "crt"
    theirs = authority.issue("c.example.com")
    theirs.write_combined(directory / "c.pem")
    haproxy.write(frontend(port, f"crt {default} crt {directory}")).start()
    another = authority.issue("d.example.com", days=70)
    another.write_combined(directory / "c.pem")
    assert handshake(port, "d.example.com") == old.thumbprint
    new_cert, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, new_cert, "--json", "--service", haproxy.service)
    assert len(bindings_of(done, REFUSED)) == 1
    assert "the site has only the names of the certificate on disk" in str(done.json["diagnostics"]), done
    assert another.leaf_pem in (directory / "c.pem").read_text()
