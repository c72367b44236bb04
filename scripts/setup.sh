#!/usr/bin/env bash
# Installs what building the node needs and checks that Swift is there; with the word "packaging", also what building
# its Debian package needs. Quick when nothing is missing.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need_packages "building edgenode" \
    ca-certificates git libc6-dev libisal-dev liblz4-dev libpsl-dev libsodium-dev libsqlite3-dev libstdc++-12-dev make pkg-config

[ "${1:-}" != packaging ] || need_packages "building the Debian package" binutils dpkg-dev

command -v swift >/dev/null ||
    fail "Swift is missing: there is no swift command on the PATH." \
        "Install the Swift 6.2 or newer toolchain for Debian 12 (https://www.swift.org/install/linux/)," \
        "put its usr/bin on the PATH, and run this again."

version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
read -r major minor <<<"${version:-0 0}"
[ "$major" -gt 6 ] || { [ "$major" = 6 ] && [ "$minor" -ge 2 ]; } ||
    fail "Swift $major.$minor is too old: Package.swift needs 6.2." \
        "Install a newer toolchain (https://www.swift.org/install/linux/) and put its usr/bin first on the PATH."
