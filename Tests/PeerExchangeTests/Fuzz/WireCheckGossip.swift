import Content
import Gossip

extension WireCheck {
    /// Bytes of datagrams that one datagram may cause, in its own bytes.
    private static let answerLimit = 64 << 10

    /// Whatever a member's datagram holds, the node lives, answers in bounds and makes no member of it.
    func checkDatagram(_ bytes: [UInt8]) throws(WireViolation) {
        var talk = WireTalk()
        try talk.give(.datagram(bytes, from: talk.endpoint))
        var rest = bytes[...]
        while let count = rest.popFirst() {
            let part = Array(rest.prefix(Int(count) * 8))
            rest = rest.dropFirst(part.count)
            if count == 0 { try talk.pass(.seconds(1)) }
            let before = talk.sentBytes
            try talk.datagram(part)
            try WireViolation.check(
                talk.sentBytes - before <= Self.answerLimit, "\(talk.sentBytes - before) bytes are answered")
        }
        try talk.pass(.seconds(3))
        try WireViolation.check(talk.core.memberCount <= 2, "\(talk.core.memberCount) members")
    }

    /// Heads, hints, changes and pages in any order, with numbers at the ends of what they can be.
    func checkInventory(_ bytes: [UInt8]) throws(WireViolation) {
        var talk = WireTalk()
        var source = WireNumbers(bytes)
        while !source.isAtEnd {
            let tag = source.byte() & 1 == 0 ? WireBench.shared.otherTag : talk.thirdTag
            let epoch = tag == WireBench.shared.otherTag ? talk.epoch : talk.thirdEpoch
            switch source.byte() % 8 {
            case 0:
                try talk.datagram(
                    GossipMessage.headHint(tag, UInt32(truncatingIfNeeded: source.number())).encoded)
            case 1:
                try talk.datagram(
                    GossipMessage.head(
                        epoch: epoch, sequence: source.number(), hash: source.number(), count: 1
                    ).encoded)
            case 2, 3:
                let changes = (0..<source.byte() % 121).map { _ in
                    InventoryChange(id: UInt64(source.byte()), isAdd: source.byte() & 1 == 0)
                }
                try talk.datagram(
                    GossipMessage.operations(tag, epoch: epoch, after: source.number(), changes).encoded)
            case 4:
                try talk.datagram(GossipMessage.tooOld(tag, epoch: epoch, sequence: source.number()).encoded)
            case 5: try talk.datagram(GossipMessage.pull(tag, epoch: epoch, after: source.number()).encoded)
            case 6:
                var writer = WireWriter()
                writer.write(UInt8(4))
                writer.write(tag.rawValue)
                writer.write(epoch)
                writer.write(source.number())
                writer.write(source.number())
                writer.write(source.byte() & 1)
                let count = source.byte() % 8
                writer.writeNumber(Int(count))
                for _ in 0..<count { writer.write(source.number()) }
                try talk.answerExchange(writer.bytes)
            default: try talk.pass(.milliseconds(Int64(source.byte()) * 10))
            }
            _ = talk.core.holders(of: InventoryID(rawValue: UInt64(source.byte())), now: talk.now)
        }
        try talk.pass(.seconds(20))
    }
}

/// Numbers out of a fuzzer's bytes: small ones, and those at the ends.
struct WireNumbers {
    private var rest: ArraySlice<UInt8>
    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }
    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    mutating func number() -> UInt64 {
        switch byte() {
        case let small where small < 128: UInt64(small)
        case let end where end < 192: .max - UInt64(end - 128)
        case let middle where middle < 224: (1 << 62) &+ UInt64(middle) &- 208
        default: (0..<8).reduce(0) { value, _ in value << 8 | UInt64(byte()) }
        }
    }
}
