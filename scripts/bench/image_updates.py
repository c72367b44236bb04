"""The part of section 7 with images: what an update takes beside the image before it."""

import gzip
import hashlib
import json
import os
import shutil

from . import servers, stores
from .client import get
from .debian_images import DebianImages
from .processes import Failed
from .results import OURS
from .stores import in_casync, in_restic, settled, store_of

NAME, TAG = "library/service", "1.0"
KINDS = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"


def manifest_of(layout, digest):
    with open(f"{layout}/blobs/{digest.replace(':', '/')}", "rb") as file:
        return json.load(file)


def contents(layout):
    """{digest: size} of everything that a client of amd64 pulls, and the manifest's layers."""
    with open(f"{layout}/index.json") as file:
        [index] = json.load(file)["manifests"]
    [manifest] = manifest_of(layout, index["digest"])["manifests"]
    parts = manifest_of(layout, manifest["digest"])
    blobs = [index, manifest, parts["config"], *parts["layers"]]
    return {blob["digest"]: blob["size"] for blob in blobs}, [layer["digest"] for layer in parts["layers"]]


def pull(node, layout):
    """Has the node get all of an image by its tag, and compares every byte."""
    sizes, layers = contents(layout)
    prefix = f"/v2/registry.test/{NAME}"
    status, _, body = get(node.port, f"{prefix}/manifests/{TAG}", headers={"Accept": KINDS})
    index = json.loads(body) if status == 200 else {"manifests": []}
    wanted = [("manifests", manifest["digest"]) for manifest in index["manifests"]]
    wanted += [("blobs", digest) for digest in sizes if digest not in {d for _, d in wanted} and digest != digest_of(body)]
    if status != 200 or digest_of(body) not in sizes or not set(layers) <= {digest for _, digest in wanted}:
        raise Failed(f"{NAME}:{TAG}: status {status}, or another image")
    for kind, digest in wanted:
        status, _, body = get(node.port, f"{prefix}/{kind}/{digest}", headers={"Accept": KINDS}, seconds=120)
        if status != 200 or digest_of(body) != digest:
            raise Failed(f"{digest} of {NAME}: status {status}, or other bytes")


def digest_of(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def folder_of(target, layout, unpacked):
    """The layers as files: as they are pulled, or unpacked to tar files."""
    os.makedirs(target)
    for digest in contents(layout)[1]:
        source = f"{layout}/blobs/{digest.replace(':', '/')}"
        if unpacked:
            with gzip.open(source) as layer, open(f"{target}/{digest[7:19]}.tar", "wb") as out:
                shutil.copyfileobj(layer, out, 1 << 20)
        else:
            os.link(source, f"{target}/{digest[7:19]}.tar.gz")
    return target


def in_node(bench, before, after):
    """Bytes that the node's store has with both images, and what the second added."""
    sizes = []
    registry = servers.docker_registry(f"{bench.folder}/images-1", root=f"{before}/registry")
    node = servers.node(f"{bench.folder}/node-images", registry.port,
                        first='sumdb = []\n[registry]\nfresh_for = "0s"\n[store]\nfold_after = "0s"\n')
    pull(node, f"{before}/layout")
    node = settled(node)
    sizes.append(store_of(node))
    registry.stop()
    registry = servers.docker_registry(f"{bench.folder}/images-2", root=f"{after}/registry", port=registry.port)
    pull(node, f"{after}/layout")
    node = settled(node)
    sizes.append(store_of(node))
    node.stop()
    registry.stop()
    return sizes[1], sizes[1] - sizes[0]


def measure(bench, result, stored, last):
    """Rows for one image before and after its packages were updated."""
    before, after = DebianImages(bench).service()
    layouts = [("1", f"{before}/layout"), ("2", f"{after}/layout")]
    (old, _), (new, layers) = contents(layouts[0][1]), contents(layouts[1][1])
    case = "image, 2 builds"
    moved = sum(1 for digest in layers if digest not in old)
    result.notes.append(f"The image has {len(layers)} layers, {moved} of which its distribution's updates changed.")
    ways = {OURS: lambda: in_node(bench, before, after),
            "plain files": lambda: (sum((old | new).values()), sum(size for digest, size in new.items() if digest not in old))}
    for way, of, unpacked in (("casync, files", in_casync, False), ("casync, unpacked", in_casync, True),
                              ("restic, files", in_restic, False), ("restic, unpacked", in_restic, True)):
        def one(of=of, unpacked=unpacked, way=way):
            place = f"{bench.folder}/images-{way.replace(', ', '-')}"
            return of(f"{place}-store", [(version, folder_of(f"{place}-{version}", layout, unpacked)) for version, layout in layouts])
        ways[way] = one
    stores.compare(bench, result, case, ways, stored, last)
