"""What the benches measure with."""

import socket
import ssl
import subprocess
import time


def timed(command, **options):
    """Seconds that a command takes; it must succeed."""
    begun = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    return time.monotonic() - begun


def served(port, name):
    """The leaf that a handshake shows, in DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without the cost of trusted roots
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), 60) as plain:
        with context.wrap_socket(plain, server_hostname=name) as tls:
            return tls.getpeercert(True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children(pid):
    """The process ids of a process's children, as text."""
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        return set(listed.read().split())
