"""What Prometheus is told, and what its alert rules make of it."""
import datetime
import json
import os
import pathlib
import re
import subprocess

from files import write
from markers import needs_root
from ports import free_port
from stages.one_site import OneSite, Site

NOBODY = 65534
PACKAGING = pathlib.Path(__file__).parents[2] / "packaging"
RULES = PACKAGING / "prometheus/certrebind.rules.yml"
SAMPLE = re.compile(r'^(certrebind_\w+)(\{(?:\w+="(?:[^"\\]|\\.)*",?)*\})? (-?[0-9.e+]+)$')


def metrics(place, server):
    done = place.run("metrics", "--service", server.service)
    assert done.code == 0, done
    return done.out


def samples(text):
    found = [SAMPLE.match(line).groups() for line in text.splitlines() if not line.startswith("#")]
    names = [(name, labels) for name, labels, _ in found]
    assert len(set(names)) == len(names), "each sample is said once"
    return {(name, labels or ""): float(value) for name, labels, value in found}


def value(text, name, **labels):
    [number] = [number for (each, said), number in samples(text).items()
                if each == f"certrebind_{name}" and all(f'{key}="{word}"' in said for key, word in labels.items())]
    return number


def alerts(place, text):
    """The alerts that are raised if things stay so for three hours. promtool begins its time at 0."""
    now = value(text, "check_timestamp_seconds")
    series, hours = [], 3
    for (name, labels), number in samples(text).items():
        if name == "certrebind_check_timestamp_seconds":
            series.append({"series": name, "values": f"0+60x{hours * 60}"})
        else:
            if "timestamp" in name:
                number += hours * 3600 - now
            series.append({"series": name + labels, "values": f"{number}x{hours * 60}"})
    names = re.findall(r"alert: (\w+)", RULES.read_text())
    raised = []
    for name in names:
        test = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [{
            "interval": "1m", "input_series": series,
            "alert_rule_test": [{"eval_time": f"{hours}h", "alertname": name, "exp_alerts": []}]}]}
        done = subprocess.run(["promtool", "test", "rules", write(place / f"{name}.yml", json.dumps(test))],
                              capture_output=True, text=True)
        if done.returncode != 0:
            assert name in done.stdout + done.stderr, done
            raised.append(name)
    return raised


def test_promtool_accepts_it(place, authority):
    stage = OneSite(place, authority)
    text = metrics(place, stage.nginx)
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert done.returncode == 0, done
    subprocess.run(["promtool", "check", "rules", RULES], check=True, capture_output=True)
    json.loads((PACKAGING / "prometheus/grafana-dashboard.json").read_text())


def test_every_number_is_true(place, authority):
    stage = OneSite(place, authority)
    done = stage.run("rebind", stage.old.thumbprint, stage.new_cert)
    assert done.code == 0, done
    text = metrics(place, stage.nginx)
    end = stage.new.leaf.not_valid_after.replace(tzinfo=datetime.timezone.utc).timestamp()
    for name in ("certificate_expiry_timestamp_seconds", "served_expiry_timestamp_seconds"):
        assert value(text, name, site=stage.name, service=stage.nginx.service) == end
    assert value(text, "served_info", fingerprint=stage.new.thumbprint) == 1
    assert value(text, "last_rebind_outcome", outcome="committed") == 1
    assert value(text, "last_rebind_duration_seconds") > 0
    assert value(text, "site_level") == value(text, "site_drift") == value(text, "daemon_up") == 0
    assert alerts(place, text) == []


def test_what_drifts_is_an_alert(place, authority):
    stage = OneSite(place, authority)
    write(stage.site.cert_path, stage.new.fullchain_pem)
    write(stage.site.key_path, stage.new.key_pem, 0o600)
    text = metrics(place, stage.nginx)
    assert value(text, "site_drift") == 1
    assert value(text, "certificate_info", fingerprint=stage.new.thumbprint) == 1
    assert value(text, "served_info", fingerprint=stage.old.thumbprint) == 1
    assert "CertificateRenewedButNotServed" in alerts(place, text)


def test_what_expired_is_an_alert(place, authority):
    now = datetime.datetime.utcnow()
    expired = authority.issue("a.example.com", not_before=now - datetime.timedelta(days=9),
                              not_after=now - datetime.timedelta(days=1))
    stage = OneSite(place, authority, old=expired)
    raised = alerts(place, metrics(place, stage.nginx))
    assert {"CertificateServedExpired", "SiteCritical"} <= set(raised) and "CertificateServedExpiresSoon" not in raised


def test_a_daemon_that_does_not_run_is_an_alert(place, authority):
    stage = OneSite(place, authority)
    assert place.run("enable").code == 0
    assert "CertrebindDaemonDown" in alerts(place, metrics(place, stage.nginx))


def test_labels_may_hold_anything(place, authority):
    """A quote and a backslash in a path; a site that is bound twice."""
    certificate = authority.issue("a.example.com")
    cert, key = certificate.write(place / 'c"q')
    nginx, text = place.nginx(), ""
    for _ in range(2):
        text += Site("a.example.com", free_port(), certificate, f"'{cert}'", f"'{key}'").block()
    nginx.write(text).start()
    assert samples(metrics(place, nginx))


def test_the_file_is_replaced_as_a_whole(place, authority):
    stage = OneSite(place, authority)
    path = write(place / "out/certrebind.prom", "old\n")
    before = path.stat().st_ino
    done = place.run("metrics", "-o", path, "--service", stage.nginx.service)
    assert done.code == 0 and done.out == "", done
    assert samples(path.read_text()) and path.stat().st_ino != before
    assert path.stat().st_mode & 0o777 == 0o644
    assert [each.name for each in path.parent.iterdir()] == ["certrebind.prom"]


@needs_root
def test_the_collector_leads_root_nowhere(place, authority):
    """The owner of the way there puts a link to a directory of root's."""
    stage = OneSite(place, authority)
    theirs, roots = place / "theirs", place / "roots"
    for each in (theirs / "textfiles", roots):
        each.mkdir(parents=True)
    place.path.chmod(0o755)
    for each in (theirs, theirs / "textfiles"):
        os.chown(each, NOBODY, NOBODY)
    done = place.run("metrics", "-o", theirs / "textfiles/x.prom", "--service", stage.nginx.service)
    assert done.code == 0 and (theirs / "textfiles/x.prom").stat().st_uid == NOBODY, done
    (theirs / "link").symlink_to(roots)
    done = place.run("metrics", "-o", theirs / "link/x.prom", "--service", stage.nginx.service)
    assert done.code != 0 and list(roots.iterdir()) == [], done
