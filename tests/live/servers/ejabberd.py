"""ejabberd."""
import os
import shutil

from files import write
from ports import free_port
from servers.plain_first import PlainFirst


class Ejabberd(PlainFirst):
    """STARTTLS for clients and servers, and TLS from the first byte. Certificate and key in one file. Node and command
    find each other at a port of their own: there is no epmd, which all tests would share."""

    kind = "ejabberd"
    dialects = ("xmpp-client", "xmpp-server", "none")
    user = "ejabberd"

    def __init__(self, prefix):
        super().__init__(prefix, "ejabberd.yml")
        self.distribution_port = free_port()

    def install(self, certificate):
        certificate.write_combined(self.certificate)
        shutil.chown(self.certificate, self.user)
        return self

    def write(self):
        self.own("run", "spool")
        write(self.conf, f"""hosts:
  - mx.test
certfiles:
  - "{self.certificate}"
listen:
  -
    port: {self.endpoints["xmpp-client"]}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    starttls_required: true
  -
    port: {self.endpoints["xmpp-server"]}
    ip: "127.0.0.1"
    module: ejabberd_s2s_in
  - port: {self.endpoints["none"]}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    tls: true
s2s_use_starttls: optional
modules: {{}}
""")
        write(self.prefix / "ejabberdctl.cfg", f"ERL_DIST_PORT={self.distribution_port}\n")
        return self

    @property
    def env(self):
        """As ejabberdctl sets it."""
        return {**os.environ, "HOME": f"{self.prefix}/spool", "ERL_LIBS": "/usr/lib/x86_64-linux-gnu",
                "EJABBERD_CONFIG_PATH": str(self.conf), "EJABBERD_LOG_PATH": f"{self.prefix}/run/error.log",
                "CONFIG_DIR": str(self.prefix), "SPOOL_DIR": f"{self.prefix}/spool", "LOGS_DIR": f"{self.prefix}/run"}

    def command(self):
        return [*self.as_user(), "erl", "-sname", "ejabberd@localhost", "-erl_epmd_port", str(self.distribution_port),
                "-start_epmd", "false", "-kernel", "inet_dist_use_interface", "{127,0,0,1}",
                "-mnesia", "dir", f'"{self.prefix}/spool"', "-s", "ejabberd", "-noinput"]
