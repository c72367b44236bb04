import ChunkStore
import Content
import PeerExchange

/// How a body is asked for of other nodes.
struct PeerOrder: Sendable {
    let ask: ContentAsk
    /// Those for whom the body is fetched may have private content under the name that it is asked for.
    let admitsPrivate: Bool
}

extension Flight {
    /// Where other nodes' answers say that the body is best fetched from; nil when nobody is asked.
    func peerChoice() async -> PeerChoice? {
        guard asksPeers, let peers = delivery.peers, let wanted = order.peers else { return nil }
        return await peers.choose(wanted.ask, size: order.size)
    }

    /// Whether what peers offer can be the body, and is for those who wait for it.
    func admits(_ facts: ContentFacts, total: Int64?) -> Bool {
        if facts.access == .private, order.peers?.admitsPrivate != true { return false }
        if let size = facts.size {
            if size > order.limit || size != total ?? size { return false }
        }
        if let expected = order.expected, let digest = facts.digest, digest != expected { return false }
        return true
    }

    /// A transfer from peers, into what an earlier one left if that fits.
    /// - Returns: nil when upstream has to be asked instead.
    func begin(_ body: any PeerBody, _ partial: Ingest?, _ feed: ProofFeed) async throws -> Transfer? {
        guard admits(body.facts, total: order.size) else { return nil }
        let total = order.size ?? body.facts.size
        if let partial, partial.size == nil || total == nil || total == partial.size {
            state.withLock { $0.ingest = partial }
            return Transfer(flight: self, feed: feed, body: body, ingest: partial)
        }
        if partial != nil { return nil }
        do {
            let ingest = try await delivery.store.beginIngest(
                expected: order.expected, size: total, observer: feed)
            return Transfer(flight: self, feed: feed, body: body, ingest: ingest)
        } catch StoreError.noSpace {
            // What is only passed on has to come in order.
            return nil
        }
    }

    // MARK: where readers are

    /// A reader waits at `position` from now on.
    func moved(_ reader: UInt64, to position: Int64) {
        guard delivery.peers != nil else { return }
        state.withLock { state in
            if state.readers.contains(reader) { state.positions[reader] = position }
        }
    }

    /// The lowest offset that a reader waits at; 0 when nobody reads.
    var lowestPosition: Int64 { state.withLock { $0.positions.values.min() ?? 0 } }
}
