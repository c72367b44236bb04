#!/usr/bin/env bash
# Builds a Debian package of the node.
#
#   packaging/build-deb.sh [--binary FILE] [--output FOLDER] [--fast]
#
# Without --binary the program is built first, with the Swift libraries inside. --fast compresses little. The
# package's path is printed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
binary=
compression=(-Zxz)
output=$root/.build-static

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

while [ $# -gt 0 ]; do
    case $1 in
        --binary) binary=${2:?--binary needs a file}; shift 2 ;;
        --output) output=${2:?--output needs a folder}; shift 2 ;;
        --fast) compression=(-Zgzip -z1); shift ;;
        *) fail "unknown argument $1; use --binary FILE, --output FOLDER and --fast" ;;
    esac
done
for tool in dpkg-deb dpkg-shlibdeps strip gzip; do
    command -v "$tool" >/dev/null || fail "$tool is missing; install the Debian packages dpkg-dev and binutils"
done

if [ -z "$binary" ]; then
    build=(swift build -c release --product edgenode --static-swift-stdlib --scratch-path "$root/.build-static")
    (cd "$root" && "${build[@]}" >&2)
    binary=$(cd "$root" && "${build[@]}" --show-bin-path)/edgenode
fi
[ -x "$binary" ] || fail "$binary is no program"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
umask 022

version=$("$binary" version | cut -d ' ' -f 2)
architecture=$(dpkg --print-architecture)

install -D -m 755 "$binary" "$tree/usr/bin/edgenode"
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$tree/usr/bin/edgenode"
install -D -m 644 "$here/edgenode.service" "$tree/usr/lib/systemd/system/edgenode.service"
install -D -m 644 "$here/edgenode.sysusers" "$tree/usr/lib/sysusers.d/edgenode.conf"
install -D -m 644 "$here/debian/copyright" "$tree/usr/share/doc/edgenode/copyright"
install -D -m 644 "$root/README.md" "$tree/usr/share/doc/edgenode/README.md"
install -D -m 644 "$root/docs/operations.md" "$tree/usr/share/doc/edgenode/operations.md"
install -d "$tree/usr/share/man/man1"
gzip -9n <"$here/edgenode.1" >"$tree/usr/share/man/man1/edgenode.1.gz"
printf 'edgenode (%s) unstable; urgency=medium\n\n  * See the history of the project.\n\n -- edgenode maintainers <maintainers@localhost>  %s\n' \
    "$version" "$(date -R -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}")" |
    gzip -9n >"$tree/usr/share/doc/edgenode/changelog.gz"

# Commands run by hand read the same file as the service, so the data folder is written out in it.
install -d "$tree/etc/edgenode"
sed 's|^#data_dir = .*|data_dir = "/var/lib/edgenode"|' "$root/cluster.example.toml" >"$tree/etc/edgenode/cluster.toml"
grep -q '^data_dir = "/var/lib/edgenode"$' "$tree/etc/edgenode/cluster.toml" ||
    fail "cluster.example.toml no longer names data_dir as this script expects"

completions() { "$binary" --generate-completion-script "$1" >"$2"; }
install -d "$tree/usr/share/bash-completion/completions" "$tree/usr/share/zsh/vendor-completions" \
    "$tree/usr/share/fish/vendor_completions.d"
completions bash "$tree/usr/share/bash-completion/completions/edgenode"
completions zsh "$tree/usr/share/zsh/vendor-completions/_edgenode"
completions fish "$tree/usr/share/fish/vendor_completions.d/edgenode.fish"

# Which packages the program's libraries come from; those inside of it are none of them.
mkdir "$work/debian"
printf 'Source: edgenode\n\nPackage: edgenode\nArchitecture: any\n' >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps --ignore-missing-info -O "$tree/usr/bin/edgenode" 2>"$work/shlibdeps.log" |
    sed -n 's/^shlibs:Depends=//p') || { cat "$work/shlibdeps.log" >&2; fail "the program's libraries are of no package"; }
[ -n "$depends" ] || fail "dpkg-shlibdeps found no dependencies"

mkdir "$tree/DEBIAN"
size=$(du -k -s "$tree" | cut -f 1)
sed -e "s|@VERSION@|$version|" -e "s|@ARCHITECTURE@|$architecture|" -e "s|@SIZE@|$size|" \
    -e "s|@DEPENDS@|$depends|" "$here/debian/control.in" >"$tree/DEBIAN/control"
printf '/etc/edgenode/cluster.toml\n' >"$tree/DEBIAN/conffiles"
for script in postinst prerm postrm; do install -m 755 "$here/debian/$script" "$tree/DEBIAN/$script"; done
(cd "$tree" && find usr -type f -exec md5sum {} + | sort -k 2 >DEBIAN/md5sums)

mkdir -p "$output"
package=$output/edgenode_${version}_${architecture}.deb
dpkg-deb --root-owner-group "${compression[@]}" --build "$tree" "$package" >/dev/null
echo "$package"
