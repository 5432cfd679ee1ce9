"""Certificates that are named and never shown: of two of one key type the last is, and a site whose names an earlier one
has is never chosen. They are no bindings: said once as a note, and in nobody's way."""
import re

import pytest

from command import of_service
from files import snapshot, write
from handshakes import handshake
from ports import free_port

OK, WARNING, REFUSED = 0, 1, 1
NAME = "a.example.com"


class Shadow:
    """A server of `kind` whose site names `hidden` and then `winner`; `shape` says how."""

    def __init__(self, place, kind, shape, pairs):
        self.place, self.kind = place, kind
        self.port = free_port()
        self.paths = {name: pair.write(place / f"certs/{name}") for name, pair in pairs.items()}
        lines = {name: self.directives(name) for name in pairs}
        self.server = place.nginx() if kind == "nginx" else place.apache()
        outer = inner = ""
        if shape == "outer":
            outer, *rest = lines.values()
            inner = "".join(rest)
        elif shape == "include":
            first, *rest = lines.items()
            write(self.server.prefix / "conf.d/snippet.inc", first[1])
            include = "include conf.d/snippet.inc;\n" if kind == "nginx" else f"Include {self.server.prefix}/conf.d/snippet.inc\n"
            inner = include + "".join(text for _, text in rest)
        else:
            inner = "".join(lines.values())
        self.write(outer, inner)
        self.server.start()

    def directives(self, name):
        cert, key = self.paths[name]
        if self.kind == "nginx":
            return f"ssl_certificate {cert};\nssl_certificate_key {key};\n"
        return f"SSLCertificateFile {cert}\nSSLCertificateKeyFile {key}\n"

    def write(self, outer, inner):
        if self.kind == "nginx":
            self.server.write(f"{outer}server {{ listen 127.0.0.1:{self.port} ssl; server_name {NAME};\n{inner}}}\n")
        else:
            self.server.write(f"{outer}<VirtualHost *:{self.port}>\nServerName {NAME}\nSSLEngine on\n{inner}</VirtualHost>\n",
                              ports=[self.port])

    def run(self, *arguments, **options):
        return self.place.run(*of_service(arguments, self.server.service), **options)

    def shows(self, key_type=None):
        return handshake(self.port, NAME, key_type=key_type)

    def bound(self):
        done = self.run("check", "--json")
        return done, [each["certificate_path"] for each in done.json["bindings"]]


def both(shapes):
    return pytest.mark.parametrize("kind, shape", [(kind, shape) for kind in ("nginx", "apache") for shape in shapes])


def two(place, authority, kind, shape, **hidden):
    pairs = {"hidden": authority.issue(NAME, **{"days": 40, "key": "rsa2048", **hidden}),
             "winner": authority.issue(NAME, days=30, key="rsa2048")}
    return Shadow(place, kind, shape, pairs), pairs


@both(["twice", "include"])
@pytest.mark.parametrize("keys", [("rsa2048", "rsa2048"), ("rsa2048", "rsa3072"), ("ec", "ec384"), ("ec384", "ec")])
def test_it_is_a_note(place, authority, kind, shape, keys):
    """The type counts, not the length or the curve."""
    pairs = {name: authority.issue(NAME, days=40, key=key) for name, key in zip(("hidden", "winner"), keys)}
    shadow = Shadow(place, kind, shape, pairs)
    assert shadow.shows() == pairs["winner"].thumbprint
    done, bound = shadow.bound()
    assert done.code == OK and bound == [str(shadow.paths["winner"][0])], done
    notes = [each for each in done.json["diagnostics"] if str(shadow.paths["hidden"][0]) in each["message"]]
    assert [each["severity"] for each in notes] == ["note"], done
    assert str(shadow.paths["winner"][0]) in notes[0]["message"]
    done = shadow.run("check")
    assert "next:" not in done.all and "restore" not in done.all, done
    done = shadow.run("rebind", "--pending")
    assert done.code == OK and "nothing differs" in done.all and shadow.server.reloads() == 0, done


@both(["twice", "include", "outer"])
@pytest.mark.parametrize("how", ["in place", "both in place", "rewrite", "repoint"])
def test_the_winner_is_renewed(place, authority, kind, shape, how):
    shadow, pairs = two(place, authority, kind, shape)
    new = authority.issue(NAME, days=90, key="rsa2048")
    if "in place" in how:
        assert shadow.run("rebind", "--pending").code == OK
        if how == "both in place":
            authority.issue(NAME, days=91, key="rsa2048").write(shadow.paths["hidden"][0].parent)
    hidden = shadow.paths["hidden"][0].read_text()
    if "in place" in how:
        new.write(shadow.paths["winner"][0].parent)
        done = shadow.run("rebind", "--pending")
    else:
        path, _ = new.write(place / "new")
        done = shadow.run("rebind", pairs["winner"].thumbprint, path, f"--{how}")
    assert done.code == OK and "committed" in done.all and "proof is owed" not in done.all, done
    assert shadow.shows() == new.thumbprint and shadow.paths["hidden"][0].read_text() == hidden
    assert shadow.bound()[0].code == OK


