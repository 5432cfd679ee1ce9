"""Tasks: files in tasks.d, and `certrebind task`. The daemon that runs them has tests of its own."""
import contextlib
import json
import os
import pathlib
import shlex
import sqlite3
import subprocess
import threading

import pytest

from command import BINARY, ROOT, run_certrebind
from files import write
from markers import needs_root
from waiting import PATIENCE, until

DETAILS = {
    "old": {"thumbprint": "0a", "sha1": "0b"},
    "new": {"thumbprint": "1a", "sha1": "1b", "issuer": "Let's Encrypt R3",
            "names": ["a.example.com", "*.example.com"],
            "path": "/etc/letsencrypt/live/a/fullchain.pem"},
    "how": "same place", "renewer": "certbot", "lineage": "/etc/letsencrypt/live/a"}


@contextlib.contextmanager
def database(place):
    connection = sqlite3.connect(place.state / "state.db", timeout=30)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def log_event(place, details=None, number=1001):
    """As the daemon would; its record."""
    with database(place) as db:
        return db.execute(
            "INSERT INTO events (id, at_ms, service, old, new, names, message, details) "
            "VALUES (?, 0, 'nginx:/etc/nginx/nginx.conf', '0a', '1a', 'a.example.com', '', ?)",
            (number, json.dumps(details or DETAILS))).lastrowid


def queue_run(place, task, event=None):
    with database(place) as db:
        return db.execute("INSERT INTO task_runs (task, event, state, due_ms) "
                          "VALUES (?, ?, 'queued', 0)", (task, event)).lastrowid


def task_file(place, name):
    return place / "tasks.d" / f"{name}.toml"


def script(place, text, name="script"):
    return write(place / name, "#!/bin/sh\n" + text, 0o755)


def add(place, name, *command, options=("--event", "1001")):
    done = place.run("task", "add", name, *options, "--", *command)
    assert done.code == 0, done
    return done


def history(place, *options):
    answer = place.run("task", "history", *options, "--json").json
    return answer if "--id" in options else answer["runs"]


def test_a_history_of_no_task(place):
    def is_told():
        nope = place.run("task", "history", "nope")
        return nope.code != 0 and "cannot find the task nope: there is none" in nope.err

    assert is_told()
    add(place, "deploy", "/bin/true")
    assert is_told()
    assert "no task was run yet" in place.run("task", "history", "deploy").out
    assert place.run("task", "run", "deploy").code == 0
    assert is_told()


def test_a_broken_file_needs_a_person(place):
    add(place, "deploy", "/bin/true")
    assert "nothing needs a person" in place.run("status").out
    task_file(place, "broken").write_text("command = 3\n")
    told = place.run("status")
    assert told.code == 1 and "broken.toml" in told.out and "nothing needs" not in told.out, told
    assert "broken.toml" in place.run("status", "--json").json["tasks_left_out"][0]


def test_nothing_yet(place):
    assert "task add --help" in place.run("task", "list").out
    assert place.run("task", "list", "--json").fields == {"tasks": [], "errors": []}
    assert "no task was run yet" in place.run("task", "history").out
    assert history(place) == []


def test_add_list_show_remove(place):
    done = add(place, "deploy", "/bin/echo", "it's", "$(NewCertHash)", "--flag", options=(
        "--event", "1001", "--event", "2003", "--name", "*.example.com", "--store", place / "tls",
        "--issuer", "Let's Encrypt", "--only", "nginx:/etc/nginx/nginx.conf",
        "--window", "02:00-04:00", "--time-limit", "90s", "--retries", "1", "--retry-after", "1m",
        "--env", "A=b=c", "--env", "WHO=$(TaskName)", "--description", "to the edge"))
    file = task_file(place, "deploy")
    assert str(file) in done.out and oct(file.stat().st_mode & 0o777) == "0o600"
    [task] = place.run("task", "list", "--json").json["tasks"]
    expected = {
        "name": "deploy", "description": "to the edge", "enabled": True, "events": [1001, 2003],
        "event_names": ["replaced", "rolled back"], "names": ["*.example.com"], "store": str(place / "tls"), "issuer": "Let's Encrypt",
        "service": "nginx:/etc/nginx/nginx.conf", "every": "", "daily_at": "",
        "window": "02:00-04:00", "command": ["/bin/echo", "it's", "$(NewCertHash)", "--flag"],
        "environment": {"A": "b=c", "WHO": "$(TaskName)"}, "time_limit": "1m30s", "retries": 1,
        "retry_after": "1m", "once_per_batch": False}
    assert task == expected
    assert place.run("task", "show", "deploy", "--json").fields == {**expected, "runs": []}
    table = place.run("task", "list").out
    assert "when  1001 replaced, 2003 rolled back, within 02:00-04:00" in table and "last  never" in table
    shown = place.run("task", "show", "deploy").out
    assert 'command = ["/bin/echo", "it\'s"' in shown and "it never ran" in shown
    assert "history stays" in place.run("task", "remove", "deploy").out
    assert not file.exists() and list((place / "tasks.d").iterdir()) == []
    again = place.run("task", "remove", "deploy")
    assert again.code == 2 and "certrebind task list" in again.err


