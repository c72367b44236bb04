"""A registry that serves files as blobs, for measure-cluster.sh: blob_upstream.py ADDRESS FOLDER LOG.

A file's name in FOLDER is its SHA-256. One line a request goes to LOG when its body begins, and one when it ends, with
the bytes that were handed to the socket.
"""

import http.server
import os
import re
import sys
import threading

address, folder, log_file = sys.argv[1:]
log = open(log_file, "a", buffering=1)
lock = threading.Lock()


class Registry(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def note(self, *words):
        with lock:
            print(*words, file=log)

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def answer(self, wants_body):
        found = re.search(r"/blobs/sha256:([0-9a-f]{64})$", self.path)
        path = found and os.path.join(folder, found[1])
        if not path or not os.path.exists(path):
            self.send_response(200 if self.path == "/v2/" else 404)
            self.send_header("Content-Length", "2")
            self.end_headers()
            if wants_body:
                self.wfile.write(b"{}")
            return
        size = os.path.getsize(path)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = (int(asked[1]), int(asked[2] or size - 1)) if asked else (0, size - 1)
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Docker-Content-Digest", "sha256:" + found[1])
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        if wants_body:
            self.send_body(path, first, last)

    def send_body(self, path, first, last):
        self.note("begin", self.client_address[0], first)
        sent, left = 0, last - first + 1
        try:
            with open(path, "rb") as file:
                file.seek(first)
                while left > 0:
                    part = file.read(min(left, 1 << 16))
                    self.wfile.write(part)
                    sent, left = sent + len(part), left - len(part)
        except OSError:
            self.close_connection = True
        finally:
            self.note("end", self.client_address[0], sent)


http.server.ThreadingHTTPServer((address, 5000), Registry).serve_forever()