@both(["twice"])
def test_the_hidden_one_is_renewed(place, authority, kind, shape):
    """Nothing that anybody sees has changed."""
    shadow, pairs = two(place, authority, kind, shape)
    assert shadow.run("rebind", "--pending").code == OK
    authority.issue(NAME, days=90, key="rsa2048").write(shadow.paths["hidden"][0].parent)
    done, _ = shadow.bound()
    assert done.code == OK, done
    done = shadow.run("rebind", "--pending")
    assert done.code == OK and "nothing differs" in done.all and shadow.server.reloads() == 0, done
    path, _ = authority.issue(NAME, days=95, key="rsa2048").write(place / "new")
    done = shadow.run("rebind", pairs["hidden"].thumbprint, path)
    assert done.code == OK and "nothing to do" in done.all and "is shadowed at" in done.all, done
    assert shadow.shows() == pairs["winner"].thumbprint and shadow.server.reloads() == 0


@both(["twice", "include"])
@pytest.mark.parametrize("how", ["expired", "other names"])
def test_a_hidden_one_that_is_bad_is_in_nobodys_way(place, authority, kind, shape, how):
    from datetime import timedelta

    from pki import utc_now
    now = utc_now()
    bad = ({"not_before": now - timedelta(days=90), "not_after": now - timedelta(days=1)} if how == "expired" else {})
    pairs = {"hidden": authority.issue(NAME if how == "expired" else "x.example.com", key="rsa2048", **bad),
             "winner": authority.issue(NAME, days=30, key="rsa2048")}
    shadow = Shadow(place, kind, shape, pairs)
    done, _ = shadow.bound()
    assert done.code == OK, done
    path, _ = authority.issue(NAME, days=90, key="rsa2048").write(place / "new")
    done = shadow.run("rebind", pairs["winner"].thumbprint, path)
    assert done.code == OK and "committed" in done.all, done


@both(["twice"])
def test_a_hidden_key_must_match_all_the_same(place, authority, kind, shape):
    """The server loads it: nginx would refuse the reload, Apache would end."""
    shadow, pairs = two(place, authority, kind, shape)
    write(shadow.paths["hidden"][1], authority.issue(NAME, key="rsa2048").key_pem, 0o600)
    done = shadow.run("check")
    assert done.code == 2 and str(shadow.paths["hidden"][1]) in done.out, done
    path, _ = authority.issue(NAME, days=90, key="rsa2048").write(place / "new")
    before = snapshot(place.path / "certs")
    done = shadow.run("rebind", pairs["winner"].thumbprint, path)
    assert done.code == REFUSED, done
    assert snapshot(place.path / "certs") == before and shadow.shows() == pairs["winner"].thumbprint
    assert shadow.server.is_running()


@both(["twice"])
def test_of_three_with_two_key_types_two_are_bindings(place, authority, kind, shape):
    pairs = {"hidden": authority.issue(NAME, days=40, key="rsa2048"), "ec": authority.issue(NAME, days=30),
             "winner": authority.issue(NAME, days=30, key="rsa2048")}
    shadow = Shadow(place, kind, shape, pairs)
    done, bound = shadow.bound()
    assert done.code == OK and bound == [str(shadow.paths[name][0]) for name in ("ec", "winner")], done
    for name, key in (("winner", "rsa2048"), ("ec", "ec")):
        new = authority.issue(NAME, days=90, key=key)
        path, _ = new.write(place / f"new-{name}")
        done = shadow.run("rebind", pairs[name].thumbprint, path)
        assert done.code == OK and "committed" in done.all, done
        assert shadow.shows({"rsa2048": "rsa", "ec": "ec"}[key]) == new.thumbprint


@both(["twice"])
@pytest.mark.parametrize("how", ["--rewrite", "--repoint"])
def test_another_key_type_would_uncover_it(place, authority, kind, shape, how):
    shadow, pairs = two(place, authority, kind, shape)
    path, _ = authority.issue(NAME, days=90).write(place / "new")
    done = shadow.run("rebind", pairs["winner"].thumbprint, path, how)
    assert done.code == REFUSED and "would show" in done.out and "again" in done.out, done
    assert shadow.shows() == pairs["winner"].thumbprint


