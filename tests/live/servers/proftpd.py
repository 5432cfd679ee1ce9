"""ProFTPD. Its package conflicts with vsftpd's."""

from files import write
from servers.plain_first import PlainFirst
from servers.unpacked import unpacked


class ProFTPD(PlainFirst):
    """Of the certificate's file it sends the first certificate only."""

    kind = "proftpd"
    dialects = ("ftp",)

    def __init__(self, prefix):
        super().__init__(prefix, "proftpd.conf")

    def install(self, certificate):
        write(self.prefix / "chain.pem", certificate.chain_pem)
        return super().install(certificate)

    def write(self, more=""):
        (self.prefix / "empty").mkdir(exist_ok=True)
        write(self.conf, f"""ModulePath {unpacked("proftpd-mod-crypto", "usr/lib/proftpd")}
LoadModule mod_tls.c
DefaultAddress 127.0.0.1
Port {self.endpoints["ftp"]}
User nobody
Group nogroup
ScoreboardFile {self.prefix}/run/scoreboard
DelayTable none
PidFile {self.prefix}/run/pid
SystemLog {self.log}
UseReverseDNS off
WtmpLog off
TLSEngine on
TLSLog {self.prefix}/run/tls
TLSProtocol TLSv1.2 TLSv1.3
TLSRSACertificateFile {self.certificate}
TLSRSACertificateKeyFile {self.key}
TLSCertificateChainFile {self.prefix}/chain.pem
{more}
""".replace("TLSRSA", "TLSEC"))
        return self

    def command(self):
        return [unpacked("proftpd-core", "usr/sbin/proftpd"), "-n", "-c", str(self.conf)]
