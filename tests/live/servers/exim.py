"""Exim, whose package conflicts with Postfix: scripts/packages.sh unpacks it."""
from files import write
from servers.plain_first import PlainFirst
from servers.unpacked import known_user, unpacked


class Exim(PlainFirst):
    """STARTTLS at one port, TLS from the first byte at another."""

    kind = "exim"
    dialects = ("smtp", "none")
    user = "Debian-exim"
    program = unpacked("exim4-daemon-light", "usr/sbin/exim4")

    def __init__(self, prefix):
        known_user(self.user)
        super().__init__(prefix, "exim.conf")

    def write(self, more=""):
        self.own("run")
        write(self.conf, f"""# Macros, as Debian's configuration has them.
MAIN_TLS_CERTIFICATE = {self.certificate}
primary_hostname = mx.test
exim_path = {self.program}
spool_directory = {self.prefix}/run
log_file_path = {self.prefix}/run/%slog
pid_file_path = {self.prefix}/run/pid
local_interfaces = <; 127.0.0.1
daemon_smtp_ports = {self.endpoints["smtp"]} : {self.endpoints["none"]}
tls_on_connect_ports = {self.endpoints["none"]}
tls_advertise_hosts = *
.ifdef MAIN_TLS_CERTIFICATE
tls_certificate = MAIN_TLS_CERTIFICATE
tls_privatekey = {self.key}
.endif
{more}
""")
        return self

    def command(self):
        return [self.program, "-C", str(self.conf), "-bdf"]

    def reload(self):
        """It reads the files for each connection."""
