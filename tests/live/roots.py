"""Root directories of their own for a server's program: as a cage, or as a container."""
import shutil
import subprocess


def libraries(program):
    """What the dynamic linker loads for it."""
    out = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return [word for line in out.splitlines() for word in line.split() if word.startswith("/")]


def make_root(root, program, directories=()):
    """A directory with this program, what it loads, and a user root."""
    for path in [program, *libraries(program)]:
        inside = root / path.lstrip("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, inside)
    for directory in ("dev", "etc", "run", "tmp", *directories):
        (root / directory).mkdir(parents=True, exist_ok=True)
    (root / "etc/passwd").write_text("root:x:0:0::/:/bin/false\n")
    (root / "etc/group").write_text("root:x:0:\n")
    (root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\n")
    if not (root / "dev/null").exists():
        subprocess.run(["mknod", "-m", "666", root / "dev/null", "c", "1", "3"], check=True)
