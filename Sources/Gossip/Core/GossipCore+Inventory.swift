import Content

/// What members hold: heads by gossip, changes by pulls, what is too old by snapshots over TCP. Only a writer's own
/// head says how far its log is; what others say is a hint (docs/wire-formats.md, "Inventories").
extension GossipCore {
    /// Changes in one datagram.
    private static let changesLimit = 120
    private static let pullTimeout = Duration.milliseconds(500)

    package mutating func hinted(_ tag: NodeTag, _ low: UInt32, _ step: inout Step) {
        guard let position = index[tag] else { return }
        let known = roster[position].log.sequence
        // The low half of a number that lies ahead of what is known by less than 2^31.
        let ahead = low &- UInt32(truncatingIfNeeded: known)
        guard ahead != 0, ahead < 1 << 31 else { return }
        let hinted = known + UInt64(ahead)
        guard hinted > roster[position].pull.hinted else { return }
        // It is passed on once the writer has confirmed it: what a liar makes up ends here.
        roster[position].pull.hinted = hinted
    }

    /// Passes on that a log has moved.
    private mutating func sayHint(_ position: Int, _ low: UInt32) {
        let tag = roster[position].tag
        queue.say(.headHint(tag, low), .init(topic: .head, about: tag), times: spreadTimes)
    }

    /// The writer's own head, in a datagram of its own.
    package mutating func confirmed(
        _ position: Int, epoch: UInt64, sequence: UInt64, hash: UInt64, _ step: inout Step,
        _ rng: inout GossipRandom
    ) {
        if epoch != roster[position].log.epoch {
            // Its record of this start is still to come, or was.
            guard epoch == roster[position].card.record.inventoryEpoch else { return }
            roster[position].log = InventoryLog(epoch: epoch)
            roster[position].pull = Pull()
        }
        guard sequence <= InventoryLog.sequenceLimit else { return }
        if let confirmed = roster[position].pull.confirmed, confirmed.sequence > sequence { return }
        if sequence > max(roster[position].pull.hinted, roster[position].log.sequence) {
            sayHint(position, UInt32(truncatingIfNeeded: sequence))
        }
        roster[position].pull.confirmed = (sequence, hash)
        roster[position].pull.hinted = sequence
        check(position, &step)
    }

    /// Holds what is known against the writer's word.
    private mutating func check(_ position: Int, _ step: inout Step) {
        guard let confirmed = roster[position].pull.confirmed else { return }
        let log = roster[position].log
        let isAhead = log.sequence > confirmed.sequence
        let isWrong = log.sequence == confirmed.sequence && log.ids.hash != confirmed.hash
        guard isAhead && roster[position].pull.hinted == confirmed.sequence || isWrong else { return }
        // Somebody told of changes that its writer never made: all of it is read again, from the writer.
        roster[position].log = InventoryLog(epoch: log.epoch)
        roster[position].pull.attempts = 1
        step.effects.append(
            .event(
                .alarm(
                    "what is known of the inventory of \(roster[position].node) was not its own word; it is read again"
                )))
    }

    mutating func keepPulling(_ step: inout Step, _ rng: inout GossipRandom) {
        for position in reached where roster[position].pull.hinted > roster[position].log.sequence {
            let pull = roster[position].pull
            guard pull.snapshot == nil else { continue }
            if let asked = pull.askedAt {
                guard step.now >= asked + Self.pullTimeout * min(16, 1 << min(4, pull.attempts)) else {
                    continue
                }
            }
            roster[position].pull.askedAt = step.now
            roster[position].pull.attempts += 1
            // The writer does not answer: whoever keeps a copy of its log may.
            let isOdd = pull.attempts % 2 == 1
            let other = isOdd ? pick(1, &rng) { $0 != position }.first : nil
            send(
                [
                    .pull(
                        roster[position].tag, epoch: roster[position].log.epoch,
                        after: roster[position].log.sequence)
                ], to: other ?? position, &step, &rng)
        }
    }

    /// The answer to a pull.
    func pulled(_ tag: NodeTag, epoch: UInt64, after: UInt64) -> GossipMessage? {
        let log: InventoryLog
        if tag == credentials.tag {
            log = self.log
        } else if let position = index[tag] {
            log = roster[position].log
        } else {
            return nil
        }
        guard log.epoch == epoch, let changes = log.operations(after: after, limit: Self.changesLimit) else {
            return .tooOld(tag, epoch: log.epoch, sequence: log.sequence)
        }
        return .operations(tag, epoch: epoch, after: after, changes)
    }

