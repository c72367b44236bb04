#!/usr/bin/env bash
# Tries and measures real nodes in network namespaces that it makes and removes: upstream at 100 Mbit/s, the nodes at 1 Gbit/s among
# each other. Needs root.
#
#   measure-cluster.sh [-n BYTES] [-s SECONDS] SCENARIO...      (all of them without a name)
#
# crowd      four nodes ask at once for a blob of BYTES (200,000,000) that nobody holds
# late       the fourth asks 8 s later
# kill       the node that fetches from upstream is killed half-way
# loss       5 % of the datagrams are lost
# cuts       one node away from upstream, then another from everybody, then all whole again
# churn      nodes are killed and started again for SECONDS (60) while clients pull through all of them
# strangers  another cluster, a revoked node, a token used twice, and floods of rubbish
# idle       twenty nodes with nothing to do for SECONDS: traffic and processor time
#
# It fails when a pull fails, a byte is wrong, a stranger gets something, or upstream sent too much; seconds and
# processor time are only reported. EDGENODE names another binary.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$(dirname "${BASH_SOURCE[0]}")/testnet.sh"
source "$(dirname "${BASH_SOURCE[0]}")/site.sh"

size=200000000
span=60
while getopts n:s: option; do
    case $option in
    n) size=$OPTARG ;;
    s) span=$OPTARG ;;
    *) fail "There is no option -$option." "Known: -n BYTES, -s SECONDS" ;;
    esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- crowd late kill loss cuts churn strangers idle

# crowd_of NAME TIMES_LATE KILL LIMIT: four pulls; upstream may send LIMIT hundredths of the blob.
crowd_of() {
    local name=$1 late=$2 kill=$3 limit=$4 number victim=0 words="" bad="" times
    new_blob "$size"
    start=$(now)
    for number in 1 2 3 4; do
        (
            if [ "$number" = 4 ]; then sleep "$late"; fi
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
    for number in 1 2 3 4; do
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

cuts() {
    local first second third before
    new_blob 20000000 && first=$blob
    new_blob 20000000 && second=$blob
    new_blob 20000000 && third=$blob
    expect "cuts: node 1 fetches from upstream" 1 "$first" yes
    expect "cuts: node 3 takes it from node 1" 3 "$first" yes
    expect "cuts: node 1 fetches another" 1 "$second" yes
    sever 2 up
    before=$(sent)
    expect "cuts: node 2, away from upstream, gets what node 1 holds" 2 "$second" yes
    expect "cuts: node 2 does not get what nobody holds" 2 "$third" no
    [ "$(sent)" = "$before" ] || report "cuts: upstream sent something meanwhile: FAILED"
    sever 3 up 1 2 4
    expect "cuts: node 3, away from all, gives what it holds" 3 "$first" yes
    expect "cuts: node 3 does not give what it lacks" 3 "$second" no
    mend 2
    mend 3
    until_true "the nodes meet again" all_met
    before=$(sent)
    expect "cuts: healed, node 3 takes the other from a peer" 3 "$second" yes
    [ "$(sent)" = "$before" ] || report "cuts: node 3 asked upstream: FAILED"
    expect "cuts: healed, node 2 fetches from upstream" 2 "$third" yes
}

# churn: five nodes; two may be away at once.
churn() {
    plug user 1gbit
    inside user python3 "$root/scripts/churn.py" "$EDGENODE" "$net" "$work" "$net_nodes" "$span" || failures=1
    until_true "the nodes meet again" all_met
    report "churn: all nodes meet again"
}

for scenario in "$@"; do
    case $scenario in
    crowd) start_site 4 && crowd_of crowd 0 0 105 ;;
    late) start_site 4 && crowd_of "one 8 s late" 8 0 105 ;;
    kill) start_site 4 && crowd_of "fetching node killed after ${kill_after:=$((size / 25000000))} s" 0 "$kill_after" 110 ;;
    loss) start_site 4 && lose 50 && crowd_of "5 % of datagrams lost" 0 0 105 ;;
    cuts) start_site 4 && cuts ;;
    churn) start_site 5 && churn ;;
    strangers) start_site 4 && strangers ;;
    idle) start_site 20 && idle ;;
    *) fail "There is no scenario $scenario." "Known: crowd late kill loss cuts churn strangers idle" ;;
    esac
    net_down
    wait 2>/dev/null || true
done
exit "$failures"
