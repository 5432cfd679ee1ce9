"""The page as a person uses it: by what it says and by the names of its buttons."""
import json
import pathlib

from browser import CONSOLE

SHOTS = pathlib.Path("/tmp/certrebind-console-shots")  # screenshots of the last run


class Page:
    def __init__(self, browser, address, **options):
        self.browser, self.address = browser, address
        browser.fresh(**options)

    def do(self, code, given=None):
        return self.browser.do(code, given)

    def open(self, view="overview", query=""):
        """The view, newly loaded."""
        self.do("await page.goto('about:blank'); await page.goto(given);", f"{self.address}#/{view}{query and '?' + query}")
        return self

    def click(self, name, role="button", exact=True):
        self.do("await page.getByRole(given.role, {name: given.name, exact: given.exact}).first().click()",
                {"role": role, "name": name, "exact": exact})

    def act(self, action, row=None):
        """An entry of Actions, for the certificate whose row has this name."""
        if row:
            self.click(row, "radio")
        self.click("Actions")
        self.click(action, "menuitem")

    def toggle(self, switch):
        """By key: what arrives meanwhile moves a switch away from under the mouse."""
        self.do("await page.getByRole('switch', {name: given}).press(' ')", switch)

    def fill(self, label, text):
        self.do("await page.getByLabel(given.label, {exact: true}).fill(given.text)", {"label": label, "text": text})

    def choose(self, label, option):
        """In a select, the first option whose text has this part."""
        self.do("""const select = page.getByLabel(given.label, {exact: true});
                   const option = select.locator('option', {hasText: given.option}).first();
                   await option.waitFor({state: 'attached'});
                   await select.selectOption(await option.getAttribute('value'));""", {"label": label, "option": option})

    def sees(self, text, patience=30):
        """Waits until the page shows this text."""
        try:
            self.do("await page.getByText(given.text).filter({visible: true}).first().waitFor({timeout: given.patience * 1000})",
                    {"text": text, "patience": patience})
        except AssertionError as failure:
            raise AssertionError(f"{text!r} is not to be seen, but:\n{self.text}\n{self.complaints()}") from failure

    def misses(self, text):
        """Waits until the page does not show this text."""
        self.do("await page.getByText(given).filter({visible: true}).first().waitFor({state: 'hidden'})", text)

    @property
    def text(self):
        return self.do("return await page.innerText('body')")

    @property
    def html(self):
        return self.do("return await page.content()")

    @property
    def url(self):
        return self.do("return page.url()")

    def upload(self, label, path):
        self.do("await page.getByLabel(given.label, {exact: true}).setInputFiles(given.path)", {"label": label, "path": str(path)})

    def settled(self):
        """Waits until no colour or place is on its way to another. What turns for ever (a spinner) is not waited for."""
        self.do("""await page.waitForFunction(() => document.getAnimations().every((each) =>
                     each.playState !== 'running' || each.effect?.getComputedTiming().endTime === Infinity))""")

    def shot(self, name):
        SHOTS.mkdir(exist_ok=True)
        self.settled()
        self.do("await page.screenshot({path: given})", str(SHOTS / f"{name}.png"))

    def memory(self):
        """All that the browser keeps of the page."""
        return json.dumps(self.do("""return await page.evaluate(() => [location.href, {...localStorage}, {...sessionStorage},
                                     document.cookie, history.state])"""))

    def violations(self):
        """What axe finds wrong with the page as it is shown, for people who cannot see or point."""
        self.settled()
        source = (CONSOLE / "node_modules/axe-core/axe.min.js").read_text()
        return self.do("""await page.evaluate(given);
            const {violations} = await page.evaluate(() => axe.run());
            return violations.map(({id, nodes}) => `${id}: ${nodes.slice(0, 3).map((node) => node.html).join(' | ')}`)""", source)

    def complaints(self):
        """Errors of the page's code, and what its content security policy refused."""
        return self.do("return context.said.filter((line) => /^(error|pageerror)/.test(line))")
