"""The daemon survives what machines do to it: full disks, states that may not be written, a damaged
database, a clock that jumps."""
import contextlib
import errno
import os
import signal
import sqlite3
import subprocess
import time

import pytest

from files import write
from markers import both_builds, needs_root
from stages.daemon import Watch, proven
from stages.one_site import OneSite
from waiting import until

pytestmark = both_builds


def logged(watch):
    return watch.log.read_text()


def state_on(place, size):
    """The state on a small file system of its own."""
    place.state = place.tmpfs("small", size)
    place.state.chmod(0o700)


@needs_root
def test_a_full_disk_is_waited_out(place, authority):
    state_on(place, "2m")
    one = OneSite(place, authority)
    watch = Watch(place, one.nginx).start(one.old)
    watch.idle()
    filler = place.state / "filler"
    file = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(file, b"x" * 4096)
    except OSError as error:
        assert error.errno == errno.ENOSPC
    os.close(file)
    one.new.write(one.site.cert_path.parent)
    until(lambda: "disk is full" in logged(watch) or "disk I/O error" in logged(watch)
          or "No space left" in logged(watch), "the daemon says that the disk is full")
    assert one.served() == one.old.thumbprint
    filler.unlink()
    one.nginx.wait_served(one.new.thumbprint, one.port, one.name)
    watch.wait_for(1001, one.old, one.new)
    watch.wait_for(2002, one.new)
    assert "what failed works again" in logged(watch)


