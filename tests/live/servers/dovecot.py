"""Dovecot 2.3 or, with the other names of its settings, 2.4."""
import functools
import shutil
import signal
import subprocess

from files import write
from processes import takes_signal
from servers.plain_first import PlainFirst

SERVICES = {"imap": "imap-login", "pop3": "pop3-login", "lmtp": "lmtp", "sieve": "managesieve-login"}


class Dovecot(PlainFirst):
    """A client that has signed in stays: by default, every session ends six seconds after a reload."""

    kind = "dovecot"
    dialects = tuple(SERVICES)
    begin, begun = b"a LOGIN user x\r\n", b"a OK"

    def __init__(self, prefix):
        super().__init__(prefix, "dovecot.conf")

    @functools.cached_property
    def is_new(self):
        return not subprocess.run(["dovecot", "--version"], capture_output=True, text=True).stdout.startswith("2.3")

    @property
    def address(self):
        """The setting with the address of a listener."""
        return "listen" if self.is_new else "address"

    def pair(self, certificate, key):
        if self.is_new:
            return f"ssl_server_cert_file = {certificate}\nssl_server_key_file = {key}\n"
        return f"ssl_cert = <{certificate}\nssl_key = <{key}\n"

    def account(self):
        """Anybody with this password, and where his mail is."""
        mail = self.prefix / "mail"
        mail.mkdir(exist_ok=True)
        shutil.chown(mail, "nobody")
        if self.is_new:
            return f"""mail_driver = maildir
mail_path = {mail}
passdb static {{
  password = x
}}
userdb static {{
  fields {{
    uid = nobody
    gid = nogroup
  }}
}}
"""
        return f"""mail_location = maildir:{mail}
passdb {{
  driver = static
  args = password=x
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={mail}
}}
"""

    def write(self, more=""):
        listeners = "".join(f"""service {SERVICES[dialect]} {{
  inet_listener {dialect} {{
    {self.address} = 127.0.0.1
    port = {port}
  }}
}}
""" for dialect, port in self.endpoints.items())
        versions = "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n" if self.is_new else ""
        write(self.conf, f"""{versions}base_dir = {self.prefix}/run
state_dir = {self.prefix}/run
log_path = {self.log}
shutdown_clients = no
protocols = imap pop3 lmtp sieve
ssl = yes
{self.pair(self.certificate, self.key)}{self.account()}{listeners}service imap-login {{
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
