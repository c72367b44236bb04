"""Section 9: how the node bears many objects, many connections and many stalled misses."""

import concurrent.futures
import http.client
import os
import random
import socket
import statistics
import threading
import time

from . import cpu, servers
from .client import Stream, check, get
from .content import Content
from .processes import Failed
from .results import OURS, Result

MISSES = 40


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def fill(port, prefix, digests):
    """Has the node fetch each of them, over 32 connections."""
    def some(part):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for digest in part:
            connection.request("GET", prefix + digest)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise Failed(f"filling the store: status {answer.status}")

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        list(pool.map(some, [digests[i::32] for i in range(32)]))


def latencies(port, paths, count):
    """Seconds of hits, one after the other, on one connection."""
    found = []
    with Stream(port) as stream:
        for _ in range(count):
            path = random.choice(paths)
            begin = time.perf_counter()
            status, length = stream.ask(path)
            stream.skip(length)
            found.append(time.perf_counter() - begin)
            if status != 200:
                raise Failed(f"{path}: status {status}")
    return found


def ready_after(node):
    """Seconds from the start of the process until /readyz says 200."""
    begin = time.perf_counter()
    started = servers.restart_node(node)
    while True:
        try:
            if get(started.port, "/readyz", seconds=5)[0] == 200:
                return started, time.perf_counter() - begin
        except OSError:
            pass
        if time.perf_counter() - begin > 60:
            raise Failed(f"the node is not ready after a minute: {started.last_words()}")
        time.sleep(0.002)


def measure(bench):
    result = Result("scale", "Scale", (
        "Small blobs (200 to 1,224 bytes), each with a reference, in one store. The node is stopped cleanly and started again"
        " with its upstream gone; memory is resident after its start, index what `index.sqlite` takes. Hits are of random"
        " objects, one at a time on one connection. Only the node is measured here."))
    start_up = result.table("From start of the process to ready", "ms", scale=1e3)
    memory = result.table("Resident memory", "MB", scale=1e-6)
    index = result.table("Index", "bytes per object")
    latency = result.table("Latency of a hit", "ms", scale=1e3)
    filling = result.table("Objects taken in per second", "1/s", better="more",
                           note="32 clients; upstream is one Python process, which may be the limit. The CPU is shared.")
    for count in bench.choose((10_000, 100_000, 1_000_000), (5_000,)):
        bench.say(f"{count:,} objects")
        many_objects(bench, count, start_up, memory, index, latency, filling)
    bench.say("connections and stalled misses")
    busy(bench, memory, latency)
    return result


def many_objects(bench, count, start_up, memory, index, latency, filling):
    case = f"{count:,} objects"
    folder = f"{bench.folder}/scale-{count}"
    content = Content(f"{folder}/up")
    upstream = servers.upstream(content.folder, count)
    digests = get(upstream.port, "/_seeds", seconds=60)[2].decode().split()
    prefix = f"/v2/{content.repository}/blobs/sha256:"
    node = servers.node(f"{folder}/node", upstream.port)
    begin = time.perf_counter()
    fill(node.port, prefix, digests)
    filling.add(case, OURS, [count / (time.perf_counter() - begin)])
    upstream.stop()
    starts, resident = [], []
    for _ in range(bench.choose(5, 3)):
        node.stop(patience=40)
        node, seconds = ready_after(node)
        starts.append(seconds)
        time.sleep(0.3)
        resident.append(cpu.resident_of(node.tree()))
    start_up.add(case, OURS, starts)
    memory.add(case, OURS, resident)
    paths = [prefix + digest for digest in digests]
    check(node.port, paths[0], len(get(node.port, paths[0])[2]), digests[0])
    found = [latencies(node.port, paths, bench.choose(4000, 1000)) for _ in range(bench.choose(5, 2))]
    latency.add(f"{case}, median", OURS, [statistics.median(one) for one in found])
    latency.add(f"{case}, 99 %", OURS, [percentile(one, 0.99) for one in found])
    node.stop(patience=60)
    index.add(case, OURS, [os.path.getsize(f"{folder}/node/data/{name}") / count
                           for name in ("store/index.sqlite", "index.sqlite") if os.path.exists(f"{folder}/node/data/{name}")][:1])


def busy(bench, memory, latency):
    """A thousand idle connections, then forty misses that upstream never answers."""
    content = Content(f"{bench.folder}/busy/up")
    upstream = servers.upstream(content.folder)
    node = servers.node(f"{bench.folder}/busy/node", upstream.port)
    path = content.mod(1000)
    check(node.port, path, 1000)
    memory.add("idle", OURS, [cpu.resident_of(node.tree())])
    calm = [latencies(node.port, [path], 1000) for _ in range(bench.choose(5, 2))]
    latency.add("one .mod, 99 %", OURS, [percentile(one, 0.99) for one in calm])
    streams = [Stream(node.port) for _ in range(1000)]
    for stream in streams:
        status, length = stream.ask(path)
        stream.skip(length)
    memory.add("1,000 connections", OURS, [cpu.resident_of(node.tree())])
    for stream in streams:
        stream.socket.close()
    misses = [threading.Thread(target=stall, args=(node.port, number), daemon=True) for number in range(MISSES)]
    for miss in misses:
        miss.start()
    time.sleep(1)
    beside = [latencies(node.port, [path], 1000) for _ in range(bench.choose(5, 2))]
    latency.add(f"one .mod beside {MISSES} stalled misses, 99 %", OURS, [percentile(one, 0.99) for one in beside])
    latency.add(f"one .mod beside {MISSES} stalled misses, longest", OURS, [max(one) for one in beside])
    node.stop()


def stall(port, number):
    """A miss that is given up when the node stops."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.settimeout(120)
            connection.sendall(b"GET /bench.test/stalled/m/@v/v1.0.%d.zip HTTP/1.1\r\nHost: bench.test\r\n\r\n" % number)
            connection.recv(1)
    except OSError:
        pass
