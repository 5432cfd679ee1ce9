"""Apache httpd as distributions lay it out: found by its process alone, rebound and proven."""
import os
import shutil
import subprocess

import pytest

from command import BINARY
from files import write
from handshakes import handshake
from markers import needs_root
from ports import free_port
from servers.apache import APACHE, APACHE_MODULES

MODULES = APACHE_MODULES
HOST = """<VirtualHost *:{port}>
    ServerName {name}
    SSLEngine on
    SSLCertificateFile {where}/site.pem
    SSLCertificateKeyFile {where}/site.key
</VirtualHost>
"""
BASICS = """ServerName localhost
LogLevel notice
User www-data
Group www-data
StartServers 2
MaxRequestWorkers 50
ThreadsPerChild 25
"""


def load(*names):
    return "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in names)


class Layout:
    """An Apache whose files lie as `files` says, by their names below the prefix."""

    def __init__(self, place, authority, files, main, arguments=(), environment=()):
        self.place = place
        self.name = "a.example.com"
        self.old, self.new = authority.pair(self.name)
        self.apache = place.apache()
        self.apache.conf = self.apache.prefix / main
        self.port = free_port()
        prefix = self.apache.prefix
        self.old.write(prefix / "tls", "site.pem", "site.key")
        values = {"prefix": prefix, "port": self.port, "name": self.name, "where": f"{prefix}/tls",
                  "run": f"{prefix}/run"}
        for name, text in files.items():
            write(prefix / name, text.replace("@HOST@", HOST).replace("@BASICS@", BASICS).format(**values))
        self.apache.arguments = [word.format(**values) for word in arguments]
        self.apache.environment = {key: word.format(**values) for key, word in dict(environment).items()}


DEBIAN = {
    "apache2.conf": "DefaultRuntimeDir ${{APACHE_RUN_DIR}}\nPidFile ${{APACHE_PID_FILE}}\n"
                    "ErrorLog ${{APACHE_LOG_DIR}}/error.log\nServerRoot {prefix}\n"
                    + BASICS.replace("www-data\nGroup www-data", "${{APACHE_RUN_USER}}\nGroup ${{APACHE_RUN_GROUP}}")
                    + "IncludeOptional mods-enabled/*.load\nIncludeOptional mods-enabled/*.conf\n"
                      "Include ports.conf\nIncludeOptional conf-enabled/*.conf\n"
                      "IncludeOptional sites-enabled/*.conf\n",
    "ports.conf": "<IfModule ssl_module>\n    Listen 127.0.0.1:{port}\n</IfModule>\n",
    "mods-available/base.load": load("mpm_event", "authz_core"),
    "mods-available/ssl.load": load("ssl"),
    "mods-available/ssl.conf": "<IfModule mod_ssl.c>\n    SSLProtocol all -SSLv3\n</IfModule>\n",
    "sites-available/default-ssl.conf": "@HOST@",
    "sites-available/off.conf": "<VirtualHost *:{port}>\nServerName off.example.com\n</VirtualHost>\n",
}
DEBIANS_VARIABLES = {"APACHE_RUN_DIR": "{run}", "APACHE_PID_FILE": "{run}/httpd.pid",
                     "APACHE_LOG_DIR": "{run}", "APACHE_RUN_USER": "www-data",
                     "APACHE_RUN_GROUP": "www-data", "APACHE_LOCK_DIR": "{run}"}


def enable(prefix):
    """What a2enmod and a2ensite do."""
    (prefix / "conf-enabled").mkdir()
    for kind, names in (("mods", ("base.load", "ssl.load", "ssl.conf")), ("sites", ("default-ssl.conf",))):
        (prefix / f"{kind}-enabled").mkdir(exist_ok=True)
        for name in names:
            (prefix / f"{kind}-enabled/{name}").symlink_to(f"../{kind}-available/{name}")


def debian(place, authority):
    layout = Layout(place, authority, DEBIAN, "apache2.conf", environment=DEBIANS_VARIABLES)
    enable(layout.apache.prefix)
    return layout


def fedora(place, authority):
    files = {
        "conf/httpd.conf": "ServerRoot {prefix}\nPidFile run/httpd.pid\nDefaultRuntimeDir run\n"
                           "ErrorLog run/error.log\nInclude conf.modules.d/*.conf\n@BASICS@"
                           "IncludeOptional conf.d/*.conf\n",
        "conf.modules.d/00-mpm.conf": load("mpm_event"),
        "conf.modules.d/00-base.conf": load("authz_core"),
        "conf.modules.d/00-ssl.conf": load("ssl"),
        "conf.d/ssl.conf": "Listen 127.0.0.1:{port} https\n@HOST@",
        "conf.d/README": "This is no configuration.\n",
    }
    layout = Layout(place, authority, files, "conf/httpd.conf")
    layout.apache.command = lambda *more: [APACHE, "-d", str(layout.apache.prefix), "-f", "conf/httpd.conf",
                                           *more]
    return layout


