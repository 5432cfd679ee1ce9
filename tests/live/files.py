"""Files on disk: written as a renewer writes them, and compared with an earlier state."""
import hashlib
import os
import pathlib
import random
import stat


def write(path, text, mode=0o644):
    """Replaces a file by rename, with exactly these permissions, as a renewer does."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text if isinstance(text, bytes) else text.encode()
    fresh = path.with_name(path.name + ".writing")
    fresh.write_bytes(data)
    fresh.chmod(mode)
    fresh.rename(path)
    return path


def snapshot(directory, without=("run", "state", "home")):
    """Everything below a directory: {path: (bytes, mode, uid, gid, xattrs, target)}. It includes
    directories (without bytes), so that a leftover shows. `without`: names to leave out."""
    seen = {}

    def look(path):
        info = path.lstat()
        kind = stat.S_IFMT(info.st_mode)
        data, target, extended = None, None, {}
        if kind == stat.S_IFLNK:
            target = os.readlink(path)
        else:
            if kind == stat.S_IFREG:
                data = path.read_bytes()
            for name in os.listxattr(path):
                extended[name] = os.getxattr(path, name)
        seen[str(path)] = (data, info.st_mode, info.st_uid, info.st_gid, extended, target)
        if kind == stat.S_IFDIR:
            for inner in sorted(path.iterdir()):
                if inner.name not in without:
                    look(inner)

    look(pathlib.Path(directory))
    return seen


def difference(before, after):
    """Paths whose snapshot differs."""
    return sorted(path for path in before.keys() | after.keys()
                  if before.get(path) != after.get(path))


def large_file(path, megabytes=100):
    """A file of pseudo-random content; its SHA-256."""
    block = random.Random(7).randbytes(1 << 20)
    digest = hashlib.sha256()
    with open(path, "wb") as out:
        for number in range(megabytes):
            part = number.to_bytes(8, "big") + block[8:]
            out.write(part)
            digest.update(part)
    return digest.hexdigest()
