"""python3 -m bench [--quick] [--docs FOLDER] [SECTION...]: runs the sections and writes the page. See scripts/bench.sh."""

import argparse
import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

from . import machine, processes, report, results

# In the order of the page; the numbers are kept in docs/benchmarking.md.
SECTIONS = {
    "hot-small": "hot_small", "hot-large": "hot_large", "cold": "cold", "clients": "clients", "ingest": "ingest",
    "cluster": "cluster", "dedup": "dedup", "gossip": "gossip", "scale": "scale",
}


class Bench:
    """What a section is given: how much to do, and where."""

    def __init__(self, quick, root, folder):
        self.quick, self.root, self.folder = quick, root, folder

    def choose(self, full, quick):
        return quick if self.quick else full

    def say(self, text):
        print(f"  {text}", file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--docs")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    words = parser.parse_args()
    for name in words.sections:
        if name not in SECTIONS:
            parser.error(f"there is no section {name}; known: {' '.join(SECTIONS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    docs = words.docs or os.path.join(root, "docs")
    kept = os.path.join(docs, "benchmarks", "results.json")
    for name in words.sections or SECTIONS:
        measure(name, words.quick, root, kept)
        report.write(results.load(kept), list(SECTIONS), docs)
    print(f"{docs}/benchmarks.md", file=sys.stderr)


def measure(name, quick, root, kept):
    """One section, in a folder of its own; a section that cannot run is named and left out."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    folder = tempfile.mkdtemp(prefix="edgenode-bench-", dir=os.environ.get("TMPDIR", "/tmp"))
    os.chmod(folder, 0o755)
    start, about = time.monotonic(), machine.describe()
    try:
        section = importlib.import_module(f".{SECTIONS[name]}", __package__)
        found = section.measure(Bench(quick, root, folder))
        results.save(kept, name, found.data(quick, about, time.monotonic() - start))
        for reason in found.missing:
            print(f"  not measured: {reason}", file=sys.stderr)
        print(f"  done in {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    except processes.Failed as reason:
        print(f"  left out: {reason}", file=sys.stderr, flush=True)
    except Exception:
        traceback.print_exc()
        print("  left out: the bench itself failed", file=sys.stderr, flush=True)
    finally:
        processes.stop_all()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
