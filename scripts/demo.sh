#!/usr/bin/env bash
# The main job on real input, on a cluster of three nodes that joined by token: a real go builds a program of 53 modules
# and real container clients pull an image of 210 MiB through node 1, which asks upstream; again through node 2, which
# takes it from node 1; then upstream and node 1 go away, and it is all done once more through node 3. The clients
# never have anything. Says in a table what came from where.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$(dirname "${BASH_SOURCE[0]}")/demo-containers.sh"

release=1.27.3
go=$cache/go/$release/bin/go

"$root/scripts/setup.sh"
"$root/scripts/setup-tests.sh" demo
say "building the node (the first time takes some minutes)"
(cd "$root" && swift build -c release --product edgenode -j "$(nproc)" >&2)
edgenode=$(cd "$root" && swift build -c release --show-bin-path)/edgenode

work=$(mktemp -d "${TMPDIR:-/tmp}/edgenode-demo.XXXXXX")
upstream= nodes=() registry= wire= containerd=

# finish PID: ends one of the two programs that this script started.
finish() {
    kill "$1" 2>/dev/null || return 0
    wait "$1" 2>/dev/null || true
}

clean_up() {
    local program
    for program in $containerd "${nodes[@]}" $upstream $wire $registry; do finish "$program"; done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# until_true WHAT COMMAND...: waits at most 20 seconds for a command to succeed.
until_true() {
    local what=$1 try
    shift
    for try in $(seq 200); do
        if "$@"; then return; fi
        sleep 0.1
    done
    tail -n 20 "$work"/*.log >&2
    fail "$what did not start within 20 seconds." "What it said stands above."
}

"$cache/bin/$release/upstream" -state "$work/state" -padding 600 -tree "modules=$cache/tree/$release/modules" \
    >"$work/upstream.json" 2>"$work/upstream.log" &
upstream=$!
until_true "the stand-in upstream" test -s "$work/upstream.json"

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start_registry

# described KEY: something that the upstream said about its module proxy.
described() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["proxies"]["modules"][sys.argv[2]])' "$work/upstream.json" "$1"; }
url=$(described url)
key=$(described databaseKey)
# write_configuration N: that of node N.
write_configuration() {
    cat >"$work/node$1.toml" <<CONFIGURATION
[node]
data_dir = "$work/data$1"
listen = ["127.0.0.1:${ports[$1]}"]

[go]
upstreams = "$url"

[[sumdb]]
name = "$(described databaseName)"
key = "$key"
url = "$(described databaseURL)"

[[registry.upstream]]
name = "$registry_name"
url = "$wire_url"

[cluster]
listen = "127.0.0.1:$(free_port)"
CONFIGURATION
}

# on N COMMAND...: a command of node N.
on() {
    local number=$1
    shift
    "$edgenode" "$@" --config "$work/node$number.toml"
}

ports=(0 "$(free_port)" "$(free_port)" "$(free_port)")
for number in 1 2 3; do write_configuration "$number"; done
say "making a cluster of three nodes"
on 1 cluster init >&2
# Node 2 is a resolver: its word alone counts for what a tag stands for when upstream is away.
on 1 cluster invite --role resolver | on 2 join - >&2
on 1 cluster invite | on 3 join - >&2
for number in 1 2 3; do
    "$edgenode" run --config "$work/node$number.toml" >"$work/node$number.log" 2>&1 &
    nodes[number]=$!
    until_true "node $number" curl --silent --fail --output /dev/null "http://127.0.0.1:${ports[number]}/healthz"
done
all_met() { [ "$(on 3 peers --json | grep -c '"state" : "alive"')" = 2 ]; }
until_true "the cluster" all_met
on 3 peers >&2

# use N: clients go to node N from now on.
use() {
    number=$1
    port=${ports[$1]}
}

# snapshot NAME: what the node in use and the upstreams have counted so far.
snapshot() {
    curl --silent --fail "http://127.0.0.1:$port/metrics" >"$work/$1.metrics"
    curl --silent --fail "${url%/modules}/_control/requests" >"$work/$1.upstream" 2>/dev/null || echo '{}' >"$work/$1.upstream"
    curl --silent --fail "$wire_url/_control/requests" >"$work/$1.registry" 2>/dev/null || echo '{}' >"$work/$1.registry"
}

# build NAME: builds the program with a go that has no module cache and no memory of the checksum database.
build() {
    local home=$work/$1 start
    mkdir -p "$home"
    cp -R "$root/examples/modules" "$home/module"
    start=$(date +%s.%N)
    (
        cd "$home/module"
        env -i HOME="$home" PATH=/usr/bin:/bin GOENV=off GOPATH="$home/go" GOCACHE="$cache/go-build" \
            GOPROXY="http://127.0.0.1:$port" GOSUMDB="$key" GOFLAGS="-mod=mod -trimpath -modcacherw" \
            GOTOOLCHAIN=local GOTELEMETRY=off GOWORK=off CGO_ENABLED=0 "$go" build -o modules . 2>"$work/$1.log" ||
            { tail -n 20 "$work/$1.log" "$work/node$number.log" >&2 && exit 1; }
    ) || fail "go build failed; its words and the node's stand above."
    echo "$start $(date +%s.%N)" >"$work/$1.times"
    "$home/module/modules" >"$work/$1.out" || fail "the program that was built does not work."
}

# round N: a build and pulls through node N.
round() {
    use "$1"
    snapshot "start-$1"
    build "build-$1"
    snapshot "build-$1"
    pull "pull-$1"
    snapshot "pull-$1"
}

say "node 1, with upstream: building a program of 53 modules with go $release, pulling $image with $clients"
round 1
say "node 2: the same, with clients that hold nothing"
round 2
for program in $upstream $wire $registry "${nodes[1]}"; do finish "$program"; done
upstream= wire= registry=
say "the upstreams and node 1 are gone; node 3: the same, with clients that hold nothing"
round 3
on 3 peers >&2

python3 "$root/scripts/demo_report.py" "$work"
