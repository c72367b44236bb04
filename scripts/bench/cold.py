"""Section 3: what nobody holds yet, through the node and its like, and straight from upstream."""

import statistics
import threading

from . import servers
from .client import counted, crowd
from .content import Content
from .hot_small import start
from .results import OURS, Result
from .rounds import alternate

DELAYS = {"0 ms": 0, "20 ms": 0.02}


def measure(bench):
    result = Result("cold", "Cold pass-through", (
        "Objects that only upstream holds, new for each competitor and round, on a new connection of a client each. The 20 ms"
        " are the round trip through an application-level relay before upstream, connecting included; the node and nginx"
        " may keep connections to it, and do. nginx has `proxy_cache_lock on`, else it asks upstream once per client."
        " docker-registry takes blobs only. A time is the median of its clients."))
    content = Content(f"{bench.folder}/up")
    upstream = servers.upstream(content.folder)
    first = result.table("Time to the first byte", "ms", scale=1e3, against=["direct"])
    total = result.table("Time to the last byte", "ms", scale=1e3, against=["direct"])
    asked = result.table("Requests at upstream for one object", "requests",
                         note="HEAD requests and checks before a fetch included.")
    sizes = {".mod, 1 KB": 1000, "blob, 1 MB": 1_000_000, "blob, 64 MB": 64_000_000}
    numbers = iter(range(10**6, 10**9))
    for delay_name, delay in DELAYS.items():
        source = servers.relay(upstream.port, delay) if delay else upstream
        started = {"direct": source}
        start(OURS, lambda: servers.node(f"{bench.folder}/node-{delay}", source.port), started, result)
        start("nginx proxy_cache", lambda: servers.nginx_cache(f"{bench.folder}/nginx-{delay}", source.port, lock=True), started, result)
        start("docker-registry", lambda: servers.docker_registry(f"{bench.folder}/registry-{delay}", f"http://127.0.0.1:{source.port}"),
              started, result)
        for case, size in sizes.items():
            for clients in (1, 32):
                if clients == 32 and size > 10_000_000 or bench.quick and (clients == 32) == bool(delay):
                    continue
                words = f"{case}, {clients} client{'s' if clients > 1 else ''}, {delay_name}"
                bench.say(words)

                def one(name, round_):
                    if size == 1000 and name == "docker-registry":
                        return None
                    if size == 1000:
                        path, digest = content.mod(size, next(numbers)), None
                    else:
                        digest = content.blob(size)
                        path = f"/v2/{content.repository}/blobs/sha256:{digest}"
                    counted(upstream.port)
                    times = crowd(started[name].port, path, size, clients)
                    # docker-registry stores what it passed on behind the answer.
                    threading.Event().wait(0.2)
                    # The node leaves the registry's name out of the path.
                    requests = sum(count for asked_path, count in counted(upstream.port)["requests"].items()
                                   if asked_path == path or digest and asked_path.endswith(digest))
                    if digest:
                        content.drop(digest)
                    return {"first": statistics.median(one for one, _ in times),
                            "total": statistics.median(one for _, one in times), "asked": requests}

                rounds = bench.choose(11 if size < 10_000_000 else 5, 3 if size < 10_000_000 else 2)
                for name, found in alternate(list(started), rounds, one).items():
                    first.add(words, name, found["first"])
                    total.add(words, name, found["total"])
                    asked.add(words, name, found["asked"])
        for server in started.values():
            if server is not upstream:
                server.stop()
    return result
