# A member of a later version, which says what this one does not know, and one that has no version in common with the
# rest (Tests/Support/LyingNode); sourced by measure-cluster.sh.

later() {
    local held asked key number process
    start_site 3
    # Upstream does not have what the later one holds.
    new_blob 3000000 && held=$blob && mv "$work/blobs/$held" "$work/$held"
    new_blob 900000 && asked=$blob
    for number in 1 2 3; do expect "later: node $number fetches what the later one asks for" "$number" "$asked" yes; done

    plug 9 1gbit
    write_configuration 9 "$(address_of 9)"
    invite 9
    key=$(key_of 9)
    inside 9 "$LYINGNODE" later "$work/data9" "$(address_of 9):4891" 1 2 "$work/$held" "$asked" >"$work/node9.log" 2>&1 &
    process=$!
    for number in 1 2 3; do until_true "node $number meets the later one" meets "$number" 3; done
    report "later: it is a member for all"
    for number in 1 2 3; do
        until_true "node $number hears what it holds" holds_of "$number" 1
        expect "later: node $number takes what it holds" "$number" "$held" yes
    done
    says 1 0 "member .*$(address_of 9)" "doctor tries the ways to it"
    sleep 3
    for number in 1 2 3; do
        meets "$number" 3 || report "later: node $number has lost a member: FAILED"
        whole "$number"
    done
    ip netns pids "$net-9" | xargs -r kill -TERM
    wait "$process" || report "later: it ended with $?: FAILED"
    for number in 1 2 3; do
        if grep -q "^$(address_of "$number"):4891: well$" "$work/node9.log"; then
            report "later: node $number passes over what it does not know, and answers what it does"
        else
            report "later: node $number: FAILED ($(grep "^$(address_of "$number")" "$work/node9.log"))"
        fi
        until_true "node $number hears that it left" gone "$number"
        if logs "$number" 'to blame'; then report "later: node $number blames it: FAILED"; fi
    done
    report "later: it has left, and nobody holds anything against it"

    plug 8 1gbit
    write_configuration 8 "$(address_of 8)"
    invite 8
    key=$(key_of 8)
    inside 8 "$LYINGNODE" later "$work/data8" "$(address_of 8):4891" 2 3 "$work/$held" "$asked" >"$work/node8.log" 2>&1 &
    until_true "node 1's log refuses who has no version in common" logs 1 "$key is refused: it speaks versions 2 to 3"
    until_true "it is told why" grep -q 'it refuses this node: it speaks versions 2 to 3' "$work/node8.log"
    edgenode 1 peers >"$work/peers"
    if grep -q 'is refused: it speaks versions 2 to 3' "$work/peers"; then
        report "later: who has no version in common is refused; the logs of both and edgenode peers say why"
    else
        report "later: edgenode peers does not say that it is refused: FAILED"
    fi
    all_met || report "later: members lost each other, or took it for one: FAILED"
}

holds_of() { [ "$(metric "$1" "edgenode_peer_objects{peer=\"$key\"}")" = "$2" ]; }
gone() { edgenode "$1" peers --json | tr -d '\n ' | grep -q "\"node\":\"$key\"[^}]*\"state\":\"left\""; }

# whole N: node N has dropped no datagram as rubbish or as forged.
whole() {
    local reason count
    for reason in malformed forged; do
        count=$(metric "$1" "edgenode_gossip_dropped_datagrams_total{reason=\"$reason\"}")
        [ "$count" = 0 ] || report "later: node $1 dropped $count datagrams as $reason: FAILED"
    done
}