@pytest.mark.parametrize("command", ["show", "run", "edit", "enable", "disable", "remove", "history"])
def test_a_misspelt_task(place, command):
    add(place, "deploy", "/bin/true")
    if command == "edit":
        code, told = edit(place, "deplyo", "true\n")
    else:
        done = place.run("task", command, "deplyo")
        code, told = done.code, done.err
    assert code == 2 and "did you mean deploy?" in told


def test_what_comes_next_is_listed(place):
    add(place, "often", "/bin/true", options=("--every", "12h"))
    add(place, "cdn", "/bin/true", options=("--event", "committed"))
    listed = {task["name"]: task for task in place.run("task", "list", "--json").json["tasks"]}
    assert "next_run" in listed["often"] and "next_run" not in listed["cdn"]
    queue_run(place, "cdn")
    assert "next  now" in place.run("task", "list").out
    assert place.run("task", "disable", "cdn").code == 0
    assert "next  disabled" in place.run("task", "list").out


def test_events_by_name(place):
    add(place, "cdn", "/bin/true", options=("--event", "committed", "--event", "rolled-back"))
    [task] = place.run("task", "list", "--json").json["tasks"]
    assert task["events"] == [2002, 2003]
    assert "events = [2002, 2003]  # committed, rolled back" in task_file(place, "cdn").read_text()
    write(task_file(place, "named"), 'events = ["replaced", 2003]\ncommand = ["/bin/true"]\n')
    assert place.run("task", "show", "named", "--json").json["events"] == [1001, 2003]
    done = place.run("task", "add", "x", "--event", "comited", "--", "/bin/true")
    assert done.code == 2 and "comited" in done.err and "2002 or committed" in done.err


def test_a_hook_for_1001_is_told_that_it_comes_early(place):
    assert "comes before" not in add(place, "late", "/bin/true", options=("--event", "2002")).out
    assert "belongs to event 2002, committed" in add(place, "early", "/bin/true").out


@pytest.mark.parametrize("text", [
    "events = [1001]\ncommand = ['/bin/true']  # ünï\n\n[environment]\nA = 'enabled = true'\n",
    "# mine\nenabled = true   # on\nevents = [1001]\ncommand = ['/bin/true']\n",
    "events = [1001]\n  enabled=true\ncommand = ['/bin/true']\n"])
def test_disable_and_enable_keep_the_rest_of_the_file(place, text):
    write(task_file(place, "deploy"), text, 0o640)
    assert "task deploy is disabled" in place.run("task", "disable", "deploy").out
    assert place.run("task", "show", "deploy", "--json").json["enabled"] is False
    assert oct(task_file(place, "deploy").stat().st_mode & 0o777) == "0o640"
    assert place.run("task", "disable", "deploy", "--json").json["changed"] is False
    assert place.run("task", "enable", "deploy", "--json").json["changed"] is True
    now = task_file(place, "deploy").read_text()
    assert now == text or now == "enabled = true\n" + text
    assert [path.name for path in (place / "tasks.d").iterdir()] == ["deploy.toml"]


def test_a_disabled_task_does_not_run(place):
    add(place, "deploy", "/bin/true")
    assert place.run("task", "disable", "nope").code == 2
    assert place.run("task", "disable", "deploy").code == 0
    assert "deploy  (disabled)" in place.run("task", "list").out


