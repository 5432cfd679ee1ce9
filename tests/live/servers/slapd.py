"""OpenLDAP's slapd, configured in cn=config."""
import shutil
import subprocess

from files import write
from servers.plain_first import PlainFirst


class Slapd(PlainFirst):
    kind = "slapd"
    dialects = ("ldap",)
    user = "openldap"

    def __init__(self, prefix):
        super().__init__(prefix, "slapd.d")

    def write(self, more=""):
        """Makes the configuration's database anew; `more` are lines of its entry cn=config."""
        shutil.rmtree(self.conf, ignore_errors=True)
        self.own("run", "slapd.d")
        subprocess.run([*self.as_user(), "slapadd", "-n", "0", "-F", self.conf], check=True, text=True, input=f"""dn: cn=config
objectClass: olcGlobal
cn: config
olcPidFile: {self.prefix}/run/slapd.pid
olcTLSCertificateFile: {self.certificate}
olcTLSCertificateKeyFile: {self.key}
{more}
dn: olcDatabase={{0}}config,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {{0}}config
olcAccess: to * by dn.exact=gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth manage
""")
        return self

    @property
    def socket_url(self):
        return f"ldapi://{self.prefix}/run/ldapi".replace("/", "%2F").replace(":%2F%2F", "://")

    def command(self):
        return ["slapd", "-d", "0", "-F", str(self.conf), "-u", self.user, "-g", self.user,
                "-h", f"ldap://127.0.0.1:{self.endpoints['ldap']}/ {self.socket_url}"]

    def reload(self):
        """Both paths are written again, to the same values."""
        subprocess.run(["ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", self.socket_url], check=True, text=True,
                       stdout=subprocess.DEVNULL, input=f"""dn: cn=config
changetype: modify
replace: olcTLSCertificateFile
olcTLSCertificateFile: {self.certificate}
-
replace: olcTLSCertificateKeyFile
olcTLSCertificateKeyFile: {self.key}
""")


class SlapdConf(PlainFirst):
    """The configuration in slapd.conf."""

    kind = "slapd-conf"
    dialects = ("ldap",)
    user = "openldap"

    def __init__(self, prefix):
        super().__init__(prefix, "slapd.conf")

    def write(self):
        self.own("run")
        write(self.conf, f"""pidfile {self.prefix}/run/slapd.pid
TLSCertificateFile {self.certificate}
TLSCertificateKeyFile {self.key}
database config
""")
        return self

    def command(self):
        return ["slapd", "-d", "0", "-f", str(self.conf), "-u", self.user, "-g", self.user,
                "-h", f"ldap://127.0.0.1:{self.endpoints['ldap']}/"]
