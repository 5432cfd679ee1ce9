"""A real browser on the real Cockpit, driven through Playwright (browser.mjs)."""
import json
import os
import pathlib
import subprocess

from command import REPOSITORY

CONSOLE = REPOSITORY / "console"


class Browser:
    """One Chromium for all tests; `fresh` makes it forget the test before."""

    def __init__(self):
        self.node = subprocess.Popen(["node", str(pathlib.Path(__file__).with_name("browser.mjs"))],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                     env={**os.environ, "CONSOLE": str(CONSOLE)})

    def do(self, code, given=None):
        """Runs the body of an async JavaScript function of `page`, `context` and `given`; gives what it returns."""
        self.node.stdin.write(json.dumps({"code": code, "given": given}) + "\n")
        self.node.stdin.flush()
        line = self.node.stdout.readline()
        assert line, "the browser ended"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def fresh(self, **options):
        self.do("fresh", options)

    def end(self):
        self.node.stdin.close()
        try:
            self.node.wait(10)
        except subprocess.TimeoutExpired:
            self.node.kill()
            self.node.wait()
