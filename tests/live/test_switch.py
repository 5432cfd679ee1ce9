"""A succession that a person declares: the daemon's task does the rest."""
import shutil

from daemons import fenced, running_daemon
from stages.one_site import OneSite
from waiting import until


def events(place):
    return [event["id"] for event in place.run("events", "--json").lines]


def test_what_is_declared_is_rebound(place, authority):
    one = OneSite(place, authority)
    fenced(place, one.nginx)
    running_daemon(place)
    done = place.run("switch", one.old.thumbprint, one.new_cert, "--service", one.nginx.service)
    assert done.code == 0 and "declared" in done.out
    until(lambda: one.served() == one.new.thumbprint, "the new certificate is served")
    assert one.nginx.reloads() == 1


def test_notify_only_tells_the_tasks_and_changes_nothing(place, authority):
    one = OneSite(place, authority)
    fenced(place, one.nginx)
    witness = place / "witness"
    assert place.run("task", "add", "tell", "--event", "1001", "--", shutil.which("sh"), "-c",
                     f"echo $CERTREBIND_NEW > {witness}").code == 0
    running_daemon(place)
    done = place.run("switch", one.old.thumbprint, one.new_cert, "--notify-only", "--service",
                     one.nginx.service)
    assert done.code == 0
    until(lambda: witness.exists() and witness.read_text().strip() == one.new.thumbprint,
          "the task was told")
    until(lambda: events(place).count(2014) >= 2, "the rebind task looked, too")
    assert one.served() == one.old.thumbprint and one.nginx.reloads() == 0


def test_without_a_daemon_it_says_what_to_do(place, authority):
    one = OneSite(place, authority)
    done = one.run("switch", one.old.thumbprint, one.new_cert)
    assert done.code == 0 and "rebind --pending" in done.out
    assert one.run("rebind", "--pending").code == 0
    assert one.served() == one.new.thumbprint


def test_what_was_undone_is_not_made_again(place, authority):
    one = OneSite(place, authority)
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
    assert one.run("undo").code == 0
    assert one.served() == one.old.thumbprint
    done = one.run("rebind", "--pending")
    assert done.code == 0 and "nothing differs" in done.out
    assert one.served() == one.old.thumbprint


def with_broken_configuration(one):
    text = one.nginx.conf.read_text()
    one.nginx.conf.write_text(text + "bogus_directive on;\n")
    return text


def test_what_the_server_refused_is_no_standing_order(place, authority):
    one = OneSite(place, authority)
    whole = with_broken_configuration(one)
    refused = one.run("rebind", one.old.thumbprint, one.new_cert)
    assert refused.code == 1 and "already fails without the new certificate" in refused.out
    one.nginx.conf.write_text(whole)
    done = one.run("rebind", "--pending")
    assert done.code == 0 and "nothing differs" in done.out, "nobody asked for it again"
    assert one.served() == one.old.thumbprint


def test_what_is_declared_is_logged_once_however_often_it_fails(place, authority):
    one = OneSite(place, authority)
    assert one.run("switch", one.old.thumbprint, one.new_cert).code == 0
    whole = with_broken_configuration(one)
    for _ in range(3):
        assert one.run("rebind", "--pending").code == 1
    assert events(place).count(1001) == 1, "each would start the rebind task again"
    one.nginx.conf.write_text(whole)
    assert one.run("rebind", "--pending").code == 0
    assert one.served() == one.new.thumbprint


def test_what_is_refused_is_not_declared(place, authority):
    one = OneSite(place, authority)
    other = authority.issue("other.example.com").write(place / "other")[0]
    done = one.run("switch", one.old.thumbprint, other)
    assert done.code == 1 and "not declared" in done.out and "a.example.com" in done.out, done
    assert events(place).count(1001) == 0
    done = one.run("switch", other, one.new_cert)
    assert done.code == 0 and "no named server uses" in done.out and "declared" not in done.out, done
