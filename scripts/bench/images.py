"""The part of section 4 with images: containerd fetches a large image through mirrors of one registry."""

import os
import shutil
import time

from . import servers
from .cpu import Meter
from .debian_images import DebianImages
from .processes import Failed, Program, run
from .results import OURS
from .rounds import alternate



class Containerd:
    """A containerd that has a /run and /var/lib of its own, and whose folder is all it leaves."""

    def __init__(self, bench, image):
        self.image = f"registry.test/{image}"
        self.programs, self.folder = f"{bench.root}/.cache/clients", f"{bench.folder}/containerd"
        libraries = f"{self.programs}/usr/lib/x86_64-linux-gnu:{self.programs}/lib/x86_64-linux-gnu"
        self.environment = {"PATH": f"{self.programs}/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.folder,
                            "LD_LIBRARY_PATH": libraries}
        self.socket = f"{self.folder}/containerd.sock"
        if not os.access(f"{self.programs}/usr/bin/containerd", os.X_OK):
            raise Failed("it is not there: scripts/setup-tests.sh demo")
        if os.getuid():
            raise Failed("it needs root")

    def fetch(self, mirror, upstream):
        """Seconds of a fetch through the mirror at that port, by a containerd that has nothing."""
        shutil.rmtree(self.folder, ignore_errors=True)
        servers.write(f"{self.folder}/hosts.d/registry.test/hosts.toml", f"""server = "http://127.0.0.1:{upstream}"
[host."http://127.0.0.1:{mirror}"]
capabilities = ["pull", "resolve"]
""")
        configuration = servers.write(f"{self.folder}/containerd.toml", f"""version = 2
root = "{self.folder}/root"
state = "{self.folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
address = "{self.socket}"
""")
        own = ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c",
               'for place in /run /var/lib /dev/shm; do mount -t tmpfs tmpfs $place || exit; done; exec "$@"', "-"]
        with Program("containerd", [f"{self.programs}/usr/bin/containerd", "--config", configuration],
                     environment=self.environment, prefix=own) as daemon:
            daemon.wait_until(lambda: os.path.exists(self.socket))
            begin = time.perf_counter()
            run([f"{self.programs}/usr/bin/ctr", "--address", self.socket, "content", "fetch", "--platform", "linux/amd64",
                 "--hosts-dir", f"{self.folder}/hosts.d", self.image], 300, env=self.environment)
            seconds = time.perf_counter() - begin
            taken = sum(os.path.getsize(os.path.join(place, name))
                        for place, _, names in os.walk(f"{self.folder}/root/io.containerd.content.v1.content/blobs") for name in names)
        shutil.rmtree(self.folder, ignore_errors=True)
        return seconds, taken


def read_only_registry(bench):
    """docker-registry with an image, and the image's name: one of 500 MB, or the demo's in a quick run."""
    folder = f"{bench.root}/.cache/images/registry"
    if not os.path.isdir(folder):
        raise Failed("the images are not there: scripts/setup-tests.sh demo")
    if bench.quick:
        return servers.docker_registry(f"{bench.folder}/origin", root=folder), "library/workbench:1.0"
    return servers.docker_registry(f"{bench.folder}/origin", root=DebianImages(bench).large()), "library/large:1.0"


def measure(bench, result, wall, used, rounds, round_trip):
    origin, image = read_only_registry(bench)
    containerd = Containerd(bench, image)
    relay = servers.relay(origin.port, round_trip)
    numbers, sizes = iter(range(10**6)), set()
    mirrors = {
        OURS: lambda folder: servers.node(folder, relay.port),
        "docker-registry": lambda folder: servers.docker_registry(folder, f"http://127.0.0.1:{relay.port}"),
    }
    kept = {name: build(f"{bench.folder}/mirror-{number}") for number, (name, build) in enumerate(mirrors.items())}

    def one(cold, offline, name):
        if name == "direct":
            seconds, taken = containerd.fetch(relay.port, relay.port)
            sizes.add(taken)
            return {"wall": seconds}
        server = mirrors[name](f"{bench.folder}/mirror-cold-{next(numbers)}") if cold else kept[name]
        try:
            # Whatever a mirror cannot answer is not to come from upstream behind its back.
            with Meter(server) as meter:
                seconds, taken = containerd.fetch(server.port, server.port)
            sizes.add(taken)
            return {"wall": seconds, "cpu": meter.seconds}
        except Failed as reason:
            result.notes.append(f"{name}, image, {'offline' if offline else 'online'}: {str(reason)[-160:]}")
            return None
        finally:
            if cold:
                server.stop()

    for name in [] if bench.quick else kept:
        one(False, False, name)
    cases = (("cold", ["direct", *mirrors]), ("warm", list(mirrors)), ("offline", list(mirrors)))
    for case, names in cases[:1] if bench.quick else cases:
        bench.say(f"containerd, {case}")
        if case == "offline":
            relay.stop()
            origin.stop()
        for name, found in alternate(names, rounds, lambda name, _: one(case == "cold", case == "offline", name)).items():
            wall.add(f"image, {case}", name, found["wall"])
            used.add(f"image, {case}", name, found.get("cpu"))
    result.notes.append(f"The image: {' or '.join(f'{size / 1e6:.0f} MB' for size in sorted(sizes))} of compressed content.")
