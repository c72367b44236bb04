"""Container images made out of Debian packages with the program that makes those of the tests, kept below .cache/bench-images."""

import functools
import os
import re
import shutil
import subprocess

from . import servers
from .processes import Failed, run

RELEASE = "1.27.3"

# More than 500 MB of compressed layers.
LARGE = """image library/large:1.0 oci
amd64 gzip busybox-static libc6 netbase
amd64 gzip openjdk-17-jre-headless
amd64 gzip chromium
amd64 zstd golang-1.19-go
amd64 gzip libllvm15 gcc-12 cpp-12 g++-12
amd64 gzip postgresql-15 libicu72
amd64 zstd docker.io containerd
amd64 gzip libstd-rust-dev
amd64 gzip libreoffice-core libnode108
"""

# A service that is built again when its distribution has updates: the base moves, then the runtime, then what is on top.
SERVICE = """image library/service:1.0 oci
amd64 gzip busybox-static libc6 libssl3 openssl perl-base
amd64 gzip openjdk-17-jre-headless
amd64 gzip postgresql-15 postgresql-client-15 libicu72
amd64 gzip curl libcurl4 git python3.11-minimal libpython3.11-stdlib
"""


class DebianImages:
    """Makes images, and the folder of a registry that holds them."""

    def __init__(self, bench):
        self.program = f"{bench.root}/.cache/bin/{RELEASE}/images"
        self.folder = f"{bench.root}/.cache/bench-images"
        self.bench = bench
        if not os.access(self.program, os.X_OK):
            raise Failed("the program that makes images is not there: scripts/setup-tests.sh demo")

    def large(self):
        """The root folder of a registry with library/large:1.0."""
        return f"{self.made('large', LARGE)}/registry"

    def service(self):
        """The folders of library/service:1.0 as it was before Debian's last updates, and as it is with them."""
        return self.made("service-before", SERVICE, age=1), self.made("service-after", SERVICE)

    def made(self, name, catalog, age=0):
        """The folder of a catalog's images, with `layout` and `registry` in it.

        `age`: 1 = the packages' versions before the latest that Debian has, where it has them still."""
        folder = f"{self.folder}/{name}"
        versions = {package: version_of(package, age) for package in packages_of(catalog)}
        stamp = catalog + "".join(f"{package}={version}\n" for package, version in sorted(versions.items()))
        try:
            with open(f"{folder}/.stamp") as file:
                if file.read() == stamp:
                    return folder
        except FileNotFoundError:
            pass
        self.bench.say(f"making the image {name} out of Debian packages")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(f"{folder}/packages")
        run(["apt-get", "download", "-qq", *(f"{package}={version}" for package, version in versions.items())], 900,
            cwd=f"{folder}/packages")
        list_ = servers.write(f"{folder}/catalog.txt", catalog)
        run([self.program, "-catalog", list_, "-packages", f"{folder}/packages", "-out", f"{folder}/layout"], 900)
        shutil.rmtree(f"{folder}/packages")
        registry = servers.docker_registry(folder)
        run([self.program, "-layout", f"{folder}/layout", "-push", f"http://127.0.0.1:{registry.port}"], 600)
        registry.stop()
        servers.write(f"{folder}/.stamp", stamp)
        return folder


def packages_of(catalog):
    words = [line.split()[2:] for line in catalog.splitlines() if not line.startswith("image ")]
    return sorted({word for line in words for word in line})


@functools.cache
def version_of(package, age):
    """The latest version of a package, or one that was before; the oldest known where there are fewer."""
    text = subprocess.run(["apt-cache", "madison", package], capture_output=True, text=True, check=False).stdout
    versions = list(dict.fromkeys(re.findall(r"^\s*\S+ \|\s*(\S+)\s*\|", text, re.M)))
    if not versions:
        raise Failed(f"Debian has no package {package}, or its lists are not there: apt-get update")
    order = functools.cmp_to_key(lambda a, b: -1 if subprocess.run(["dpkg", "--compare-versions", a, "lt", b],
                                                                   check=False).returncode == 0 else 1)
    return sorted(versions, key=order, reverse=True)[min(age, len(versions) - 1)]
