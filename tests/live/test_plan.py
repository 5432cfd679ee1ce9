"""`plan` runs the server's own test of what would be loaded, changes nothing, and exits as `rebind` would."""
import socket

import pytest
from cryptography.hazmat.primitives import hashes

from files import difference, snapshot, write
from stages.every_kind import STAGES
from stages.one_site import OneSite

NAME = "a.example.com"
WITHOUT_MOUNTS = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]


def planned(stage, old, path, *more, **options):
    """The plan, after which nothing has changed."""
    before, reloads = snapshot(stage.place.path), stage.server.reloads()
    scratch = stage.place / "scratch"
    scratch.mkdir()
    done = stage.run("plan", old.thumbprint, path, *more, env={"TMPDIR": str(scratch)}, **options)
    assert not list(scratch.iterdir()), "it leaves something"
    scratch.rmdir()
    assert not difference(before, snapshot(stage.place.path)), done
    assert stage.server.reloads() == reloads and stage.served(NAME) == old.thumbprint
    return done


@pytest.mark.parametrize("way", ["--rewrite", "--repoint"])
@pytest.mark.parametrize("kind", STAGES)
def test_what_would_commit_is_0(place, authority, kind, way):
    old, new = authority.pair(NAME)
    stage = STAGES[kind](place, (NAME, [old]))
    path, _ = stage.put(place / "new", new)
    done = planned(stage, old, path, way)
    assert done.code == 0, done
    assert f"test of {stage.server.service}: passes" in done.out
    assert stage.run("rebind", old.thumbprint, path, way).code == 0


@pytest.mark.parametrize("kind", STAGES)
def test_what_would_be_rolled_back_is_3(place, authority, kind):
    """A signature by SHA-1: preflight has nothing against it, the servers have. Only a test that sees the new files can
    tell, because those on disk are good."""
    old, new = authority.issue(NAME, days=60), authority.issue(NAME, digest=hashes.SHA1())
    place.configure(verify=3)
    stage = STAGES[kind](place, (NAME, [old]))
    path, _ = stage.put(place / "new", new)
    done = planned(stage, old, path, "--rewrite")
    assert done.code == stage.run("rebind", old.thumbprint, path, "--rewrite").code == 3, done
    assert "would roll back" in done.out


@pytest.mark.parametrize("kind", STAGES)
def test_a_configuration_that_is_broken_already_is_1(place, authority, kind):
    old, new = authority.pair(NAME)
    stage = STAGES[kind](place, (NAME, [old]))
    path, _ = stage.put(place / "new", new)
    conf = stage.server.conf
    write(conf, conf.read_text() + "\nnonsense of this test\n")
    done = planned(stage, old, path, "--rewrite")
    assert done.code == stage.run("rebind", old.thumbprint, path, "--rewrite").code == 1, done


def test_a_reload_tests_what_is_on_disk(place, authority):
    one = OneSite(place, authority)
    one.new.write(one.site.cert_path.parent)
    done = one.run("plan", NAME)
    assert done.code == 0 and "passes" in done.out, done
    write(one.nginx.conf, one.nginx.conf.read_text().replace("http {", "http {\nnonsense;\n", 1))
    done = one.run("plan", one.old.thumbprint, one.site.cert_path)
    assert done.code == 1, done


def test_where_it_cannot_be_tested_it_says_so(place, authority):
    one = OneSite(place, authority)
    done = one.run("plan", one.old.thumbprint, one.new_cert, "--rewrite", before=WITHOUT_MOUNTS)
    assert done.code == 0, done
    assert "not tested" in done.out and "rebind tests the new files after the swap" in done.out


def test_json_has_the_tests(place, authority):
    one = OneSite(place, authority)
    done = one.run("plan", one.old.thumbprint, one.new_cert, "--json")
    assert [(test["service"], test["outcome"]) for test in done.json["tests"]] == [(one.nginx.service, "passes")]


def test_the_new_key_is_seen_by_the_test_alone(place, authority):
    """While the server's test waits, half way through the new files, everybody else finds the old ones."""
    one = OneSite(place, authority)
    gate = place.gate()
    write(one.nginx.conf, one.nginx.conf.read_text().replace("http {", "http {\n" + gate.directive, 1))
    before = snapshot(place.path)
    running = place.popen("plan", one.old.thumbprint, one.new_cert, "--rewrite", "--service", one.nginx.service)
    gate.wait_for_load()
    assert not difference(before, snapshot(place.path))
    assert one.site.key_path.read_text() == one.old.key_pem
    gate.let_pass()
    assert running.wait(60) == 0


def test_an_address_that_another_program_holds_is_1(place, authority):
    """The configuration names it by now; the server's own test does not notice."""
    old, new = authority.pair(NAME)
    stage = STAGES["haproxy"](place, (NAME, [old]))
    path, _ = stage.put(place / "new", new)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        write(stage.server.conf, stage.listening_too(stage.server.conf.read_text(), other.getsockname()[1]))
        done = planned(stage, old, path, "--rewrite")
        assert done.code == stage.run("rebind", old.thumbprint, path, "--rewrite").code == 1, done
