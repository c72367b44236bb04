import Content

/// What stands in a datagram (docs/wire-formats.md, "Messages of datagrams").
package enum GossipMessage: Hashable, Sendable {
    // Membership, 1 to 31.
    case ping(UInt32)
    case ack(UInt32)
    case pingRequest(UInt32, target: NodeTag)
    case nack(UInt32)
    case accusation(NodeTag, Incarnation, accuser: NodeTag)
    case card(MemberCard)
    case cardRequest(NodeTag)
    // Inventory, 32 to 63.
    /// Somebody's word that a log has come this far: its owner, the low half of its number.
    case headHint(NodeTag, UInt32)
    /// The writer's own word.
    case head(epoch: UInt64, sequence: UInt64, hash: UInt64, count: UInt32)
    case pull(NodeTag, epoch: UInt64, after: UInt64)
    case operations(NodeTag, epoch: UInt64, after: UInt64, [InventoryChange])
    /// The changes asked for are no longer kept, or the epoch is another one.
    case tooOld(NodeTag, epoch: UInt64, sequence: UInt64)
    // Owners and leases, 64 to 95.
    /// `doubting`: the asker got nothing from the lease's holder and believes that it is gone.
    case ask(UInt32, InventoryID, wantsLease: Bool, doubting: NodeTag?)
    case owner(UInt32, lease: OwnerLease, holders: [NodeTag], fetchers: [NodeTag])
    case release(InventoryID)
    /// What one owner granted, for the other one.
    case granted(InventoryID, NodeTag)

    package static let tagLimit = 8

    package enum OwnerLease: UInt8, Hashable, Sendable {
        case none = 0
        case granted = 1
        /// The first of the fetchers has it.
        case held = 2
    }

    package var type: UInt8 {
        switch self {
        case .ping: 1
        case .ack: 2
        case .pingRequest: 3
        case .nack: 4
        case .accusation: 5
        case .card: 6
        case .cardRequest: 7
        case .headHint: 32
        case .head: 33
        case .pull: 34
        case .operations: 35
        case .tooOld: 36
        case .ask: 64
        case .owner: 65
        case .release: 66
        case .granted: 67
        }
    }

    /// Whether it asks for an answer, or for a datagram to somebody else.
    package var isQuestion: Bool {
        switch self {
        case .ping, .pingRequest, .cardRequest, .pull, .ask: true
        default: false
        }
    }

    /// The message with its type and length.
    package var encoded: [UInt8] {
        var body = WireWriter(capacity: 32)
        writeBody(to: &body)
        var writer = WireWriter(capacity: body.count + 3)
        writer.write(type)
        writer.writeBlock(body.bytes)
        return writer.bytes
    }

    /// A ping that fills the largest datagram: what stands behind a body's known part is passed over.
    package static func paddedPing(_ number: UInt32) -> [UInt8] {
        // Type and length take three bytes.
        var body = WireWriter(capacity: DatagramHead.messageLimit)
        body.write(number)
        body.write([UInt8](repeating: 0, count: DatagramHead.messageLimit - 3 - body.bytes.count))
        var writer = WireWriter(capacity: DatagramHead.messageLimit)
        writer.write(GossipMessage.ping(number).type)
        writer.writeBlock(body.bytes)
        return writer.bytes
    }

    private func writeBody(to writer: inout WireWriter) {
        switch self {
        case .ping(let number), .ack(let number), .nack(let number): writer.write(number)
        case .pingRequest(let number, let target):
            writer.write(number)
            writer.write(target.rawValue)
        case .accusation(let tag, let incarnation, let accuser):
            writer.write(tag.rawValue)
            writer.write(incarnation.rawValue)
            writer.write(accuser.rawValue)
        case .card(let card): card.write(to: &writer)
        case .cardRequest(let tag): writer.write(tag.rawValue)
        case .headHint(let tag, let sequence):
            writer.write(tag.rawValue)
            writer.write(sequence)
        case .head(let epoch, let sequence, let hash, let count):
            writer.write(epoch)
            writer.write(sequence)
            writer.write(hash)
            writer.write(count)
        case .pull(let tag, let epoch, let after):
            writer.write(tag.rawValue)
            writer.write(epoch)
            writer.write(after)
        case .operations(let tag, let epoch, let after, let changes):
            writer.write(tag.rawValue)
            writer.write(epoch)
            writer.write(after)
            for change in changes { change.write(to: &writer) }
        case .tooOld(let tag, let epoch, let sequence):
            writer.write(tag.rawValue)
            writer.write(epoch)
            writer.write(sequence)
        case .ask(let number, let id, let wantsLease, let doubting):
            writer.write(number)
            writer.write(id.rawValue)
            writer.write(UInt8((wantsLease ? 1 : 0) | (doubting == nil ? 0 : 2)))
            if let doubting { writer.write(doubting.rawValue) }
        case .owner(let number, let lease, let holders, let fetchers):
            writer.write(number)
            writer.write(lease.rawValue)
            for list in [holders, fetchers] {
                writer.writeNumber(min(list.count, Self.tagLimit))
                for tag in list.prefix(Self.tagLimit) { writer.write(tag.rawValue) }
            }
        case .release(let id): writer.write(id.rawValue)
        case .granted(let id, let tag):
            writer.write(id.rawValue)
            writer.write(tag.rawValue)
        }
    }

    /// All messages of a datagram; those of an unknown type are left out, those whose body this version cannot read
    /// too (a record of a later version), and so is what a later version puts behind a body that this one knows.
    /// - Throws: when the lengths do not add up.
    package static func decode(_ bytes: [UInt8]) throws(WireError) -> [GossipMessage] {
        var reader = WireReader(bytes)
        var messages: [GossipMessage] = []
        while !reader.isAtEnd {
            let type: UInt8 = try reader.read()
            var body = WireReader(try reader.readBlock(limit: DatagramHead.messageLimit))
            if let message = try? decode(type, &body) { messages.append(message) }
        }
        return messages
    }

    private static func decode(_ type: UInt8, _ body: inout WireReader) throws(WireError) -> GossipMessage? {
        switch type {
        case 1: return .ping(try body.read())
        case 2: return .ack(try body.read())
        case 3: return .pingRequest(try body.read(), target: try NodeTag(from: &body))
        case 4: return .nack(try body.read())
        case 5:
            return .accusation(
                try NodeTag(from: &body), Incarnation(rawValue: try body.read()),
                accuser: try NodeTag(from: &body))
        case 6: return .card(try MemberCard(from: &body))
        case 7: return .cardRequest(try NodeTag(from: &body))
        case 32: return .headHint(try NodeTag(from: &body), try body.read())
        case 33:
            return .head(
                epoch: try body.read(), sequence: try body.read(), hash: try body.read(),
                count: try body.read())
        case 34:
            return .pull(try NodeTag(from: &body), epoch: try body.read(), after: try body.read())
        case 35:
            let (tag, epoch): (NodeTag, UInt64) = (try NodeTag(from: &body), try body.read())
            let after: UInt64 = try body.read()
            var changes: [InventoryChange] = []
            while body.remaining >= InventoryChange.byteCount {
                changes.append(try InventoryChange(from: &body))
            }
            return .operations(tag, epoch: epoch, after: after, changes)
        case 36:
            return .tooOld(try NodeTag(from: &body), epoch: try body.read(), sequence: try body.read())
        case 64:
            let (number, id): (UInt32, InventoryID) = (
                try body.read(), InventoryID(rawValue: try body.read())
            )
            let flags: UInt8 = try body.read()
            return .ask(
                number, id, wantsLease: flags & 1 != 0,
                doubting: flags & 2 != 0 ? try NodeTag(from: &body) : nil)
        case 65:
            let number: UInt32 = try body.read()
            guard let lease = OwnerLease(rawValue: try body.read()) else { return nil }
            var lists: [[NodeTag]] = []
            for _ in 0..<2 {
                var tags: [NodeTag] = []
                for _ in 0..<(try body.readCount(limit: tagLimit)) { tags.append(try NodeTag(from: &body)) }
                lists.append(tags)
            }
            return .owner(number, lease: lease, holders: lists[0], fetchers: lists[1])
        case 66: return .release(InventoryID(rawValue: try body.read()))
        case 67: return .granted(InventoryID(rawValue: try body.read()), try NodeTag(from: &body))
        default: return nil
        }
    }
}

extension NodeTag {
    package init(from reader: inout WireReader) throws(WireError) {
        self.init(rawValue: try reader.read())
    }
}
