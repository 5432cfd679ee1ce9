"""certrebind-events(5) against the table of events in the source."""
import re

from command import REPOSITORY

PAGE = (REPOSITORY / "packaging/man/certrebind-events.5").read_text()
HEADER = (REPOSITORY / "src/lifecycle/events.h").read_text()
SOURCE = (REPOSITORY / "src/lifecycle/events.cc").read_text()


def table():
    """{id: (name, level)} as the program has it."""
    numbers = {}
    last = 0
    for name, number in re.findall(r"^  (\w+)(?: =\s+(\d+))?,", HEADER.split("enum class EventId")[1].split("};")[0], re.M):
        last = int(number) if number else last + 1
        numbers[name] = last
    words = dict(re.findall(r'case EventId::(\w+):\s+return "([^"]+)"', SOURCE))
    judged = SOURCE.split("EventLevel level_of(EventId id)")[1].split("\n}")[0]
    levels = {}
    for cases, level in re.findall(r"((?:\s+case EventId::\w+:)+)\s+return EventLevel::(\w+);", judged):
        levels.update(dict.fromkeys(re.findall(r"EventId::(\w+)", cases), level))
    return {number: (words[name], levels.get(name, "information")) for name, number in numbers.items()}


def test_every_event_is_on_the_page_with_its_level():
    listed = {int(number): (name, level)
              for number, name, level in re.findall(r'^\.BR (\d{4}) " (.+) \((\w+)\)"$', PAGE, re.M)}
    assert len(listed) > 20 and listed == table()


def test_every_event_says_what_it_has():
    events = PAGE.split(".SH EVENTS\n")[1].split(".SH ")[0].split(".TP\n")[1:]
    assert len(events) == len(table()) and all("\nFields: " in event for event in events)
