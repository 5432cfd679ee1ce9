"""Becomes the first process of a container, with system calls as container managers make them: mount_namespaces(7),
network_namespaces(7), pivot_root(2). Arguments: the root directory, mounts as HOST:INSIDE:ro|rw with commas between
them, "own" or "host" for the network, the user's number, and the program with its arguments.
"""
import ctypes
import os
import subprocess
import sys

NEWNS, NEWNET = 0x00020000, 0x40000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
PIVOT_ROOT = 155

libc = ctypes.CDLL(None, use_errno=True)


def check(outcome, what):
    if outcome != 0:
        raise OSError(ctypes.get_errno(), what)


def mount(source, target, flags):
    check(libc.mount(source.encode(), target.encode(), None, flags, None), f"mount {target}")


def bind(root, host, inside, mode):
    target = root + inside
    mount(host, target, MS_BIND)
    if mode == "ro":
        mount(host, target, MS_BIND | MS_REMOUNT | MS_RDONLY)


def main():
    root, mounts, network, user, *program = sys.argv[1:]
    check(libc.unshare(NEWNS | (NEWNET if network == "own" else 0)), "unshare")
    if network == "own":
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    mount("none", "/", MS_REC | MS_PRIVATE)
    mount(root, root, MS_BIND)
    for each in filter(None, mounts.split(",")):
        bind(root, *each.split(":"))
    os.chdir(root)
    check(libc.syscall(PIVOT_ROOT, b".", b"."), "pivot_root")
    check(libc.umount2(b".", MNT_DETACH), "umount2")
    os.chdir("/")
    os.setgid(int(user))
    os.setuid(int(user))
    os.execv(program[0], program)


main()
