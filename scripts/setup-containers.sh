#!/usr/bin/env bash
# Makes ready, below .cache, the container clients and the registry that the demo and the tests run, and the images that
# they pull. The packages are unpacked there and not installed: no service of this machine is added, replaced or
# started. Called by setup-tests.sh with the command that makes images.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

images=$1
catalog=$root/Tests/Upstream/images.txt
# The last line is the libraries that a small system lacks.
programs="docker.io containerd runc podman conmon buildah skopeo docker-registry
    libassuan0 libdevmapper1.02.1 libgpgme11 libseccomp2 libsubid4"

# download DIRECTORY PACKAGE...: the files of Debian packages.
download() {
    local target=$1
    shift
    mkdir -p "$target"
    (cd "$target" && { apt-get download -qq "$@" || { apt-get update -qq && apt-get download -qq "$@"; }; }) \
        >"$target/apt.log" 2>&1 || fail "apt-get could not download: $*" \
        "It says: $(tail -n 1 "$target/apt.log")" "They are packages of Debian 12."
}

fetch_clients() {
    local wanted="$programs" target=$cache/clients package
    is_current "$target" "$wanted" && return
    say "fetching container clients from Debian"
    rm -rf "$target"
    # shellcheck disable=SC2086
    download "$target/packages" $programs
    for package in "$target"/packages/*.deb; do dpkg -x "$package" "$target"; done
    rm -rf "$target/packages"
    local program missing
    for program in bin/docker sbin/dockerd bin/containerd bin/ctr bin/podman bin/buildah bin/skopeo bin/docker-registry; do
        missing=$(LD_LIBRARY_PATH="$target/usr/lib/x86_64-linux-gnu:$target/lib/x86_64-linux-gnu" \
            ldd "$target/usr/$program" 2>/dev/null | awk '/not found/ {print $1}' | tr '\n' ' ')
        [ -z "$missing" ] || fail "$program lacks libraries: $missing" "Install the packages that hold them and run this again."
    done
    echo "$wanted" >"$target/.stamp"
}

# The layout is what skopeo and the like read, the registry's folder what a stand-in upstream serves.
make_images() {
    local wanted target=$cache/images
    wanted=$(stamp "$catalog" "$images")
    is_current "$target" "$wanted" && return
    say "making container images out of Debian packages"
    rm -rf "$target"
    # shellcheck disable=SC2046
    download "$target/packages" $("$images" -catalog "$catalog" -list)
    "$images" -catalog "$catalog" -packages "$target/packages" -out "$target/layout"
    rm -rf "$target/packages"
    fill_registry "$target"
    share_blobs "$target"
    echo "$wanted" >"$target/.stamp"
}

# fill_registry DIRECTORY: pushes the layout into a registry, whose folder is kept.
fill_registry() {
    local target=$1 port registry try
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    cat >"$target/registry.yml" <<YAML
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $target/registry}}
http: {addr: "127.0.0.1:$port"}
YAML
    "$cache/clients/usr/bin/docker-registry" serve "$target/registry.yml" >"$target/registry.log" 2>&1 &
    registry=$!
    # shellcheck disable=SC2064
    trap "kill $registry 2>/dev/null" EXIT
    for try in $(seq 200); do
        if curl --silent --fail --output /dev/null "http://127.0.0.1:$port/v2/"; then break; fi
        [ "$try" -lt 200 ] || fail "docker-registry did not start within 20 seconds." "$(tail -n 3 "$target/registry.log")"
        sleep 0.1
    done
    "$images" -layout "$target/layout" -push "http://127.0.0.1:$port" ||
        fail "docker-registry did not take the images." "$(tail -n 3 "$target/registry.log")"
    kill "$registry"
    wait "$registry" || true
    trap - EXIT
    rm -f "$target/registry.yml" "$target/registry.log"
}

# share_blobs DIRECTORY: layout and registry hold the same files; one copy is enough.
share_blobs() {
    local blob name
    for blob in "$1"/layout/blobs/sha256/*; do
        name=${blob##*/}
        ln -f "$1/registry/docker/registry/v2/blobs/sha256/${name:0:2}/$name/data" "$blob"
    done
}

fetch_clients
make_images
