"""The rooms: includes go downward only, and the outside world comes in through few doors."""
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"

# From the bottom up: a room may include itself and those before it.
ROOMS = ["base", "sys", "x509", "state", "store", "lifecycle", "service", "probe", "survey", "proof", "transaction",
         "observe", "plan", "acts", "daemon", "cli"]
FLOORS = {room: floor for floor, room in enumerate(ROOMS)}
# These know no kind of server by name.
ABOVE_SERVICES = ROOMS[ROOMS.index("survey"):ROOMS.index("daemon")]
# Headers of the system, not of the C++ library.
SYSTEM = re.compile(
    r"<(unistd|fcntl|poll|dirent|spawn|pwd|grp|glob|fnmatch|netdb|sys/\w+|netinet/\w+|arpa/\w+|net/\w+"
    r"|linux/\w+)\.h>"
)
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)

FILES = sorted(
    path
    for path in SOURCE.rglob("*")
    if path.suffix in (".cc", ".h")
    # Tests and their helpers may use what they like, and main.cc is the door.
    and not path.name.endswith("_test.cc")
    and path.stem not in ("testing", "view_for_test", "server_for_test")
    and path.name != "main.cc"
)


def room_of(path):
    return path.relative_to(SOURCE).parts[0]


def includes(path):
    return INCLUDE.findall(path.read_text())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_includes_go_downward(path):
    room = room_of(path)
    for quote, name in includes(path):
        if quote != '"':
            continue
        assert (SOURCE / name).exists(), f"{path}: {name} is not a file of src/"
        other = name.split("/")[0]
        assert other == room or FLOORS[other] < FLOORS[room], f"{path} includes {name}, upward"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_the_outside_world_has_few_doors(path):
    room = room_of(path)
    for quote, name in includes(path):
        if quote != "<":
            continue
        header = f"<{name}>"
        if SYSTEM.match(header):
            assert room == "sys", f"{path} includes {header}: only sys/ may"
        if name.startswith("openssl/"):
            assert room in ("x509", "probe"), f"{path} includes {header}: only x509/ and probe/ may"
        if name.startswith("CLI/"):
            assert path.name == "command_line.cc", f"{path} includes {header}: only command_line.cc may"


def kinds():
    return [folder.name for folder in (SOURCE / "service").iterdir() if folder.is_dir()]


def described_kinds():
    """Without Prometheus, which is also told what certrebind finds."""
    return [path.stem for path in (SOURCE.parent / "services.d").glob("*.toml") if path.stem != "prometheus"]


def test_kinds_never_include_each_other():
    for kind in kinds():
        for path in (SOURCE / "service" / kind).iterdir():
            for quote, name in includes(path):
                for other in kinds():
                    assert other == kind or not name.startswith(f"service/{other}/"), path


@pytest.mark.parametrize("room", ABOVE_SERVICES)
def test_what_stands_above_the_services_names_no_kind(room):
    for path in (SOURCE / room).iterdir():
        if path.name.endswith("_test.cc") or path.stem == "testing":
            continue
        for kind in kinds() + described_kinds():
            named = re.search(rf"\b{re.escape(kind)}", path.read_text().lower())
            assert kind == "described" or not named, f"{path} names {kind}"


def test_every_room_is_on_a_floor():
    assert {room_of(path) for path in FILES} == set(FLOORS)


TEST_MODULES = sorted((SOURCE.parent / "tests").rglob("test_*.py"))
IMPORT = re.compile(r"^\s*(?:from|import)\s+(test_\w+|conftest)\b", re.MULTILINE)


@pytest.mark.parametrize("path", TEST_MODULES, ids=lambda path: path.name)
def test_no_test_module_imports_another(path):
    imported = IMPORT.findall(path.read_text())
    assert not imported, f"{path} imports {imported}: what tests share belongs into a module without tests"