    package mutating func took(
        _ changes: [InventoryChange], of tag: NodeTag, epoch: UInt64, after: UInt64, isOwn: Bool,
        _ step: inout Step, _ rng: inout GossipRandom
    ) {
        guard let position = index[tag], roster[position].log.epoch == epoch,
            // Another's word counts as far as somebody spoke of it.
            isOwn || roster[position].pull.reaches(after, and: changes.count),
            roster[position].log.apply(changes, after: after)
        else { return }
        roster[position].pull.askedAt = nil
        roster[position].pull.attempts = 0
        if isOwn {
            // A writer that has nothing more to say ends what others only spoke of.
            let sequence = roster[position].log.sequence
            roster[position].pull.hinted =
                changes.isEmpty ? sequence : max(roster[position].pull.hinted, sequence)
            if !changes.isEmpty { sayHint(position, UInt32(truncatingIfNeeded: sequence)) }
        }
        check(position, &step)
        if !changes.isEmpty { step.effects.append(.event(.inventoryChanged(roster[position].node))) }
    }

    package mutating func tooOld(
        _ tag: NodeTag, epoch: UInt64, isOwn: Bool, _ step: inout Step
    ) {
        // Another member may merely be behind.
        guard isOwn, let position = index[tag], roster[position].log.epoch == epoch,
            roster[position].pull.snapshot == nil
        else { return }
        askForPage(position, after: nil, &step)
    }

    private mutating func askForPage(_ position: Int, after: UInt64?, _ step: inout Step) {
        var writer = WireWriter()
        writer.write(Kind.snapshot)
        writer.write(roster[position].tag.rawValue)
        writer.write(after ?? 0)
        writer.write(UInt8(after == nil ? 1 : 0))
        let ids = after == nil ? [] : roster[position].pull.snapshot?.ids ?? []
        roster[position].pull.snapshot = .init(token: nextToken, ids: ids)
        begin(
            .snapshot(of: roster[position].tag), writer.bytes, with: roster[position].endpoint,
            expecting: roster[position].node, &step)
    }

    package mutating func tookPage(_ bytes: [UInt8], of tag: NodeTag, _ step: inout Step) throws {
        guard let position = index[tag], var snapshot = roster[position].pull.snapshot else { return }
        var reader = WireReader(bytes)
        guard try reader.read(UInt8.self) == Kind.page, try NodeTag(from: &reader) == tag else {
            throw WireError.malformed("no page of a snapshot")
        }
        let (epoch, sequence): (UInt64, UInt64) = (try reader.read(), try reader.read())
        guard sequence <= InventoryLog.sequenceLimit else {
            throw WireError.tooLarge(sequence, limit: InventoryLog.sequenceLimit)
        }
        let hash: UInt64 = try reader.read()
        let more = try reader.read(UInt8.self) & 1 != 0
        let count = try reader.readCount(limit: Self.pageLimit)
        guard count > 0 || !more else { throw WireError.malformed("a page without ids before the last") }
        for _ in 0..<count {
            let id: UInt64 = try reader.read()
            guard snapshot.ids.last.map({ $0 < id }) ?? true else {
                throw WireError.malformed("ids out of order")
            }
            snapshot.ids.append(id)
        }
        guard epoch == roster[position].log.epoch, snapshot.ids.count <= InventoryLog.idLimit else {
            throw WireError.malformed("a snapshot of another start")
        }
        roster[position].pull.snapshot = snapshot
        if more, let last = snapshot.ids.last { return askForPage(position, after: last, &step) }
        let log = InventoryLog(epoch: epoch, sequence: sequence, sorted: snapshot.ids)
        // It changed between two pages, or its writer lies: once more from the start, after a pause.
        guard log.ids.hash == hash else { throw WireError.malformed("a snapshot of two moments") }
        roster[position].pull.snapshot = nil
        roster[position].pull.askedAt = nil
        roster[position].pull.attempts = 0
        roster[position].log = log
        roster[position].pull.hinted = max(roster[position].pull.hinted, sequence)
        step.effects.append(.event(.inventoryChanged(roster[position].node)))
    }

    package mutating func snapshotFailed(_ tag: NodeTag, _ step: inout Step) {
        guard let position = index[tag] else { return }
        roster[position].pull.snapshot = nil
        roster[position].pull.askedAt = step.now
    }
}
