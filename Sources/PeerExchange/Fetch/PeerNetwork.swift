package import ChunkStore
package import Content
package import Gossip
package import Logging
internal import Synchronization

internal import struct FoundationEssentials.Date

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
    private let revocations: RevocationAge?
    private let logger: Logger

    package init(
        gossip: GossipService, caller: any PeerCaller, shelf: PieceShelf, counters: ExchangeCounters,
        revocations: RevocationAge? = nil, logger: Logger
    ) {
        self.revocations = revocations
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
            guard case .found(let found) = await find(ask, at: node, wantsBytes: true), found.isComplete,
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
                    .bytes(ask, transfer, range), of: node, within: .piece(.seconds(3))),
                Int64(part.count) == range.upperBound - range.lowerBound
            else {
                gossip.observed(node, .failed)
                return nil
            }
            bytes += part
        }
        return bytes
    }

    private enum Answer {
        case found(Found)
        case notHeld
        /// It is held, and will not be given.
        case denied
        case silent
    }

    /// - Parameter wantsBytes: whether the bytes should come along where they are few; else the piece list begins.
    private func find(_ ask: ContentAsk, at node: NodeID, wantsBytes: Bool) async -> Answer {
        let request = PeerRequest.find(
            ask, knownBytes: 0, knownPieces: 0, patience: 0, wantsBytes: wantsBytes)
        do {
            switch try await caller.call(request, of: node, within: .small(Self.answerWithin)) {
            case .ok(let encoded):
                let found = try Found(parsing: encoded)
                guard found.facts.access == .public || revocations?.isRecent ?? true else { return .denied }
                guard ask.admits(found) else {
                    lied(node, what: "another blob instead of \(ask)")
                    return .denied
                }
                return .found(found)
            case .denied(let reason):
                logger.debug("\(node) does not give \(ask): \(reason)")
                return .denied
            case .notHeld, .busy, .unsupported, .failed: return .notHeld
            }
        } catch is WireError {
            lied(node, what: "an answer about \(ask) that makes no sense")
            return .denied
        } catch {
            logger.debug("\(node) does not answer about \(ask): \(error)")
            gossip.observed(node, .failed)
            return .silent
        }
    }

    // MARK: bodies

    /// Where a body comes from: holders first; else whoever fetches it already; else upstream, under a lease.
    package func decide(_ ask: ContentAsk) async -> Decision {
        let id = id(of: ask)
        let holders = await gossip.holders(of: id)
        if case .transfer(let transfer, let node) = await transfer(ask, from: holders) {
            return .peers(transfer, from: node)
        }
        let deadline = ContinuousClock.now + Self.leaseWithin
        var doubted: NodeID?
        while true {
            let answer = await gossip.ask(id, wantsLease: true, doubting: doubted)
            switch answer.lease {
            case .granted: return .upstream(UpstreamLease(id, gossip: gossip))
            case .unreachable, .notAsked: return .upstream(nil)
            case .held(let holder):
                let others = answer.fetchers + answer.holders.filter { !holders.contains($0) }
                switch await transfer(ask, from: others) {
                case .transfer(let transfer, let node): return .peers(transfer, from: node)
                // Waiting changes nothing.
                case .denied: return .upstream(nil)
                case .nothing(let silent): doubted = silent.contains(holder) ? holder : nil
                }
                // Its request may be on its way: what it has to show comes with the first bytes.
                guard ContinuousClock.now < deadline, !Task.isCancelled else { return .upstream(nil) }
                try? await Task.sleep(for: .milliseconds(30))
            }
        }
    }

    private enum Choice {
        case transfer(PeerTransfer, from: NodeID)
        /// Somebody has it who will not give it, and nobody else does.
        case denied
        /// Nobody has it, or says so.
        case nothing(silent: [NodeID])
    }

    private func transfer(_ ask: ContentAsk, from nodes: [NodeID]) async -> Choice {
        var silent: [NodeID] = []
        var isDenied = false
        for (position, node) in nodes.prefix(4).enumerated() {
            let found: Found
            switch await find(ask, at: node, wantsBytes: false) {
            case .found(let answer): found = answer
            case .notHeld: continue
            case .denied:
                isDenied = true
                continue
            case .silent:
                silent.append(node)
                continue
            }
            let transfer = PeerTransfer(
                ask, found: found, first: node, others: Array(nodes.dropFirst(position + 1)), caller: caller,
                shelf: shelf, cluster: gossip.credentials.cluster,
                observe: { [gossip] node, observation in gossip.observed(node, observation) },
                blame: { [weak self] node, what in self?.lied(node, what: what) })
            if let transfer { return .transfer(transfer, from: node) }
        }
        return isDenied ? .denied : .nothing(silent: silent)
    }

    // MARK: chunks

    /// How a held blob is put together, as a peer says it; nil when it does not.
    package func recipe(of digest: Digest, size: Int64, _ ask: ContentAsk, at node: NodeID) async -> Recipe? {
        guard
            case .ok(let bytes)? = try? await caller.call(
                .recipe(ask, digest), of: node, within: .piece(.seconds(3)))
        else { return nil }
        do { return try Recipe(decoding: bytes, of: (digest, size)) } catch RecipeError.newerVersion {
            return nil
        } catch {
            lied(node, what: "a recipe of \(ask) that cannot be read: \(error)")
            return nil
        }
    }

    /// Chunks of a blob that a peer holds, each with its hash.
    /// - Parameter ids: at most `PeerRequest.chunkLimit`, and at most 1 MiB of chunks.
    /// - Throws: `PeerFailure` unless all of them came.
    package func chunks(
        _ ids: [ChunkID], of digest: Digest, _ ask: ContentAsk, at node: NodeID
    ) async throws(PeerFailure) -> [[UInt8]] {
        let reply = try await caller.call(
            .chunks(ask, digest, ids), of: node, within: .piece(.seconds(3)))
        guard case .ok(let bytes) = reply else { throw .malformed("\(reply)") }
        let chunks: [[UInt8]]
        do { chunks = try ChunkList.decode(bytes, count: ids.count) } catch {
            lied(node, what: "chunks of \(ask) that make no sense: \(error)")
            throw .malformed("\(error)")
        }
        for (id, chunk) in zip(ids, chunks) where !chunk.isEmpty && ChunkID(of: chunk) != id {
            lied(node, what: "other bytes than those of the chunk \(id) of \(ask)")
            throw .malformed("a chunk does not have its hash")
        }
        guard !chunks.contains(where: \.isEmpty) else { throw .malformed("a chunk is gone there") }
        return chunks
    }

    // MARK: mutable names

    /// What others' upstreams said of a name, as far as it is to be believed.
    /// - Parameter held: what this node holds of it.
    package func settled(
        _ name: ReferenceName, over held: StatementRules.Held?
    ) async -> StatementRules.Verdict? {
        guard revocations?.isRecent ?? true, held?.isPeersWord ?? true else { return nil }
        let asked = await gossip.nearest().prefix(8)
        let members = gossip.members
        let cluster = gossip.credentials.cluster
        let statements = await withTaskGroup(of: Statement?.self) { group in
            for node in asked {
                group.addTask {
                    guard
                        case .ok(let bytes)? = try? await self.caller.call(
                            .statement(name), of: node, within: .small(.seconds(1)))
                    else { return nil }
                    guard let statement = Statement(bytes, by: node, about: name, in: cluster) else {
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
            statements, resolvers: resolvers, over: held, now: wall < TrustedClock.build ? nil : wall)
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
