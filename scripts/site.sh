# A site of real nodes in namespaces of their own; sourced after common.sh and testnet.sh by scripts that run as root.
# EDGENODE names the binary, LYINGNODE the program of members that are none; without them release builds are made.

[ "$(id -u)" = 0 ] || fail "Network namespaces need root." "Run: sudo $0"
need_packages "the cluster's network" curl ethtool iproute2 nftables python3
if [ -z "${EDGENODE:-}" ]; then
    (cd "$root" && swift build -c release --product edgenode >&2)
    (cd "$root" && swift build -c release --product LyingNode >&2)
    EDGENODE=$(cd "$root" && swift build -c release --show-bin-path)/edgenode
fi
LYINGNODE=${LYINGNODE:-$(dirname "$EDGENODE")/LyingNode}

work=$(mktemp -d "${TMPDIR:-/tmp}/edgenode-cluster.XXXXXX")
pulls=()
# Options of the invitation, and words before the binary's name, by node; set before `start_site`.
declare -A roles=() clocks=()
# More lines about upstream for every node's configuration.
upstream_settings=""
trap 'net_down; rm -rf "$work" "$work".*' EXIT
trap 'exit 130' INT TERM

# new_blob BYTES: a blob that no node has seen, with its name in $blob.
new_blob() {
    head -c "$1" /dev/urandom >"$work/blob"
    blob=$(sha256sum "$work/blob" | cut -d ' ' -f 1)
    mv "$work/blob" "$work/blobs/$blob"
}

# edgenode N WORDS...: a command on node N's machine, by that machine's clock.
edgenode() {
    local name=$1
    shift
    # shellcheck disable=SC2086
    inside "$name" env ${clocks[$name]:-} "$EDGENODE" "$@" --config "$work/node$name.toml"
}

# run_node N
run_node() { edgenode "$1" run >>"$work/node$1.log" 2>&1 & }

# end_node N: kills whatever runs on node N's machine, and returns when it is gone: its ports are free then.
end_node() {
    local try
    for try in $(seq 100); do
        [ -n "$(ip netns pids "$net-$1")" ] || return 0
        ip netns pids "$net-$1" | xargs -r kill -9 2>/dev/null || true
        sleep 0.05
    done
    fail "Processes on node $1's machine do not end."
}

# key_of N: its public key.
key_of() { edgenode "$1" key | grep -o 'edgenode-ed25519:[A-Za-z0-9_-]*' | head -n 1; }

until_true() {
    local what=$1 try
    shift
    for try in $(seq 300); do
        if "$@"; then return; fi
        sleep 0.1
    done
    tail -n 5 "$work"/*.log >&2
    fail "$what: not within 30 seconds."
}

# meets N COUNT: does node N reach so many others?
meets() {
    [ "$(edgenode "$1" peers --json 2>/dev/null | grep -c '"state" : "alive"')" = "$2" ]
}

all_met() {
    local number
    for number in $(seq "$net_nodes"); do meets "$number" $((net_nodes - 1)) || return 1; done
}

# write_configuration NAME ADDRESS: for a node of that name.
write_configuration() {
    cat >"$work/node$1.toml" <<CONFIGURATION
[node]
data_dir = "$work/data$1"
listen = ["$2:4890", "127.0.0.1:4890"]

[go]
upstreams = "off"

[[registry.upstream]]
name = "registry.test"
url = "http://$(address_of up):5000"
$upstream_settings

[cluster]
listen = "$2:4891"
CONFIGURATION
}

# invite NAME [OPTION...]: the node joins by a token of node 1.
invite() {
    local name=$1
    shift
    edgenode 1 cluster invite "$@" | edgenode "$name" join - >/dev/null
}

# run_upstream: serves $work/blobs; what its bodies moved goes to $work/upstream.
run_upstream() {
    inside up python3 "$root/scripts/blob_upstream.py" "$(address_of up)" "$work/blobs" "$work/upstream" 2>>"$work/upstream.log" &
    until_true "upstream answers" inside up curl --silent --output /dev/null "http://$(address_of up):5000/v2/"
}

# end_upstream: from now on connections to it are refused.
end_upstream() { end_node up; }

# start_site NODES: upstream at $up_rate (100 Mbit/s), and nodes with empty stores that know each other at $lan_rate (1 Gbit/s).
start_site() {
    pulls=()
    rm -rf "${work:?}"/*
    mkdir "$work/blobs"
    net_up "$1" "${up_rate:-100mbit}" "${lan_rate:-1gbit}"
    run_upstream
    local number
    for number in $(seq "$1"); do
        write_configuration "$number" "$(address_of "$number")"
        # shellcheck disable=SC2086
        if [ "$number" = 1 ]; then
            edgenode 1 cluster init ${roles[1]:-} >/dev/null
        else
            invite "$number" ${roles[$number]:-}
        fi
    done
    for number in $(seq "$1"); do run_node "$number"; done
    until_true "the nodes meet" all_met
}

# pull N BLOB: through node N, within two minutes; prints seconds since $start, or why not.
pull() {
    local sum
    sum=$(inside "$1" curl --silent --fail --max-time 120 "http://$(address_of "$1"):4890/v2/registry.test/app/blobs/sha256:$2" |
        sha256sum | cut -d ' ' -f 1)
    if [ "$sum" = "$2" ]; then seconds; else echo failed; fi
}

now() { date +%s%N; }
seconds() { python3 -c "print('%.1f' % (($(now) - $start) / 1e9))"; }

# sent: the bytes of bodies that upstream handed to its sockets.
sent() { awk '$1 == "end" { sum += $3 } END { printf "%.0f\n", sum }' "$work/upstream" 2>/dev/null || echo 0; }

# begun: has a body begun at upstream?
begun() { grep -q ^begin "$work/upstream" 2>/dev/null; }

failures=0
# report WORDS: says it; FAILED among them fails the whole.
report() {
    echo "$1"
    case $1 in *FAILED*) failures=1 && keep ;; esac
}

# keep: what the nodes said goes to stderr.
keep() { tail -n 20 "$work"/node*.log >&2; }

# expect WHAT N BLOB YES: pulling works (yes) or not (no).
expect() {
    local got=yes
    start=$(now)
    [ "$(pull "$2" "$3")" != failed ] || got=no
    if [ "$got" = "$4" ]; then report "$1 ($(seconds) s)"; else report "$1: FAILED"; fi
}
