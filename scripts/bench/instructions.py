"""Instructions of a server per request, counted by callgrind: other load on the machine does not change them."""

import os
import re
import signal
import socket
import subprocess
import time

from .processes import Failed, run
from .servers import needed

FEW, MANY = 1000, 4000


def stripped(binary, folder):
    """A copy without symbols: callgrind cannot read those of the Swift runtime."""
    copy = os.path.join(folder, "stripped")
    run([needed("strip"), "-o", copy, binary])
    return copy


def per_request(start, path, folder, accept=""):
    """start(prefix) starts the server behind a prefix of words; instructions of its own, without the kernel's, for one
    request more on a connection that is kept alive."""
    counted = [_counted(start, path, folder, accept, count) for count in (FEW, MANY)]
    return (counted[1] - counted[0]) / (MANY - FEW)


def _counted(start, path, folder, accept, count):
    log = os.path.join(folder, "callgrind.log")
    server = start([needed("valgrind"), "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={log}"])
    try:
        with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
            _ask(connection, path, accept, count)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
        # A signal right before nginx waits for events is seen at the next one: the connection's end.
        server.process.wait(60)
    except subprocess.TimeoutExpired:
        raise Failed(f"{server.name} does not end behind callgrind")
    finally:
        server.stop()
    with open(log) as file:
        found = re.search(r"Collected : (\d+)", file.read())
    if not found:
        raise Failed(f"callgrind counted nothing of {server.name}")
    return int(found[1])


def _ask(connection, path, accept, count):
    """Asks `count` times, each time for the same answer."""
    lines = [f"GET {path} HTTP/1.1", "Host: bench.test", *([f"Accept: {accept}"] if accept else []), "", ""]
    request = "\r\n".join(lines).encode()
    size = _first(connection, request)
    for _ in range(count - 1):
        connection.sendall(request)
        left = size
        while left > 0:
            got = len(connection.recv(65536))
            if not got:
                raise Failed(f"{path}: the connection was closed")
            left -= got


def _first(connection, request):
    """The length of the whole answer, once it has come."""
    connection.sendall(request)
    answer = b""
    while True:
        part = connection.recv(65536)
        if not part:
            raise Failed("the connection was closed")
        answer += part
        head, end, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if end and not (head.startswith(b"HTTP/1.1 200") and length):
            raise Failed(f"no answer of 200 with a length: {head[:60]!r}")
        if end and len(body) == int(length[1]):
            return len(answer)
