"""A registry that serves files as blobs, for measure-cluster.sh: blob_upstream.py ADDRESS FOLDER LOG.

A file's name in FOLDER is its SHA-256; every repository has all of them. FOLDER/tags/REPOSITORY:TAG names the manifest
that a tag stands for. A folder FOLDER/private/REPOSITORY, with - for every / of the name, makes a repository private:
it has the files in there only, for whoever brings what its file `login` says, `basic USER:PASSWORD` or
`bearer USER:PASSWORD` (a token of this server for that login).
One line a request goes to LOG when its body begins, and one when it ends, with the bytes that were handed to the socket.
"""

import base64
import hashlib
import http.server
import os
import re
import sys
import threading

address, folder, log_file = sys.argv[1:]
log = open(log_file, "a", buffering=1)
lock = threading.Lock()
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def login_of(repository):
    """How a private repository is opened, and by which `Authorization`; None for a public one."""
    try:
        with open(os.path.join(folder, "private", repository.replace("/", "-"), "login")) as file:
            kind, login = file.read().split()
    except OSError:
        return None
    basic = "Basic " + base64.b64encode(login.encode()).decode()
    return kind, basic, "Bearer " + hashlib.sha256(f"{repository} {login}".encode()).hexdigest()


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
        if self.path.startswith("/token?"):
            return self.give_token()
        asked = re.fullmatch(r"/v2/(.+)/(blobs|manifests)/([^/]+)", self.path)
        if not asked:
            return self.say(200 if self.path == "/v2/" else 404, wants_body)
        repository, kind, name = asked.groups()
        login = login_of(repository)
        if login and self.headers.get("Authorization") != login[1 if login[0] == "basic" else 2]:
            return self.say(401, wants_body, {"WWW-Authenticate": self.challenge(repository, login[0])})
        if not name.startswith("sha256:"):
            try:
                with open(os.path.join(folder, "tags", f"{repository}:{name}")) as file:
                    name = "sha256:" + file.read().strip()
            except OSError:
                return self.say(404, wants_body)
        place = os.path.join(folder, "private", repository.replace("/", "-")) if login else folder
        path = os.path.join(place, name.removeprefix("sha256:"))
        if not re.fullmatch("sha256:[0-9a-f]{64}", name) or not os.path.exists(path):
            return self.say(404, wants_body)
        self.give(path, name, MANIFEST if kind == "manifests" else "application/octet-stream", wants_body)

    def challenge(self, repository, kind):
        if kind == "basic":
            return 'Basic realm="stand-in"'
        return f'Bearer realm="http://{address}:5000/token",service="stand-in",scope="repository:{repository}:pull"'

    def give_token(self):
        scope = re.search(r"scope=repository(?::|%3A)(.+?)(?::|%3A)pull", self.path)
        login = scope and login_of(scope[1].replace("%2F", "/"))
        if not login or self.headers.get("Authorization") != login[1]:
            return self.say(401, True)
        self.say(200, True, {}, b'{"token":"%s"}' % login[2].removeprefix("Bearer ").encode())

    def say(self, status, wants_body, headers={}, body=b"{}"):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if wants_body:
            self.wfile.write(body)

    def give(self, path, digest, media_type, wants_body):
        size = os.path.getsize(path)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = (int(asked[1]), int(asked[2] or size - 1)) if asked else (0, size - 1)
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Content-Type", media_type)
        self.send_header("Docker-Content-Digest", digest)
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
