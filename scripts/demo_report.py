"""Prints what the demo's builds and pulls fetched and where it came from, out of the counters taken around them."""

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


def asked(path, kinds):
    """Requests and bytes at an upstream, by the kind whose pattern the path matches first."""
    sums = {kind: [0, 0] for kind in kinds}
    for name, count in json.loads(path.read_text()).items():
        kind = next(kind for kind, pattern in kinds.items() if re.search(pattern, name))
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


def table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    print()
    for number, (name, source, requests, octets) in enumerate(rows):
        print(f"{name:<{widths[0]}}  {source:<{widths[1]}}  {requests:>{widths[2]}}  {octets:>{widths[3]}}")
        if number == 0:
            print("  ".join("-" * width for width in widths))
    print()


ROUNDS = {1: "node 1, with upstream", 2: "node 2", 3: "node 3, no upstream, no node 1"}
MODULES = {"modules": "^/modules/", "checksum database": ""}
IMAGES = {"layers and configs": "/blobs/", "manifests": ""}


def main(work):
    rows = [("what", "answered from", "requests", "bytes")]
    offline = 0
    for number, where in ROUNDS.items():
        steps = [f"{step}-{number}" for step in ("start", "build", "pull")]
        counters = [served(work / f"{step}.metrics") for step in steps]
        asks = [("build", steps[0], steps[1], "upstream", MODULES), ("pulls", steps[1], steps[2], "registry", IMAGES)]
        for index, (what, before, after, log, kinds) in enumerate(asks):
            title = f"{what}, {where}"
            for source, (requests, octets) in sorted(difference(counters[index + 1], counters[index]).items()):
                if requests or octets:
                    rows.append((title, source, str(requests), size(octets)))
                if number == 3:
                    offline += requests
            if number == 3:
                rows.append((title, "  at the upstream: (stopped)", "0", "0 B"))
                continue
            at = difference(asked(work / f"{after}.{log}", kinds), asked(work / f"{before}.{log}", kinds))
            for kind, (requests, octets) in at.items():
                rows.append((title, f"  at the upstream: {kind}", str(requests), size(octets)))
    table(rows)

    for number, where in ROUNDS.items():
        for what in ("build", "pull"):
            start, end = map(float, (work / f"{what}-{number}.times").read_text().split())
            words = f"{what}, {where}: {end - start:.1f} s"
            output = work / f"{what}-{number}.out"
            if output.exists():
                said = re.sub(r"\x1b\[[0-9;]*m", "", output.read_text().splitlines()[-1])
                words += f"; the program that was built says: {said}"
            print(words + ".")
    print(f"Without upstream and without the node that had asked it, node 3 answered all {offline} requests.")


main(pathlib.Path(sys.argv[1]))
