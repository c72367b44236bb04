"""Section 2: hot large blobs, plain and over TLS."""

import os
import threading
import time

from . import servers
from .client import Stream, check
from .content import Content
from .cpu import Meter
from .hot_small import start
from .processes import Failed
from .results import OURS, Result
from .rounds import alternate

CONNECTIONS = 2


def pull(port, path, size, total, tls):
    """Takes the blob again and again over some connections until `total` bytes have come; the bytes and the seconds."""
    times = max(1, total // size // CONNECTIONS)
    taken, errors = [], []

    def one():
        try:
            with Stream(port, tls=tls) as stream:
                for _ in range(times):
                    status, length = stream.ask(path)
                    if status != 200 or length != size:
                        raise Failed(f"{path}: status {status}, length {length}")
                    stream.skip(size)
                    taken.append(size)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=one, daemon=True) for _ in range(CONNECTIONS)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    if errors or len(taken) != times * CONNECTIONS:
        raise Failed(f"a pull of {path} failed: {errors[:1]}")
    return sum(taken), time.perf_counter() - begin


def measure(bench):
    result = Result("hot-large", "Hot large blobs", (
        f"Blobs of noise that the server holds on disk, all in the page cache, taken over {CONNECTIONS} connections by a"
        " client that drops what it receives within the kernel (plain) or after decryption (TLS 1.3, one certificate with"
        " an ECDSA key for all)."))
    content = Content(f"{bench.folder}/up")
    sizes = {"1 MB": 1_000_000, "64 MB": 64_000_000, "1 GB": 1_000_000_000}
    if bench.quick:
        sizes.popitem()
    blobs = {size: content.blob(size) for size in sizes.values()}
    upstream = servers.upstream(content.folder)
    certificate = servers.certificate(bench.folder)
    efficiency = result.table("Bytes per CPU second", "GB/s", better="more", scale=1e-9)
    speed = result.table("Bytes per second", "GB/s", better="more", scale=1e-9,
                         note="The client runs on the same cores, so this says less than the CPU.")
    for tls in (None, certificate):
        started = compare_all(bench, result, content, blobs, sizes, upstream, tls, efficiency, speed)
        for server in started.values():
            server.stop()
    return result


def compare_all(bench, result, content, blobs, sizes, upstream, tls, efficiency, speed):
    how = "TLS" if tls else "plain"
    prefix = f"/v2/{content.repository}/blobs/sha256:"
    started = {}
    start(OURS, lambda: servers.node(f"{bench.folder}/node-{how}", upstream.port, tls), started, result)
    start("nginx sendfile", lambda: servers.nginx(
        f"{bench.folder}/nginx-{how}", f"location ~ ^{prefix}(.*)$ {{ alias {content.folder}/blobs/$1; }}", tls), started, result)
    if "nginx sendfile" in started:
        started["nginx"] = started.pop("nginx sendfile")
    start("docker-registry", lambda: servers.docker_registry(f"{bench.folder}/registry", tls=tls), started, result)
    if "docker-registry" in started and not tls:
        for digest in blobs.values():
            with open(content.blob_file(digest), "rb") as file:
                servers.push_blob(started["docker-registry"], content.repository, f"sha256:{digest}", file)
    for case, size in sizes.items():
        path = prefix + blobs[size]
        for server in started.values():
            check(server.port, path, size, blobs[size], tls=bool(tls))
        settle()
        bench.say(f"{case}, {how}")

        def one(name, round_):
            with Meter(started[name]) as used:
                taken, seconds = pull(started[name].port, path, size, bench.choose(4_000_000_000, 400_000_000), bool(tls))
            return {"efficiency": taken / max(used.seconds, 0.01), "speed": taken / seconds}

        for name, found in alternate(list(started), bench.choose(5, 2), one).items():
            efficiency.add(f"{case}, {how}", name, found["efficiency"])
            speed.add(f"{case}, {how}", name, found["speed"])
    return started


def settle():
    """What was just written goes to disk now and not while something is measured."""
    os.sync()
    time.sleep(0.5)
