"""What `check` finds is what `rebind --pending` and `status` say, and their exit codes."""
import datetime
import os

import pytest

from files import write
from handshakes import handshake
from pki import utc_now
from stages.one_site import OneSite, make_site


def agree(one, says):
    assert one.run("check").code == 2
    done = one.run("rebind", "--pending")
    assert done.code == 1 and says in done.out and "nothing differs" not in done.out, done
    assert one.run("rebind", "--pending", "--dry-run").code == 1
    status = one.run("status")
    assert status.code == 1 and "nothing needs a person" not in status.out and says in status.out, status


def is_over(one):
    assert one.run("rebind", "--pending").code == 0
    assert "nothing needs a person" in one.run("status").out


@pytest.mark.parametrize("kind", ["key", "gone", "dangling", "expired", "unreachable", "leftover"])
def test_they_say_the_same(place, authority, kind):
    place.configure(verify=3)
    one = OneSite(place, authority)
    cert, key = one.site.cert_path, one.site.key_path
    if kind == "key":
        write(key, one.new.key_pem, 0o600)
        says = "key mismatched on disk"
    elif kind == "gone":
        cert.unlink()
        says = "no certificate"
    elif kind == "dangling":
        cert.unlink()
        cert.symlink_to("nowhere.pem")
        says = "no certificate"
    elif kind == "expired":
        now = utc_now()
        expired = authority.issue(one.name, not_before=now - datetime.timedelta(days=9),
                                  not_after=now - datetime.timedelta(days=1))
        expired.write(cert.parent)
        one.nginx.reload()
        one.nginx.wait_served(expired.thumbprint, one.port, one.name)
        says = "expired"
    elif kind == "unreachable":
        one.nginx.write(one.site.block(extra="    ssl_reject_handshake on;\n"))
        one.nginx.reload()
        one.nginx.write(one.site.block())
        says = "unreachable"
    else:
        pivot = cert.parent / ".certrebind-9-abc-0/now"
        pivot.mkdir(parents=True)
        cert.rename(pivot / "0")
        cert.symlink_to(".certrebind-9-abc-0/now/0")
        says = "left over from an interrupted swap"
        done = one.run("rebind", one.old.thumbprint, one.new_cert)
        assert done.code == 1 and "left by an interrupted swap" in done.out, done
    agree(one, says)
    if os.path.islink(cert):
        cert.unlink()
    one.old.write(cert.parent)
    one.nginx.reload()
    one.nginx.wait_served(one.old.thumbprint, one.port, one.name)
    is_over(one)


def test_a_refusal_is_no_success(place, authority):
    one = OneSite(place, authority)
    authority.issue("b.example.com").write(one.site.cert_path.parent)
    done = one.run("rebind", "--pending")
    assert done.code == 1 and "refused" in done.out, done
    assert handshake(one.port, one.name) == one.old.thumbprint


def test_a_variable_path_is_judged_by_what_is_served(place, authority):
    now = utc_now()
    expired = authority.issue("a.example.com", not_before=now - datetime.timedelta(days=9),
                              not_after=now - datetime.timedelta(days=1))
    site = make_site(place, expired, "a.example.com")
    site.cert_path = f"{site.cert_path.parent.parent}/$ssl_server_name/fullchain.pem"
    site.key_path = f"{site.key_path.parent.parent}/$ssl_server_name/privkey.pem"
    nginx = place.nginx()
    nginx.write(site.block()).start()
    said = place.run("check", "--service", nginx.service)
    assert said.code == 2 and "expired" in said.out, said


def test_a_large_pem_is_read_like_any_other(place, authority):
    one = OneSite(place, authority)
    write(one.site.cert_path, one.old.fullchain_pem + "# a comment\n" * 200_000)
    one.nginx.reload()
    assert one.run("check").code == 0
