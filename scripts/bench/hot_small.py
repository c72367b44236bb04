"""Section 1: hot small objects, kept alive and pipelined."""

import functools
import os
import tempfile

from . import instructions, load, servers
from .client import check
from .content import Content
from .cpu import Meter
from .processes import Failed
from .results import OURS, Result
from .rounds import alternate

DEPTH = 16


def in_memory(folder, mods):
    """nginx locations that answer with bytes of its configuration; a text of one is at most 4 KB, so maps are joined."""
    maps, locations = [], []
    for size, path in mods.items():
        with open(f"{folder}/mod{path}") as file:
            text = file.read()
        pieces = [text[i:i + 3500] for i in range(0, len(text), 3500)]
        for number, piece in enumerate(pieces):
            maps.append(f'map "" $m{size}_{number} {{ default "{piece}"; }}')
        value = "".join(f"${{m{size}_{number}}}" for number in range(len(pieces)))
        locations.append(f'location = {path} {{ return 200 "{value}"; }}')
    return {"locations": "\n".join(locations), "http": "\n".join(maps)}


def start(name, builder, started, result):
    """Starts a competitor, or says that it is missing."""
    try:
        started[name] = builder()
    except Failed as reason:
        result.missing.append(f"{name}: {reason}")


def measure(bench):
    result = Result("hot-small", "Hot small objects", (
        "Objects that the server holds, asked for again and again by wrk over loopback: `.mod` files of a module proxy, and"
        f" manifests of a registry. Pipelined means {DEPTH} requests sent at once on each of 64 connections. CPU is all"
        " that the server's processes used, by the answers that were counted; every answer was a 200 of the right size."))
    content = Content(f"{bench.folder}/up")
    mods = {size: content.mod(size) for size in bench.choose((100, 1000, 8000), (1000,))}
    manifest = content.manifest(1000)
    manifest_path = f"/v2/{content.repository}/manifests/sha256:{manifest}"
    upstream = servers.upstream(content.folder)
    started = {}
    for name, builder in {
        OURS: lambda: servers.node(f"{bench.folder}/node", upstream.port),
        "nginx, files": lambda: servers.nginx(f"{bench.folder}/files", f"root {content.folder}/mod;"),
        "nginx, memory": lambda: servers.nginx(f"{bench.folder}/memory", **in_memory(content.folder, mods)),
        "nginx proxy_cache": lambda: servers.nginx_cache(f"{bench.folder}/proxy", upstream.port),
        "varnish": lambda: servers.varnish(f"{bench.folder}/varnish", upstream.port),
    }.items():
        start(name, builder, started, result)
    cpu = result.table("CPU per request", "µs", scale=1e6, against=["nginx, files"])
    rate = result.table("Requests per second", "1/s", better="more",
                        note="The load generator runs on the same cores, so this says less than the CPU.")
    latency = result.table("Median latency", "ms", scale=1e-3)
    counted = result.table("Instructions per request", "thousands", scale=1e-3)
    alone = result.table("Instructions per request, of the program alone", "thousands", scale=1e-3, against=["nginx, files"],
                         note="Counted by callgrind on one connection, one request at a time, without what the kernel does"
                              " for them: load on the machine does not change them.")
    cases = [("1 connection", 1, 1), ("64 connections", 64, 1), ("1,000 connections", 1000, 1), ("pipelined", 64, DEPTH)]
    if bench.quick:
        cases = [cases[1], cases[3]]
    accept = "application/vnd.oci.image.manifest.v1+json"

    def one(competitors, path, connections, depth, accept, name, round_):
        with Meter(competitors[name]) as used:
            found = load.wrk(competitors[name].port, path, connections, bench.choose(2, 1), bench.folder, depth, accept)
        return {"cpu": used.seconds / found["requests"], "rate": found["requests"] / found["microseconds"] * 1e6,
                "p50": found["p50"], "instructions": used.instructions and used.instructions / found["requests"]}

    def compare(what, competitors, path, accept=""):
        for case, connections, depth in cases:
            bench.say(f"{what}, {case}")
            samples = alternate(list(competitors), bench.choose(5, 1), functools.partial(
                one, competitors, path, connections, depth, accept))
            for name, found in samples.items():
                cpu.add(f"{what}, {case}", name, found["cpu"])
                rate.add(f"{what}, {case}", name, found["rate"])
                counted.add(f"{what}, {case}", name, found.get("instructions"))
                if depth == 1:
                    latency.add(f"{what}, {case}", name, found["p50"])

    for size, path in mods.items():
        for server in started.values():
            check(server.port, path, size)
        compare(f"{size:,} B", started, path)
    for name in list(started):
        if name not in (OURS, "nginx, files"):
            started.pop(name).stop()
    start("docker-registry", lambda: servers.docker_registry(f"{bench.folder}/registry"), started, result)
    if "docker-registry" in started:
        servers.push_manifest(started["docker-registry"], content.repository, content, manifest)
    started.pop("nginx, files").stop()
    start("nginx, files", lambda: servers.nginx(
        f"{bench.folder}/manifests", f"location = {manifest_path} {{ alias {content.folder}/manifests/{manifest}; }}"), started, result)
    for server in started.values():
        check(server.port, manifest_path, 1000, manifest, {"Accept": accept})
    if bench.quick:
        cases.pop()
    compare("manifest, 1,000 B", started, manifest_path, accept)
    for server in started.values():
        server.stop()
    cases = [(f"{size:,} B", path, "") for size, path in mods.items()] + [("manifest, 1,000 B", manifest_path, accept)]
    try:
        for case, path, accept in cases:
            bench.say(f"{case}, instructions")
            for name, builder in alone_builders(bench, content, upstream, mods, manifest).items():
                if case.startswith("manifest") and name == "nginx, memory":
                    continue
                alone.add(case, name, [instructions.per_request(builder, path, bench.folder, accept)])
    except Failed as reason:
        result.missing.append(f"instructions: {reason}")
    return result


def alone_builders(bench, content, upstream, mods, manifest):
    """The servers whose instructions are counted, each to be started behind a prefix."""
    binary = instructions.stripped(os.environ["EDGENODE"], bench.folder)
    place = f"/v2/{content.repository}/manifests/sha256:{manifest}"
    locations = f"root {content.folder}/mod; location = {place} {{ alias {content.folder}/manifests/{manifest}; }}"

    def new():
        return tempfile.mkdtemp(prefix="alone-", dir=bench.folder)

    return {
        OURS: lambda prefix: servers.node(new(), upstream.port, binary=binary, prefix=prefix),
        "nginx, files": lambda prefix: servers.nginx(new(), locations, prefix=prefix),
        "nginx, memory": lambda prefix: servers.nginx(new(), **in_memory(content.folder, mods), prefix=prefix),
    }
