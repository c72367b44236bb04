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
        noteBehind(position)
    }

    /// Has a member's changes asked for, if any are missing.
    mutating func noteBehind(_ position: Int) {
        guard roster[position].isBehind, !roster[position].pull.isListed else { return }
        roster[position].pull.isListed = true
        behind.append(position)
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
            forgetLog(of: position, epoch: epoch)
        }
        guard sequence <= InventoryLog.sequenceLimit else { return }
        if let confirmed = roster[position].pull.confirmed, confirmed.sequence > sequence { return }
        if sequence > max(roster[position].pull.hinted, roster[position].log.sequence) {
            sayHint(position, UInt32(truncatingIfNeeded: sequence))
        }
        roster[position].pull.confirmed = (sequence, hash)
        roster[position].pull.hinted = sequence
        check(position, &step)
        noteBehind(position)
    }

    /// Begins the account of a member's inventory anew: it started again.
    mutating func forgetLog(of position: Int, epoch: UInt64) {
        let isListed = roster[position].pull.isListed
        roster[position].log = InventoryLog(epoch: epoch)
        roster[position].pull = Pull()
        roster[position].pull.isListed = isListed
    }

    /// Holds what is known against the writer's word.
    private mutating func check(_ position: Int, _ step: inout Step) {
        guard let confirmed = roster[position].pull.confirmed else { return }
        let (sequence, hash) = (roster[position].log.sequence, roster[position].log.ids.hash)
        let isAhead = sequence > confirmed.sequence && roster[position].pull.hinted == confirmed.sequence
        guard isAhead || sequence == confirmed.sequence else { return }
        guard isAhead || hash != confirmed.hash else {
            roster[position].pull.isDoubtful = false
            return
        }
        // Somebody told of changes that its writer never made: all of it is read again, from the writer alone.
        roster[position].log = InventoryLog(epoch: roster[position].log.epoch)
        roster[position].pull.isDoubtful = true
        roster[position].pull.readAgain(now: step.now, pause: Self.pullTimeout)
        step.effects.append(
            .event(
                .alarm(
                    "what is known of the inventory of \(roster[position].node) was not its own word; it is read again"
                )))
    }

    mutating func keepPulling(_ step: inout Step, _ rng: inout GossipRandom) {
        guard !behind.isEmpty else { return }
        let listed = behind
        behind = listed.filter { roster[$0].isBehind && roster[$0].isReached }
        if behind.count < listed.count {
            for position in listed { roster[position].pull.isListed = false }
            for position in behind { roster[position].pull.isListed = true }
        }
        for position in behind {
            let pull = roster[position].pull
            guard pull.snapshot == nil, step.now >= pull.nextAsk(Self.pullTimeout) else { continue }
            roster[position].pull.askedAt = step.now
            roster[position].pull.attempts += 1
            // The writer does not answer: whoever keeps a copy of its log may, unless what others said was wrong.
            let isOdd = pull.attempts % 2 == 1 && !pull.isDoubtful
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
            isOwn
                || !roster[position].pull.isDoubtful
                    && roster[position].pull.reaches(after, and: changes.count)
        else { return }
        let (before, isTaken) = (
            roster[position].log.sequence, roster[position].log.apply(changes, after: after)
        )
        guard isTaken else { return }
        // Another's answer that brought nothing is none: who asked on at once would ask for ever what nobody has.
        if roster[position].log.sequence > before || isOwn && changes.isEmpty {
            roster[position].pull.askedAt = nil
            roster[position].pull.attempts = 0
        }
        if isOwn {
            // A writer that has nothing more to say ends what others only spoke of.
            let sequence = roster[position].log.sequence
            roster[position].pull.hinted =
                changes.isEmpty ? sequence : max(roster[position].pull.hinted, sequence)
            if sequence > before { sayHint(position, UInt32(truncatingIfNeeded: sequence)) }
        }
        check(position, &step)
        noteBehind(position)
        if !changes.isEmpty { step.effects.append(.event(.inventoryChanged(roster[position].node))) }
    }

    package mutating func tooOld(
        _ tag: NodeTag, epoch: UInt64, isOwn: Bool, _ step: inout Step
    ) {
        // Another member may merely be behind.
        guard isOwn, let position = index[tag], roster[position].log.epoch == epoch,
            roster[position].pull.snapshot == nil, step.now >= roster[position].pull.pausedUntil
        else { return }
        roster[position].pull.readAgain(now: step.now, pause: Self.pullTimeout)
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
        roster[position].log = log
        roster[position].pull.hinted = max(roster[position].pull.hinted, sequence)
        noteBehind(position)
        step.effects.append(.event(.inventoryChanged(roster[position].node)))
    }

    package mutating func snapshotFailed(_ tag: NodeTag, _ step: inout Step) {
        guard let position = index[tag] else { return }
        roster[position].pull.snapshot = nil
        roster[position].pull.askedAt = step.now
        noteBehind(position)
    }
}
