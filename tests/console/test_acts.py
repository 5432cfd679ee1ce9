"""What a person does in the page, on the real Cockpit with a real nginx and the real daemon."""
import signal

import pytest

from handshakes import handshake
from stages.daemon import Watch
from stages.one_site import OneSite, make_site
from waiting import PATIENCE, until


@pytest.fixture
def one(place, authority):
    return OneSite(place, authority)


@pytest.fixture
def watch(place, one):
    return Watch(place, one.nginx).start(one.old)


def put(one, certificate):
    """A renewal by hand: new files where the old ones lie."""
    certificate.write(one.site.cert_path.parent)


def test_enabling_is_two_clicks(place, one, page):
    page.open()
    page.sees("Renewed certificates are not rebound by themselves.")
    page.toggle("Automatic rebind of renewed certificates")
    page.sees("This runs")
    assert page.do("return await page.getByLabel('The command').inputValue()") == "certrebind enable"
    page.click("Enable")
    page.sees("1 binding is looked after from now on.")
    page.click("Close")
    page.sees("The daemon does not run")
    assert place.run("status", "--json").json["enabled"]


def test_disabling_asks_first(place, one, watch, page):
    page.open()
    page.toggle("Automatic rebind of renewed certificates")
    page.sees("waits until somebody rebinds it")
    assert place.run("status", "--json").json["enabled"]
    page.click("Disable")
    page.sees("Renewed certificates are not rebound by themselves.")
    assert not place.run("status", "--json").json["enabled"]


def test_a_renewal_outside_the_page_appears_and_is_proven(one, watch, page):
    page.open()
    page.sees("The one binding serves what it should.")
    put(one, one.new)
    one.nginx.wait_served(one.new.thumbprint, one.port, one.name)
    page.sees("committed")
    page.click("rebind of nginx", "link", exact=False)
    page.sees("show the new certificate")
    page.shot("transaction")
    page.open("events", "id=2002")
    page.sees("2002 committed")
    page.sees(one.new.thumbprint[:16])


def test_events_arrive_while_one_looks(one, watch, page):
    page.open("events")
    page.sees("2010 daemon started")
    put(one, one.new)
    page.sees("2002 committed")
    page.choose("Event", "1001 replaced")
    page.misses("2010 daemon started")
    page.sees("1001 replaced")


def test_an_import_says_that_the_daemon_does_the_rest(place, authority, page):
    old, new = authority.pair("a.example.com")
    cert, key = old.write(place / "old")
    assert place.run("import", cert, "--key", key).code == 0
    site = make_site(place, old, "a.example.com")
    site.cert_path, site.key_path = (place / "certificates/a.example.com/current" / name for name in ("fullchain.pem", "privkey.pem"))
    nginx = place.nginx()
    nginx.write(site.block()).start()
    Watch(place, nginx).start(old)
    (place / "new.pem").write_text(new.fullchain_pem + new.key_pem)
    page.open("certificates")
    page.act("Import…")
    page.upload("Certificate", place / "new.pem")
    page.click("Import")
    page.sees("The daemon rebinds it by itself.")
    nginx.wait_served(new.thumbprint, site.port, "a.example.com")
    page.click("Look at the rebinds", "link")
    page.sees("committed")


def test_a_renewal_that_fails_is_shown_as_rolled_back_with_its_reason(place, one, page):
    store = place / "store"
    store.mkdir()
    watch = Watch(place, one.nginx, stores=[("directory", store)]).start(one.old)
    page.open()
    page.sees("The one binding serves what it should.")
    one.nginx.send(signal.SIGSTOP)  # the master hears of no reload
    place.at_end(lambda: one.nginx.send(signal.SIGCONT))
    one.new.write(store, "a.pem", "a.key")
    until(lambda: watch.count(2003), "it is rolled back", seconds=2 * PATIENCE)
    page.sees("rolled back")
    page.click("rebind of nginx", "link", exact=False)
    page.sees("do not serve the new certificate")
    assert one.served() == one.old.thumbprint


def test_rebind_by_hand_with_plan_and_undo(one, page):
    page.open("rebind")
    page.choose("Old: every site that serves it", one.old.thumbprint[:16])
    page.fill("… or a file on this machine", str(one.new_cert))
    page.click("Plan")
    page.sees("prove it: handshakes until 2 endpoints and names show the new certificate")
    page.shot("plan")
    assert one.served() == one.old.thumbprint
    page.click("Rebind 1 binding")
    page.sees("The rebind is over")
    page.sees("2 endpoints and names show the new certificate")
    page.sees("Proven")
    page.shot("rebind")
    assert one.served() == one.new.thumbprint
    page.click("Look at it", "link")
    page.click("Undo…")
    page.click("Undo")
    page.sees("committed")
    until(lambda: one.served() == one.old.thumbprint, "the old one is served again")


