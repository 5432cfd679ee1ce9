"""A host as the page is told of it: what a test needs is more, or stranger, than real servers would serve quickly."""
import datetime
import hashlib
import json
import subprocess

from browser import CONSOLE

import pathlib

HERE = pathlib.Path(__file__).resolve().parent


def rfc3339(days):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def stored(name, days=60, **more):
    thumbprint = hashlib.sha256(name.encode()).hexdigest()
    return {"thumbprint": thumbprint, "sha1": thumbprint[:40], "serial": "01", "issued_to": name, "issued_by": "Test Issuer",
            "names": [name], "not_before": rfc3339(days - 90), "not_after": rfc3339(days), "days_left": days,
            "path": f"/etc/ssl/{name}/fullchain.pem", "key_path": f"/etc/ssl/{name}/privkey.pem", "key_at_hand": True, "store": "",
            "renewer": None, "bindings": 1, **more}


def checked(name, days=60, level="OK", remarks=()):
    certificate = stored(name, days)
    shown = {key: certificate[key] for key in ("thumbprint", "sha1", "serial", "issued_to", "issued_by", "names", "not_before",
                                                "not_after", "days_left")}
    return {"service": "nginx:/etc/nginx/nginx.conf", "level": level, "certificate": shown, "remarks": list(remarks),
            "served": [{"address": "127.0.0.1:443", "sni": name, "thumbprint": certificate["thumbprint"]}], "site": name,
            "names": [name], "unprobed_names": [], "role": "server", "endpoints": [], "certificate_path": certificate["path"],
            "key_path": certificate["key_path"], "file": "/etc/nginx/nginx.conf", "line": 1, "column": 1, "not_editable": ""}


def host(names, rights=True, status=None, bindings=None, certificates=None, events=(), **answers):
    """The recording of a host with a site for each name."""
    certificates = [stored(name) for name in names] if certificates is None else certificates
    return {"rights": rights, "events": list(events), "answers": {
        "status": {"enabled": True, "daemon": True, "services": 1, "bindings": len(names), "certificates": [],
                   "expires_next": [{"path": one["path"], "thumbprint": one["thumbprint"], "not_after": one["not_after"],
                                     "days_left": one["days_left"], "renewed_by": "nobody", "sites": one["names"]}
                                    for one in certificates],
                   "last": [], "tasks_left_out": [], "needs_person": [], **(status or {})},
        "check": {"level": "OK", "bindings": [checked(name) for name in names] if bindings is None else bindings, "left_out": 0,
                  "proof_owed": [], "interrupted": [], "diagnostics": []},
        "certificates": {"certificates": certificates, "left_out": 0, "diagnostics": []},
        "history": {"transactions": [], "left_out": 0},
        "task list": {"tasks": [], "errors": []}, **answers}}


def build(target):
    """The page on a recorded host, ready to be given a recording."""
    subprocess.run(["node", str(HERE / "recorded/build.mjs"), str(CONSOLE), str(target)], check=True)
    return target


def play(target, recording):
    answers = {}
    for command, answer in recording["answers"].items():
        file = f"{command.replace(' ', '-')}.json"
        (target / file).write_text(json.dumps({"schema": 1, "changed": False, **answer}))
        answers[command] = {"status": 1 if "error" in answer else 0, "file": file}
    (target / "recorded.json").write_text(json.dumps({**recording, "answers": answers}))
