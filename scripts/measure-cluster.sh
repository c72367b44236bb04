#!/usr/bin/env bash
# Tries and measures real nodes in network namespaces that it makes and removes: upstream at 100 Mbit/s, the nodes at 1 Gbit/s among
# each other. Needs root.
#
#   measure-cluster.sh [-n BYTES] [-c NODES] [-s SECONDS] SCENARIO...      (all of them without a name)
#
# crowd      NODES (4) ask at once for a blob of BYTES (200,000,000) that nobody holds
# late       the last one asks 8 s later
# kill       the node that fetches from upstream is killed half-way
# loss       5 % of the datagrams are lost
# thin       as crowd, with a hundredth of the blob; upstream has 1 Mbit/s, the nodes 10
# cuts       one node away from upstream, then another from everybody, then all whole again
# churn      nodes are killed and started again for SECONDS (60) while clients pull through all of them
# strangers  another cluster, a revoked node, a token used twice, and floods of rubbish
# doctor     what `edgenode doctor` says of a whole network, and of one that drops datagrams or connections one way only
# idle       NODES (20) with nothing to do for SECONDS: traffic, processor time and memory
# private    what a client's credentials opened on one node: who gets it on the others, and from where
# liars      a member that lies or stalls at each step, and that dates what it says of a tag years ahead
# skew       nodes whose clocks are a year off
# later      a member of a later version, and one that has no version in common with the rest
#
# It fails when a pull fails, a byte is wrong, a stranger gets something, or upstream sent too much; seconds and
# processor time are only reported. EDGENODE names another binary.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$(dirname "${BASH_SOURCE[0]}")/testnet.sh"
source "$(dirname "${BASH_SOURCE[0]}")/site.sh"
for part in private liars skew later; do source "$(dirname "${BASH_SOURCE[0]}")/cluster/$part.sh"; done

size=200000000
span=60
count=
while getopts n:c:s: option; do
    case $option in
    n) size=$OPTARG ;;
    c) count=$OPTARG ;;
    s) span=$OPTARG ;;
    *) fail "There is no option -$option." "Known: -n BYTES, -c NODES, -s SECONDS" ;;
    esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- crowd late kill loss thin cuts churn strangers doctor idle private liars skew later

