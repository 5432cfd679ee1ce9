"""Processes that take a server's connections and that its reload does not reach: no success is said beside them."""
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

from command import of_service
from handshakes import handshake
from ports import free_port
from processes import processes_of_group
from stages.one_frontend import frontend
from stages.one_site import OneSite, make_site
from waiting import until

NOT_COMMITTED = (3, 4)  # rolled back, needs operator


class Nginx:
    """nginx with several workers and one site, renewed in place unless said otherwise."""

    def __init__(self, place, authority, listen="127.0.0.1:{} ssl", daemon=False):
        place.configure(verify=3)
        self.place, self.name = place, "a.example.com"
        self.old, self.new = authority.pair(self.name)
        self.site = make_site(place, self.old, self.name)
        self.nginx = place.nginx(workers=4)
        self.nginx.write(self.site.block(listen.format(self.site.port)))
        if daemon:
            self.start_daemon()
        else:
            self.nginx.start()

    def start_daemon(self):
        """As a distribution starts it: nginx takes USR2 only once its parent is gone."""
        subprocess.run(self.nginx.command(), check=True)
        self.place.at_end(self.end_daemons)
        until(lambda: len(self.workers()) == 4, "nginx has its workers")
        self.master = int((self.nginx.prefix / "run/nginx.pid").read_text())

    def all_of_it(self):
        """Pids of masters and workers, known by their directory."""
        found = set()
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and b"nginx: " in (entry / "cmdline").read_bytes():
                    if any(os.readlink(fd) == str(self.nginx.log) for fd in (entry / "fd").iterdir()):
                        found.add(int(entry.name))
            except OSError:
                continue
        return found

    def workers(self):
        return {pid for pid in self.all_of_it()
                if b"worker process" in (title := pathlib.Path(f"/proc/{pid}/cmdline").read_bytes())
                and b"shutting down" not in title}

    def end_daemons(self):
        def gone():
            left = self.all_of_it()  # again and again: a master may have made a worker meanwhile
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not left
        until(gone, "nginx is gone")

    def run(self, *arguments, **options):
        return self.place.run(*of_service(arguments, self.nginx.service), **options)


def holds_sockets(pid):
    """A zombie that nobody waits for has none."""
    try:
        return bool(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return False


def is_told(stage, pids):
    """Every command that judges says so, and names one of them."""
    for command in (("check",), ("explain", stage.name), ("rebind", "--pending", "--dry-run")):
        said = stage.run(*command)
        assert said.code != 0 or command[0] == "explain", said
        named = {int(pid) for pid in re.findall(r"process (\d+) \(/", said.all)}
        assert named and named <= set(pids), (command, named, pids, said)
        assert f"kill {min(named)}" in said.all or "kill " in said.all, said


def test_workers_of_a_master_that_was_killed(place, authority):
    stage = Nginx(place, authority, "127.0.0.1:{} ssl reuseport")
    orphans = stage.nginx.worker_pids()

    def end():
        for pid in orphans:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    place.at_end(end)
    os.kill(stage.nginx.master_pid, signal.SIGKILL)
    stage.nginx.process.wait()
    again = place.nginx("nginx", workers=4)
    again.start()
    stage.nginx = again
    is_told(stage, orphans)
    stage.new.write(stage.site.cert_path.parent)
    done = stage.run("rebind", stage.old.thumbprint, stage.site.cert_path)
    assert done.code in NOT_COMMITTED, done
    assert any(f"process {pid} (" in done.out for pid in orphans), done
    end()
    until(lambda: not any(holds_sockets(pid) for pid in orphans), "they are gone")
    assert stage.run("rebind", "--pending").code == 0
    assert stage.run("check").code == 0


def upgraded(place, authority):
    """Both masters are alive, and both have workers; and those of the first."""
    stage = Nginx(place, authority, daemon=True)
    first = stage.workers()
    os.kill(stage.master, signal.SIGUSR2)
    until(lambda: len(stage.workers()) == 2 * len(first), "both have their workers")
    return stage, first


@pytest.mark.parametrize("kind", ["in place", "--rewrite"])
def test_both_masters_of_an_upgrade(place, authority, kind):
    stage, _ = upgraded(place, authority)
    group = stage.all_of_it()
    is_told(stage, group)
    if kind == "in place":
        stage.new.write(stage.site.cert_path.parent)
        done = stage.run("rebind", stage.old.thumbprint, stage.site.cert_path)
        assert done.code == 4, done
    else:
        path, _ = stage.new.write(place / "new")
        done = stage.run("rebind", stage.old.thumbprint, path, kind)
        assert done.code == 3, done
        assert stage.site.cert_path.read_text() == stage.old.fullchain_pem
    assert any(f"process {pid} (" in done.out for pid in group), done


def test_an_old_master_that_keeps_its_sockets_is_no_stranger(place, authority):
    """After WINCH it has no workers: it takes no connections, and may be needed to go back."""
    stage, first = upgraded(place, authority)
    os.kill(stage.master, signal.SIGWINCH)
    until(lambda: not stage.all_of_it() & first, "the old workers are gone")
    assert "takes connections" not in stage.run("check").all


def test_two_haproxys_on_one_port(place, authority):
    place.configure(verify=3)
    old, new = authority.pair("a.example.com")
    port = free_port()
    pem = old.write_combined(place / "certs/site.pem")
    servers = [place.haproxy(name) for name in ("one", "two")]
    for server in servers:
        server.write(frontend(port, f"crt {pem}")).start()
    said = place.run("check", "--service", servers[0].service)
    others = processes_of_group(servers[1].master_pid)
    assert said.code != 0 and any(f"process {pid} (" in said.out for pid in others), said
    path, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, path, "--service", servers[0].service)
    assert done.code in NOT_COMMITTED, done
    assert any(f"process {pid} (" in done.out for pid in others), done
    assert pem.read_text() == old.fullchain_pem + old.key_pem


def test_who_only_inherited_a_socket_holds_nobody_up(place, authority):
    """A child of whoever started the server, that has its listening socket and does something else."""
    stage = Nginx(place, authority)
    holder = subprocess.Popen(
        [sys.executable, "-c", "import ctypes, os, sys, time\n"
         "libc = ctypes.CDLL(None, use_errno=True)\n"
         "pid = libc.syscall(434, int(sys.argv[1]), 0)\n"   # pidfd_open
         "held = [libc.syscall(438, pid, n, 0) for n in range(3, 64)]\n"  # pidfd_getfd
         "assert max(held) >= 0\n"
         "print('ready', flush=True)\n"
         "time.sleep(1000)\n", str(stage.nginx.master_pid)], stdout=subprocess.PIPE)
    place.at_end(lambda: (holder.kill(), holder.wait()))
    if holder.stdout.readline() != b"ready\n":
        pytest.fail("the sockets could not be had")
    assert stage.run("check").code == 0
    path, _ = stage.new.write(place / "new")
    assert stage.run("rebind", stage.old.thumbprint, path).code == 0
    assert handshake(stage.site.port, stage.name) == stage.new.thumbprint


def test_alone_all_is_well(place, authority):
    one = OneSite(place, authority)
    assert one.run("check").code == 0
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
