"""Section 5: what it costs to take a blob in, checked and durable, beside hashing it and beside storing it unchecked."""

import os
import resource
import subprocess
import time

from . import servers
from .client import timed
from .content import Content
from .cpu import Meter
from .hot_large import settle
from .results import OURS, Result
from .rounds import alternate


def child(command):
    """CPU and wall seconds of a command that must succeed."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=120)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.perf_counter() - begin


def measure(bench):
    size = bench.choose(512_000_000, 128_000_000)
    result = Result("ingest", "Ingest", (
        f"A blob of {size // 10**6} MB that nobody holds, new in each round, from an upstream on loopback. The node hashes it"
        " while it arrives, sends it on to one client as it comes, and has it synced on its disk when its last bytes go"
        " out. `openssl dgst -sha256` reads the same file from the page cache, which is the floor for anything that"
        " checks; `curl -o` only stores what the same upstream sends. nginx proxy_cache stores and sends on, unchecked."))
    content = Content(f"{bench.folder}/up")
    upstream = servers.upstream(content.folder)
    node = servers.node(f"{bench.folder}/node", upstream.port)
    proxy = servers.nginx_cache(f"{bench.folder}/nginx", upstream.port)
    efficiency = result.table("Bytes per CPU second", "MB/s", better="more", scale=1e-6, against=["openssl dgst", "openssl + curl"])
    speed = result.table("Bytes per second", "MB/s", better="more", scale=1e-6)
    blobs = {}

    def one(name, round_):
        if round_ not in blobs:
            if blobs:
                content.drop(blobs[round_ - 1])
            blobs[round_] = content.blob(size)
        digest = blobs[round_]
        file, path = content.blob_file(digest), f"/v2/{content.repository}/blobs/sha256:{digest}"
        settle()
        if name == "openssl dgst":
            used, seconds = child([servers.needed("openssl"), "dgst", "-sha256", file])
        elif name == "curl -o":
            target = f"{bench.folder}/curl.out"
            used, seconds = child([servers.needed("curl"), "-sSf", "-o", target, f"http://127.0.0.1:{upstream.port}{path}"])
            os.unlink(target)
        else:
            server = node if name == OURS else proxy
            with Meter(server) as meter:
                _, seconds = timed(server.port, path, size)
                time.sleep(0.3)
            used = meter.seconds
        return {"efficiency": size / used, "speed": size / seconds}

    bench.say(f"{size // 10**6} MB")
    found = alternate([OURS, "openssl dgst", "curl -o", "nginx proxy_cache"], bench.choose(7, 2), one)
    for name, samples in found.items():
        efficiency.add("one stream", name, samples["efficiency"])
        speed.add("one stream", name, samples["speed"])
    floor = [1 / (1 / a + 1 / b) for a, b in zip(found["openssl dgst"]["efficiency"], found["curl -o"]["efficiency"])]
    efficiency.add("one stream", "openssl + curl", floor)
    return result