def edit(place, name, editor, answers=""):
    """`certrebind task edit` at a terminal: (exit status, all that it showed)."""
    program = script(place, editor, "editor")
    command = shlex.join([BINARY, "task", "edit", name])
    done = subprocess.run(["script", "-qec", command, "/dev/null"], input=answers.encode(), capture_output=True,
                          env={**os.environ, **place.env, "EDITOR": str(program), "VISUAL": ""}, timeout=60)
    return done.returncode, done.stdout.decode()


def test_edit_changes_what_is_a_task(place):
    add(place, "deploy", "/bin/true")
    code, told = edit(place, "deploy", 'sed -i s,1001,2002, "$1"\n')
    assert code == 0 and "task deploy is changed" in told
    assert place.run("task", "show", "deploy", "--json").json["events"] == [2002]
    code, told = edit(place, "deploy", "true\n")
    assert code == 0 and "as it was" in told
    assert [path.name for path in (place / "tasks.d").iterdir()] == ["deploy.toml"]


@pytest.mark.parametrize("change, words", [
    ("s,events,evnts,", "deploy.toml:"), ("s,/bin/true,/bin/nope,", "/bin/nope"), ("s,deploy,other,", "other")])
def test_an_edit_with_a_mistake_changes_nothing(place, change, words):
    add(place, "deploy", "/bin/true")
    before = task_file(place, "deploy").read_text()
    code, told = edit(place, "deploy", f'sed -i {change} "$1"\n', "n\n")
    assert code == 1 and words in told and "edit it again?" in told, told
    assert task_file(place, "deploy").read_text() == before
    assert [path.name for path in (place / "tasks.d").iterdir()] == ["deploy.toml"]


def test_nobody_edits_without_a_terminal_nor_twice_at_once(place):
    add(place, "deploy", "/bin/true")
    told = place.run("task", "edit", "deploy")
    assert told.code == 2 and "--replace" in told.err
    write(place / "tasks.d/.deploy.edit.toml", "")
    code, told = edit(place, "deploy", "true\n")
    assert code == 1 and "somebody edits it" in told


def test_a_task_that_changes_while_it_is_edited_is_not_overwritten(place):
    add(place, "deploy", "/bin/true")
    other = task_file(place, "deploy")
    code, told = edit(place, "deploy", f'sed -i s,1001,2002, "$1"; echo "# theirs" >> {other}\n', "n\n")
    assert code == 1 and "changed it meanwhile" in told
    assert "# theirs" in other.read_text() and "1001" in other.read_text()


def test_a_missing_program_is_refused(place):
    for program in ("/nowhere/deploy", "no-such-program", str(write(place / "plain", "", 0o644))):
        done = place.run("task", "add", "deploy", "--event", "2002", "--", program)
        assert done.code != 0 and program in done.err, done
    assert not task_file(place, "deploy").exists()
    assert add(place, "known-later", "$(Path)/deploy")


@needs_root
@pytest.mark.parametrize("arguments", [["{}"], ["/bin/sh", "{}", "x"], ["/usr/bin/env", "A=1", "{}"]])
def test_what_another_user_may_change_does_not_run_as_root(place, arguments):
    """Neither when the task is added, nor when somebody gives the file away afterwards."""
    program = script(place, f"touch {place / 'ran'}\n", "tool")
    command = [word.format(program) for word in arguments]
    add(place, "mine", *command)
    os.chown(program, 4321, 4321)
    done = place.run("task", "add", "deploy", "--event", "2002", "--", *command)
    assert done.code == 1 and "user 4321" in done.err and "chown root" in done.err, done
    assert place.run("task", "run", "mine").code == 1 and not (place / "ran").exists()
    os.chown(program, 0, 0)
    place.path.chmod(0o777)  # then anybody could put another program there
    assert place.run("task", "run", "mine").code == 1 and not (place / "ran").exists()
    place.path.chmod(0o755)
    assert place.run("task", "run", "mine").code == 0 and (place / "ran").exists()