# crowd_of NAME TIMES_LATE KILL LIMIT: a pull by every node; upstream may send LIMIT hundredths of the blob.
crowd_of() {
    local name=$1 late=$2 kill=$3 limit=$4 number victim=0 words="" bad="" times
    new_blob "$size"
    start=$(now)
    for number in $(seq "$net_nodes"); do
        (
            if [ "$number" = "$net_nodes" ]; then sleep "$late"; fi
            pull "$number" "$blob" >"$work/pull$number"
        ) &
        pulls[number]=$!
    done
    if [ "$kill" != 0 ]; then
        until_true "a fetch from upstream" begun
        sleep "$kill"
        victim=$(awk '$1 == "begin" { split($2, a, "."); print a[4] - 10; exit }' "$work/upstream")
        end_node "$victim"
    fi
    for number in $(seq "$net_nodes"); do
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

# processor N: milliseconds of processor time that node N's processes have used.
processor() {
    local ticks
    ticks=$(ip netns pids "$net-$1" | while read -r pid; do awk '{ print $14 + $15 }' "/proc/$pid/stat" 2>/dev/null; done |
        awk '{ sum += $1 } END { print sum + 0 }')
    echo $((ticks * 1000 / $(getconf CLK_TCK)))
}

# metric N NAME: a counter of node N.
metric() { inside "$1" curl --silent "http://$(address_of "$1"):4890/metrics" | awk -v name="$2" '$1 == name { print $2 }'; }

# flood KIND COUNT REASON [SAMPLES]: at node 1 while node 2 pulls something through it; says what each cost.
flood() {
    local kind=$1 count=$2 reason=$3 before after dropped
    new_blob 5000000
    before=$(processor 1)
    dropped=$(metric 1 "$reason")
    inside stranger python3 "$root/scripts/flood.py" "$kind" "$(address_of 1)" "$count" ${4:+"$4"}
    sleep 0.5
    after=$(processor 1)
    dropped=$(($(metric 1 "$reason") - dropped))
    [ "$dropped" -gt $((count / 10)) ] || report "strangers: only $dropped of $count of the kind $kind were noticed: FAILED"
    report "strangers: $kind: $(python3 -c "print('%.1f' % (($after - $before) * 1000 / $dropped))") us of processor time for each of $dropped"
    start=$(now)
    [ "$(pull 1 "$blob")" != failed ] && [ "$(pull 2 "$blob")" != failed ] || report "strangers: a pull after $kind: FAILED"
    all_met || report "strangers: members lost each other after $kind: FAILED"
}

# logs N WORDS: does a node's log say so?
logs() { grep -qi -- "$2" "$work/node$1.log"; }

strangers() {
    local token key held
    new_blob 3000000 && held=$blob
    expect "strangers: node 1 fetches from upstream" 1 "$held" yes

    # Another cluster's node that knows where the members are.
    plug stranger 1gbit
    write_configuration stranger "$(address_of stranger)"
    echo "seeds = [\"$(address_of 1):4891\", \"$(address_of 2):4891\"]" >>"$work/nodestranger.toml"
    "$EDGENODE" cluster init --config "$work/nodestranger.toml" >/dev/null
    sever stranger up
    run_node stranger
    sleep 8
    expect "strangers: another cluster's node does not get what node 1 holds" stranger "$held" no
    if meets stranger 0 && all_met; then
        report "strangers: another cluster's node meets nobody"
    else
        report "strangers: another cluster's node is taken for a member: FAILED"
    fi
    end_node stranger

    # A token that was used, once more.
    token=$("$EDGENODE" cluster invite --config "$work/node1.toml")
    plug 5 1gbit && plug 6 1gbit
    for name in 5 6; do
        write_configuration "$name" "$(address_of "$name")"
        edgenode "$name" join - <<<"$token" >/dev/null
    done
    run_node 5
    until_true "the fifth node joins" meets 5 4
    run_node 6
    sleep 3
    sever 6 up
    expect "strangers: who comes with a used token gets nothing" 6 "$held" no
    if meets 6 0; then report "strangers: who comes with a used token meets nobody"; else report "strangers: a token lets two nodes in: FAILED"; fi
    end_node 6

    # A member that is taken out while it runs.
    expect "strangers: the fifth node gets what node 1 holds" 5 "$held" yes
    new_blob 3000000
    expect "strangers: node 2 fetches another" 2 "$blob" yes
    key=$(key_of 5)
    edgenode 1 cluster revoke "$key" >/dev/null
    start=$(now)
    until_true "the fifth node is away from all" out
    report "strangers: all four members have the revocation list after $(seconds) s"
    sever 5 up
    expect "strangers: a revoked node does not get what node 2 holds" 5 "$blob" no
    end_node 5

    # Rubbish, as fast as one sender can.
    inside br python3 "$root/scripts/sniff.py" p-1 4891 50 >"$work/samples"
    [ "$(wc -l <"$work/samples")" -gt 10 ] || report "strangers: too few datagrams were seen on the wire: FAILED"
    flood noise 100000 'edgenode_gossip_dropped_datagrams_total{reason="malformed"}'
    flood strange 100000 'edgenode_gossip_dropped_datagrams_total{reason="strange"}'
    flood forged 100000 'edgenode_gossip_dropped_datagrams_total{reason="forged"}' "$work/samples"
    flood replayed 100000 'edgenode_gossip_dropped_datagrams_total{reason="replayed"}' "$work/samples"
    flood streams 2000 'edgenode_peer_refused_handshakes_total{answer="none"}'
}

# out: do nodes 1 to 4 know that the fifth is no member any more?
out() {
    local number
    for number in 1 2 3 4; do meets "$number" 3 || return 1; done
}

# says N CODE WORDS WHAT [OPTION]: does `edgenode doctor` on node N end with CODE and say WORDS? Without the upstreams.
says() {
    local code=0
    edgenode "$1" doctor ${5---offline} >"$work/doctor" 2>&1 || code=$?
    if [ "$code" = "$2" ] && grep -q "$3" "$work/doctor"; then
        report "$scenario: $4"
    else
        sed 's/^/    /' "$work/doctor"
        report "$scenario: $4: FAILED (ended with $code, was to say \"$3\")"
    fi
}

doctor() {
    says 1 0 'UDP .* TCP .* and both back' "a whole network has no problem"
    says 1 0 'upstream .*:5000/ answers' "upstream answers" ""
    deny 1 "ip saddr $(address_of 2) meta l4proto udp"
    says 1 1 'datagrams get there, its answers do not get here' "answers of node 2 get lost"
    mend 1
    deny 2 "ip saddr $(address_of 1) meta l4proto udp"
    says 1 1 'datagrams get here, this node.s do not get there' "datagrams to node 2 get lost"
    mend 2
    deny 2 "ip saddr $(address_of 1) udp length > 1100"
    says 1 1 'datagrams of 1,232 bytes get lost on the way there' "a narrow path to node 2"
    mend 2
    deny 1 "ip saddr $(address_of 2) udp length > 1100"
    says 1 1 'datagrams of 1,232 bytes get lost on the way from there' "a narrow path from node 2"
    mend 1
    deny 1 "ip saddr $(address_of 3) tcp flags syn"
    says 1 1 'cannot connect to this node' "node 3 cannot connect to node 1"
    says 3 1 'no connection' "node 3 finds the same"
    mend 1
    end_node 3
    says 1 0 'is not reached, neither by UDP nor by TCP' "node 3 is gone"
    says 3 0 'none runs with this data folder' "node 3 is not running"
    chmod 644 "$work/data2/node.key"
    says 2 1 'PROBLEM  key' "a key that others can read"
}

# idle: what each of the nodes sends and uses when nothing happens. The first seconds, in which they get to know each
# other, do not count.
idle() {
    local number before=0 after=0 bytes=0 names=($(seq "$net_nodes"))
    sleep 20
    for number in "${names[@]}"; do before=$((before + $(processor "$number"))) bytes=$((bytes - $(on_wire "$number"))); done
    sleep "$span"
    for number in "${names[@]}"; do after=$((after + $(processor "$number"))) bytes=$((bytes + $(on_wire "$number"))); done
    report "idle: ${#names[@]} nodes for $span s: each sends $(python3 -c "print('%.2f kbit/s on the wire and uses %.2f %% of a core' % ($bytes * 8 / 1000 / $span / ${#names[@]}, ($after - $before) / 10 / $span / ${#names[@]}))"), has $(resident) MiB resident at most"
    all_met || report "idle: nodes lost each other: FAILED"
}

# on_wire N: bytes that node N has sent, headers included.
on_wire() { inside "$1" cat /sys/class/net/eth0/statistics/tx_bytes; }

# resident: of the node that has most, in MiB.
resident() {
    local name
    for name in $(seq "$net_nodes"); do ip netns pids "$net-$name"; done |
        while read -r pid; do awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$pid/status"; done | sort -n | tail -n 1
}

for scenario in "$@"; do
    case $scenario in
    crowd) start_site "${count:-4}" && crowd_of crowd 0 0 105 ;;
    late) start_site "${count:-4}" && crowd_of "one 8 s late" 8 0 105 ;;
    kill) start_site "${count:-4}" && crowd_of "fetching node killed after ${kill_after:=$((size / 25000000))} s" 0 "$kill_after" 110 ;;
    loss) start_site "${count:-4}" && lose 50 && crowd_of "5 % of datagrams lost" 0 0 105 ;;
    thin) up_rate=1mbit lan_rate=10mbit && start_site "${count:-4}" && size=$((size / 100)) crowd_of "upstream at 1 Mbit/s" 0 0 110 ;;
    cuts) start_site 4 && cuts ;;
    churn) start_site 5 && churn ;;
    strangers) start_site 4 && strangers ;;
    doctor) start_site 3 && doctor ;;
    idle) start_site "${count:-20}" && idle ;;
    private) private ;;
    liars) liars ;;
    skew) skew ;;
    later) later ;;
    *) fail "There is no scenario $scenario." "Known: crowd late kill loss thin cuts churn strangers doctor idle private liars skew later" ;;
    esac
    net_down
    wait 2>/dev/null || true
done
exit "$failures"