def gentoo(place, authority):
    files = {
        "httpd.conf": "ServerRoot {prefix}\nPidFile {run}/httpd.pid\nDefaultRuntimeDir {run}\n"
                      "ErrorLog {run}/error.log\n" + load("mpm_event", "authz_core")
                      + "<IfDefine SSL>\n" + load("ssl") + "</IfDefine>\n@BASICS@"
                      "Include modules.d/*.conf\nInclude vhosts.d/*.conf\n",
        "modules.d/00_default.conf": "<IfDefine INFO>\nServerTokens Full\n</IfDefine>\n",
        "vhosts.d/00_default_ssl_vhost.conf":
            "<IfDefine SSL>\n<IfDefine SSL_DEFAULT_VHOST>\n<IfModule ssl_module>\n"
            "Listen 127.0.0.1:{port}\n@HOST@</IfModule>\n</IfDefine>\n</IfDefine>\n",
    }
    return Layout(place, authority, files, "httpd.conf", arguments=["-D", "SSL", "-D", "SSL_DEFAULT_VHOST"])


def plain(place, authority):
    files = {"httpd.conf": "ServerRoot {prefix}\nPidFile {run}/httpd.pid\nDefaultRuntimeDir {run}\n"
                           "ErrorLog {run}/error.log\n" + load("mpm_event", "authz_core", "ssl")
                           + "@BASICS@Listen 127.0.0.1:{port}\n@HOST@"}
    return Layout(place, authority, files, "httpd.conf")


@needs_root
@pytest.mark.parametrize("layout", [debian, fedora, gentoo, plain])
def test_a_layout(place, authority, layout):
    one = layout(place, authority)
    one.apache.start()
    bindings = [each for each in place.run("scan", "--json").json["bindings"]
                if each["service"] == one.apache.service]
    assert [(each["site"], each["certificate_path"]) for each in bindings] == [
        (one.name, str(one.apache.prefix / "tls/site.pem"))]
    before = {path: path.read_bytes() for path in one.apache.prefix.rglob("*.conf")}
    new_cert, _ = one.new.write(place / "new")
    for step, wanted in (("rebind", one.new), ("undo", one.old)):
        words = [one.old.thumbprint, new_cert] if step == "rebind" else []
        done = place.run(step, *words, "--service", one.apache.service)
        assert done.code == 0 and "committed" in done.out, done
        assert handshake(one.port, one.name) == wanted.thumbprint
    assert before == {path: path.read_bytes() for path in one.apache.prefix.rglob("*.conf")}


# What httpd needs of /etc beside its own directory.
OF_ETC = ("passwd", "group", "hosts", "nsswitch.conf", "ld.so.cache", "localtime", "mime.types", "ssl")


@needs_root
def test_debians_own_place(place, authority):
    """/etc/apache2 by its name, without -f: in a mount namespace with an /etc of its own."""
    one = debian(place, authority)
    etc = place / "etc"
    etc.mkdir()
    for name in OF_ETC:
        source = f"/etc/{name}"
        if os.path.isdir(source):
            shutil.copytree(source, etc / name, symlinks=True, ignore_dangling_symlinks=True)
        elif os.path.exists(source):
            shutil.copy(source, etc / name)
    text = one.apache.conf.read_text()
    one.apache.conf.write_text(text.replace(f"ServerRoot {one.apache.prefix}\n", ""))
    shutil.copytree(one.apache.prefix, etc / "apache2", symlinks=True)
    inside = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
              f'mount --bind {etc} /etc && exec "$@"', "sh"]
    server = one.apache
    outside = server.command
    server.command = lambda *more: [*inside, outside()[0], *more]
    server.start()
    enter = ["nsenter", "-t", str(server.process.pid), "--mount", BINARY]

    def run(*arguments):
        return subprocess.run([*enter, *map(str, arguments)], capture_output=True, text=True, timeout=60,
                              env={**os.environ, **place.env})

    assert "apache:/etc/apache2/apache2.conf" in run("scan", "--json").stdout
    new_cert, _ = one.new.write(place / "new")
    done = run("rebind", one.old.thumbprint, new_cert, "--repoint", "--service", "apache:/etc/apache2/apache2.conf")
    assert done.returncode == 0 and "committed" in done.stdout, done
    assert handshake(one.port, one.name) == one.new.thumbprint
    # The file that a2ensite's link leads to was edited, and the link is one still.
    assert str(new_cert) in (etc / "apache2/sites-available/default-ssl.conf").read_text()
    assert (etc / "apache2/sites-enabled/default-ssl.conf").is_symlink()
