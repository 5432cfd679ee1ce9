"""Prosody."""
from files import write
from processes import takes_signal
from servers.plain_first import PlainFirst


class Prosody(PlainFirst):
    kind = "prosody"
    dialects = ("xmpp-client", "xmpp-server")
    user = "prosody"

    def __init__(self, prefix):
        super().__init__(prefix, "prosody.cfg.lua")

    def settings(self):
        return f'ssl = {{ certificate = "{self.certificate}", key = "{self.key}" }}'

    def write(self, host="mx.test", more=""):
        self.own("run", "data")
        write(self.conf, f"""data_path = "{self.prefix}/data"
pidfile = "{self.prefix}/run/prosody.pid"
log = {{ info = "{self.log}" }}
modules_enabled = {{ "posix", "tls", "saslauth", "dialback" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {self.endpoints["xmpp-client"]} }}
s2s_ports = {{ {self.endpoints["xmpp-server"]} }}
c2s_direct_tls_ports = {{}}
s2s_direct_tls_ports = {{}}
{self.settings()}
VirtualHost "{host}"
{more}
""")
        return self

    def is_up(self):
        return super().is_up() and takes_signal(self.process.pid, self.reload_signal)

    def command(self):
        return [*self.as_user(), "prosody", "--config", str(self.conf), "-F"]
