import Synchronization

/// Signatures that were found good, so that none is checked twice, and what else nodes of one process can share.
package final class SignatureMemo: Sendable {
    private let known = Mutex<Set<[UInt8]>>([])
    private let secrets = Mutex<[[UInt8]: [UInt8]]>([:])
    private let cards = Mutex<[[UInt8]: MemberCard]>([:])
    private let limit: Int

    package init(limit: Int = 65_536) { self.limit = limit }

    /// Whether `encoded` was found good before, or is by `check`.
    package func isGood(_ encoded: [UInt8], _ check: () -> Bool) -> Bool {
        let digest = Blake2b.hash(encoded, count: 32)
        if known.withLock({ $0.contains(digest) }) { return true }
        guard check() else { return false }
        known.withLock { known in
            if known.count >= limit { known.removeAll() }
            known.insert(digest)
        }
        return true
    }

    /// One copy of a card for all who keep it.
    package func shared(_ card: MemberCard) -> MemberCard {
        cards.withLock { cards in
            if let known = cards[card.record.encoded], known.certificate == card.certificate { return known }
            if cards.count >= limit { cards.removeAll() }
            cards[card.record.encoded] = card
            return card
        }
    }

    /// The X25519 secret of a pair, worked out once for both sides.
    package func shared(_ key: NodeKey, _ node: NodeID) -> [UInt8]? {
        let pair = [key.id.bytes, node.bytes].sorted { $0.lexicographicallyPrecedes($1) }.flatMap(\.self)
        if let known = secrets.withLock({ $0[pair] }) { return known }
        guard let secret = key.sharedSecret(with: node) else { return nil }
        secrets.withLock { $0[pair] = secret }
        return secret
    }
}
