internal import ChunkStore
package import Content
package import Gossip
package import Logging
internal import Synchronization

package import struct FoundationEssentials.Date

/// The other nodes, as the rest of the program asks them: who has something, who is fetching it, what they say.
package final class PeerNetwork: Sendable {
    /// A small thing that a peer gave, unproven.
    package struct Object: Sendable {
        package let bytes: [UInt8]
        package let facts: ContentFacts
        package let peer: NodeID
    }

    package enum Decision: Sendable {
        case peers(PeerTransfer, from: NodeID)
        /// Ask upstream; others wait for this node as long as the lease is held.
        case upstream(UpstreamLease?)
    }

    private static let answerWithin = Duration.seconds(2)
    /// How long the holder of a lease may take until it has something to show.
    private static let leaseWithin = Duration.milliseconds(1500)

    package let gossip: GossipService
    package let counters: ExchangeCounters
    private let caller: any PeerCaller
    private let shelf: PieceShelf
    private let logger: Logger

    package init(
        gossip: GossipService, caller: any PeerCaller, shelf: PieceShelf, counters: ExchangeCounters,
        logger: Logger
    ) {
        (self.gossip, self.caller, self.shelf) = (gossip, caller, shelf)
        (self.counters, self.logger) = (counters, logger)
    }

    private func id(of ask: ContentAsk) -> InventoryID {
        switch ask.subject {
        case .blob(let digest): InventoryID(blob: digest, secret: gossip.credentials.secret)
        case .reference(let name): InventoryID(reference: name, secret: gossip.credentials.secret)
        }
    }

    // MARK: small things

    /// A small immutable thing, whole, from the nearest of those known to hold it; nil when none gave it. Nobody is
    /// asked when nobody is known to hold it.
    /// - Parameter limit: the most bytes that are taken.
    package func fetchWhole(_ ask: ContentAsk, limit: Int) async -> Object? {
        for node in await gossip.holders(of: id(of: ask)).prefix(3) {
            guard let found = await find(ask, at: node, wantsBytes: true), found.isComplete,
                let size = found.facts.size, size <= Int64(limit)
            else { continue }
            if let bytes = found.bytes {
                if Int64(bytes.count) == size { return Object(bytes: bytes, facts: found.facts, peer: node) }
                continue
            }
            if let bytes = await read(ask, found.transfer, size: size, at: node) {
                return Object(bytes: bytes, facts: found.facts, peer: node)
            }
        }
        return nil
    }

    private func read(_ ask: ContentAsk, _ transfer: TransferKey, size: Int64, at node: NodeID) async
        -> [UInt8]?
    {
        var bytes: [UInt8] = []
        while Int64(bytes.count) < size {
            let start = Int64(bytes.count)
            let range = start..<min(size, start + PeerExchange.pieceLength)
            guard
                case .ok(let part)? = try? await caller.call(
                    .bytes(ask, transfer, range), of: node, within: .seconds(10)),
                Int64(part.count) == range.upperBound - range.lowerBound
            else {
                gossip.observed(node, .failed)
                return nil
            }
            bytes += part
        }
        return bytes
    }

    /// - Parameter wantsBytes: whether the bytes should come along where they are few; else the piece list begins.
    private func find(_ ask: ContentAsk, at node: NodeID, wantsBytes: Bool) async -> Found? {
        let request = PeerRequest.find(
            ask, knownBytes: 0, knownPieces: 0, patience: 0, wantsBytes: wantsBytes)
        do {
            switch try await caller.call(request, of: node, within: Self.answerWithin) {
            case .ok(let encoded): return try Found(parsing: encoded)
            case .denied(let reason):
                logger.debug("\(node) does not give \(ask): \(reason)")
                return nil
            case .notHeld, .busy, .unsupported, .failed: return nil
            }
        } catch is WireError {
            lied(node, what: "an answer about \(ask) that makes no sense")
            return nil
        } catch {
            logger.debug("\(node) does not answer about \(ask): \(error)")
            gossip.observed(node, .failed)
            return nil
        }
    }

    // MARK: bodies

    /// Where a body comes from: holders first; else whoever fetches it already; else upstream, under a lease.
    package func decide(_ ask: ContentAsk) async -> Decision {
        let id = id(of: ask)
        let holders = await gossip.holders(of: id)
        if let transfer = await transfer(ask, from: holders) { return transfer }
        let deadline = ContinuousClock.now + Self.leaseWithin
        while true {
            let answer = await gossip.ask(id, wantsLease: true)
            switch answer.lease {
            case .granted: return .upstream(UpstreamLease(id, gossip: gossip))
            case .unreachable, .notAsked: return .upstream(nil)
            case .held:
                let others = answer.fetchers + answer.holders.filter { !holders.contains($0) }
                if let transfer = await transfer(ask, from: others) { return transfer }
                // Its request may be on its way: what it has to show comes with the first bytes.
                guard ContinuousClock.now < deadline, !Task.isCancelled else { return .upstream(nil) }
                try? await Task.sleep(for: .milliseconds(30))
            }
        }
    }

    private func transfer(_ ask: ContentAsk, from nodes: [NodeID]) async -> Decision? {
        for (position, node) in nodes.prefix(4).enumerated() {
            guard let found = await find(ask, at: node, wantsBytes: false) else { continue }
            let transfer = PeerTransfer(
                ask, found: found, first: node, others: Array(nodes.dropFirst(position + 1)), caller: caller,
                shelf: shelf, cluster: gossip.credentials.cluster,
                observe: { [gossip] node, observation in gossip.observed(node, observation) },
                blame: { [weak self] node, what in self?.lied(node, what: what) })
            if let transfer { return .peers(transfer, from: node) }
        }
        return nil
    }

    // MARK: mutable names

    /// What others' upstreams said of a name, as far as it is to be believed.
    /// - Parameter last: when this node's own upstream last said something of it.
    package func settled(_ name: ReferenceName, last: Date?) async -> StatementRules.Verdict? {
        let asked = await gossip.nearest().prefix(8)
        let members = gossip.members
        let cluster = gossip.credentials.cluster
        let statements = await withTaskGroup(of: Statement?.self) { group in
            for node in asked {
                group.addTask {
                    guard
                        case .ok(let bytes)? = try? await self.caller.call(
                            .statement(name), of: node, within: .seconds(1))
                    else { return nil }
                    guard let statement = try? Statement(parsing: bytes), statement.signer == node,
                        statement.name == name, statement.cluster == cluster, statement.isSigned
                    else {
                        self.lied(node, what: "a statement about \(name) that is not its own")
                        return nil
                    }
                    return statement
                }
            }
            var statements: [Statement] = []
            for await statement in group { if let statement { statements.append(statement) } }
            return statements
        }
        let resolvers = Set(members.filter { $0.roles.contains(.resolver) }.map(\.node))
        let wall = Date()
        return StatementRules.verdict(
            statements, resolvers: resolvers, last: last, now: wall < TrustedClock.build ? nil : wall)
    }

    // MARK: blame

    /// A peer gave something that is not what it should be: it is named, and asked last for ten minutes.
    package func lied(_ node: NodeID, what: String) {
        counters.count(node) {
            $0.lies += 1
            $0.lastLie = String(what.prefix(200))
        }
        gossip.observed(node, .lied)
        logger.error("peer \(node) is to blame: \(what)")
    }
}

/// This node fetches something from upstream for everybody: renewed while it is held, given back when it is let go.
package final class UpstreamLease: Sendable {
    private let id: InventoryID
    private let gossip: GossipService
    private let renewal: Task<Void, Never>

    init(_ id: InventoryID, gossip: GossipService) {
        self.id = id
        self.gossip = gossip
        renewal = Task.detached {
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(1500))
                guard !Task.isCancelled else { return }
                _ = await gossip.ask(id, wantsLease: true)
            }
        }
    }

    deinit {
        renewal.cancel()
        gossip.release(id)
    }
}
