"""Section 6: a flash crowd behind a slow upstream, in network namespaces (measure-cluster.sh and crowd.sh)."""

import os
import re
import sys

from .processes import Failed, run
from .results import OURS, Result
from .rounds import alternate

MIB = 1 << 20


def outcome(text):
    """Seconds until each was done, and the blob's copies that upstream sent, from the scripts' line."""
    found = re.search(r"done after([\d. ]+) s; upstream sent ([\d.]+)x(.*)", text)
    if not found or "failed" in found[0]:
        raise Failed(f"a crowd did not end well: {text.strip()[-200:]}")
    return [float(word) for word in found[1].split()], float(found[2])


def measure(bench):
    if os.getuid():
        raise Failed("network namespaces need root")
    size = bench.choose(200_000_000, 20_000_000)
    result = Result("cluster", "A flash crowd", (
        f"A blob of {size // 10**6} MB that nobody holds is wanted by all machines at once; upstream's wire takes 100 Mbit/s, the"
        " machines' 1 Gbit/s, each in a network namespace (`scripts/testnet.sh`). The bound is what one machine alone takes"
        " from upstream by curl there. BitTorrent is libtorrent with its defaults, upstream being the seed and everybody told"
        " of everybody; its metadata, which holds the hashes, is there before the clock starts."))
    slowest = result.table("Time until the last machine is done", "s")
    share = result.table("Time until the last machine is done, by the bound", "times")
    sent = result.table("Copies that upstream sent", "copies")
    script, crowd = f"{bench.root}/scripts/measure-cluster.sh", f"{bench.root}/scripts/bench/crowd.sh"
    environment = {**os.environ, "PYTHON": sys.executable}

    def of(*command):
        return outcome(run(list(map(str, command)), 900, env=environment))

    bench.say("the bound")
    bound = max(of(crowd, size, 1, "http")[0])
    result.notes.append(f"The bound: {bound:.1f} s, {size * 8 / bound / 1e6:.0f} Mbit/s of content.")
    ways = {
        OURS: lambda count: of(script, "-n", size, "-c", count, "crowd"),
        "each for itself": lambda count: of(crowd, size, count, "http"),
        "BitTorrent, 1 MiB": lambda count: of(crowd, size, count, "torrent", MIB),
        "BitTorrent, 4 MiB": lambda count: of(crowd, size, count, "torrent", 4 * MIB),
        "BitTorrent, 1 MiB, super seed": lambda count: of(crowd, size, count, "torrent", MIB, "super"),
    }
    try:
        import libtorrent  # noqa: F401
    except ImportError:
        result.missing.append("BitTorrent: python3-libtorrent is not installed")
        ways = {name: way for name, way in ways.items() if "BitTorrent" not in name}
    for count in bench.choose((2, 4, 8), (4,)):
        chosen = [name for name in ways if not bench.quick or name in (OURS, "BitTorrent, 1 MiB")]

        def one(name, round_):
            # What each takes for itself is arithmetic more than measurement: once is enough.
            if name == "each for itself" and round_:
                return None
            times, copies = ways[name](count)
            return {"slowest": max(times), "sent": copies}

        bench.say(f"{count} machines")
        for name, found in alternate(chosen, bench.choose(3, 1), one).items():
            slowest.add(f"{count} machines", name, found["slowest"])
            share.add(f"{count} machines", name, [value / bound for value in found["slowest"]])
            sent.add(f"{count} machines", name, found["sent"])
    return result
