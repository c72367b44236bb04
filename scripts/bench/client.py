"""HTTP clients that the sections measure with: one request with its times, and a sink that only counts."""

import hashlib
import http.client
import json
import socket
import ssl
import threading
import time

from .processes import Failed


def get(port, path, address="127.0.0.1", seconds=60, headers=None):
    """Status, headers and body of one request."""
    connection = http.client.HTTPConnection(address, port, timeout=seconds)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def counted(port):
    """What bench.upstream has counted since it was last asked."""
    return json.loads(get(port, "/_count")[2])


def check(port, path, size, digest=None, headers=None, tls=False):
    """Raises unless the path answers 200 with so many bytes, and the right ones: nothing else is ever measured."""
    with Stream(port, tls=tls) as stream:
        status, length = stream.ask(path, headers)
        hashed, received = hashlib.sha256(), 0
        while part := stream.read(min(1 << 18, length - received)):
            hashed.update(part)
            received += len(part)
    if status != 200 or length != size or received != size:
        raise Failed(f"{path} at port {port}: status {status}, {received} of {length} bytes instead of {size}")
    if digest and hashed.hexdigest() != digest:
        raise Failed(f"{path} at port {port}: other bytes")


class Stream:
    """A keep-alive connection that reads bodies as cheaply as Python can."""

    def __init__(self, port, address="127.0.0.1", tls=False, seconds=120):
        self.socket = socket.create_connection((address, port), seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = tls
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        self.rest = b""
        self.buffer = bytearray(1 << 18)

    def ask(self, path, headers=None):
        """Sends a request and reads the head of the answer: status and Content-Length."""
        lines = [f"GET {path} HTTP/1.1", "Host: bench.test", *(f"{k}: {v}" for k, v in (headers or {}).items())]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        data = b""
        while b"\r\n\r\n" not in data:
            part = self.socket.recv(65536)
            if not part:
                raise Failed(f"{path}: the connection was closed before an answer")
            data += part
        head, _, self.rest = data.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        length = -1
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return status, length

    def read(self, count):
        if not count:
            return b""
        if self.rest:
            part, self.rest = self.rest[:count], self.rest[count:]
            return part
        return self.socket.recv(count)

    def skip(self, count):
        """Reads and forgets; plain TCP is not even copied out of the kernel."""
        left = count - len(self.rest)
        self.rest = b""
        while left > 0:
            if self.tls:
                got = self.socket.recv_into(self.buffer, min(left, len(self.buffer)))
            else:
                got = self.socket.recv_into(self.buffer, min(left, len(self.buffer)), socket.MSG_TRUNC)
            if not got:
                raise Failed(f"a body ended {left} bytes early")
            left -= got

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def timed(port, path, size, headers=None):
    """Seconds to the first byte of the body and to the last, on a new connection."""
    start = time.perf_counter()
    with Stream(port) as stream:
        status, length = stream.ask(path, headers)
        if not stream.rest:
            stream.rest = stream.socket.recv(65536)
        first = time.perf_counter() - start
        if status != 200 or length != size:
            raise Failed(f"{path} at port {port}: status {status}, length {length} instead of {size}")
        stream.skip(size)
        return first, time.perf_counter() - start


def crowd(port, path, size, clients, headers=None):
    """The same for many clients at once: [(first, total)]; raises when one of them fails."""
    barrier, results, errors = threading.Barrier(clients), [], []

    def one():
        try:
            barrier.wait(10)
            results.append(timed(port, path, size, headers))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=one, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(180)
    if errors or len(results) < clients:
        raise Failed(f"{len(errors)} of {clients} clients failed: {errors[:1]}")
    return results
