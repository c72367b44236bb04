"""Prints what the demo's two builds fetched and where it came from, out of the counters taken around them."""

import json
import pathlib
import re
import sys

SERVED = re.compile(r'^edgenode_served(_bytes)?_total\{source="([^"]+)"\} (\S+)$')


def served(path):
    """Requests and bytes by source, from the node's metrics."""
    counters = {}
    for line in path.read_text().splitlines():
        match = SERVED.match(line)
        if match:
            is_bytes, source, value = match.groups()
            counters.setdefault(source, [0, 0])[1 if is_bytes else 0] = int(float(value))
    return counters


def asked(path):
    """Requests and bytes at the upstream, of its modules and of its checksum database."""
    sums = {"modules": [0, 0], "checksum database": [0, 0]}
    for name, count in json.loads(path.read_text()).items():
        kind = "modules" if name.startswith("/modules/") else "checksum database"
        sums[kind][0] += count["requests"]
        sums[kind][1] += count["bytes"]
    return sums


def difference(new, old):
    return {k: [a - b for a, b in zip(v, old.get(k, [0, 0]))] for k, v in new.items()}


def size(n):
    for unit in ("B", "KiB", "MiB"):
        if n < 1024 or unit == "MiB":
            return f"{n} B" if unit == "B" else f"{n:.1f} {unit}"
        n /= 1024


def main(work):
    before, between, after = (served(work / f"{name}.metrics") for name in ("before", "between", "after"))
    upstream = difference(asked(work / "between.upstream"), asked(work / "before.upstream"))
    builds = [("first, empty node", difference(between, before)), ("second, no upstream", difference(after, between))]
    rows = [("build", "answered from", "requests", "bytes")]
    for name, sources in builds:
        for source, (requests, octets) in sorted(sources.items()):
            if requests or octets:
                rows.append((name, source, str(requests), size(octets)))
    for kind, (requests, octets) in upstream.items():
        rows.append(("first, at the upstream", kind, str(requests), size(octets)))
    rows.append(("second, at the upstream", "(stopped)", "0", "0 B"))

    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    line = "  ".join("-" * width for width in widths)
    print()
    for number, (name, source, requests, octets) in enumerate(rows):
        print(f"{name:<{widths[0]}}  {source:<{widths[1]}}  {requests:>{widths[2]}}  {octets:>{widths[3]}}")
        if number == 0:
            print(line)
    print()
    for label, name in (("The first build", "first"), ("The second build, without the upstream,", "second")):
        start, end = map(float, (work / f"{name}.times").read_text().split())
        words = (work / f"{name}.out").read_text().splitlines()[-1]
        words = re.sub(r"\x1b\[[0-9;]*m", "", words)
        print(f"{label} took {end - start:.1f} s; its program says: {words}.")
    answered = sum(requests for requests, _ in builds[1][1].values())
    print(f"The node answered all {answered} requests of the second build by itself; nothing else was there to ask.")


main(pathlib.Path(sys.argv[1]))
