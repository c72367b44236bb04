"""The servers, each as its own documentation advises for the task, on loopback and a free port.

Every function gives a Program with `.port`; logs and data are below `folder`. None writes a line per request; the node
runs on its defaults: access rules looked at, log, audit and metrics on.
"""

import http.client
import json
import os
import shutil
import sys
import urllib.parse

from .processes import Failed, Program, free_port, run

# Debian's services of the same names are of no interest; the programs are run in the foreground by an own account.
PEERS = {"nginx": "nginx-light", "varnishd": "varnish", "docker-registry": "docker-registry", "wrk": "wrk"}


def program(name):
    """The path of a program, Debian's /usr/sbin included; None when it is missing."""
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def needed(name):
    path = program(name)
    if not path:
        raise Failed(f"{name} is not installed")
    return path


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    return path


def node(folder, upstream_port, tls=None, extra="", first="sumdb = []", go=None, binary=None, prefix=()):
    """The node in its default configuration, with one module proxy (`go`, or the upstream) and one registry upstream.

    No checksum database unless `first` and `extra` name one: small files that are made up have no sums. Behind `prefix`
    it is run by another program."""
    port = free_port()
    text = f"""{first}
[node]
data_dir = "{folder}/data"
listen = ["127.0.0.1:{port}"]
[go]
upstreams = "{go or f'http://127.0.0.1:{upstream_port}'}"
[[registry.upstream]]
name = "registry.test"
url = "http://127.0.0.1:{upstream_port}"
[cluster]
listen = "127.0.0.1:{free_port()}"
{extra}"""
    if tls:
        text += f'\n[tls]\ncertificate_file = "{tls[0]}"\nprivate_key_file = "{tls[1]}"\n'
    configuration = write(f"{folder}/node.toml", text)
    edgenode = binary or os.environ["EDGENODE"]
    started = Program("edgenode", [edgenode, "run", "--config", configuration], f"{folder}/node.log", prefix=prefix)
    started.port, started.folder, started.configuration = port, folder, configuration
    return started.wait_for_port(port, seconds=60)


def restart_node(old):
    """The same node again, after a clean stop."""
    old.stop(patience=40)
    edgenode = os.environ["EDGENODE"]
    started = Program("edgenode", [edgenode, "run", "--config", old.configuration], f"{old.folder}/node.log")
    started.port, started.folder, started.configuration = old.port, old.folder, old.configuration
    return started


def nginx(folder, locations, tls=None, http="", workers="auto", prefix=()):
    """nginx's tuning guide: sendfile, tcp_nopush, long keep-alive, open_file_cache, no access log; a worker a core.

    Behind `prefix` it is run by another program, as one process."""
    port = free_port()
    listen = f"listen 127.0.0.1:{port} backlog=4096"
    secure = ""
    if tls:
        listen += " ssl"
        secure = (f"ssl_certificate {tls[0]}; ssl_certificate_key {tls[1]}; ssl_protocols TLSv1.2 TLSv1.3;"
                  " ssl_session_cache shared:tls:10m;")
    configuration = write(f"{folder}/nginx.conf", f"""
user root;
worker_processes {workers};
master_process {"off" if prefix else "on"};
worker_rlimit_nofile 16384;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log error;
daemon off;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_timeout 75s;
    keepalive_requests 100000;
    open_file_cache max=20000 inactive=300s;
    open_file_cache_valid 300s;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    default_type application/octet-stream;
    {http}
    server {{ {listen}; {secure} {locations} }}
}}
""")
    started = Program(
        "nginx", [needed("nginx"), "-p", folder, "-c", configuration], f"{folder}/nginx.out", prefix=prefix)
    started.port = port
    return started.wait_for_port(port)


def nginx_cache(folder, upstream_port, lock=False):
    """nginx as a caching proxy: proxy_cache with keep-alive to upstream; with `lock`, one fetch for many clients."""
    os.makedirs(f"{folder}/cache", exist_ok=True)
    locations = f"""location / {{
        proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
        proxy_cache bench; proxy_cache_valid 200 1d; proxy_cache_key $uri;
        {"proxy_cache_lock on; proxy_cache_lock_timeout 60s; proxy_cache_lock_age 60s;" if lock else ""}
    }}"""
    return nginx(folder, locations, http=f"""
    proxy_cache_path {folder}/cache levels=1:2 keys_zone=bench:32m max_size=20g inactive=1d use_temp_path=off;
    upstream origin {{ server 127.0.0.1:{upstream_port}; keepalive 64; }}""")


