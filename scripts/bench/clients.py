"""Section 4: real clients. `go mod download` of 70 modules, and containerd fetching an image."""

import json
import os
import shutil
import time

from . import images, servers
from .cpu import Meter
from .processes import Failed, Program, run
from .results import OURS, Result
from .rounds import alternate

RELEASE = "1.27.3"
ROUND_TRIP = 0.02
# What the upstream's tree has besides the modules of examples/modules.
MORE = """
require (
	github.com/davecgh/go-spew v1.1.1
	github.com/golang-jwt/jwt/v4 v4.4.3
	github.com/google/go-cmp v0.5.9
	github.com/google/pprof v0.0.0-20251114195745-4902fdda35c8
	github.com/google/uuid v1.3.0
	github.com/gorilla/mux v1.8.0
	github.com/pelletier/go-toml/v2 v2.0.6
	github.com/pmezard/go-difflib v1.0.0
	github.com/stretchr/testify v1.8.1
	golang.org/x/arch v0.23.0
	golang.org/x/mod v0.7.0
	golang.org/x/net v0.7.0
	golang.org/x/oauth2 v0.3.0
	golang.org/x/time v0.3.0
	golang.org/x/tools v0.5.0
	golang.org/x/xerrors v0.0.0-20200804184101-5ec99f83aff1
	rsc.io/markdown v0.0.0-20240306144322-0bf8f97ee8ef
)
"""


class Modules:
    """The stand-in upstream of the tests with its module tree, behind a relay."""

    def __init__(self, bench):
        self.cache = f"{bench.root}/.cache"
        self.go = f"{self.cache}/go/{RELEASE}/bin/go"
        self.tree = f"{self.cache}/tree/{RELEASE}/modules"
        self.sources = f"{bench.root}/examples/modules"
        self.folder = bench.folder
        if not os.path.exists(f"{self.cache}/bin/{RELEASE}/upstream") or not os.path.isdir(self.tree):
            raise Failed("Go, the modules and the images are not there: scripts/setup-tests.sh demo")
        description = f"{bench.folder}/upstream.json"
        self.upstream = Program("upstream", ["sh", "-c", 'exec "$0" "$@" >"$DESCRIPTION"',
                                             f"{self.cache}/bin/{RELEASE}/upstream", "-state", f"{bench.folder}/state",
                                             "-padding", "600", "-tree", f"modules={self.tree}"],
                                environment={**os.environ, "DESCRIPTION": description})
        self.upstream.wait_until(lambda: os.path.exists(description) and os.path.getsize(description))
        with open(description) as file:
            self.about = json.load(file)["proxies"]["modules"]
        port = self.about["url"].split(":")[2].split("/")[0]
        self.relay = servers.relay(port, ROUND_TRIP)
        for key in ("url", "databaseURL"):
            self.about[key] = self.about[key].replace(f":{port}", f":{self.relay.port}")

    def node(self, folder):
        """A node with nothing in it, which checks every module against the upstream's checksum database."""
        return servers.node(folder, self.relay.port, first="", go=self.about["url"], extra=f"""
[[sumdb]]
name = "{self.about['databaseName']}"
key = "{self.about['databaseKey']}"
url = "{self.about['databaseURL']}"
""")

    def download(self, proxy):
        """Seconds of a `go mod download` by a client that holds nothing."""
        home = f"{self.folder}/home"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(self.sources, f"{home}/module")
        with open(f"{home}/module/go.mod", "a") as file:
            file.write(MORE)
        environment = {"HOME": home, "PATH": "/usr/bin:/bin", "GOENV": "off", "GOPATH": f"{home}/go", "GOPROXY": proxy,
                       "GOSUMDB": "off", "GOFLAGS": "-mod=mod -modcacherw", "GOTOOLCHAIN": "local", "GOTELEMETRY": "off",
                       "GOWORK": "off", "GOCACHE": f"{home}/cache"}
        begin = time.perf_counter()
        listed = run([self.go, "mod", "download", "-json"], 300, cwd=f"{home}/module", env=environment)
        seconds = time.perf_counter() - begin
        count = listed.count('"Zip"')
        if count < 70:
            raise Failed(f"go downloaded {count} modules only")
        shutil.rmtree(home)
        return seconds, count


def measure(bench):
    result = Result("clients", "Real clients", (
        f"`go mod download` (Go {RELEASE}) of what examples/modules needs and more, and containerd's fetch of an image, by clients"
        f" that hold nothing; upstream is behind a relay with a round trip of {ROUND_TRIP * 1000:.0f} ms. Cold: the server"
        " holds nothing either. Offline: upstream is gone. `GOSUMDB=off` for all, but the node checks every module against"
        " the checksum database itself; what serves a static tree has no upstream."))
    wall = result.table("Seconds of the client", "s")
    used = result.table("CPU of the server", "s", note="What Go and containerd use is the same whoever serves.")
    modules = Modules(bench)
    counts, numbers = set(), iter(range(10**6))
    rounds = bench.choose(5, 1)

    def timed(case, competitors):
        """Runs each competitor's (server or None, proxy) made by its function."""
        bench.say(f"go, {case}")

        def one(name, round_):
            server, proxy, ends = competitors[name]()
            if server:
                with Meter(server) as meter:
                    seconds, count = modules.download(proxy)
            else:
                seconds, count = modules.download(proxy)
            counts.add(count)
            if ends:
                server.stop()
            return {"wall": seconds, "cpu": meter.seconds if server else None}

        for name, found in alternate(list(competitors), rounds, one).items():
            wall.add(f"go, {case}", name, found["wall"])
            used.add(f"go, {case}", name, found.get("cpu"))

    def at(server):
        return f"http://127.0.0.1:{server.port}"

    def fresh(builder, path=""):
        def make():
            server = builder(f"{bench.folder}/cold-{next(numbers)}")
            return server, at(server) + path, True
        return make

    def running(server, path=""):
        return lambda: (server, at(server) + path, False)

    # nginx hides the upstream's prefix, as the node does: its proxy_cache passes /modules/... on.
    def cached(folder):
        return servers.nginx_cache(folder, modules.relay.port, lock=True)

    direct = {"direct": lambda: (None, modules.about["url"], False)}
    timed("cold", {**direct, OURS: fresh(modules.node),
                   **({} if bench.quick else {"nginx proxy_cache": fresh(cached, "/modules")})})
    node, proxy = modules.node(f"{bench.folder}/node"), cached(f"{bench.folder}/proxy")
    static = servers.nginx(f"{bench.folder}/static", f"root {modules.tree};")
    for url in [at(node)] if bench.quick else [at(node), at(proxy) + "/modules"]:
        modules.download(url)
    held = {OURS: running(node), "nginx, static tree": running(static), "file://": lambda: (None, f"file://{modules.tree}", False)}
    if bench.quick:
        held.pop("file://")
    else:
        timed("warm", {**held, "nginx proxy_cache": running(proxy, "/modules")})
    modules.relay.stop()
    modules.upstream.stop()
    timed("offline", held)
    result.notes.append(f"go downloaded {' or '.join(map(str, sorted(counts)))} modules each time.")
    for server in (node, proxy, static):
        server.stop()
    try:
        images.measure(bench, result, wall, used, rounds, ROUND_TRIP)
    except Failed as reason:
        result.missing.append(f"containerd: {reason}")
    return result
