"""Section 8: what it costs to stay a cluster, and how fast news spreads, beside serf."""

import json
import os
import shutil
import sys

from . import gossip_model
from .processes import Failed, run
from .results import OURS, Result

COUNT = 20


def measure(bench):
    if os.getuid():
        raise Failed("a network namespace needs root")
    count = bench.choose(COUNT, 4)
    idle, rounds = bench.choose(60, 2), bench.choose(5, 1)
    result = Result("gossip", "Gossip", (
        f"{count} processes on one loopback, each kind in a network namespace of its own; serf (memberlist) with its lan profile"
        " and encryption. Idle traffic is every byte on the loopback, headers included. A join counts from the start of"
        " the process until all others list it, a crash from kill -9 until all others have declared it dead. The node's"
        " members also tell each other what they hold, serf's do not."))
    traffic = result.table("Idle traffic of a member", "bytes/s")
    join = result.table("A new member is known to all", "s")
    death = result.table("A crash is declared by all", "s")
    for kind in (OURS, "serf"):
        if kind == "serf" and not shutil.which("serf"):
            result.missing.append("serf: it is not installed")
            continue
        bench.say(kind)
        found = json.loads(run(["unshare", "--net", sys.executable, "-m", "bench.gossip_site", kind, str(count), str(idle),
                                str(rounds), f"{bench.folder}/{kind}"], 1500))
        traffic.add(f"{count} members", kind, found["idle"])
        join.add(f"{count} members", kind, found["join"])
        death.add(f"{count} members", kind, found["death"])
    simulate(bench, result)
    reduce(bench, result)
    return result


def simulate(bench, result):
    """The simulated figures come from a program of the package, which is called when somebody has built it."""
    trace = os.environ.get("GOSSIPTRACE", f"{bench.root}/.build/release/GossipTrace")
    if not os.access(trace, os.X_OK):
        result.missing.append("clusters of 100 and more in simulation: GossipTrace is not built"
                              " (`swift build -c release --product GossipTrace`)")
        return
    for nodes in bench.choose((100, 1000), (10,)):
        bench.say(f"{nodes} simulated nodes")
        try:
            words = run([trace, "measure", str(nodes), "3", "open" if nodes >= 1000 else "sealed"], 1200).strip().splitlines()
        except Failed as reason:
            result.missing.append(f"{nodes} nodes in simulation: {reason}")
            continue
        result.notes += [f"Simulated, {nodes} nodes: {line.strip()}" for line in words if line.strip()]


def reduce(bench, result):
    """More members than the full simulation runs, and one size that it does run, to see what the model leaves out."""
    for nodes in bench.choose((1000, 10_000), (100,)):
        bench.say(f"{nodes} nodes in the reduced model")
        result.notes += [f"Reduced model (who hears what when, nothing else; scripts/bench/gossip_model.py), {nodes:,} nodes: {line}"
                         for line in gossip_model.measure(nodes)]
