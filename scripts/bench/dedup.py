"""Section 7: what consecutive versions of modules take on disk, and what the next one takes on the wire."""

import hashlib
import io
import json
import os
import re
import time
import zipfile

from . import families, image_updates, servers, stores
from .client import get
from .content import Content
from .processes import Failed, run
from .results import OURS, Result
from .stores import in_casync, in_restic, settled, store_of


def publish(content, name, versions):
    """Puts a family into the module proxy's folder, and each zip and its unpacked files beside it for the others."""
    folder = f"{content.folder}/mod/{families.MODULE}/{name}/@v"
    os.makedirs(folder)
    for version, data in versions:
        with open(f"{folder}/{version}.zip", "wb") as file:
            file.write(data)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if archive.testzip():
                raise Failed(f"{name} {version} is a damaged zip")
            archive.extractall(f"{content.folder}/trees/{name}/{version}")
        with open(f"{folder}/{version}.mod", "w") as file:
            file.write(f"module {families.MODULE}/{name}\n")
        with open(f"{folder}/{version}.info", "w") as file:
            json.dump({"Version": version, "Time": "2024-01-01T00:00:00Z"}, file)
    return folder


def take(node, name, versions):
    """Has the node get each zip, and compares it."""
    for version, data in versions:
        status, _, body = get(node.port, f"/{families.MODULE}/{name}/@v/{version}.zip")
        if status != 200 or hashlib.sha256(body).digest() != hashlib.sha256(data).digest():
            raise Failed(f"{name} {version}: status {status}, or other bytes: {body[:100]!r}")


def in_node(bench, name, versions, upstream):
    """Bytes that the node's store has grown to, folded, and what the last version added."""
    node = servers.node(f"{bench.folder}/node-{name}", upstream.port, extra='[store]\nfold_after = "0s"\n')
    take(node, name, versions[:-1])
    node = settled(node)
    before = store_of(node)
    take(node, name, versions[-1:])
    node = settled(node)
    stored = store_of(node)
    take(node, name, versions)
    node.stop()
    return stored, stored - before


def from_peer(bench, name, versions, upstream):
    """Bytes of content that a node with all versions but the last gets from another one for the last."""
    edgenode = os.environ["EDGENODE"]
    nodes = []
    # The one that asks makes the cluster, the one that gives is its resolver: without a checksum database, only the word
    # of such a one says which bytes a version has.
    for number, go in ((1, "off"), (2, None)):
        folder = f"{bench.folder}/peer-{name}-{number}"
        node = servers.node(folder, upstream.port, go=go, extra="""
[store]
fold_after = "0s"
[[access.rule]]
content = ["go"]
who = "anyone"
give = "private"
""")
        node.stop()
        if number == 1:
            run([edgenode, "cluster", "init", "--role", "private", "--config", node.configuration])
        else:
            token = run([edgenode, "cluster", "invite", "--role", "resolver", "--role", "private", "--config", nodes[0].configuration])
            run([edgenode, "join", "-", "--config", node.configuration], input=token)
        nodes.append(servers.restart_node(node).wait_for_port(node.port))
    asks, gives = nodes

    def met():
        asks.wait_until(lambda: b'"alive"' in get(asks.port, "/api/v1/status")[2], 60)
        time.sleep(3)  # until what is held has been told

    take(gives, name, versions[:-1])
    met()
    take(asks, name, versions[:-1])
    asks, gives = settled(asks), settled(gives)
    take(gives, name, versions[-1:])
    gives = settled(gives)
    met()
    before = received(asks)
    take(asks, name, versions[-1:])
    moved = received(asks) - before
    nodes = asks, gives
    for node in nodes:
        node.stop()
    return moved


def received(node):
    text = get(node.port, "/metrics")[2].decode()
    return sum(float(value) for value in re.findall(r"^edgenode_peer_received_bytes_total\{.*\} (\S+)$", text, re.M))


def measure(bench):
    result = Result("dedup", "Consecutive versions", (
        "Zips of modules, one version after the other, from a module proxy into a node that folds at once"
        " (`fold_after = \"0s\"`; 14 days by default), and an image of Debian's packages before and after their last updates."
        " Everything in the node's store counts, index included; each zip was read back and compared afterwards. casync and"
        " restic get each version once as the zips or layers, which is what must come back, and once unpacked, from which"
        " nobody can make the same file again. The plain files are what a module proxy or a registry keeps. Layers do not"
        " share space in the node yet."))
    stored = result.table("Stored, all versions", "KB", scale=1e-3)
    last = result.table("Added by the last version", "KB", scale=1e-3)
    wire = result.table("Content from a peer for the last version", "KB", scale=1e-3)
    found = families.of(bench.root)
    if len(found) == 1:
        result.missing.append("more families than the one of Tests/Data: `scripts/measure-families.sh zips` makes them (1.8 GB of"
                              " downloads)")
    content = Content(f"{bench.folder}/up")
    upstream = servers.upstream(content.folder)
    for name, versions in list(found.items())[:bench.choose(100, 1)]:
        versions = versions[-bench.choose(1000, 6):]
        case = f"{name}, {len(versions)} versions"
        bench.say(case)
        folder = publish(content, name, versions)
        zips = [(version, f"{folder}/{version}.zip") for version, _ in versions]
        trees = [(version, f"{content.folder}/trees/{name}/{version}") for version, _ in versions]
        ways = {
            OURS: lambda: in_node(bench, name, versions, upstream),
            "plain files": lambda: (sum(len(data) for _, data in versions), len(versions[-1][1])),
            "casync, files": lambda: in_casync(f"{bench.folder}/casync-zips-{name}", zips),
            "casync, unpacked": lambda: in_casync(f"{bench.folder}/casync-trees-{name}", trees),
            "restic, files": lambda: in_restic(f"{bench.folder}/restic-zips-{name}", zips),
            "restic, unpacked": lambda: in_restic(f"{bench.folder}/restic-trees-{name}", trees),
        }
        stores.compare(bench, result, case, ways, stored, last)
        if bench.quick:
            continue
        try:
            wire.add(case, OURS, [from_peer(bench, name, versions, upstream)])
            wire.add(case, "the zip", [len(versions[-1][1])])
        except Failed as reason:
            result.missing.append(f"{name} from a peer: {reason}")
    if not bench.quick:
        try:
            image_updates.measure(bench, result, stored, last)
        except Failed as reason:
            result.missing.append(f"image updates: {reason}")
    return result