@needs_root
def test_a_disk_that_fills_up_in_the_middle(place, authority):
    """Nothing can be written down any more: the account says what there is, and `recover` finishes by itself."""
    state_on(place, "2m")
    one = OneSite(place, authority)
    gate = place.gate()
    gate.open()
    one.nginx.write(gate.directive + one.site.block())
    one.nginx.reload()
    gate.close()
    rebind = place.popen("rebind", one.old.thumbprint, one.new_cert, "--service", one.nginx.service,
                         stdout=subprocess.PIPE, text=True)
    gate.wait_for_load()  # its test of what is new
    assert one.site.cert_path.read_text() == one.new.fullchain_pem
    filler = place.state / "filler"
    file = os.open(filler, os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while True:
            os.write(file, b"x" * 4096)
    os.close(file)
    gate.open()
    said, _ = rebind.communicate(timeout=60)
    assert rebind.returncode == 4, said
    for words in (f"on disk: {one.site.cert_path} holds the new content", "served: 0 of", "certrebind recover",
                  str(place.state)):
        assert words in said, (words, said)
    assert one.served() == one.old.thumbprint
    filler.unlink()
    done = one.run("recover")
    assert done.code == 0, done
    assert one.site.cert_path.read_text() == one.old.fullchain_pem
    assert one.site.key_path.read_text() == one.old.key_pem
    assert one.served() == one.old.thumbprint
    assert one.run("check").code == 0


READ_ONLY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
// A file system with an error becomes read-only under whoever has files open (ext4's
// errors=remount-ro): no write to a place succeeds any more, here while the file $READONLY is there.
ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t at) {
  static ssize_t (*real)(int, const void*, size_t, off64_t);
  if (!real) real = (ssize_t (*)(int, const void*, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
  if (access(getenv("READONLY"), F_OK) != 0) return real(file, bytes, size, at);
  errno = EROFS;
  return -1;
}
"""


def shim(place, name, source, **env):
    """A library to be loaded before certrebind's; gives the environment for it."""
    code, library = place / f"{name}.c", place / f"{name}.so"
    code.write_text(source)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, code, "-ldl"], check=True)
    if "ASAN_OPTIONS" in os.environ:
        env["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
    return {"LD_PRELOAD": str(library), **env}


def test_a_state_that_becomes_read_only_is_waited_out(one, place):
    flag = place / "readonly"
    watch = Watch(place, one.nginx, env=shim(place, "readonly", READ_ONLY, READONLY=str(flag)))
    watch.start(one.old)
    watch.idle()
    flag.touch()
    one.new.write(one.site.cert_path.parent)
    until(lambda: "disk I/O error" in logged(watch), "the daemon says that it cannot write")
    assert one.served() == one.old.thumbprint
    flag.unlink()
    one.nginx.wait_served(one.new.thumbprint, one.port, one.name)
    watch.wait_for(2002, one.new)
    said = [line for line in logged(watch).splitlines() if "disk I/O error" in line]
    assert len(said) == len(set(said)), "each is said once: a later try may fail at another step"


@needs_root
def test_a_read_only_state_directory(place, authority):
    state_on(place, "16m")
    one = OneSite(place, authority)
    assert one.run("rebind", "--pending").code == 0
    subprocess.run(["mount", "-o", "remount,ro", place.state], check=True)
    assert one.run("check").code == 0, "looking needs no state that can be written"
    for command in (["daemon"], ["rebind", "--pending"], ["enable"]):
        done = one.run(*command)
        assert done.code == 1, done
        assert str(place.state) in done.all
        assert "read-only" in done.all.lower() or "readonly" in done.all
    assert one.served() == one.old.thumbprint


def test_what_cannot_be_read_is_not_taken_for_settled(one, place):
    """Renewed on disk and not reloaded, and the configuration is broken: nobody may hear "nothing to do"."""
    good = one.nginx.conf.read_text()
    one.new.write(one.site.cert_path.parent)
    one.nginx.conf.write_text(good.replace("http {", "http {\ninclude /nonexistent/x.conf; foo {", 1))
    for dry in ([], ["--dry-run"]):
        done = one.run("rebind", "--pending", *dry)
        assert done.code == 1 and "nothing differs in what could be read, but" in done.out, done
        assert "/nonexistent/x.conf" in done.err, done
    told = one.run("rebind", "--pending", "--json")
    assert told.code == 1 and str(one.nginx.conf) in told.json["needs_person"][0]["sentence"], told
    assert [each["severity"] for each in told.json["diagnostics"]].count("error") == 2, told
    status = place.run("status")
    assert status.code == 1 and f"differences there are unknown: {one.nginx.conf}" in status.out, status
    odd = one.nginx.prefix / "odd\x1b[2J.conf"
    odd.write_text("}")
    one.nginx.conf.write_text(good.replace("http {", f"http {{\ninclude {one.nginx.prefix}/odd*;", 1))
    told = one.run("rebind", "--pending")
    assert told.code == 1 and "[2J.conf" in told.all and "\x1b" not in told.all, told
    status = place.run("status")
    assert "[2J.conf" in status.out and "\x1b" not in status.out + place.run("status", "--json").out, status
    one.nginx.conf.write_text(good)
    done = one.run("rebind", "--pending")
    assert done.code == 0 and one.served() == one.new.thumbprint, done
    assert place.run("status").code == 0
    one.nginx.conf.unlink()
    assert place.run("rebind", "--pending").code == 1
    status = place.run("status")
    assert status.code == 1 and str(one.nginx.conf) in status.out, status


def test_a_command_without_a_writable_state_says_so(one, place):
    blocker = place / "blocker"
    blocker.write_text("a file, not a directory")
    done = one.run("rebind", "--pending", env={"CERTREBIND_STATE": str(blocker / "state")})
    assert done.code == 2, done
    assert str(blocker) in done.all
    assert one.served() == one.old.thumbprint
    done = one.run("check", env={"CERTREBIND_STATE": str(blocker / "state")})
    assert done.code == 0, "looking needs no state"


def damage(path, part):
    """Overwrites the first page of the database, its middle, or all of it."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    size = path.stat().st_size
    begin, end = {"header": (0, 4096), "middle": (size // 4, size * 3 // 4), "all": (0, size)}[part]
    with open(path, "r+b") as file:
        file.seek(begin)
        file.write(b"\xee" * (end - begin))


@pytest.mark.parametrize("where", ["header", "middle"])
def test_a_database_damaged_while_nothing_ran(one, place, where):
    watch = Watch(place, one.nginx).start(one.old)
    watch.idle()
    watch.stop()
    damage(place.state / "state.db", where)
    one.new.write(one.site.cert_path.parent)
    recovered = one.place.run("recover")
    assert recovered.code in (0, 1), recovered
    assert list(place.state.glob("state.db.damaged-1"))
    watch.start(one.new)
    one.nginx.wait_served(one.new.thumbprint, one.port, one.name)
    assert watch.count(2017) == 1


def test_check_says_where_it_is_blind(one, place):
    assert one.run("rebind", one.site.cert_path, one.site.cert_path).code == 0
    assert one.run("check").code == 0
    damage(place.state / "state.db", "all")
    told = one.run("check")
    assert told.code == 1 and "cannot read certrebind's database" in told.out + told.err, told
    assert str(place.state / "state.db") in told.out + told.err


def test_a_database_damaged_under_the_daemon(one, place):
    watch = Watch(place, one.nginx).start(one.old)
    watch.idle()
    damage(place.state / "state.db", "all")
    one.new.write(one.site.cert_path.parent)
    one.nginx.wait_served(one.new.thumbprint, one.port, one.name)
    watch.wait_for(2017)
    assert list(place.state.glob("state.db.damaged-1"))
    until(lambda: "database rebuilt" in logged(watch), "the journal is told")
    needs = [each["subject"] for each in watch.status()["needs_person"]]
    assert "database" in needs
    assert one.place.run("recover").code == 0
    assert "database" not in [each["subject"] for each in watch.status()["needs_person"]]


CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
// The wall clock, ahead by as many seconds as the file $AHEAD says.
int clock_gettime(clockid_t id, struct timespec* at) {
  static int (*real)(clockid_t, struct timespec*);
  if (!real) real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(id, at);
  FILE* file = id == CLOCK_REALTIME ? fopen(getenv("AHEAD"), "r") : NULL;
  long ahead = 0;
  if (file && fscanf(file, "%ld", &ahead) == 1) at->tv_sec += ahead;
  if (file) fclose(file);
  return result;
}
"""


@pytest.fixture
def clock(place):
    """Sets the wall clock of certrebind ahead, or back; gives the environment for it."""
    ahead = place / "ahead"

    class Clock:
        env = shim(place, "clock", CLOCK, AHEAD=str(ahead))

        @staticmethod
        def set(seconds):
            write(place / "ahead.new", f"{seconds}\n")
            (place / "ahead.new").rename(ahead)
    Clock.set(0)
    return Clock


@pytest.mark.parametrize("seconds", [7 * 86400, -7 * 86400])
def test_a_clock_that_jumps(one, place, clock, seconds):
    watch = Watch(place, one.nginx, env=clock.env).start(one.old)
    watch.idle()
    clock.set(seconds)
    one.new.write(one.site.cert_path.parent)
    proven(one.nginx, watch, one.old, one.new, one.port)
    assert watch.count(2018) == 1
    assert watch.ids(one.old, one.new, among=[1002]) == []


def test_a_certificate_that_expires_while_the_clock_jumps(place, authority, clock):
    one = OneSite(place, authority)
    watch = Watch(place, one.nginx, env=clock.env).start(one.old)
    watch.idle()
    clock.set(100 * 86400)  # OLD lives 90 days
    watch.daemon.send_signal(signal.SIGHUP)
    watch.wait_for(1002, one.old)
    assert watch.count(1002, one.old) == 1


def test_a_window_that_opens_starts_what_it_held(one, place, clock):
    def text(seconds):
        return time.strftime("%H:%M", time.localtime(time.time() + seconds))
    window = f"{text(30 * 60)}-{text(90 * 60)}"
    watch = Watch(place, one.nginx, env=clock.env,
                  policy=f'[[policy]]\nservice = "{one.nginx.service}"\nwindow = "{window}"\n')
    task = place / "tasks.d" / "rebind.toml"  # tasks have an environment of their own
    task.write_text(task.read_text() + "[environment]\n"
                    + "".join(f'{name} = "{value}"\n' for name, value in clock.env.items()))
    watch.start(one.old)
    watch.idle()
    one.new.write(one.site.cert_path.parent)
    until(lambda: watch.run("task", "history", "--json").json["runs"][0].get("event"), "the event's run is queued")
    watch.idle()
    assert one.served() == one.old.thumbprint
    clock.set(31 * 60)  # less than the hour of the audit
    watch.daemon.send_signal(signal.SIGHUP)
    one.nginx.wait_served(one.new.thumbprint, one.port, one.name)


def test_an_overflown_queue_loses_nothing(one, place):
    """More changes than the kernel keeps (fs.inotify.max_queued_events), the renewal among the last."""
    watch = Watch(place, one.nginx).start(one.old)
    watch.idle()
    with open("/proc/sys/fs/inotify/max_queued_events") as limit:
        most = int(limit.read())
    watch.daemon.send_signal(signal.SIGSTOP)
    directory = one.site.cert_path.parent
    for number in range(most // 2 + 10):  # each a creation and a removal, of another name every time
        noise = directory / f"noise-{number}"
        os.close(os.open(noise, os.O_CREAT | os.O_WRONLY))
        noise.unlink()
    one.new.write(directory)
    watch.daemon.send_signal(signal.SIGCONT)
    one.nginx.wait_served(one.new.thumbprint, one.port, one.name)
    assert watch.count(1001, one.old, one.new) == 1


@needs_root
@pytest.mark.parametrize("limit", ["watches", "instances"])
def test_where_nothing_more_can_be_watched_it_looks_every_minute(one, place, limit):
    """The limit of a user namespace of its own, from which servers cannot be looked into: what is
    asked is whether the renewal is noticed. The message names the limit to raise."""
    few = ["unshare", "--user", "--map-root-user", "sh", "-c",
           f'echo 0 >/proc/sys/user/max_inotify_{limit}; exec "$@"', "sh"]
    watch = Watch(place, one.nginx)
    watch.before = few
    watch.start(one.old)
    watch.before = []
    watch.wait_for(2016)
    event, = [event for event in watch.events() if event["id"] == 2016]
    assert f"max_user_{limit}" in event["message"]
    # It could not look, so it is queued again, in ten minutes.
    until(lambda: any(run["state"] == "failed" for run in watch.run("task", "history", "--json").json["runs"]),
          "the first look has ended")
    one.new.write(one.site.cert_path.parent)
    until(lambda: watch.count(1001, one.old, one.new), "it is noticed all the same", seconds=120)


def test_an_idle_daemon_does_not_wake(one, place):
    watch = Watch(place, one.nginx).start(one.old)
    watch.idle()

    def wakes():
        with open(f"/proc/{watch.daemon.pid}/status") as status:
            return [int(line.split()[1]) for line in status if "ctxt_switches" in line]

    def is_settled():
        before = wakes()
        time.sleep(2)
        return wakes() == before
    until(is_settled, "what began with the start has ended")
    before = wakes()
    time.sleep(20)  # this is what is measured: nothing happens in it
    assert wakes() == before
