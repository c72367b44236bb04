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
    enum Examination {
        case stands
        /// The holder is to be asked for a sign of life.
        case probe
        /// It gave none.
        case ends
    }

    /// A doubted holder that has not been heard for so long has lost its lease.
    static let doubtTime = Duration.milliseconds(400)
    private static let probeTime = Duration.milliseconds(100)

    /// Objects at most; beyond it, what is over goes first, then new ones are granted without being noted.
    static let limit = 65_536
    static let followerLimit = 16

    private var entries: [InventoryID: Entry] = [:]

    package init() {}

    /// Who may fetch `id`: the asker if nobody may yet or it may already.
    /// - Returns: the lease's holder.
    mutating func ask(
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
        if entries[id] == nil, entries.count >= Self.limit {
            entries = entries.filter { $0.value.expires > now }
            guard entries.count < Self.limit else { return asker }
        }
        var entry = entries[id] ?? Entry(holder: asker, expires: now)
        entry.holder = asker
        entry.doubt = nil
        entry.expires = now + span
        entry.followers.removeAll { $0.tag == asker || $0.until <= now }
        entries[id] = entry
        return asker
    }

    /// What another owner granted.
    mutating func note(_ id: InventoryID, holder: NodeTag, for span: Duration, now: GossipTime) {
        if let entry = entries[id], entry.expires > now {
            // A renewal; a lease of another holder stands until it is over.
            if entry.holder == holder { entries[id]?.expires = now + span }
            return
        }
        guard entries[id] != nil || entries.count < Self.limit else { return }
        entries[id] = Entry(holder: holder, expires: now + span)
    }

    /// Whether a valid lease stands.
    /// - Parameter lastHeard: when the holder last gave a sign of life.
    mutating func examine(
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

    mutating func release(_ id: InventoryID, by holder: NodeTag) {
        if entries[id]?.holder == holder { entries[id] = nil }
    }

    /// A member that is away holds nothing.
    mutating func drop(_ holder: NodeTag) {
        entries = entries.filter { $0.value.holder != holder }
    }

    /// The holder and those who follow it.
    func fetchers(of id: InventoryID, now: GossipTime) -> [NodeTag] {
        guard let entry = entries[id], entry.expires > now else { return [] }
        return [entry.holder] + entry.followers.filter { $0.until > now }.map(\.tag)
    }

    /// For checks: the valid lease.
    package func holder(of id: InventoryID, now: GossipTime) -> NodeTag? {
        entries[id].flatMap { $0.expires > now ? $0.holder : nil }
    }
}
