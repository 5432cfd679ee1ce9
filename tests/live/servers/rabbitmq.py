"""RabbitMQ."""
import os
import pathlib
import subprocess

from files import write
from ports import free_port
from servers.plain_first import PlainFirst
from waiting import until


class RabbitMQ(PlainFirst):
    """Its nodes and commands find each other by an epmd of its own, and have the cookie that the package made."""

    kind = "rabbitmq"
    dialects = ("none",)
    words = b"AMQP\0\0\x09\x01"  # AMQP 0-9-1, section 2.2.4
    user = "rabbitmq"

    def __init__(self, prefix):
        super().__init__(prefix, "rabbitmq.conf")
        self.names_port, self.distribution_port = free_port(), free_port()
        self.names = None

    def write(self):
        self.own("run")
        write(self.prefix / "plugins", "[].\n")
        write(self.conf, f"""listeners.tcp = none
listeners.ssl.default = 127.0.0.1:{self.endpoints["none"]}
handshake_timeout = 120000
ssl_options.cacertfile = {self.certificate}
ssl_options.certfile = {self.certificate}
ssl_options.keyfile = {self.key}
ssl_options.verify = verify_none
ssl_options.fail_if_no_peer_cert = false
""")
        return self

    @property
    def env(self):
        run = f"{self.prefix}/run"
        return {**os.environ, "HOME": "/var/lib/rabbitmq", "RABBITMQ_NODENAME": "rabbit@localhost",
                "RABBITMQ_CONFIG_FILE": str(self.conf), "RABBITMQ_MNESIA_BASE": run, "RABBITMQ_LOG_BASE": run,
                "RABBITMQ_ENABLED_PLUGINS_FILE": f"{self.prefix}/plugins", "ERL_EPMD_PORT": str(self.names_port),
                "RABBITMQ_DIST_PORT": str(self.distribution_port), "RUNNING_UNDER_SYSTEMD": "1"}

    def command(self):
        return [*self.as_user(), "/usr/lib/rabbitmq/bin/rabbitmq-server"]

    def prepare(self):
        self.names = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *self.as_user(), "epmd", "-port",
                                       str(self.names_port), "-address", "127.0.0.1"])
        until(lambda: pathlib.Path(f"/proc/{self.names.pid}/comm").read_text() == "epmd\n", "epmd runs")

    def stop(self, *signals):
        super().stop(*signals)
        if self.names:
            self.names.terminate()
            self.names.wait()
            self.names = None
