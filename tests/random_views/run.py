"""random_views/run.py apache|nginx|haproxy [--count N] [--seed S] [--only I]: as root.

Makes N configurations that the server takes, serves each, and prints a JSON line for each one of which certrebind
claims something wrong. Exit status 1 if there is one. Case I of seed S is always the same.
"""
import argparse
import importlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve()
SETUP = """set -e
mount --make-rprivate /
mount --bind "$CERTREBIND_VIEWS_HOSTS" /etc/hosts
ip link set lo up
for each in 192.0.2.1/32 192.0.2.2/32; do ip addr add $each dev lo; done
ip -6 addr add 2001:db8::1/128 dev lo nodad
exec "$@"
"""


def in_namespaces():
    """Runs this program once more, where its addresses and its processes are its own."""
    from views import HOSTS
    with tempfile.NamedTemporaryFile("w") as hosts:
        hosts.write(HOSTS)
        hosts.flush()
        os.chmod(hosts.name, 0o644)
        return subprocess.run(
            ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc", "bash", "-c", SETUP, "bash",
             sys.executable, str(HERE), *sys.argv[1:]],
            env={**os.environ, "CERTREBIND_VIEWS_HOSTS": hosts.name}).returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["apache", "nginx", "haproxy"])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="this case only, and print its configuration")
    chosen = parser.parse_args()
    sys.path.insert(0, str(HERE.parent))
    if "CERTREBIND_VIEWS_HOSTS" not in os.environ:
        return in_namespaces()
    from views import Certificates, Refused
    kind = importlib.import_module(chosen.kind)
    done = wrong = refused = 0
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o755)
        certificates = Certificates(pathlib.Path(base) / "certs")
        number = chosen.only or 0
        while done < (1 if chosen.only is not None else chosen.count):
            with tempfile.TemporaryDirectory(dir=base) as directory:
                os.chmod(directory, 0o755)
                try:
                    found = kind.case(random.Random(f"{chosen.seed} {number}"), directory, certificates)
                    done += 1
                    wrong += bool(found.wrong)
                    if found.wrong or chosen.only is not None:
                        print(json.dumps({"case": number, "wrong": found.wrong}), flush=True)
                except Refused as error:
                    refused += 1
                    if chosen.only is not None or refused > 20 * (done + 10):
                        print("the server does not take it:", error)
                        return 2
                if chosen.only is not None:
                    print("".join(path.read_text() for path in sorted(pathlib.Path(directory).rglob("*"))
                                  if path.is_file() and path.suffix in (".conf", ".cfg", ".list", ".map")))
            number += 1
    print(json.dumps({"configurations": done, "wrong": wrong, "refused": refused}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
