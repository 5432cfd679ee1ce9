"""MariaDB."""
import subprocess

from files import write
from servers.plain_first import PlainFirst


class MariaDB(PlainFirst):
    kind = "mariadb"
    dialects = ("mysql",)
    user = "mysql"

    def __init__(self, prefix):
        super().__init__(prefix, "my.cnf")

    def write(self, more=""):
        """Makes an empty database, if there is none."""
        self.own("run", "data")
        write(self.conf, f"""[mysqld]
user = {self.user}
datadir = {self.prefix}/data
tmpdir = {self.prefix}/run
socket = {self.prefix}/run/socket
pid_file = {self.prefix}/run/pid
bind_address = 127.0.0.1
connect_timeout = 120
port = {self.endpoints["mysql"]}
ssl_cert = {self.certificate}
ssl_key = {self.key}
{more}
""")
        if not (self.prefix / "data/mysql").exists():
            subprocess.run(["mariadb-install-db", f"--defaults-file={self.conf}", "--skip-test-db"], check=True,
                           stdout=subprocess.DEVNULL)
        return self

    def command(self):
        return ["mariadbd", f"--defaults-file={self.conf}"]

    def reload(self):
        subprocess.run(["mariadb", "--no-defaults", f"--socket={self.prefix}/run/socket", "-e", "FLUSH SSL"],
                       check=True)
