import Content

import struct FoundationEssentials.Date

/// What gossip keeps on disk: how often the node started, what time it was, whom it trusts and whom it knew.
struct KeptState {
    static let version: UInt8 = 1
    static let cardLimit = 16_384

    var boot: UInt32 = 0
    var time = TrustedClock.build
    var trust: [UInt8] = []
    var cards: [MemberCard] = []

    /// What `bytes` hold as far as they can be read: a damaged file costs what was kept, not the start.
    init(_ bytes: [UInt8]) {
        var reader = WireReader(bytes)
        do throws(WireError) {
            guard try reader.read(UInt8.self) == Self.version else { return }
            boot = try reader.read()
            time = Date(seconds: try reader.read())
            trust = Array(try reader.readBlock(limit: 1 << 24))
            for _ in 0..<(try reader.readCount(limit: Self.cardLimit)) {
                if let card = try MemberCard.readable(from: &reader) { cards.append(card) }
            }
        } catch { return }
    }

    func restoreTrust(into value: inout Trust) {
        var reader = WireReader(trust)
        try? value.restore(from: &reader)
    }
}

extension GossipCore {
    var stateToKeep: [UInt8] {
        var writer = WireWriter()
        writer.write(KeptState.version)
        writer.write(record.incarnation.boot)
        writer.write(clock.floor.seconds)
        var inner = WireWriter()
        trust.encode(into: &inner)
        writer.writeBlock(inner.bytes)
        let cards = roster.filter { $0.status != .left }.prefix(KeptState.cardLimit)
        writer.writeNumber(cards.count)
        for member in cards { member.card.write(to: &writer) }
        return writer.bytes
    }
}

extension GossipCore {
    /// Bytes at the beginning of what gossip keeps in which the time stands.
    public static let keptTimePrefix = 13

    /// The time that was kept last, in the first bytes of the state file; nil when they are not of this version.
    public static func keptTime(_ prefix: [UInt8]) -> Date? {
        guard prefix.count >= keptTimePrefix, prefix[0] == KeptState.version else { return nil }
        return KeptState(prefix).time
    }
}
