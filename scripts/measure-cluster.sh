#!/usr/bin/env bash
# Measures what real nodes, four or as many as -c says, do with a blob that nobody holds, upstream at 100 Mbit/s, the
# nodes at 1 Gbit/s among each other, all in network namespaces that it makes and removes. Needs root.
#
#   measure-cluster.sh [-n BYTES] [-c NODES] crowd|late|kill|loss|cuts...      (all of them without a name)
#
# crowd: all ask at once. late: the last asks 8 s later. kill: the node that fetches from upstream is killed half-way.
# loss: 5 % of the datagrams are lost. cuts: one node away from upstream, then from everybody, then whole again.
# It fails when a pull fails, a byte is wrong, or upstream sent too much; seconds are only reported.
# EDGENODE names another binary.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$(dirname "${BASH_SOURCE[0]}")/testnet.sh"

size=200000000
count=4
while getopts n:c: option; do
    case $option in
    n) size=$OPTARG ;;
    c) count=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- crowd late kill loss cuts
[ "$(id -u)" = 0 ] || fail "Network namespaces need root." "Run: sudo scripts/measure-cluster.sh"
need_packages "the cluster's network" curl ethtool iproute2 nftables python3
if [ -z "${EDGENODE:-}" ]; then
    (cd "$root" && swift build -c release --product edgenode >&2)
    EDGENODE=$(cd "$root" && swift build -c release --show-bin-path)/edgenode
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/edgenode-cluster.XXXXXX")
nodes=() pulls=()
trap 'net_down; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# new_blob BYTES: a blob that no node has seen, with its name in $blob.
new_blob() {
    head -c "$1" /dev/urandom >"$work/blob"
    blob=$(sha256sum "$work/blob" | cut -d ' ' -f 1)
    mv "$work/blob" "$work/blobs/$blob"
}

# run_node N
run_node() {
    inside "$1" "$EDGENODE" run --config "$work/node$1.toml" >>"$work/node$1.log" 2>&1 &
    nodes[$1]=$!
}

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

all_met() {
    local number
    for number in $(seq "$count"); do
        [ "$(inside "$number" "$EDGENODE" peers --json --config "$work/node$number.toml" 2>/dev/null | grep -c '"state" : "alive"')" = $((count - 1)) ] || return 1
    done
}

# start_site: upstream, and nodes with empty stores that know each other.
start_site() {
    nodes=() pulls=()
    rm -rf "${work:?}"/*
    mkdir "$work/blobs"
    net_up "$count" 100mbit 1gbit
    inside up python3 "$root/scripts/blob_upstream.py" "$(address_of up)" "$work/blobs" "$work/upstream" 2>"$work/upstream.log" &
    local number
    for number in $(seq "$count"); do
        cat >"$work/node$number.toml" <<CONFIGURATION
[node]
data_dir = "$work/data$number"
listen = ["$(address_of "$number"):4890"]

[go]
upstreams = "off"

[[registry.upstream]]
name = "registry.test"
url = "http://$(address_of up):5000"

[cluster]
listen = "$(address_of "$number"):4891"
CONFIGURATION
        if [ "$number" = 1 ]; then
            "$EDGENODE" cluster init --config "$work/node1.toml" >/dev/null
        else
            "$EDGENODE" cluster invite --config "$work/node1.toml" |
                "$EDGENODE" join - --config "$work/node$number.toml" >/dev/null
        fi
    done
    for number in $(seq "$count"); do run_node "$number"; done
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

# crowd_of NAME TIMES_LATE KILL LIMIT: a pull by every node; upstream may send LIMIT hundredths of the blob.
crowd_of() {
    local name=$1 late=$2 kill=$3 limit=$4 number victim=0 words="" bad="" times
    new_blob "$size"
    start=$(now)
    for number in $(seq "$count"); do
        (
            if [ "$number" = "$count" ]; then sleep "$late"; fi
            pull "$number" "$blob" >"$work/pull$number"
        ) &
        pulls[number]=$!
    done
    if [ "$kill" != 0 ]; then
        until_true "a fetch from upstream" begun
        sleep "$kill"
        victim=$(awk '$1 == "begin" { split($2, a, "."); print a[4] - 10; exit }' "$work/upstream")
        ip netns pids "$net-$victim" | xargs -r kill -9
    fi
    for number in $(seq "$count"); do
        wait "${pulls[number]}" || true
        [ "$number" = "$victim" ] && continue
        times=$(cat "$work/pull$number")
        words+=" $times"
        [ "$times" != failed ] || bad=" FAILED: a pull"
    done
    sleep 1
    local all
    all=$(sent)
    [ $((all * 100)) -le $((size * limit)) ] || bad+=" FAILED: upstream sent too much"
    report "$name: done after$words s; upstream sent $(python3 -c "print('%.3f' % ($all / $size))")x$bad"
}

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
    if [ "$got" = "$4" ]; then report "cuts: $1 ($(seconds) s)"; else report "cuts: $1: FAILED"; fi
}

cuts() {
    local first second third before
    new_blob 20000000 && first=$blob
    new_blob 20000000 && second=$blob
    new_blob 20000000 && third=$blob
    expect "node 1 fetches from upstream" 1 "$first" yes
    expect "node 3 takes it from node 1" 3 "$first" yes
    expect "node 1 fetches another" 1 "$second" yes
    sever 2 up
    before=$(sent)
    expect "node 2, away from upstream, gets what node 1 holds" 2 "$second" yes
    expect "node 2 does not get what nobody holds" 2 "$third" no
    [ "$(sent)" = "$before" ] || report "cuts: upstream sent something meanwhile: FAILED"
    sever 3 up 1 2 4
    expect "node 3, away from all, gives what it holds" 3 "$first" yes
    expect "node 3 does not give what it lacks" 3 "$second" no
    mend 2
    mend 3
    until_true "the nodes meet again" all_met
    before=$(sent)
    expect "healed, node 3 takes the other from a peer" 3 "$second" yes
    [ "$(sent)" = "$before" ] || report "cuts: node 3 asked upstream: FAILED"
    expect "healed, node 2 fetches from upstream" 2 "$third" yes
}

failures=0
for scenario in "$@"; do
    start_site
    case $scenario in
    crowd) crowd_of crowd 0 0 105 ;;
    late) crowd_of "one 8 s late" 8 0 105 ;;
    kill) crowd_of "fetching node killed after 8 s" 0 8 110 ;;
    loss) lose 50 && crowd_of "5 % of datagrams lost" 0 0 105 ;;
    cuts)
        [ "$count" -ge 4 ] || fail "cuts needs four nodes."
        cuts
        ;;
    *) fail "There is no scenario $scenario." "Known: crowd late kill loss cuts" ;;
    esac
    net_down
    net_nodes=0
    wait 2>/dev/null || true
done
exit "$failures"
