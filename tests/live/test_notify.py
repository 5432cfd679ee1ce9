"""Somebody is told what needs a person: once, again after a day, and not when it is over."""
import email
import http.server
import json
import threading

from files import write
from stages.daemon import Watch
from stages.one_site import OneSite
from waiting import until


class Webhook:
    """A web server that keeps what it is sent. `status`: what it answers."""

    def __init__(self, place):
        self.events, self.types, self.status = [], [], 200

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler):
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                self.events.append(json.loads(body))
                self.types.append(handler.headers["Content-Type"])
                handler.send_response(self.status)
                handler.end_headers()

            def log_message(handler, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place.at_end(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_port}/hook"

    def sentences(self):
        return [item["sentence"] for event in self.events for item in event["data"]["items"]]


def broken(place, authority):
    """A site whose key on disk belongs to another certificate: only a person can mend that."""
    stage = OneSite(place, authority)
    write(stage.site.key_path, stage.new.key_pem, 0o600)
    return stage


def test_a_webhook_gets_a_cloud_event_once(place, authority):
    stage, hook = broken(place, authority), Webhook(place)
    done = place.run("notify", "--to", hook.url)
    assert done.code == 0 and "need" in done.out, done
    [event] = hook.events
    assert event["specversion"] == "1.0" and event["type"] == "org.certrebind.attention"
    assert hook.types == ["application/cloudevents+json"]
    assert any("key" in sentence for sentence in hook.sentences()), hook.events
    done = place.run("notify", "--to", hook.url)
    assert done.code == 0 and "nothing new" in done.out and len(hook.events) == 1, done
    write(stage.site.key_path, stage.old.key_pem, 0o600)
    assert place.run("notify", "--to", hook.url).code == 0
    write(stage.site.key_path, stage.new.key_pem, 0o600)
    assert place.run("notify", "--to", hook.url).code == 0
    assert len(hook.events) == 2, "it came back, so it is told again"


def test_what_could_not_be_sent_is_sent_later(place, authority):
    broken(place, authority)
    hook = Webhook(place)
    hook.status = 503
    done = place.run("notify", "--to", hook.url)
    assert done.code == 1 and "status 503" in done.err, done
    hook.status = 200
    assert place.run("notify", "--to", hook.url).code == 0
    assert len(hook.events) == 2
    done = place.run("notify", "--to", "http://127.0.0.1:1/")
    assert done.code == 0, "there is nothing new"


def test_mail_goes_through_sendmail(place, authority):
    broken(place, authority)
    mail = place / "mail"
    program = write(place / "sendmail", f'#!/bin/sh\n[ "$*" = "-i -t" ] && cat >{mail}\n', 0o755)
    done = place.run("notify", "--to", "mailto:ops@example.com", "--sendmail", program)
    assert done.code == 0, done
    message = email.message_from_string(mail.read_text())
    assert message["To"] == "ops@example.com" and message["Subject"].startswith("[certrebind ")
    assert "next: " in message.get_payload() and "key" in message.get_payload()
    write(place / "sendmail", "#!/bin/sh\necho the queue is full; exit 75\n", 0o755)
    done = place.run("notify", "--to", "mailto:ops@example.com", "--sendmail", program, "--test")
    assert done.code == 1 and "the queue is full" in done.err, done
    done = place.run("notify", "--to", "mailto:ops@example.com", "--sendmail", place / "none", "--test")
    assert done.code == 1 and "install a mail server" in done.err, done


def test_a_test_message(place):
    hook = Webhook(place)
    done = place.run("notify", "--to", hook.url, "--test")
    assert done.code == 0 and hook.sentences() == ["this is a test: nothing needs a person"], done


def test_an_address_that_is_none(place):
    for to in ("ops@example.com", "ftp://example.com", "mailto:nobody", "https://x y", "mailto:a@b\nBcc: c@d"):
        done = place.run("notify", "--to", to)
        assert done.code == 2 and "mailto:ops@example.com" in done.err, done
    assert place.run("enable", "--notify", "ops").code == 2


def test_enable_has_the_daemon_tell(place, authority):
    """A renewal that preflight refuses: the task runs by itself."""
    hook, stage = Webhook(place), OneSite(place, authority)
    watch = Watch(place, stage.nginx, enable=False)
    done = place.run("enable", "--notify", hook.url)
    assert done.code == 0 and hook.url in done.out, done
    watch.start(stage.old)
    weak = authority.issue("a.example.com", days=100, chain=False)
    write(stage.site.cert_path, weak.fullchain_pem)
    write(stage.site.key_path, weak.key_pem, 0o600)
    # On a slow machine it may also be told of the moment between the two files.
    until(lambda: "intermediate" in " ".join(hook.sentences()), "the webhook is told")
    watch.stop()
    assert place.run("enable", "--notify", "none").code == 0
    assert not (place / "tasks.d/notify.toml").exists()
