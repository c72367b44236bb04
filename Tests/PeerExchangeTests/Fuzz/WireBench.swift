import Content
import Gossip

import struct FoundationEssentials.Date

/// Two members that are the same in every run, and a core that knows the other one, for checks of what it sends.
struct WireBench {
    static let shared = WireBench()

    let credentials: ClusterCredentials
    let other: NodeKey
    let otherTag: NodeTag
    let thirdTag: NodeTag
    /// Which inventories of the two count.
    let epochs: [UInt64]
    /// In how many starts the other one is.
    let boot: UInt32
    /// The node that is spoken to, when it has met the other.
    let core: GossipCore
    let wall: Date
    var cluster: ClusterID { credentials.cluster }

    private init() {
        do {
            guard let secret = try ClusterSecret(bytes: [UInt8](repeating: 9, count: 32)),
                let own = try NodeKey(seedBytes: [UInt8](repeating: 1, count: 32)),
                let other = try NodeKey(seedBytes: [UInt8](repeating: 2, count: 32)),
                let third = try NodeKey(seedBytes: [UInt8](repeating: 3, count: 32))
            else { preconditionFailure("a seed has 32 bytes") }
            let members = [own, other, third].map { StaticMember(key: $0.id) }
            wall = TrustedClock.build.addingTimeInterval(1000)
            credentials = try ClusterCredentials(key: own, secret: secret, members: members)
            self.other = other
            otherTag = secret.tag(of: other.id)
            thirdTag = secret.tag(of: third.id)
            var epochs: [UInt64] = []
            var boot: UInt32 = 0
            var bench = Self.start(credentials, 1, wall)
            for (number, key) in [(2, other), (3, third)] {
                let theirs = Self.start(
                    try ClusterCredentials(key: key, secret: secret, members: members), UInt8(number), wall)
                epochs.append(theirs.card.record.inventoryEpoch)
                if number == 2 { boot = theirs.card.record.incarnation.boot }
                var writer = WireWriter()
                writer.write(UInt8(1))
                theirs.card.write(to: &writer)
                writer.writeBlock([])
                writer.writeNumber(0)
                var effects: [GossipEffect] = []
                var rng = GossipRandom(seed: [UInt8](repeating: 4, count: 32))
                bench.receive(
                    .exchangeRequest(writer.bytes, from: key.id, token: 0), now: GossipTime(), wall: wall,
                    rng: &rng, into: &effects)
            }
            core = bench
            (self.epochs, self.boot) = (epochs, boot)
        } catch { preconditionFailure("two members cannot be made: \(error)") }
    }

    private static func start(_ credentials: ClusterCredentials, _ number: UInt8, _ wall: Date) -> GossipCore
    {
        guard let endpoint = Endpoint(address: [10, 0, 0, number], port: 4891) else {
            preconditionFailure("an address has 4 bytes")
        }
        var configuration = GossipConfiguration(endpoints: [endpoint])
        // What is looked for stands behind the seal, which no fuzzer can make.
        configuration.sealsDatagrams = false
        configuration.memo = SignatureMemo(limit: 1024)
        var rng = GossipRandom(seed: [UInt8](repeating: number, count: 32))
        return GossipCore(
            configuration, credentials: credentials,
            trust: Trust(anchor: credentials.anchor, cluster: credentials.cluster), state: [],
            now: GossipTime(), wall: wall, rng: &rng)
    }
}

/// One input's talk of the other member with the node.
struct WireTalk {
    /// Bytes of what it sent, and exchanges that it began, in one step at most.
    private static let effectLimit = 256

    private(set) var core = WireBench.shared.core
    private(set) var now = GossipTime()
    private(set) var sentBytes = 0
    private var counter: UInt64 = 0
    private var exchanges: [UInt64] = []
    private var rng = GossipRandom(seed: [UInt8](repeating: 5, count: 32))

    var endpoint: Endpoint { core.card.record.endpoints[0] }
    var thirdTag: NodeTag { WireBench.shared.thirdTag }
    var epoch: UInt64 { WireBench.shared.epochs[0] }
    var thirdEpoch: UInt64 { WireBench.shared.epochs[1] }

    mutating func give(_ input: GossipInput) throws(WireViolation) {
        var effects: [GossipEffect] = []
        core.receive(input, now: now, wall: WireBench.shared.wall, rng: &rng, into: &effects)
        try WireViolation.check(effects.count <= Self.effectLimit, "\(effects.count) effects of one input")
        for effect in effects {
            switch effect {
            case .send(let bytes, _):
                try WireViolation.check(
                    bytes.count <= DatagramHead.datagramLimit, "a datagram of \(bytes.count) bytes")
                sentBytes += bytes.count
            case .exchange(let token, _, _, _): exchanges.append(token)
            default: break
            }
        }
    }

    /// Messages of the other member.
    mutating func datagram(_ messages: [UInt8]) throws(WireViolation) {
        counter += 1
        try give(
            .datagram(
                DatagramKey.plain(
                    Array(messages.prefix(DatagramHead.messageLimit)), sender: WireBench.shared.otherTag,
                    boot: WireBench.shared.boot, counter: counter, random: [UInt8](repeating: 0, count: 16)),
                from: endpoint))
    }

    /// The oldest exchange that runs is answered.
    mutating func answerExchange(_ bytes: [UInt8]) throws(WireViolation) {
        guard !exchanges.isEmpty else { return }
        try give(
            .exchangeAnswer(token: exchanges.removeFirst(), .success((WireBench.shared.other.id, bytes))))
    }

    /// Lets time pass, the node being woken when it wants to be.
    mutating func pass(_ span: Duration) throws(WireViolation) {
        let end = now + span
        var wakes = 0
        while core.nextWake <= end {
            now = max(now + .microseconds(10), core.nextWake)
            try give(.wake)
            wakes += 1
            try WireViolation.check(wakes <= 10_000, "\(wakes) wakes in \(span)")
        }
        now = max(now, end)
    }
}
