"""vsftpd."""
from files import write
from servers.plain_first import PlainFirst


class Vsftpd(PlainFirst):
    kind = "vsftpd"
    dialects = ("ftp",)

    def __init__(self, prefix):
        super().__init__(prefix, "vsftpd.conf")

    def write(self, more=""):
        (self.prefix / "empty").mkdir(exist_ok=True)
        write(self.conf, f"""listen=YES
listen_address=127.0.0.1
listen_port={self.endpoints["ftp"]}
background=NO
anonymous_enable=YES
anon_root={self.prefix}/empty
secure_chroot_dir={self.prefix}/empty
ssl_enable=YES
rsa_cert_file={self.certificate}
rsa_private_key_file={self.key}
{more}
""")
        return self

    def command(self):
        return ["vsftpd", str(self.conf)]

    def reload(self):
        """It reads certificates at its start only."""
        self.stop()
        self.start()
