"""Reserves ports across processes."""
import fcntl
import os
import pathlib
import random
import socket

_port_locks = []


def free_port():
    """Reserves a port for this process until it ends. The port lies below the ephemeral range, and a
    lock file guards it, so neither another test run nor an outgoing connection takes it."""
    directory = pathlib.Path(f"/tmp/certrebind-test-ports.{os.geteuid()}")
    directory.mkdir(mode=0o700, exist_ok=True)
    for _ in range(2000):
        port = random.randrange(10000, 32000)
        lock = open(directory / str(port), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for family, host in ((socket.AF_INET, ""), (socket.AF_INET6, "::")):
                with socket.socket(family) as probe:
                    if family == socket.AF_INET6:
                        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    probe.bind((host, port))
        except OSError:
            lock.close()
            continue
        _port_locks.append(lock)
        return port
    raise AssertionError("no port is free")
