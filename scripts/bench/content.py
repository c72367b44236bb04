"""What is served: bytes of noise with their digests, in the upstream's folder."""

import hashlib
import json
import os


class Content:
    """Files below `folder`, as bench.upstream and nginx serve them."""

    repository = "registry.test/app"
    module = "bench.test/sized"

    def __init__(self, folder):
        self.folder = folder
        for name in ("blobs", "manifests", "mod"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)

    def blob(self, size):
        """A new blob of noise; its digest."""
        part, digest = os.path.join(self.folder, "blobs", "part"), hashlib.sha256()
        with open(part, "wb") as file:
            left = size
            while left:
                data = os.urandom(min(left, 1 << 20))
                file.write(data)
                digest.update(data)
                left -= len(data)
        os.rename(part, self.blob_file(digest.hexdigest()))
        return digest.hexdigest()

    def blob_file(self, digest):
        return os.path.join(self.folder, "blobs", digest)

    def drop(self, digest):
        os.unlink(self.blob_file(digest))

    def manifest(self, size):
        """A new OCI manifest of exactly `size` bytes, with its configuration; its digest."""
        config = self.blob(64)
        layers, value = [], {}
        while True:
            value = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                     "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + config, "size": 64},
                     "layers": layers, "annotations": {"padding": ""}}
            lacking = size - len(json.dumps(value))
            if lacking < 400:
                break
            layers.append({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": "sha256:" + self.blob(64), "size": 64})
        value["annotations"]["padding"] = "x" * max(lacking, 0)
        body = json.dumps(value).encode()
        digest = hashlib.sha256(body).hexdigest()
        with open(os.path.join(self.folder, "manifests", digest), "wb") as file:
            file.write(body)
        return digest

    def mod(self, size, name=None):
        """The go.mod of a version named after its size; the path at which a module proxy serves it."""
        path = f"/{self.module}/@v/v1.0.{name or size}.mod"
        file = os.path.join(self.folder, "mod" + path)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        text = f"module {self.module}\n\ngo 1.21\n\n// "
        with open(file, "w") as out:
            out.write(text + "x" * (size - len(text) - 1) + "\n")
        return path
