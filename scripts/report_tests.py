"""Reports one run of ./check: report_tests.py DIRECTORY.

The directory holds what the run left there: JUnit reports (*.xml), the time of each step ("steps": seconds, name), and
the steps that failed ("failed": name, report or nothing). Prints the steps, the slowest tests and files, what failed and
why, and as the last line "N passed, N failed". Exit status 1 if anything failed.
"""
import collections
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

SLOWEST = 10
LONGEST = 800  # characters of the reason why a test failed


class Test:
    def __init__(self, report, case):
        self.file = f"{report.stem}: {case.get('classname')}"
        self.name = f"{self.file}.{case.get('name')}"
        self.seconds = float(case.get("time") or 0)
        # A skipped test counts as failed: nothing here may skip.
        bad = [child for child in case if child.tag in ("failure", "error", "skipped")]
        self.failed = bool(bad)
        self.why = " ".join((bad[0].get("message") or "").split())[:LONGEST] if bad else ""


def tests_of(report):
    try:
        return [Test(report, case) for case in ElementTree.parse(report).iter("testcase")]
    except ElementTree.ParseError:  # the run was killed while it wrote
        return []


def rows(path):
    return [line.split("\t") for line in path.read_text().splitlines()] if path.exists() else []


def failed_steps(directory):
    """The steps that failed, without those whose report says which test it was."""
    for name, report in rows(directory / "failed"):
        path = pathlib.Path(report)
        if not report or not path.exists() or not any(test.failed for test in tests_of(path)):
            yield name


def table(title, lines):
    print(f"\n{title}")
    for seconds, name in lines:
        print(f"{int(seconds) // 60:4}:{float(seconds) % 60:04.1f}  {name}")


def main():
    directory = pathlib.Path(sys.argv[1])
    tests = [test for report in sorted(directory.glob("*.xml")) for test in tests_of(report)]
    table("time of each step (some ran beside others)", rows(directory / "steps"))
    slowest = sorted(tests, key=lambda test: -test.seconds)[:SLOWEST]
    table(f"the {len(slowest)} slowest tests", [(test.seconds, test.name) for test in slowest])
    files = collections.Counter()
    for test in tests:
        files[test.file] += test.seconds
    table("the slowest files", [(seconds, name) for name, seconds in files.most_common(SLOWEST)])
    failed = [(test.name, test.why) for test in tests if test.failed]
    failed += [(f"step: {name}", "") for name in failed_steps(directory)]
    if failed:
        print("\nfailed")
        for name, why in failed:
            print(f"  {name}" + (f"\n    {why}" if why else ""))
    passed = sum(not test.failed for test in tests)
    print(f"\n{passed} passed, {len(failed)} failed")
    sys.exit(0 if not failed and passed else 1)


main()
