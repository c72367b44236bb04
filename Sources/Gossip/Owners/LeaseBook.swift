/// Whom an owner lets fetch what from upstream: one member an object, for a few seconds at a time. Advice, not a lock.
package struct LeaseBook: Sendable {
    struct Entry: Sendable {
        var holder: NodeTag
        var expires: GossipTime
        /// Those who asked while it was held: they are getting it from the holder.
        var followers: [(tag: NodeTag, until: GossipTime)] = []
        /// Since when somebody doubts that the holder lives, and when it was asked last.
        var doubt: (since: GossipTime, probed: GossipTime)?
    }

    /// What is to be done about a lease whose holder may be gone.
    package enum Examination {
        case stands
        /// The holder is to be asked for a sign of life.
        case probe
        /// It gave none.
        case ends
    }

    /// A doubted holder that has not been heard for so long has lost its lease.
    package static let doubtTime = Duration.milliseconds(400)
    private static let probeTime = Duration.milliseconds(100)

    /// Objects at most; beyond it, what is over goes first, then new ones are granted without being noted.
    package static let limit = 65_536
    /// Objects of one holder at most: a member that asks for everything leaves room for the others.
    package static let holderLimit = 4_096
    package static let followerLimit = 16

    private var entries: [InventoryID: Entry] = [:]
    /// Entries by their holder.
    private var counts: [NodeTag: Int] = [:]
    private var nextSweep = GossipTime()

    package init() {}

    private mutating func put(_ entry: Entry?, for id: InventoryID) {
        let before = entries[id]
        entries[id] = entry
        if let holder = before?.holder {
            let left = (counts[holder] ?? 0) - 1
            counts[holder] = left > 0 ? left : nil
        }
        if let entry { counts[entry.holder, default: 0] += 1 }
    }

    /// Makes room for one more object of a holder.
    /// - Returns: whether there is room.
    private mutating func hasRoom(for id: InventoryID, of holder: NodeTag, now: GossipTime) -> Bool {
        func isFull() -> Bool {
            entries[id] == nil && entries.count >= Self.limit
                || counts[holder, default: 0] >= Self.holderLimit
        }
        guard isFull() else { return true }
        // A walk over everything, which nobody is to cause with each question.
        guard now >= nextSweep else { return false }
        nextSweep = now + .seconds(1)
        keep { $0.expires > now }
        return !isFull()
    }

    private mutating func keep(_ isKept: (Entry) -> Bool) {
        entries = entries.filter { isKept($0.value) }
        counts = entries.values.reduce(into: [:]) { $0[$1.holder, default: 0] += 1 }
    }

    /// Who may fetch `id`: the asker if nobody may yet or it may already.
    /// - Returns: the lease's holder.
    package mutating func ask(
        _ id: InventoryID, by asker: NodeTag, for span: Duration, now: GossipTime
    ) -> NodeTag {
        if var entry = entries[id], entry.expires > now, entry.holder != asker {
            entry.followers.removeAll { $0.tag == asker || $0.until <= now }
            if entry.followers.count < Self.followerLimit {
                entry.followers.append((asker, now + span + span))
            }
            entries[id] = entry
            return entry.holder
        }
        guard entries[id]?.holder == asker || hasRoom(for: id, of: asker, now: now) else { return asker }
        var entry = entries[id] ?? Entry(holder: asker, expires: now)
        entry.holder = asker
        entry.doubt = nil
        entry.expires = now + span
        entry.followers.removeAll { $0.tag == asker || $0.until <= now }
        put(entry, for: id)
        return asker
    }

    /// What another owner granted.
    package mutating func note(_ id: InventoryID, holder: NodeTag, for span: Duration, now: GossipTime) {
        if let entry = entries[id], entry.expires > now {
            // A renewal; a lease of another holder stands until it is over.
            if entry.holder == holder { entries[id]?.expires = now + span }
            return
        }
        guard entries[id]?.holder == holder || hasRoom(for: id, of: holder, now: now) else { return }
        put(Entry(holder: holder, expires: now + span), for: id)
    }

    /// Whether a valid lease stands.
    /// - Parameter lastHeard: when the holder last gave a sign of life.
    package mutating func examine(
        _ id: InventoryID, isDoubted: Bool, lastHeard: GossipTime?, now: GossipTime
    ) -> Examination {
        guard var entry = entries[id] else { return .stands }
        guard let doubt = entry.doubt else {
            guard isDoubted else { return .stands }
            entries[id]?.doubt = (now, now)
            return .probe
        }
        if let lastHeard, lastHeard > doubt.since {
            // It lives. Whoever still doubts that is heard again a second later.
            if now - doubt.since > .seconds(1) { entries[id]?.doubt = nil }
            return .stands
        }
        if now - doubt.since >= Self.doubtTime { return .ends }
        guard now - doubt.probed >= Self.probeTime else { return .stands }
        entry.doubt = (doubt.since, now)
        entries[id] = entry
        return .probe
    }

    package mutating func release(_ id: InventoryID, by holder: NodeTag) {
        if entries[id]?.holder == holder { put(nil, for: id) }
    }

    /// A member that is away holds nothing.
    package mutating func drop(_ holder: NodeTag) {
        guard counts[holder] != nil else { return }
        keep { $0.holder != holder }
    }

    /// The holder and those who follow it.
    package func fetchers(of id: InventoryID, now: GossipTime) -> [NodeTag] {
        guard let entry = entries[id], entry.expires > now else { return [] }
        return [entry.holder] + entry.followers.filter { $0.until > now }.map(\.tag)
    }

    /// For checks: the valid lease.
    package func holder(of id: InventoryID, now: GossipTime) -> NodeTag? {
        entries[id].flatMap { $0.expires > now ? $0.holder : nil }
    }
}
