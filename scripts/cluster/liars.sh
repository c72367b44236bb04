# A member with a good certificate that lies or stalls at each step, and that dates what it says of tags years ahead
# (Tests/Support/LyingNode); sourced by measure-cluster.sh.

# It is named for these.
lies="wrongPiece shortPiece emptyPiece brokenSignature otherBytes otherSize otherDigest garbage"
# These may be weakness.
weaknesses="silentAtFind silentAtPieces halfPiece rubbishFrame hangsUp busyForEver"

liars() {
    local lie weakness key number first second third
    declare -A wanted=()
    upstream_settings='fresh_for = "1s"'
    start_site 3
    upstream_settings=""
    mkdir "$work/blobs/tags"
    for lie in $lies $weaknesses; do
        new_blob 2500000
        wanted[$lie]=$blob
        echo "$lie $blob" >>"$work/plan"
    done
    new_manifest && first=$blob
    new_manifest && second=$blob
    new_manifest && third=$blob
    echo "tag oci/registry.test/app:1 $second" >>"$work/plan"
    echo "tag oci/registry.test/app:2 $second" >>"$work/plan"

    # A resolver's word counts alone: this one's must not.
    plug 9 1gbit
    write_configuration 9 "$(address_of 9)"
    invite 9 --role resolver
    key=$(key_of 9)
    inside 9 "$LYINGNODE" liar "$work/data9" "$(address_of 9):4891" "$work/blobs" "$work/plan" >"$work/node9.log" 2>&1 &
    for number in 1 2 3; do
        until_true "node $number meets the liar" meets "$number" 3
        until_true "node $number hears what the liar holds" holds_all "$number"
    done

    for lie in $lies; do lied_to "$lie" "${wanted[$lie]}"; done
    for weakness in $weaknesses; do
        pull_twice 1 "${wanted[$weakness]}" >"$work/pull$weakness" &
        pulls+=($!)
    done
    wait "${pulls[@]}"
    for weakness in $weaknesses; do
        check "$weakness: the pull comes right ($(cat "$work/pull$weakness"))" right "$(cat "$work/pull$weakness")"
    done
    named 1
    end_upstream
    for lie in $lies $weaknesses; do
        check "$lie: upstream away, node 2 gets what node 1 holds" right "$(pull_twice 2 "${wanted[$lie]}")"
    done
    run_upstream
    for number in 1 2 3; do check "node $number keeps all members" 0 "$(meets "$number" 3; echo $?)"; done
    tags "$first" "$second" "$third"
}

# lied_to LIE BLOB: a pull through node 1, which knows of no other holder, and what node 1 says of the liar then.
lied_to() {
    local before got
    before=$(lies_of 1)
    got=$(pull_twice 1 "$2")
    check "$1: the pull comes right ($got)" right "$got"
    if [ "$(lies_of 1)" -gt "$before" ]; then report "liars: $1: it is named"; else report "liars: $1: it is not named: FAILED"; fi
}

# pull_twice N BLOB: "right" when the blob comes, at the second try if the first one broke off; never wrong bytes.
pull_twice() {
    local try status got
    for try in first second; do
        got=$(mktemp "$work/got.XXXXXX")
        status=0
        inside "$1" curl --silent --fail --max-time 60 --output "$got" \
            "http://$(address_of "$1"):4890/v2/registry.test/app/blobs/sha256:$2" || status=$?
        if [ "$status" = 0 ]; then
            if [ "$(sha256sum "$got" | cut -d ' ' -f 1)" = "$2" ]; then echo "right, at the $try try"; else echo "wrong bytes"; fi
            return
        fi
    done
    echo "nothing (curl ends with $status)"
}

# named N: log, metrics and `edgenode peers` of node N name the liar.
named() {
    logs "$1" "peer $key is to blame" || report "liars: the log of node $1 does not name it: FAILED"
    edgenode "$1" peers >"$work/peers"
    grep -q 'is to blame' "$work/peers" && grep -q '(blamed)' "$work/peers" ||
        report "liars: edgenode peers on node $1 does not name it: FAILED"
    [ "$(grep -c 'is to blame' "$work/peers")" = 1 ] || report "liars: somebody else is named, too: FAILED"
    report "liars: log, metrics and edgenode peers name it, $(lies_of "$1") times, and nobody else"
}

lies_of() { metric "$1" "edgenode_peer_lies_total{peer=\"$key\"}"; }

# holds_all N: does node N know of everything that the liar says it holds?
holds_all() { [ "$(metric "$1" "edgenode_peer_objects{peer=\"$key\"}")" = "$(echo $lies $weaknesses | wc -w)" ]; }

# check WHAT WANTED GOT: GOT begins with WANTED.
check() { case $3 in "$2"*) report "liars: $1" ;; *) report "liars: $1: FAILED ($3)" ;; esac; }

# new_manifest: a manifest that no node has seen, with its name in $blob.
new_manifest() {
    local config='"mediaType":"application/vnd.oci.image.config.v1+json"'
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{%s,"digest":"sha256:%s","size":2},"layers":[],"annotations":{"n":"%s"}}' \
        "$config" "$(printf '{}' | sha256sum | cut -d ' ' -f 1)" "$RANDOM$RANDOM" >"$work/blob"
    blob=$(sha256sum "$work/blob" | cut -d ' ' -f 1)
    mv "$work/blob" "$work/blobs/$blob"
}

# stands_for N TAG: the digest that the tag has on node N; nothing when it has none.
stands_for() {
    inside "$1" curl --silent --fail --max-time 60 --output "$work/manifest" \
        "http://$(address_of "$1"):4890/v2/registry.test/app/manifests/$2" && sha256sum "$work/manifest" | cut -d ' ' -f 1
    return 0
}

is_tag() { [ "$(stands_for "$1" "$2")" = "$3" ]; }

# tags FIRST SECOND THIRD: the tag is FIRST, then THIRD; the liar says it is SECOND, five years from now.
tags() {
    local number
    echo "$1" >"$work/blobs/tags/app:1"
    for number in 1 2; do
        until_true "node $number asks upstream" is_tag "$number" 1 "$1"
    done
    sleep 1.5
    end_upstream
    for number in 1 2; do check "upstream away, node $number keeps to its own last answer" "$1" "$(stands_for "$number" 1)"; done
    check "upstream away, node 3 follows the two that agree" "$1" "$(stands_for 3 1)"
    check "upstream away, nobody follows the liar alone" none "$(stands_for 3 2)none"
    echo "$3" >"$work/blobs/tags/app:1"
    run_upstream
    for number in 1 2 3; do
        until_true "node $number follows the tag that has moved" is_tag "$number" 1 "$3"
        report "liars: upstream back, node $number follows the tag that has moved"
    done
}
