"""Postfix."""
import subprocess

from files import write
from servers.plain_first import PlainFirst

DAEMONS = "/usr/lib/postfix/sbin"


class Postfix(PlainFirst):
    kind = "postfix"
    dialects = ("smtp",)
    user = "postfix"  # of the data; root reads the key, too

    def __init__(self, prefix):
        super().__init__(prefix, "main.cf")

    def write(self, more=""):
        (self.prefix / "queue").mkdir(exist_ok=True)
        self.own("data")
        write(self.conf, f"""compatibility_level = 3.6
queue_directory = {self.prefix}/queue
data_directory = {self.prefix}/data
daemon_directory = {DAEMONS}
maillog_file = {self.log}
maillog_file_prefixes = {self.prefix}
myhostname = mx.test
mydestination =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_tls_security_level = may
smtpd_tls_cert_file = {self.certificate}
smtpd_tls_key_file = {self.key}
{more}
""")
        write(self.prefix / "master.cf", f"""127.0.0.1:{self.endpoints["smtp"]} inet n - n - - smtpd
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
""")
        subprocess.run(["postfix", "-c", self.prefix, "check"], check=True)  # makes directories
        return self

    def command(self):
        return [f"{DAEMONS}/master", "-c", str(self.prefix), "-d"]
