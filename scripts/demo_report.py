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


def main(work):
    steps = ["start", "first-build", "first-pull", "second-build", "second-pull"]
    counters = {step: served(work / f"{step}.metrics") for step in steps}
    by_step = {step: difference(counters[step], counters[before]) for before, step in zip(steps, steps[1:])}
    modules = {"modules": "^/modules/", "checksum database": ""}
    images = {"layers and configs": "/blobs/", "manifests": ""}
    upstream = {
        "first-build": difference(
            asked(work / "first-build.upstream", modules), asked(work / "start.upstream", modules)
        ),
        "first-pull": difference(
            asked(work / "first-pull.registry", images), asked(work / "start.registry", images)
        ),
    }
    titles = {
        "first-build": "build, empty node",
        "first-pull": "pulls, empty node",
        "second-build": "build, no upstream",
        "second-pull": "pulls, no upstream",
    }
    rows = [("what", "answered from", "requests", "bytes")]
    for step, title in titles.items():
        for source, (requests, octets) in sorted(by_step[step].items()):
            if requests or octets:
                rows.append((title, source, str(requests), size(octets)))
        for kind, (requests, octets) in upstream.get(step, {"(stopped)": [0, 0]}).items():
            rows.append((title, f"  at the upstream: {kind}", str(requests), size(octets)))
    table(rows)

    for step, title in titles.items():
        start, end = map(float, (work / f"{step}.times").read_text().split())
        words = f"{title}: {end - start:.1f} s"
        output = work / f"{step}.out"
        if output.exists():
            said = re.sub(r"\x1b\[[0-9;]*m", "", output.read_text().splitlines()[-1])
            words += f"; the program that was built says: {said}"
        print(words + ".")
    answered = sum(requests for step in steps[3:] for requests, _ in by_step[step].values())
    print(f"Without upstream the node answered all {answered} requests by itself; nothing else was there to ask.")


main(pathlib.Path(sys.argv[1]))