@both(["twice"])
@pytest.mark.parametrize("how", ["advice", "old and new"])
def test_a_line_that_was_added_and_not_loaded(place, authority, kind, shape, how):
    """The server still shows the first: automation does not load what a person edited, a person's command does."""
    first, second = (authority.issue(NAME, days=days, key="rsa2048") for days in (30, 40))
    shadow = Shadow(place, kind, shape, {"first": first})
    second.write(place / "certs/second")
    shadow.paths["second"] = (place / "certs/second/fullchain.pem", place / "certs/second/privkey.pem")
    shadow.write("", shadow.directives("first") + shadow.directives("second"))
    done = shadow.run("check")
    assert done.code == WARNING and "has not loaded" in done.out and "restore" not in done.out, done
    told = shadow.run("rebind", "--pending")
    assert "needs a person" in told.all and "has not loaded it yet" in told.all, told
    assert shadow.shows() == first.thumbprint and shadow.server.reloads() == 0
    command = re.search("certrebind (rebind .*)", done.out)[1].split()
    done = shadow.run(*(command if how == "advice" else ["rebind", first.thumbprint, shadow.paths["second"][0]]))
    assert done.code == OK and shadow.shows() == second.thumbprint, done
    assert shadow.run("check").code == OK


def site(kind, port, name, paths):
    cert, key = paths
    if kind == "nginx":
        return (f"server {{ listen 127.0.0.1:{port} ssl; server_name {name} www.{name};\n"
                f"ssl_certificate {cert};\nssl_certificate_key {key}; }}\n")
    return (f"<VirtualHost *:{port}>\nServerName {name}\nServerAlias www.{name}\nSSLEngine on\n"
            f"SSLCertificateFile {cert}\nSSLCertificateKeyFile {key}\n</VirtualHost>\n")


def start_sites(place, kind, port, text):
    server = place.nginx() if kind == "nginx" else place.apache()
    if kind == "nginx":
        server.write(text)
    else:
        server.write(text, ports=[port])
    return server.start() or server


@pytest.mark.parametrize("kind", ["nginx", "apache"])
def test_a_site_that_an_earlier_one_hides(place, authority, kind):
    """A copy of a site's file that is included first (site.bak): its own certificate was renewed in a store, where the
    hidden site has it already."""
    names = [NAME, f"www.{NAME}"]
    old, new = authority.pair(names)
    port = free_port()
    place.configure(stores=[("lego", place / "lego")])
    copy = old.write(place / "certs")
    live = new.write(place / "lego/certificates", f"{NAME}.crt", f"{NAME}.key")
    server = start_sites(place, kind, port, site(kind, port, NAME, copy) + site(kind, port, NAME, live))
    assert handshake(port, NAME) == old.thumbprint
    done = place.run("check", "--json", "--service", server.service)
    assert [each["certificate_path"] for each in done.json["bindings"]] == [str(copy[0])], done
    assert any(each["severity"] == "note" and str(live[0]) in each["message"] for each in done.json["diagnostics"]), done
    done = place.run("rebind", "--pending", "--service", server.service)
    assert done.code == OK and "committed" in done.all, done
    assert handshake(port, NAME) == handshake(port, f"www.{NAME}") == new.thumbprint


@pytest.mark.parametrize("kind", ["nginx", "apache"])
def test_a_site_that_is_hidden_since_the_last_edit_only(place, authority, kind):
    """Its certificate is still shown, and the one that would hide it is an old copy."""
    names = [NAME, f"www.{NAME}"]
    old, new = authority.pair(names)
    port = free_port()
    live = new.write(place / "live")
    server = start_sites(place, kind, port, site(kind, port, NAME, live))
    assert place.run("rebind", "--pending", "--service", server.service).code == OK
    text = server.conf.read_text()
    own = site(kind, port, NAME, live)
    server.conf.write_text(text.replace(own, site(kind, port, NAME, old.write(place / "certs")) + own))
    place.run("rebind", "--pending", "--service", server.service)
    assert handshake(port, NAME) == new.thumbprint and server.reloads() == 0


@pytest.mark.parametrize("kind", ["nginx", "apache"])
def test_a_site_of_which_one_name_is_left_is_none(place, authority, kind):
    names = [NAME, f"www.{NAME}", "b.example.com", "www.b.example.com"]
    first, second = authority.issue(names), authority.issue(names)
    port = free_port()
    own = site(kind, port, NAME, second.write(place / "second")).replace(f" www.{NAME}", " b.example.com").replace(
        f"ServerAlias www.{NAME}", "ServerAlias b.example.com")
    server = start_sites(place, kind, port, site(kind, port, NAME, first.write(place / "first")) + own)
    assert handshake(port, "b.example.com") == second.thumbprint
    done = place.run("check", "--json", "--service", server.service)
    assert len(done.json["bindings"]) == 2, done
