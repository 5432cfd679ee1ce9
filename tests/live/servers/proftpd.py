"""ProFTPD, whose package conflicts with vsftpd: scripts/packages.sh unpacks it."""
from files import write
from servers.plain_first import PlainFirst
from servers.unpacked import unpacked


class ProFTPD(PlainFirst):
    """It sends the first certificate of its file; the chain is in a file of its own."""

    kind = "proftpd"
    dialects = ("ftp",)

    def __init__(self, prefix):
        super().__init__(prefix, "proftpd.conf")
        self.chain = self.prefix / "chain.pem"

    def install(self, certificate):
        super().install(certificate)
        write(self.certificate, certificate.leaf_pem)
        write(self.chain, certificate.chain_pem)
        return self

    def write(self):
        write(self.conf, f"""ModulePath {unpacked("proftpd-mod-crypto", "usr/lib/proftpd")}
LoadModule mod_tls.c
ServerName mx.test
ServerType standalone
DefaultAddress 127.0.0.1
SocketBindTight on
UseIPv6 off
Port {self.endpoints["ftp"]}
User nobody
Group nogroup
PidFile {self.prefix}/run/pid
ScoreboardFile {self.prefix}/run/scoreboard
SystemLog {self.log}
WtmpLog off
DelayEngine off
ControlsEngine off
TLSEngine on
TLSLog {self.prefix}/run/tls.log
TLSECCertificateFile {self.certificate}
TLSECCertificateKeyFile {self.key}
TLSCertificateChainFile {self.chain}
""")
        return self

    def command(self):
        return [unpacked("proftpd-core", "usr/sbin/proftpd"), "-n", "-c", str(self.conf)]