@needs_root
def test_a_task_is_not_led_to_what_others_may_change(place):
    """Else a link to a file of root's, put beside a certificate, would be passed on by the task."""
    add(place, "cdn", "/bin/sh", "-c", 'echo "[$0] [$RENEWED_LINEAGE] [$CERTREBIND_NEW]"', "$(Path)")
    theirs = write(place / "theirs/fullchain.pem", "")
    os.chown(theirs.parent, 4321, 4321)
    record = log_event(place, {**DETAILS, "new": {**DETAILS["new"], "path": str(theirs)}, "lineage": str(theirs.parent)})
    done = place.run("task", "run", "cdn", "--event", record)
    assert done.code == 0 and "[] [] [1a]" in done.out and "it belongs to user 4321" in done.out, done
    os.chown(theirs.parent, 0, 0)
    assert f"[{theirs}] [{theirs.parent}] [1a]" in place.run("task", "run", "cdn", "--event", record).out


def test_names_that_are_no_host_names_are_left_out(place):
    add(place, "names", "/bin/sh", "-c", 'echo "<$RENEWED_DOMAINS> <$0>"', "$(Names)")
    odd = ["-oProxyCommand=x", "a.example.com", "two words", "*.b.example.com", "$(id)", "c;d"]
    record = log_event(place, {**DETAILS, "new": {**DETAILS["new"], "names": odd}})
    assert "<a.example.com *.b.example.com> <a.example.com *.b.example.com>" in place.run(
        "task", "run", "names", "--event", record).out


def test_the_same_again_is_no_mistake(place):
    add(place, "deploy", "/bin/true")
    again = ("task", "add", "deploy", "--event", "1001")
    assert place.run(*again, "--json", "--", "/bin/true").json["changed"] is False
    assert place.run(*again, "--replace", "--json", "--", "/bin/false").json["changed"] is True
    assert place.run("task", "show", "deploy", "--json").json["command"] == ["/bin/false"]


def test_timers(place):
    add(place, "often", "/bin/true", options=("--every", "12h"))
    add(place, "nightly", "/bin/true", options=("--daily-at", "03:30"))
    table = place.run("task", "list").out
    assert "every 12h" in table and "daily at 03:30" in table


def test_run_with_arguments_and_environment_of_the_event(place):
    """What a real script sees: its arguments, its whole environment, where and how it begins."""
    seen = place / "seen"
    program = script(place, f'for a in "$@"; do echo "[$a]"; done > {seen}\n'
                            f'env | sort >> {seen}; pwd >> {seen}; umask >> {seen}; echo done\n')
    add(place, "deploy", program, "$(OldCertHash)", "$(NewCertHash)",
        "$(OldCertSha1)/$(NewCertSha1)", "$(EventRecordId) $(EventId)", "$(Names)", "$(Path)",
        "$(Lineage)", "$(Service)", "$(TaskName)", "$HOME `id`; *",
        options=("--event", "1001", "--env", "MINE=$(TaskName) two"))
    record = log_event(place)
    done = place.run("task", "run", "deploy", "--event", record, env={"SECRET": "not for tasks"})
    assert (done.code, done.out) == (0, "done\n"), done
    lines = seen.read_text().splitlines()
    assert lines[:10] == [
        "[0a]", "[1a]", "[0b/1b]", f"[{record} 1001]", "[a.example.com *.example.com]",
        "[/etc/letsencrypt/live/a/fullchain.pem]", "[/etc/letsencrypt/live/a]",
        "[nginx:/etc/nginx/nginx.conf]", "[deploy]", "[$HOME `id`; *]"]
    environment = dict(line.split("=", 1) for line in lines[10:-2])
    environment.pop("_", None)
    assert environment.pop("PWD") == "/"
    assert environment.pop("OLDPWD", "/") == "/"
    assert environment.pop("SHLVL", "0") in "01"
    assert environment == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(place.home), "LANG": "C.UTF-8", "MINE": "deploy two",
        "RENEWED_LINEAGE": "/etc/letsencrypt/live/a",
        "RENEWED_DOMAINS": "a.example.com *.example.com",
        "CERTREBIND_EVENT_ID": "1001", "CERTREBIND_EVENT_RECORD": str(record),
        "CERTREBIND_OLD": "0a", "CERTREBIND_NEW": "1a",
        "CERTREBIND_PATH": "/etc/letsencrypt/live/a/fullchain.pem",
        "CERTREBIND_CONFIG": str(place.config), "CERTREBIND_STATE": str(place.state),
        "CERTREBIND_RUN": str(place.run_directory)}
    assert lines[-2:] == ["/", "0022"]


