"""What several versions take in a store: the node's, casync's and restic's, and how a row of section 7 comes from them."""

import os
import time

from . import servers
from .processes import Failed, run


def bytes_below(folder, names=None):
    """Bytes of the files in a folder, or in those of its entries that are named."""
    total = 0
    for name in names or [""]:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            total += os.path.getsize(path)
        for place, _, files in os.walk(path):
            total += sum(os.path.getsize(os.path.join(place, file)) for file in files)
    return total


def store_of(node):
    return bytes_below(f"{node.folder}/data", ["blobs", "packs", "index.sqlite", "store/blobs", "store/packs", "store/index.sqlite"])


def settled(node, seconds=30):
    """Starts the node again, which folds what is due, and waits until its files rest; they are read back by `take`."""
    node = servers.restart_node(node)
    node.wait_for_port(node.port)
    last, rest, end = 0, 0, time.monotonic() + seconds
    while rest < 8 and time.monotonic() < end:
        time.sleep(0.25)
        now = store_of(node)
        rest, last = (rest + 1 if now == last else 0), now
    return node


def in_casync(folder, sources):
    """casync's chunk store, and an index a version."""
    os.makedirs(folder)
    stored = 0
    for version, source in sources:
        kind = "caidx" if os.path.isdir(source) else "caibx"
        run([servers.needed("casync"), "make", f"--store={folder}/default.castr", "--without=all",
             f"{folder}/{version}.{kind}", source])
        before, stored = stored, bytes_below(folder)
    return stored, stored - before


def in_restic(folder, sources):
    """A restic repository with a snapshot a version."""
    environment = {**os.environ, "RESTIC_PASSWORD": "bench", "RESTIC_REPOSITORY": folder, "RESTIC_CACHE_DIR": folder + ".cache"}
    restic = servers.needed("restic")
    run([restic, "init", "-q", "--repository-version", "2"], env=environment)
    stored = 0
    for _, source in sources:
        before = stored
        run([restic, "backup", "-q", source], env=environment)
        stored = bytes_below(folder)
    return stored, stored - before


def compare(bench, result, case, ways, stored, last):
    """Measures each way, a function of bytes stored and bytes that the last version added; one that fails is named."""
    for way, of in ways.items():
        bench.say(f"{case}: {way}")
        try:
            size, added = of()
            stored.add(case, way, [size])
            last.add(case, way, [added])
        except Failed as reason:
            result.missing.append(f"{way}, {case}: {reason}")
