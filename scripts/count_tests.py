"""Adds up JUnit reports: count_tests.py STEPS_FAILED REPORT... prints "N passed, N failed"."""
import sys
import xml.etree.ElementTree as ElementTree


def count(path):
    """Passed and failed tests of one report; skipped ones count as failed: nothing here may skip."""
    cases = list(ElementTree.parse(path).iter("testcase"))
    bad = sum(1 for case in cases if any(child.tag in ("failure", "error", "skipped") for child in case))
    return len(cases) - bad, bad


def main():
    passed, failed = 0, int(sys.argv[1])
    for path in sys.argv[2:]:
        if path.endswith("*.xml"):
            continue
        good, bad = count(path)
        passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed")
    sys.exit(0 if failed == 0 and passed > 0 else 1)


main()
