# A network of its own for real nodes; sourced by scripts that run as root. One upstream and N nodes hang on a bridge,
# each in a network namespace; nothing leads outside. Names carry this process's id, so that runs do not meet.
# tbf shapes both ends of every wire, nftables drops datagrams and makes cuts; there is no delay. Needs iproute2,
# nftables and ethtool. Addresses: upstream 10.77.0.1, node I 10.77.0.(10 + I).

net=en$$
net_nodes=0
net_names=()

# inside NAME COMMAND...: runs a command in the namespace of up, or of node NAME.
inside() {
    local name=$1
    shift
    ip netns exec "$net-$name" "$@"
}

# address_of NAME: of up, user, stranger, or node NAME.
address_of() {
    case $1 in
    up) echo 10.77.0.1 ;;
    user) echo 10.77.0.2 ;;
    stranger) echo 10.77.0.3 ;;
    *) echo "10.77.0.$((10 + $1))" ;;
    esac
}

# plug NAME RATE: a namespace on the bridge, shaped in both directions.
plug() {
    local name=$1 rate=$2
    ip netns add "$net-$name"
    net_names+=("$name")
    ip -n "$net-$name" link set lo up
    ip link add eth0 netns "$net-$name" type veth peer name "p-$name" netns "$net-br"
    ip -n "$net-br" link set "p-$name" master br0 up
    ip -n "$net-$name" addr add "$(address_of "$name")/24" dev eth0
    ip -n "$net-$name" link set eth0 up
    shape "$name" eth0 "$rate"
    shape br "p-$name" "$rate"
}

# shape NAMESPACE DEVICE RATE: without offloads, which would hand tbf packets larger than its bucket.
shape() {
    inside "$1" ethtool -K "$2" tso off gso off gro off >/dev/null 2>&1 || true
    inside "$1" tc qdisc replace dev "$2" root tbf rate "$3" burst 256kb latency 50ms
}

# net_up NODES UPSTREAM_RATE LAN_RATE
net_up() {
    ip netns add "$net-br"
    net_names=(br)
    ip -n "$net-br" link add br0 type bridge
    ip -n "$net-br" link set br0 up
    plug up "$2"
    local number
    for number in $(seq "$1"); do plug "$number" "$3" && net_nodes=$number; done
}

# net_down: ends what still runs in the namespaces and removes them; may be called at any time.
net_down() {
    local name
    for name in "${net_names[@]}"; do
        [ -e "/run/netns/$net-$name" ] || continue
        ip netns pids "$net-$name" | xargs -r kill -9 2>/dev/null || true
        ip netns del "$net-$name" || true
    done
    net_names=()
    net_nodes=0
}

# lose PER_MILLE: every node drops so many of a thousand datagrams that reach it.
lose() {
    local number
    for number in $(seq "$net_nodes"); do
        inside "$number" nft -f - <<RULES
table inet loss { chain in { type filter hook input priority 0; meta l4proto udp numgen random mod 1000 < $1 drop; }; }
RULES
    done
}

# sever NAME PEER...: NAME and each PEER (up or a number) hear nothing of each other any more.
sever() {
    local name=$1 peer
    shift
    inside "$name" nft -f - <<'RULES'
add table inet cut
add chain inet cut in { type filter hook input priority -10; }
add chain inet cut out { type filter hook output priority -10; }
RULES
    for peer in "$@"; do
        inside "$name" nft add rule inet cut in ip saddr "$(address_of "$peer")" drop
        inside "$name" nft add rule inet cut out ip daddr "$(address_of "$peer")" drop
    done
}

# deny NAME MATCH: NAME drops what comes in and matches, in nftables' words.
deny() {
    inside "$1" nft -f - <<RULES
add table inet cut
add chain inet cut in { type filter hook input priority -10; }
add rule inet cut in $2 drop
RULES
}

# mend NAME: takes all cuts of NAME away.
mend() { inside "$1" nft delete table inet cut; }
