"""How the page looks: narrow and wide, dark and light, for the keyboard and for people who do not see; and with names that mean harm."""
import pytest

from cockpit import Cockpit
from page import Page
from recording import build, checked, host, play, stored
from stages.daemon import Watch
from stages.one_site import OneSite

VIEWS = ("overview", "certificates", "bindings", "rebind", "events", "tasks")
HEADINGS = {"overview": "What needs you", "certificates": "Certificate Hash", "bindings": "Difference", "rebind": "History",
            "events": "2010 daemon started", "tasks": "Last run"}
NARROW = {"certificates": "a.example.com", "bindings": "a.example.com", "tasks": "rebind"}  # the heads of tables are not shown there


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    return build(tmp_path_factory.mktemp("recorded") / "page")


@pytest.fixture
def replay(place, browser, recorded):
    """Shows the page on a recorded host."""
    pages = []

    def show(recording, **options):
        play(recorded, recording)
        pages.append(Page(browser, Cockpit(place, page=recorded).address, **options))
        return pages[0]
    yield show
    assert [page.complaints() for page in pages] == [[] for _ in pages]


@pytest.fixture
def watched(place, authority):
    one = OneSite(place, authority)
    Watch(place, one.nginx).start(one.old)
    return one


@pytest.mark.parametrize("width", [1280, 360])
def test_every_view_is_for_everybody(watched, browser, cockpit, width):
    """axe finds nothing, light and dark, nothing is wider than the screen, and all is loaded from Cockpit itself."""
    page = Page(browser, cockpit.address, viewport={"width": width, "height": 800})
    for view in VIEWS:
        page.open(view)
        page.sees(HEADINGS[view] if width > 700 else NARROW.get(view, HEADINGS[view]))
        assert page.do("return await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)"), view
        for look in ("light", "dark"):
            page.do("""await page.emulateMedia({colorScheme: given});
                       await page.waitForFunction((dark) => document.documentElement.classList.contains('pf-v6-theme-dark') === dark, given === 'dark')""", look)
            page.shot(f"{view}-{look}-{width}")
            violations = page.violations()
            assert violations == [], (view, look, violations)
    asked = page.do("return context.asked.filter((address) => !address.startsWith('about:') && !address.startsWith('blob:'))")
    assert asked and not [address for address in asked if not address.startswith(f"http://127.0.0.1:{cockpit.port}/")]
    assert page.complaints() == []


def test_the_dialogs_are_for_everybody(watched, page):
    for action in ("Import…", "Create Certificate Request…", "Create Self-Signed Certificate…", "Complete Certificate Request…", "Open Certificate Requests…", "View…",
                   "Export…", "Renew…", "Remove…"):
        page.open("certificates")
        page.act(action, row="a.example.com")
        page.do("await page.getByRole('dialog').waitFor()")
        assert page.violations() == [], action


def test_the_actions_are_within_reach_on_a_phone(watched, browser, cockpit):
    page = Page(browser, cockpit.address, viewport={"width": 360, "height": 800})
    page.open("certificates")
    page.sees("a.example.com")
    page.click("Actions")
    box = page.do("return await page.getByRole('menuitem', {name: 'Import…'}).boundingBox()")
    assert box["x"] >= 0 and box["x"] + box["width"] <= 360, box


def test_a_rebind_by_keyboard_alone(watched, page):
    one = watched
    press = "for (const key of given) await page.keyboard.press(key);"
    type_ = "await page.keyboard.type(given)"
    reach = """for (let at = 0; at < 60; at++) {
                 await page.keyboard.press('Tab');
                 const here = await page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent || '');
                 if (here === given) return;
               }
               throw new Error(`no way to ${given}`);"""
    page.open("rebind")
    page.sees("Old: every site that serves it")
    page.do(reach, "old")
    page.do(press, ["ArrowDown"])
    page.do(reach, "path")
    page.do(type_, str(one.new_cert))
    page.do(press, ["Enter"])
    page.sees("Rebind 1 binding")
    page.do(reach, "Rebind 1 binding")
    page.do(press, ["Enter"])
    page.sees("The rebind is over")
    assert one.served() == one.new.thumbprint


HOSTILE = ["<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "\u202egnp.exe.example.com", "a\u200b.example.com", "b\U000e0041.example.com",
           "javascript:alert(1)", "\\x1b[31mred", "\\x00.example.com", "&lt;b&gt;", "--version", "' OR 1=1 --"]


