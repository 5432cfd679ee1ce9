"""Observers of a rebind: clients that send requests all the time, and means to stop it half way."""
import contextlib
import hashlib
import http.client
import os
import pathlib
import socket
import ssl
import threading
import time

from handshakes import connect
from waiting import PATIENCE, until


class Load:
    """Sends HTTPS requests one after the other, each on a fresh connection, until the block is left."""

    def __init__(self, port, sni, path="/", expect=200):
        self.port, self.sni, self.path, self.expect = port, sni, path, expect
        self.answered = 0
        self.failures = []
        self.served = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def _loop(self):
        while not self._stop.is_set():
            try:
                with connect(self.port, self.sni) as tls:
                    self.served.add(
                        hashlib.sha256(tls.getpeercert(binary_form=True)).hexdigest())
                    tls.sendall(f"GET {self.path} HTTP/1.1\r\nHost: {self.sni}\r\n"
                                "Connection: close\r\n\r\n".encode())
                    answer = http.client.HTTPResponse(tls)
                    answer.begin()
                    answer.read()
                    if answer.status != self.expect:
                        raise OSError(f"status {answer.status}")
                self.answered += 1
            except (OSError, http.client.HTTPException) as failure:
                self.failures.append(repr(failure))

    def __enter__(self):
        self._thread.start()
        until(lambda: self.answered or self.failures, "the first request is answered")
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def wait_for_more(self, number=10):
        """Waits until the server has answered so many more requests."""
        wanted = self.answered + number
        until(lambda: self.answered >= wanted, f"{number} more requests are answered")


class Download:
    """Reads the first part of a large answer at once, and the rest only in `finish`. Between the two the
    transfer is in flight, because the answer does not fit into the sockets' buffers."""

    def __init__(self, port, sni, path):
        self.tls = connect(port, sni, timeout=60)
        self.tls.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {sni}\r\nConnection: close\r\n\r\n".encode())
        self.answer = http.client.HTTPResponse(self.tls)
        self.answer.begin()
        assert self.answer.status == 200, self.answer.status
        self.length = int(self.answer.getheader("Content-Length"))
        self.hash = hashlib.sha256()
        self.read = 0
        self._take(1 << 20)

    def _take(self, most):
        data = self.answer.read(most)
        self.hash.update(data)
        self.read += len(data)
        return data

    def finish(self):
        """(bytes read, their SHA-256)."""
        while self._take(1 << 20):
            pass
        self.tls.close()
        return self.read, self.hash.hexdigest()


class Gate:
    """Holds up every load of a configuration that says `ssl_password_file <gate.path>;` (put it at
    http level): nginx waits at the FIFO until `let_pass`. When `wait_for_load` returns, an `nginx -t`
    or a reload is therefore under way."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        os.mkfifo(self.path, 0o600)
        self._arrived = threading.Semaphore(0)
        self._passes = threading.Semaphore(0)
        self._open = False
        self._ended = False
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    @property
    def directive(self):
        return f"  ssl_password_file {self.path};\n"

    def _readers(self):
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                for descriptor in os.listdir(f"/proc/{entry}/fd"):
                    if os.readlink(f"/proc/{entry}/fd/{descriptor}") == str(self.path):
                        return True
        return False

    def _keep(self):
        while not self._ended:
            descriptor = os.open(self.path, os.O_WRONLY)  # returns when nginx has opened it
            if not self._ended and not self._open:
                self._arrived.release()
                self._passes.acquire()
            with contextlib.suppress(BrokenPipeError):
                os.write(descriptor, b"unused\n")
            os.close(descriptor)
            while not self._ended and self._readers():
                time.sleep(0.005)

    def open(self):
        """From now on no load is held up."""
        self._open = True
        self._passes.release()

    def close(self):
        """From now on each load is held up."""
        while self._passes.acquire(blocking=False):
            pass
        self._open = False

    def wait_for_load(self, seconds=PATIENCE):
        assert self._arrived.acquire(timeout=seconds), "no load came to the gate"

    def let_pass(self):
        self._passes.release()

    def end(self):
        self._ended = True
        self.open()
        with contextlib.suppress(OSError):
            os.close(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK))
        deadline = time.monotonic() + 5
        while self._thread.is_alive() and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                os.close(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK))
            time.sleep(0.01)


def wait_staged(directory, count=1):
    """Waits until `count` new files lie beside the files that they will replace. The plan exists then, and
    nothing has changed yet. The server's own test, which a Gate can hold up, begins before the plan."""
    until(lambda: len(list(pathlib.Path(directory).glob(".certrebind-*.new"))) >= count, "the new files are staged")


class Stranger:
    """Another program that answers on the same port: with SO_REUSEPORT the kernel gives it a share."""

    def __init__(self, port, certificate, directory):
        cert, key = certificate.write(directory)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.socket.bind(("127.0.0.1", port))
        self.socket.listen(64)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            try:
                connection.settimeout(5)
                self.context.wrap_socket(connection, server_side=True).close()
            except OSError:
                connection.close()

    def end(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(10)


def kept_files(place):
    """What certrebind keeps of proven pairs."""
    return sorted(path for path in (place.state / "kept").rglob("*") if path.is_file())
