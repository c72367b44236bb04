"""On what and with what was measured."""

import os
import platform
import re
import subprocess

from .servers import program

VERSIONS = {
    "edgenode": ["version"], "nginx": ["-v"], "varnishd": ["-V"], "docker-registry": ["--version"], "wrk": ["--version"],
    "curl": ["--version"], "openssl": ["version"], "serf": ["version"], "casync": ["--version"], "restic": ["version"],
}


def describe():
    """CPU, cores, memory, kernel, load now, and the version of every program that is there."""
    with open("/proc/cpuinfo") as cpuinfo:
        model = re.search(r"model name\s*: (.*)", cpuinfo.read())
    with open("/proc/meminfo") as meminfo:
        memory = int(re.search(r"MemTotal: *(\d+) kB", meminfo.read())[1]) / 1024 / 1024
    versions = {name: found for name, words in VERSIONS.items() if (found := _version(name, words))}
    try:
        import libtorrent
        versions["libtorrent"] = libtorrent.__version__
    except ImportError:
        pass
    return {"cpu": model[1] if model else platform.machine(), "cores": os.cpu_count(), "memory": f"{memory:.0f} GiB",
            "kernel": platform.release(), "load": round(os.getloadavg()[0], 1), "versions": versions}


def _version(name, words):
    path = os.environ.get("EDGENODE") if name == "edgenode" else program(name)
    if not path:
        return None
    done = subprocess.run([path, *words], capture_output=True, text=True, timeout=10)
    found = re.search(r"v?\d+\.\d+(\.\d+)*[-+~\w.]*", done.stdout + done.stderr)
    return found[0] if found else None
