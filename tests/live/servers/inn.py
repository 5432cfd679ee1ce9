"""INN's nnrpd, whose package wants a mail server of its own: scripts/packages.sh unpacks it."""
import os
import shutil
import subprocess

from files import write
from servers.plain_first import PlainFirst
from servers.unpacked import unpacked

LIBRARIES = ":".join(unpacked(package, "usr/lib/news") for package in ("inn2", "inn2-inews"))


class Inn(PlainFirst):
    """News without any group. No description: its title hides at which port it listens."""

    kind = "inn"
    dialects = ("nntp",)
    user = "news"

    def __init__(self, prefix):
        super().__init__(prefix, "inn.conf")

    @property
    def env(self):
        return {**os.environ, "INNCONF": str(self.conf), "LD_LIBRARY_PATH": LIBRARIES}

    def write(self):
        self.own("run", "db", "spool", "spool/overview")
        programs = unpacked("inn2", "usr/lib/news")
        write(self.conf, f"""mta: "/bin/true %s"
organization: tests
ovmethod: tradindexed
hismethod: hisv6
pathhost: mx.test
domain: mx.test
pathnews: {programs}
pathbin: {programs}/bin
pathdb: {self.prefix}/db
pathetc: {self.prefix}
pathrun: {self.prefix}/run
pathlog: {self.prefix}/run
pathspool: {self.prefix}/spool
pathtmp: {self.prefix}/run
tlscertfile: {self.certificate}
tlskeyfile: {self.key}
""")
        write(self.prefix / "readers.conf", 'auth all { hosts: "*"  default: "<x>" }\n'
                                            'access all { users: "*" newsgroups: "*" }\n')
        shutil.copy(unpacked("inn2", "etc/news/storage.conf"), self.prefix)
        for name in ("active", "newsgroups", "history"):
            write(self.prefix / "db" / name, "")
            shutil.chown(self.prefix / "db" / name, self.user)
        if not (self.prefix / "spool/overview/group.index").exists():
            subprocess.run([*self.as_user(), f"{programs}/bin/makehistory", "-O", "-x", "-F"], check=True, env=self.env,
                           stderr=subprocess.DEVNULL)
        return self

    def command(self):
        return [*self.as_user(), unpacked("inn2", "usr/lib/news/bin/nnrpd"), "-D", "-f", "-b", "127.0.0.1", "-p",
                str(self.endpoints["nntp"])]

    def reload(self):
        """It reads the files for each connection."""
