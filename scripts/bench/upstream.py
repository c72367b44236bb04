"""A stand-in upstream, a program of its own: python3 -m bench.upstream PORT FOLDER [SEED_OBJECTS] [ADDRESS].

It serves FOLDER/blobs/<sha256> as blobs, FOLDER/manifests/<sha256> as manifests of any repository, FOLDER/mod/... as a
module proxy, and, made up as they are asked for, SEED_OBJECTS small blobs whose digests are listed by /_seeds.
What has /stalled/ in its path is never answered. GET /_count tells and
forgets how many requests there were for each path of content, and how many bytes of bodies were sent. One thread, no copies of large bodies: it should not be what is measured.
"""

import asyncio
import collections
import hashlib
import json
import mimetypes
import os
import re
import sys
import urllib.parse


def seed_body(number):
    """Small objects of 200 to 1,224 bytes that anybody can make again from their number."""
    return hashlib.shake_128(b"seed %d" % number).digest(200 + number * 7919 % 1025)


class Upstream:
    def __init__(self, folder, seeds):
        self.folder = folder
        self.seeds = {hashlib.sha256(seed_body(number)).hexdigest(): number for number in range(seeds)}
        self.requests, self.bytes = collections.Counter(), 0

    async def serve(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *headers = head.decode("latin-1").split("\r\n")
                method, target, _ = line.split(" ")
                await self.answer(method, urllib.parse.unquote(target.partition("?")[0]), head, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    async def answer(self, method, path, head, writer):
        if path == "/_count":
            body = json.dumps({"requests": dict(self.requests), "bytes": self.bytes}).encode()
            self.requests, self.bytes = collections.Counter(), 0
            return self.reply(writer, method, 200, "application/json", body)
        if path == "/_seeds":
            return self.reply(writer, method, 200, "text/plain", "\n".join(self.seeds).encode())
        if path == "/v2/":
            return self.reply(writer, method, 200, "application/json", b"{}")
        self.requests[path] += 1
        if "/stalled/" in path:
            await asyncio.sleep(600)
        found = re.search(r"^/v2/.+/(blobs|manifests)/sha256:([0-9a-f]{64})$", path)
        if found and found[2] in self.seeds:
            return self.reply(writer, method, 200, "application/octet-stream", seed_body(self.seeds[found[2]]), found[2])
        file = os.path.join(self.folder, found[1], found[2]) if found else os.path.join(self.folder, "mod" + path)
        if ".." in path or not os.path.isfile(file):
            return self.reply(writer, method, 404, "text/plain", b"not found")
        kind = "application/octet-stream"
        if found and found[1] == "manifests":
            with open(file) as manifest:
                kind = json.load(manifest)["mediaType"]
        elif not found:
            kind = mimetypes.guess_type(file)[0] or "text/plain; charset=utf-8"
        await self.send_file(writer, method, file, kind, head, found and found[2])

    def reply(self, writer, method, status, kind, body, digest=None):
        extra = f"Docker-Content-Digest: sha256:{digest}\r\n" if digest else ""
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + (body if method == "GET" else b""))
        self.bytes += len(body) if digest and method == "GET" else 0

    async def send_file(self, writer, method, path, kind, head, digest):
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            asked = re.search(rb"\r\nrange: *bytes=(\d+)-(\d*)\r\n", head, re.I)
            first, last = (int(asked[1]), min(int(asked[2] or size - 1), size - 1)) if asked else (0, size - 1)
            lines = [f"HTTP/1.1 {206 if asked else 200} OK", f"Content-Type: {kind}",
                     f"Content-Length: {last - first + 1}", "Accept-Ranges: bytes", "Cache-Control: public, max-age=86400"]
            if digest:
                lines += [f"Docker-Content-Digest: sha256:{digest}", f'ETag: "sha256:{digest}"']
            if asked:
                lines.append(f"Content-Range: bytes {first}-{last}/{size}")
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
            if method != "GET":
                return
            if last - first < 65536:
                file.seek(first)
                writer.write(file.read(last - first + 1))
            else:
                await writer.drain()
                await asyncio.get_running_loop().sendfile(writer.transport, file, first, last - first + 1)
            self.bytes += last - first + 1


async def main(port, folder, seeds=0, address="127.0.0.1"):
    upstream = Upstream(folder, int(seeds))
    server = await asyncio.start_server(upstream.serve, address, int(port), backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
