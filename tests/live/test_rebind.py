"""The main job on real nginx: what served OLD serves NEW, and nothing is lost on the way."""
import pytest

from harness import difference, handshake, site, snapshot


def test_one_site(one):
    workers = one.nginx.worker_pids()
    done = one.run("rebind", one.old.thumbprint, one.new_cert)
    assert done.code == 0, done
    assert "committed" in done.out
    assert one.served() == one.new.thumbprint
    assert one.site.cert_path.read_text() == one.new.fullchain_pem
    assert one.site.key_path.read_text() == one.new.key_pem
    assert one.nginx.reloads() == 1
    assert not one.nginx.worker_pids() & workers


def test_a_dry_run_changes_nothing(one):
    before = snapshot(one.place.path)
    workers = one.nginx.worker_pids()
    for command in (["plan"], ["rebind", "--dry-run"]):
        done = one.run(*command, one.old.thumbprint, one.new_cert)
        assert done.code == 0, done
    assert difference(before, snapshot(one.place.path)) == []
    assert one.served() == one.old.thumbprint
    assert one.nginx.worker_pids() == workers


@pytest.mark.parametrize("count", [3, 200])
def test_many_sites_with_certificates_of_their_own(place, authority, count):
    nginx = place.nginx()
    names = [f"s{i}.example.com" for i in range(count)]
    pairs = {name: authority.pair(name) for name in names}
    sites = [site(place, pairs[names[0]][0], names[0])]
    sites += [site(place, pairs[name][0], name, port=sites[0].port) for name in names[1:]]
    nginx.write("".join(s.block() for s in sites)).start()
    chosen = names[1:count:2]
    arguments = []
    for name in chosen:
        path, _ = pairs[name][1].write(place / "new" / name)
        arguments += [pairs[name][0].thumbprint, path]
    done = place.run("rebind", *arguments, "--service", nginx.service)
    assert done.code == 0, done
    for name in names:
        expected = pairs[name][1 if name in chosen else 0].thumbprint
        assert handshake(sites[0].port, name) == expected, name
    assert nginx.reloads() == 1, "a batch is one reload"
