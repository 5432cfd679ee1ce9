"""Servers whose packages conflict with others are unpacked (scripts/packages.sh), not installed."""
import ctypes
import os
import pathlib
import pwd
import subprocess
import tempfile

DIRECTORY = pathlib.Path("/var/cache/certrebind-tests")
NEW_MOUNTS = 0x00020000  # CLONE_NEWNS


def unpacked(package, path):
    """The path of a file in a package."""
    return str(DIRECTORY / package / path)


def known_user(name):
    """The user that the package would have made. He is known to this process and its children only: they see other
    files /etc/passwd and /etc/group, in a mount namespace of their own."""
    try:
        return pwd.getpwnam(name)
    except KeyError:
        pass
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_MOUNTS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    number = max(user.pw_uid for user in pwd.getpwall() if user.pw_uid < 1000) + 1
    for path, line in (("/etc/passwd", f"{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n"),
                       ("/etc/group", f"{name}:x:{number}:\n")):
        with open(path) as original, tempfile.NamedTemporaryFile("w", delete=False) as shown:
            shown.write(original.read() + line)
        os.chmod(shown.name, 0o644)
        subprocess.run(["mount", "--bind", shown.name, path], check=True)
        os.unlink(shown.name)
    return pwd.getpwnam(name)
