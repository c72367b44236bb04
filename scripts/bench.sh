#!/usr/bin/env bash
# Measures the node beside what people use instead and writes docs/benchmarks.md: docs/benchmarking.md says what and how.
#
#   bench.sh [--quick] [SECTION...]      hot-small hot-large cold clients ingest cluster dedup gossip scale
#
# Installs the programs to compare with from Debian; what cannot be had is left out of the comparison. Sections that
# make networks of their own need root. EDGENODE names another binary than that of this checkout.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# want PROGRAM PACKAGE: installs the package when there is no such program; its absence is no failure.
want() {
    command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] && return
    (need_packages "the bench" "$2") || say "the comparison with $2 is left out"
}

# A server's package starts a service of its own, which would only take CPU and ports: not while these are installed.
forbid_services() {
    [ "$(id -u)" = 0 ] && [ ! -e /usr/sbin/policy-rc.d ] || return 0
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
}

forbid_services
python=/usr/bin/python3
[ -x "$python" ] || need_packages "the bench" python3
want curl curl
want openssl openssl
want wrk wrk
want nginx nginx-light
want varnishd varnish
want docker-registry docker-registry
want serf serf
want casync casync
want restic restic
want valgrind valgrind
"$python" -c 'import libtorrent' 2>/dev/null || (need_packages "the bench" python3-libtorrent) ||
    say "the comparison with BitTorrent is left out"
if [ "$(id -u)" = 0 ]; then rm -f /usr/sbin/policy-rc.d && trap - EXIT; fi

if [ -z "${EDGENODE:-}" ]; then
    # The binary that `make install` and the Debian package bring.
    static=(-c release --static-swift-stdlib --scratch-path "$root/.build-static")
    (cd "$root" && swift build "${static[@]}" --product edgenode >&2)
    EDGENODE=$(cd "$root" && swift build "${static[@]}" --show-bin-path)/edgenode
fi
export EDGENODE
# Two thousand sockets on each side of the load with 1,000 connections.
ulimit -n 16384 2>/dev/null || true
PYTHONPATH=$root/scripts exec "$python" -B -m bench "$@"