def varnish(folder, upstream_port):
    """varnishd with its defaults, 256 MB of memory, and objects that stay."""
    port = free_port()
    vcl = write(f"{folder}/bench.vcl", f"""vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{upstream_port}"; }}
sub vcl_backend_response {{ set beresp.ttl = 1d; }}
""")
    os.chmod(folder, 0o755)
    jail = ["-j", "unix"] if os.getuid() == 0 else []
    started = Program("varnish", [needed("varnishd"), "-F", *jail, "-n", f"{folder}/varnish", "-a", f"127.0.0.1:{port}",
                                  "-f", vcl, "-s", "malloc,256m"], f"{folder}/varnish.log")
    started.port = port
    return started.wait_for_port(port, seconds=40)


def docker_registry(folder, remote=None, tls=None, root=None, port=None):
    """docker-registry on files with its in-memory descriptor cache; with `remote`, as a pull-through cache of it."""
    port = port or free_port()
    only = ", maintenance: {readonly: {enabled: true}}" if root else ""
    proxy = f"proxy: {{remoteurl: \"{remote}\"}}\n" if remote else ""
    secure = f", tls: {{certificate: {tls[0]}, key: {tls[1]}}}" if tls else ""
    configuration = write(f"{folder}/registry.yml", f"""version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{cache: {{blobdescriptor: inmemory}}, filesystem: {{rootdirectory: {root or folder + "/registry"}}}{only}}}
http: {{addr: "127.0.0.1:{port}"{secure}}}
{proxy}""")
    started = Program("docker-registry", [needed("docker-registry"), "serve", configuration], f"{folder}/registry.log")
    started.port = port
    return started.wait_for_port(port)


def push_manifest(registry, repository, content, digest):
    """Pushes a manifest of bench.content, and the blobs that it lists, into a docker-registry that is no cache."""
    with open(f"{content.folder}/manifests/{digest}", "rb") as file:
        body = file.read()
    manifest = json.loads(body)
    for part in [manifest["config"], *manifest["layers"]]:
        with open(content.blob_file(part["digest"].partition(":")[2]), "rb") as file:
            push_blob(registry, repository, part["digest"], file)
    _put(registry, f"/v2/{repository}/manifests/sha256:{digest}", body, manifest["mediaType"])


def push_blob(registry, repository, digest, file):
    connection = http.client.HTTPConnection("127.0.0.1", registry.port, timeout=120)
    connection.request("POST", f"/v2/{repository}/blobs/uploads/", headers={"Content-Length": "0"})
    answer = connection.getresponse()
    answer.read()
    place = urllib.parse.urlsplit(answer.headers["Location"] or "")
    _put(registry, f"{place.path}?{place.query}&digest={digest}", file, "application/octet-stream")


def _put(registry, path, body, kind):
    connection = http.client.HTTPConnection("127.0.0.1", registry.port, timeout=600)
    size = len(body) if isinstance(body, bytes) else os.fstat(body.fileno()).st_size
    connection.request("PUT", path, body, {"Content-Type": kind, "Content-Length": str(size)})
    answer = connection.getresponse()
    if answer.status != 201:
        raise Failed(f"docker-registry did not take {path}: {answer.status} {answer.read(200)!r}")


def upstream(folder, seeds=0):
    """bench.upstream on `folder`."""
    port = free_port()
    started = Program("upstream", _module("bench.upstream", port, folder, seeds))
    started.port = port
    return started.wait_for_port(port, seconds=60)


def relay(target_port, seconds):
    port = free_port()
    started = Program("relay", _module("bench.relay", port, target_port, seconds))
    started.port = port
    return started.wait_for_port(port)


def _module(name, *words):
    return [sys.executable, "-m", name, *map(str, words)]


def certificate(folder):
    """A self-signed certificate (ECDSA P-256) and its key, as files."""
    pair = f"{folder}/tls.crt", f"{folder}/tls.key"
    run([needed("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=bench.test", "-keyout", pair[1], "-out", pair[0]])
    os.chmod(pair[1], 0o600)
    return pair
