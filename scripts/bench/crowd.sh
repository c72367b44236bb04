#!/usr/bin/env bash
# What machines do that have no node: all want one blob from an upstream of 100 Mbit/s, 1 Gbit/s among each other, in
# the same network namespaces as measure-cluster.sh makes. Needs root; uses the python3 of PYTHON.
#
#   crowd.sh BYTES MACHINES http                  each takes it from upstream with curl
#   crowd.sh BYTES MACHINES torrent PIECE [super] BitTorrent with pieces of so many bytes; upstream may be a super seed
#
# Prints "NAME: done after SECONDS... s; upstream sent TIMESx", the bytes of every copy having been compared.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../testnet.sh"

size=$1 count=$2 how=$3
python=${PYTHON:-/usr/bin/python3}
export PYTHONPATH=$root/scripts
[ "$(id -u)" = 0 ] || fail "Network namespaces need root."
need_packages "the cluster's network" curl ethtool iproute2 nftables
work=$(mktemp -d "${TMPDIR:-/tmp}/edgenode-crowd.XXXXXX")
trap 'net_down; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

mkdir "$work/blobs"
head -c "$size" /dev/urandom >"$work/part"
blob=$(sha256sum "$work/part" | cut -d ' ' -f 1)
mv "$work/part" "$work/blobs/$blob"
net_up "$count" 100mbit 1gbit

# over_http N: the seconds that one machine takes.
over_http() {
    local start sum
    start=$(date +%s%N)
    sum=$(inside "$1" curl --silent --fail --max-time 600 "http://$(address_of up):5000/v2/app/blobs/sha256:$blob" |
        sha256sum | cut -d ' ' -f 1)
    [ "$sum" = "$blob" ] && echo $(($(date +%s%N) - start)) >"$work/time$1"
}

pulls=()
case $how in
http)
    ip netns exec "$net-up" "$python" "$root/scripts/blob_upstream.py" "$(address_of up)" "$work/blobs" "$work/upstream" &
    upstream=$!
    for try in $(seq 100); do
        if inside 1 curl --silent --output /dev/null "http://$(address_of up):5000/v2/"; then break; fi
        sleep 0.1
    done
    for number in $(seq "$count"); do over_http "$number" & pulls+=($!); done
    ;;
torrent)
    "$python" -m bench.torrent make "$work/blobs/$blob" "$4" "$work/torrent"
    ip netns exec "$net-up" "$python" -m bench.torrent seed "$(address_of up)" "$work/torrent" "$work/blobs" "$work/sent" "${5:-}" &
    upstream=$!
    start=$(($(date +%s) + 4))
    peers=("$(address_of up)")
    for number in $(seq "$count"); do
        mkdir "$work/copy$number"
        ip netns exec "$net-$number" "$python" -m bench.torrent peer "$(address_of "$number")" "$work/torrent" "$work/copy$number" \
            "$work/time$number" "$start" "${peers[@]}" &
        pulls+=($!)
        peers+=("$(address_of "$number")")
    done
    ;;
*) fail "There is no way $how." "Known: http torrent" ;;
esac

# all_done: has every machine written its time?
all_done() {
    local number
    for number in $(seq "$count"); do [ -s "$work/time$number" ] || return 1; done
}

for try in $(seq 6000); do
    if all_done; then break; fi
    sleep 0.1
done
all_done || fail "not every machine got the blob within ten minutes."
[ "$how" = http ] || kill "${pulls[@]}"
wait "${pulls[@]}" || true
words=""
for number in $(seq "$count"); do
    [ "$how" = http ] || [ "$(sha256sum <"$work/copy$number/$blob" | cut -d ' ' -f 1)" = "$blob" ] ||
        fail "machine $number got other bytes."
    words+=" $(python3 -c "print('%.1f' % ($(cat "$work/time$number") / 1e9))")"
done
kill "$upstream" && wait "$upstream" 2>/dev/null || true
if [ "$how" = http ]; then
    sent=$(awk '$1 == "end" { sum += $3 } END { printf "%.0f\n", sum }' "$work/upstream")
else
    sent=$(cat "$work/sent")
fi
echo "$how: done after$words s; upstream sent $(python3 -c "print('%.3f' % ($sent / $size))")x"
