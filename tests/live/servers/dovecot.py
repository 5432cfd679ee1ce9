"""Dovecot 2.3."""
import signal

from files import write
from processes import takes_signal
from servers.plain_first import PlainFirst

SERVICES = {"imap": "imap-login", "pop3": "pop3-login", "lmtp": "lmtp", "sieve": "managesieve-login"}


class Dovecot(PlainFirst):
    kind = "dovecot"
    dialects = tuple(SERVICES)

    def __init__(self, prefix):
        super().__init__(prefix, "dovecot.conf")

    def write(self, more=""):
        listeners = "".join(f"""service {SERVICES[dialect]} {{
  inet_listener {dialect} {{
    address = 127.0.0.1
    port = {port}
  }}
}}
""" for dialect, port in self.endpoints.items())
        write(self.conf, f"""base_dir = {self.prefix}/run
state_dir = {self.prefix}/run
log_path = {self.log}
protocols = imap pop3 lmtp sieve
ssl = yes
ssl_cert = <{self.certificate}
ssl_key = <{self.key}
passdb {{
  driver = static
}}
{listeners}service imap-login {{
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  inet_listener pop3s {{
    port = 0
  }}
}}
{more}
""")
        return self

    def is_up(self):
        """It listens before it takes a HUP."""
        return super().is_up() and takes_signal(self.process.pid, signal.SIGHUP)

    def command(self):
        return ["dovecot", "-F", "-c", str(self.conf)]
