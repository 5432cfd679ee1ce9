"""PostgreSQL."""
import pathlib
import subprocess

from servers.plain_first import PlainFirst

PROGRAMS = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), default=None)


class PostgreSQL(PlainFirst):
    kind = "postgresql"
    dialects = ("postgres",)
    user = "postgres"

    def __init__(self, prefix):
        super().__init__(prefix, "data/postgresql.conf")

    def write(self, more=""):
        """Makes an empty database, if there is none, and adds to its configuration."""
        self.own("run", "data")
        if not self.conf.exists():
            subprocess.run([*self.as_user(), PROGRAMS / "initdb", "--no-sync", "--auth=trust", "-D", self.conf.parent],
                           check=True, stdout=subprocess.DEVNULL, cwd="/")
        with open(self.conf, "a") as conf:
            conf.write(f"""listen_addresses = '127.0.0.1'
port = {self.endpoints["postgres"]}
unix_socket_directories = '{self.prefix}/run'
fsync = off
ssl = on
ssl_cert_file = '{self.certificate}'
ssl_key_file = '{self.key}'
{more}
""")
        return self

    def command(self):
        return [*self.as_user(), str(PROGRAMS / "postgres"), "-D", str(self.conf.parent)]