def test_certbots_deploy_hooks_run_as_they_are(place):
    """The idiom of certbot's manual, in a real script."""
    lineage = place / "live/a.example.com"
    write(lineage / "fullchain.pem", "chain\n")
    copied = place / "copied.pem"
    hook = script(place, f"""set -e
for domain in $RENEWED_DOMAINS; do
  case $domain in
  a.example.com) cp "$RENEWED_LINEAGE/fullchain.pem" {copied} ;;
  esac
done
""")
    add(place, "hook", hook)
    details = {"new": {"names": ["b.example.com", "a.example.com"],
                       "path": str(lineage / "fullchain.pem")}}
    assert place.run("task", "run", "hook", "--event", log_event(place, details)).code == 0
    assert copied.read_text() == "chain\n"
    assert oct(copied.stat().st_mode & 0o777) == "0o644", "not our own private umask"


def test_a_program_is_found_in_the_path(place):
    add(place, "a", "echo", "found")
    assert place.run("task", "run", "a").out == "found\n"
    write(task_file(place, "b"), 'events = [2002]\ncommand = ["no-such-program"]\n')
    done = place.run("task", "run", "b")
    assert done.code == 1 and "no such program lies in its PATH" in done.out


def test_a_failing_task(place):
    add(place, "bad", script(place, "echo out; echo err >&2; exit 7\n"))
    done = place.run("task", "run", "bad")
    assert (done.code, done.out) == (1, "out\nerr\n") and "exit status 7" in done.err
    [run] = history(place, "bad")
    assert (run["state"], run["status"], run["attempt"]) == ("failed", 7, 1)
    shown = history(place, "--id", run["id"])
    assert shown["output"] == "out\nerr\n"
    text = place.run("task", "history", "--id", run["id"]).out
    assert "failed (exit 7)" in text and "  err\n" in text
    [event] = [e for e in place.run("events", "--json").lines if e["id"] == 2015]
    assert "exit status was 7" in event["message"]
    assert "failed (exit 7)" in place.run("task", "list").out
    assert "failed (exit 7)" in place.run("task", "show", "bad").out


def test_a_task_that_succeeds_is_an_event(place):
    add(place, "good", "/bin/true")
    assert place.run("task", "run", "good", "--json").json["status"] == 0
    assert [e["id"] for e in place.run("events", "--json").lines] == [2014]


def test_the_time_limit_ends_the_whole_group(place):
    pids = place / "pids"
    add(place, "slow", script(place, f"sleep 1000 & echo $! $$ > {pids}; echo begun; wait\n"),
        options=("--event", "1001", "--time-limit", "1s"))
    done = place.run("task", "run", "slow")
    assert done.code == 1 and done.out.startswith("begun\n") and "within 1s" in done.out
    for pid in pids.read_text().split():
        until(lambda: not alive(pid), f"{pid} is gone")
    assert history(place)[0]["status"] == 137


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_no_key_comes_into_the_record(place, authority):
    certificate = authority.issue("a.example.com")
    key = write(place / "key.pem", certificate.key_pem, 0o600)
    add(place, "cat", "/bin/cat", key)
    done = place.run("task", "run", "cat")
    assert done.out == "[private key removed]\n"
    secret = certificate.key_pem.splitlines()[1].encode()
    for path in place.state.rglob("*"):
        assert not path.is_file() or secret not in path.read_bytes()


def test_of_much_output_the_end_is_kept(place):
    add(place, "loud", script(place, "head -c 1000000 /dev/zero | tr '\\0' x; echo; echo last\n"))
    done = place.run("task", "run", "loud")
    assert done.out.endswith("x\nlast\n") and len(done.out) == 64 * 1024