def test_names_that_mean_harm_are_shown_harmless(replay):
    event = {"schema": 1, "record": 1, "id": 1001, "event": "replaced", "level": "information", "at": "2026-11-30T00:00:00Z", "service": "",
             "old": "", "new": "", "names": HOSTILE, "message": HOSTILE[0]}
    page = replay(host(HOSTILE, events=[event]))
    page.do("page.on('dialog', (dialog) => { context.said.push('pageerror: a dialog opened'); return dialog.dismiss(); })")
    for view in ("overview", "certificates", "bindings", "events"):
        page.open(view)
        page.sees("onerror" if view != "overview" else "All 11 bindings")
        html = page.html
        assert "<img" not in html.lower() and "<script>alert" not in html
        assert "\u202e" not in page.text and "\u200b" not in page.text and "\U000e0041" not in page.text
    page.open("certificates")
    page.sees("\\u{202e}gnp.exe.example.com")
    assert page.do("return await page.evaluate(() => [...document.querySelectorAll('a')].filter((a) => a.protocol === 'javascript:').length)") == 0


def test_ten_thousand_certificates(replay):
    """All are there, few are in the document, and the last one is reached."""
    names = [f"site{number:05}.example.com" for number in range(10000)]
    groups = [stored(name, days=[-3, 0, 30, 300][at % 4]) for at, name in enumerate(names)]
    page = replay(host(names, certificates=groups, bindings=[checked(name) for name in names]))
    page.open("certificates")
    page.sees("10,000 certificates")
    count = "return await page.locator('tbody tr').count()"
    assert page.do(count) < 100
    page.do("await page.getByRole('region', {name: 'Server Certificates'}).evaluate((rows) => { rows.scrollTop = rows.scrollHeight; })")
    page.sees("site09999.example.com")
    assert page.do(count) < 100
    page.open("certificates", "group=expiry")
    page.sees("Expired (5,000)")
    page.fill("Filter", "site01234")
    page.sees("1 certificate")
    page.sees("site01234.example.com")
    page.open("overview")
    page.sees("All 10,000 bindings serve what they should.")


def test_six_days_and_a_year_in_one_picture(replay):
    names = ["six.example.com", "fortyseven.example.com", "year.example.com"]
    page = replay(host(names, certificates=[stored(name, days) for name, days in zip(names, (5, 46, 360))]))
    page.open()
    page.sees("The coming 400 days")
    page.do("await page.locator('svg.timeline').waitFor()")
    places = page.do("return await page.locator('.expiries rect').evaluateAll((bars) => bars.map((bar) => Number(bar.getAttribute('x'))).sort((a, b) => a - b))")
    assert len(places) == 3 and all(later - sooner > 100 for sooner, later in zip(places, places[1:])), places


def test_an_answer_that_the_manual_does_not_know_is_not_believed(replay):
    recording = host(["a.example.com"])
    recording["answers"]["check"]["bindings"][0]["site"] = 7
    page = replay(recording)
    page.open("bindings")
    page.sees("was not understood: check.bindings[0].site is no string")


def test_without_administrative_access_it_says_so(replay):
    refused = {"error": {"message": "certrebind status needs root", "next": "run it as root", "exit_code": 1}}
    page = replay({**host([], rights=False), "answers": {**host([])["answers"], "status": refused}})
    page.open()
    page.sees("Limited access")
    page.sees("turn on administrative access")
    page.sees("run it as root")


def test_without_the_program_it_says_how_to_install_it(place, page, cockpit):
    cockpit.program.unlink()
    page.open()
    page.sees("certrebind is not installed on this machine.")
    assert page.do("return await page.locator('input[value=\"apt install certrebind\"]').count()") == 1


def test_with_the_daemon_off_it_offers_to_start_it(place, authority, page):
    one = OneSite(place, authority)
    Watch(place, one.nginx)  # enabled, not started
    page.open()
    page.sees("The daemon does not run, so renewals are not noticed.")
    page.click("Start it")
    page.sees("This runs")


def test_an_ordinary_user_sees_what_he_may_and_acts_on_nothing(place, authority, browser):
    one = OneSite(place, authority)
    Watch(place, one.nginx)
    place.path.chmod(0o777)  # his session's own directories are in it
    for private in (place.config, place.state):
        private.chmod(0o700)
    cockpit = Cockpit(place, before=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    page = Page(browser, cockpit.address)
    page.open("tasks")
    page.sees("Limited access")
    page.click("Add a task…")
    page.fill("Name", "mine")
    page.fill("Program and arguments, one a line", "/bin/true")
    page.click("Add")
    page.sees("This needs administrative access.")
    assert "mine" not in place.run("task", "list", "--json").out
    assert page.complaints() == []