def test_what_preflight_refuses_is_read_before_anything_is_touched(place, authority, page):
    one = OneSite(place, authority, old=authority.issue("a.example.com", days=60), new=authority.issue("b.example.com", days=90))
    page.open("rebind", f"old={one.old.thumbprint}")
    page.fill("… or a file on this machine", str(one.new_cert))
    page.click("Plan")
    page.sees("a.example.com")
    page.sees("refuse", patience=20)
    assert page.do("return await page.getByRole('button', {name: /^Rebind/}).count()") == 0


def test_a_rebind_goes_on_when_the_browser_closes(place, authority, browser, page):
    gate = place.gate()
    gate.open()
    old, new = authority.pair("a.example.com")
    one = OneSite(place, authority, old=old, new=new)
    place.at_end(gate.open)  # before nginx is told to end
    one.nginx.write(gate.directive + one.site.block())
    one.nginx.send(signal.SIGHUP)
    until(lambda: one.nginx.reloads() == 1, "nginx has the gate")
    page.open("rebind", f"old={old.thumbprint}")
    page.fill("… or a file on this machine", str(one.new_cert))
    page.click("Plan")
    page.sees("Rebind 1 binding")
    gate.close()
    page.click("Rebind 1 binding")
    gate.wait_for_load()
    page.do("await page.goto('about:blank')")
    gate.open()
    until(lambda: handshake(one.port, one.name) == new.thumbprint, "the new one is served")
    until(lambda: place.run("history", "--json").json["transactions"][0]["outcome"] == "committed", "the rebind is over")


def test_explain_tells_why_a_binding_serves_what_it_does(one, page):
    page.open("bindings")
    page.click("Explain a.example.com", "radio")
    page.sees("Why a.example.com serves this certificate")
    page.sees(one.old.thumbprint)
    page.shot("bindings")


def test_the_three_truths_side_by_side(one, page):
    put(one, one.new)
    page.open("bindings")
    page.sees(one.new.thumbprint[:16])
    page.sees(one.old.thumbprint[:16])
    page.sees("is on disk")
    page.open()
    page.sees("1 site serves a certificate that was renewed on")


def test_tasks_are_added_run_edited_and_removed(place, one, page):
    page.open("tasks")
    page.click("Add a task…")
    page.fill("Name", "tell")
    page.fill("Program and arguments, one a line", "/bin/echo\nit's done")
    page.click("Add")
    page.sees("2002 committed")
    page.click("Run tell")
    page.click("Run")
    page.sees("It ended with exit status 0.")
    page.sees("it's done")
    page.click("Close")
    page.click("Edit tell")
    page.fill("Description", "tells it")
    page.click("Save")
    page.sees("tells it")
    shown = place.run("task", "show", "tell", "--json").json
    assert shown["command"] == ["/bin/echo", "it's done"] and shown["events"] == [2002]
    page.click("Runs of tell")
    page.do("await page.getByRole('button', {name: /^Output of run/}).first().click()")
    page.sees("it's done")
    page.shot("tasks")
    page.click("Remove tell")
    page.click("Remove")
    page.sees("There is no task.")


def test_what_nobody_edited_stays(place, one, page):
    """A disabled task stays disabled; what the form cannot show is not edited there."""
    add = ("task", "add", "--event", "2002", "--env", "A=one two", "--disabled")
    assert place.run(*add, "plain", "--", "/bin/echo", "a b").code == 0
    assert place.run(*add, "odd", "--", "/bin/echo", "one\ntwo", "", "last").code == 0
    before = place.run("task", "show", "odd", "--json").json
    page.open("tasks")
    page.click("Edit plain")
    page.fill("Description", "said")
    page.click("Save")
    page.sees("said")
    shown = place.run("task", "show", "plain", "--json").json
    assert not shown["enabled"] and shown["command"] == ["/bin/echo", "a b"] and shown["environment"] == {"A": "one two"}
    page.click("Edit odd")
    page.sees("Edit it in a terminal")
    assert place.run("task", "show", "odd", "--json").json == before


def test_an_address_chooses_only_what_the_form_shows(one, page):
    page.open("rebind", f"old={one.old.thumbprint}&new=/etc/shadow")
    page.sees("Old: every site that serves it")
    assert page.do("return await page.getByRole('button', {name: 'Plan'}).isDisabled()")


def test_what_check_finds_needs_you_with_its_next_step(one, page):
    put(one, one.new)
    page.open()
    page.sees(f"Next: certrebind rebind {one.old.thumbprint[:16]} {one.new.thumbprint[:16]}")