def test_one_instance_at_a_time(place):
    """The second waits for the first, which waits for us."""
    gate = place / "gate"
    os.mkfifo(gate)
    log = place / "log"
    add(place, "one", script(place, f"echo in >> {log}; read x < {gate}; echo out >> {log}\n"))
    runs = [place.popen("task", "run", "one", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            for _ in range(2)]
    until(lambda: log.exists() and log.read_text() == "in\n", "one is in")
    waits = threading.Event()

    def listen(process):
        if b"waiting" in process.stderr.readline():
            waits.set()
    for process in runs:
        threading.Thread(target=listen, args=[process], daemon=True).start()
    assert waits.wait(PATIENCE), "the other says that it waits"
    assert log.read_text() == "in\n"
    for text in ("in\nout\nin\n", "in\nout\nin\nout\n"):
        gate.write_text("go\n")
        until(lambda: log.read_text() == text, repr(text))
    for process in runs:
        assert process.wait(PATIENCE) == 0


def test_a_run_that_was_killed_does_not_block_the_task(place):
    gate = place / "gate"
    os.mkfifo(gate)
    inside = place / "inside"
    program = script(place, f"[ -e {inside} ] || {{ touch {inside}; read x < {gate}; }}\n")
    add(place, "one", program)
    first = place.popen("task", "run", "one")
    until(inside.exists, "it runs")
    first.kill()
    first.wait()
    assert place.run("task", "run", "one").code == 0
    assert [run["state"] for run in history(place)] == ["done", "failed"]
    assert "interrupted" in place.run("task", "history").out
    gate.write_text("go\n")


def test_what_the_daemon_runs(place):
    """`run --queued`: its failure is tried again, its end is an event."""
    flag = place / "flag"
    add(place, "deploy", script(place, f"echo $CERTREBIND_NEW; [ -e {flag} ]\n"))
    run = queue_run(place, "deploy", log_event(place))
    assert place.run("task", "run", "--queued", run).code == 1
    second, first = history(place)
    assert (first["id"], first["state"], first["status"]) == (run, "failed", 1)
    assert (second["state"], second["attempt"], second["event"]) == ("queued", 2, first["event"])
    assert history(place, "--id", run)["output"] == "1a\n"
    assert 2015 not in [e["id"] for e in place.run("events", "--json").lines], "not yet"
    assert place.run("task", "run", "--queued", run).code == 1, "it has ended"
    flag.touch()
    assert place.run("task", "run", "--queued", second["id"]).code == 0
    assert history(place)[0]["state"] == "done"
    assert 2014 in [e["id"] for e in place.run("events", "--json").lines]


def test_a_task_may_run_certrebind_itself(place):
    """The lock is free while a task runs, and the state is the same."""
    add(place, "self", BINARY, "recover")
    done = place.run("task", "run", "self", timeout=60)
    assert done.code == 0 and "nothing to do" in done.out, done


def test_run_for_existing(place):
    add(place, "first", "/bin/true")
    with database(place) as db:
        for old, new, at in (("aa", "bb", 1), ("bb", "cc", 2), ("xx", "yy", 3)):
            db.execute("INSERT INTO successions VALUES (?, ?, 'same place', 'certbot', ?, ?, '')",
                       (old, new, f"/tls/{new}/cert.pem", at))
    done = add(place, "late", "/bin/echo", "$(OldCertHash)>$(NewCertHash)", "$(Lineage)", options=(
        "--event", "1001", "--store", "/tls/cc", "--run-for-existing"))
    assert "2 runs for existing successions: queued" in done.out
    outputs = []
    for run in reversed(history(place, "late")):
        assert place.run("task", "run", "--queued", run["id"]).code == 0
        outputs.append(history(place, "--id", run["id"])["output"])
    assert outputs == ["aa>cc /tls/cc\n", "bb>cc /tls/cc\n"]
    assert history(place, "first") == []


# -------------------------------------------------------------------------------------- mistakes

def test_a_duplicate(place):
    add(place, "deploy", "/bin/true")
    text = task_file(place, "deploy").read_text()
    done = place.run("task", "add", "deploy", "--event", "1001", "--", "/bin/false")
    assert done.code == 1 and "exists already" in done.err and "--replace" in done.err
    assert task_file(place, "deploy").read_text() == text
    write(task_file(place, "other"), 'name = "deploy"\nevents = [1001]\ncommand = ["/bin/false"]\n')
    listed = place.run("task", "list")
    assert listed.code == 1 and "other.toml: " in listed.err and "deploy" in listed.out


def test_bad_toml_is_named_with_file_and_line(place):
    add(place, "good", "/bin/echo", "still here")
    bad = write(task_file(place, "bad"), 'events = [1001]\ncommand = ["/bin/true"]\nretry = 5\n')
    listed = place.run("task", "list")
    assert listed.code == 1
    assert f"{bad}:3" in listed.err and "unknown setting 'retry'" in listed.err
    assert "good" in listed.out
    assert place.run("task", "run", "good").out == "still here\n"
    done = place.run("task", "run", "bad")
    assert done.code == 2 and f"{bad}:3" in done.err
    bad.write_text("events = [\n")
    assert f"{bad}:" in place.run("task", "show", "bad").err
    assert place.run("task", "remove", "bad").code == 0
    assert place.run("task", "list").code == 0


@pytest.mark.parametrize("mode", [0o666, 0o664])
@pytest.mark.parametrize("what", ["file", "directory"])
def test_what_others_may_write_is_refused(place, mode, what):
    touched = place / "touched"
    add(place, "deploy", "/bin/touch", touched)
    path = task_file(place, "deploy") if what == "file" else place / "tasks.d"
    path.chmod(mode if what == "file" else mode | 0o111)
    for command in (["list"], ["show", "deploy"], ["run", "deploy"]):
        done = place.run("task", *command)
        assert done.code != 0, done
        assert str(path) in done.err and "others than its owner may write it" in done.err
        assert f"chmod go-w {path}" in done.err
    assert not touched.exists()


@pytest.mark.skipif(not ROOT, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused(place):
    add(place, "deploy", "/bin/true")
    os.chown(task_file(place, "deploy"), 65534, 65534)
    done = place.run("task", "run", "deploy")
    assert done.code != 0 and "it belongs to user 65534" in done.err, done


@pytest.mark.parametrize("typed, words", [
    (["add", "x", "--", "/bin/true"], "--event, --every or --daily-at"),
    (["add", "a/b", "--event", "1001", "--", "/bin/true"], "letters, digits"),
    (["add", "x", "--event", "7", "--", "/bin/true"], "2002 or committed"),
    (["add", "x", "--event", "1001", "--", "/bin/echo", "$(date)"], "$(date) is no variable"),
    (["add", "x", "--every", "12", "--", "/bin/true"], "12h"),
    (["add", "x", "--daily-at", "25:00", "--", "/bin/true"], "03:30"),
    (["add", "x", "--every", "1h", "--window", "2-4", "--", "/bin/true"], "02:00-04:00"),
    (["add", "x", "--every", "1h", "--daily-at", "03:30", "--", "/bin/true"], "not both"),
    (["add", "x", "--event", "1001", "--env", "A", "--", "/bin/true"], "NAME=value"),
    (["add", "x", "--event", "1001", "--env", "A B=c", "--", "/bin/true"], "'A B'"),
    (["add", "x", "--event", "1001", "--retries", "-1", "--", "/bin/true"], "retries"),
    (["add", "x", "--event", "1001"], "command"),
    (["run"], "certrebind task list"),
    (["run", "nobody"], "certrebind task list"),
    (["show", "nobody"], "certrebind task list"),
    (["history", "--id", "99"], ""),
    ([], "subcommand"),
])
def test_mistakes_say_what_to_do_next(place, typed, words):
    done = place.run("task", *typed)
    assert done.code == 2 and words in done.err, done
    assert not list((place / "tasks.d").glob("*")) if (place / "tasks.d").exists() else True


def test_an_event_that_there_is_not(place):
    add(place, "deploy", "/bin/true")
    done = place.run("task", "run", "deploy", "--event", 99)
    assert done.code == 2 and "certrebind events" in done.err


def test_help_has_examples():
    for command in ("list", "show", "add", "remove", "run", "history"):
        done = run_certrebind("task", command, "--help")
        assert done.code == 0 and "Example" in done.out and f"task {command}" in done.out


def test_a_command_may_begin_with_options_right_behind_an_event(place):
    """`--event` takes one word: not the "--" behind it."""
    done = place.run("task", "add", "x", "--event", "1001", "--", "/bin/sh", "-c", "exit 0")
    assert done.code == 0, done
    shown = place.run("task", "show", "x", "--json").json
    assert shown["command"] == ["/bin/sh", "-c", "exit 0"]
