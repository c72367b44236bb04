package import ChunkStore
internal import Content
package import Gossip
internal import Synchronization

/// Why peers could not bring a body to its end. What came stays.
package enum PeerTransferFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nobody of those who have it answers any more.
    case nobodyLeft(String)
    /// Nothing came for too long.
    case stalled
    /// Peers have no more of it, and none of them gets more from upstream.
    case orphaned
    case cancelled

    package var description: String {
        switch self {
        case .nobodyLeft(let reason): "no peer gives more of it: \(reason)"
        case .orphaned: "no peer gets more of it"
        case .stalled: "peers brought nothing for too long"
        case .cancelled: "it was given up"
        }
    }
}

/// One body on its way in from peers: runs the plan, checks each piece against the signed list, writes it where it
/// belongs.
package final class PeerTransfer: Sendable {
    package struct Patience: Sendable {
        /// A holder that owes pieces and sends nothing is asked no longer than this.
        package var piece: Duration = .seconds(3)
        /// A holder that does not even answer this long is let go.
        package var answer: Duration = .seconds(2)
        /// How long an answer may wait behind pieces on their way from the same holder.
        package var behind: Duration = .seconds(60)
        /// Somebody has more of it, or gets more, and nothing comes.
        package var growth: Duration = .seconds(3)
        /// Nobody has more of it, and nobody gets more from upstream: those who followed a node that is gone.
        package var orphaned: Duration = .milliseconds(300)
        /// How long a holder of a growing body holds its answer back.
        package var poll: Duration = .milliseconds(250)

        package init() {}
    }

    package let ask: ContentAsk
    package let facts: ContentFacts
    package let size: Int64
    /// Who signed the list of pieces.
    package let signer: NodeID
    private let transfer: TransferKey
    private let first: NodeID
    private let others: [NodeID]
    private let begun: Found
    private let caller: any PeerCaller
    private let shelf: PieceShelf
    private let cluster: ClusterID
    private let patience: Patience
    private let observe: @Sendable (NodeID, PeerObservation) -> Void
    private let blame: @Sendable (NodeID, String) -> Void

    /// - Parameters:
    ///   - found: what `first` said, with the beginning of a list.
    ///   - others: more peers that may have it, nearest first.
    /// - Returns: nil when what was found cannot be fetched piece by piece.
    package init?(
        _ ask: ContentAsk, found: Found, first: NodeID, others: [NodeID], caller: any PeerCaller,
        shelf: PieceShelf,
        cluster: ClusterID, patience: Patience = Patience(),
        observe: @escaping @Sendable (NodeID, PeerObservation) -> Void,
        blame: @escaping @Sendable (NodeID, String) -> Void
    ) {
        guard let size = found.facts.size, PieceList.pieceCount(of: size) <= PieceList.pieceLimit else {
            return nil
        }
        self.ask = ask
        facts = found.facts
        self.size = size
        signer = found.pieces?.signer ?? first
        transfer = found.transfer
        self.first = first
        self.others = others.filter { $0 != first }
        begun = found
        self.caller = caller
        self.shelf = shelf
        self.cluster = cluster
        self.patience = patience
        self.observe = observe
        self.blame = blame
        source = Mutex((first, 0))
    }

    /// The digests of all pieces, when all of it was held when it was found and one part has them all: up to 32 MiB. The
    /// signature is checked.
    package func wholeList() -> [[UInt8]]? {
        guard begun.isComplete, let part = begun.pieces else { return nil }
        var list = PieceList(transfer: transfer, size: size, signer: signer)
        guard list.extend(with: part, in: cluster), list.digests.count == list.pieceCount else { return nil }
        return list.digests
    }

    /// Bytes that a holder must have got for it to count.
    private static let growth: Int64 = 16 << 10

    private enum Event: Sendable {
        case found(NodeID, Found)
        /// It does not have it, or is not there.
        case gone(NodeID, String)
        case piece(Int, NodeID, Outcome)
        case tick
    }

    private enum Outcome: Sendable {
        case written
        /// Other bytes than those of the list.
        case differs
        case busy(Duration)
        case failed(String)
        /// The ingest takes nothing any more.
        case refused(any Error)
    }

    /// Writes what is lacking into `ingest`. Returns when every byte is there.
    /// - Parameter reading: the lowest offset that a reader waits at.
    /// - Throws: `PeerTransferFailure`, or what the ingest threw.
    package func run(into ingest: Ingest, reading: @escaping @Sendable () -> Int64) async throws {
        if ingest.size == nil { try ingest.setSize(size) }
        defer { shelf.forget(transfer) }
        let (events, inbox) = AsyncStream.makeStream(of: Event.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer {
                inbox.finish()
                group.cancelAll()
            }
            for node in [first] + others.prefix(9) {
                group.addTask { await self.follow(node, known: node == self.first ? self.begun : nil, inbox) }
            }
            group.addTask {
                while !Task.isCancelled {
                    try? await Task.sleep(for: .milliseconds(50))
                    inbox.yield(.tick)
                }
            }
            try await conduct(events, inbox, ingest, reading, &group)
        }
    }

    private func conduct(
        _ events: AsyncStream<Event>, _ inbox: AsyncStream<Event>.Continuation, _ ingest: Ingest,
        _ reading: @Sendable () -> Int64, _ group: inout ThrowingTaskGroup<Void, any Error>
    ) async throws {
        var plan = FetchPlan(size: size)
        // The digests that pieces are checked against, and the list of whoever is asked for them at present.
        var digests: [[UInt8]] = []
        var list: PieceList?
        // What was asked for and what came by which digest; who sent something else, until it is known whose fault that is.
        var asked: [Int: [UInt8]] = [:]
        var written: [Int: [UInt8]] = [:]
        var accused: [Int: NodeID] = [:]
        var convicted: Set<NodeID> = []
        /// Nobody gives anything but busy answers since then.
        var busySince: ContinuousClock.Instant?
        /// Bytes that each peer had when that last counted as growth.
        var grown: [NodeID: Int64] = [:]
        var rng = GossipRandom()
        var progress = ContinuousClock.now
        var lastReason = "nobody answered"
        // Those who get it from upstream.
        var fed = begun.isFed ? [first] : []
        let start = ContinuousClock.now
        func now() -> GossipTime { GossipTime() + (ContinuousClock.now - start) }
        for run in ingest.present {
            for piece in 0..<plan.pieceCount where run.contains(PieceList.range(of: piece, size: size)) {
                plan.have(piece)
            }
        }
        plan.add(first)
        for node in others.prefix(9) { plan.add(node) }
        for await event in events {
            try Task.checkCancellation()
            switch event {
            case .found(let node, let found):
                if let part = found.pieces, node == source.withLock({ $0.node }) {
                    var next = list ?? PieceList(transfer: transfer, size: size, signer: part.signer)
                    if part.first == next.digests.count {
                        if next.extend(with: part, in: cluster), Self.agree(next.digests, digests) {
                            guard written.allSatisfy({ next.digests.count <= $0 || next.digests[$0] == $1 })
                            else {
                                throw PeerTransferFailure.nobodyLeft("their lists of pieces differ")
                            }
                            list = next
                            shelf.note(part)
                            if next.digests.count > digests.count {
                                digests = next.digests
                                progress = .now
                            }
                            plan.list(digests.count)
                            source.withLock { $0.known = next.digests.count }
                        } else {
                            // Whose list is wrong only the whole body can tell; this one is not asked any more.
                            blame(
                                node,
                                "a list of pieces of \(ask) that is not signed so, or differs from another's")
                            plan.drop(node)
                            list = nil
                            turn(to: plan.nodes)
                        }
                    }
                }
                if plan.note(found.isComplete ? nil : found.present, at: node) { progress = .now }
                // On a thin link a piece takes long to become whole; its holder has more of it all the time.
                let bytes = found.present.reduce(0) { $0 + $1.upperBound - $1.lowerBound }
                if bytes >= grown[node, default: 0] + Self.growth, plan.nodes.contains(node) {
                    grown[node] = bytes
                    progress = .now
                }
                fed.removeAll { $0 == node }
                if found.isFed, plan.nodes.contains(node) { fed.append(node) }
            case .gone(let node, let reason):
                lastReason = "\(node): \(reason)"
                plan.drop(node)
                fed.removeAll { $0 == node }
                if node == source.withLock({ $0.node }) {
                    list = nil
                    turn(to: plan.nodes)
                }
            case .piece(let piece, let node, let outcome):
                switch outcome {
                case .written:
                    progress = .now
                    busySince = nil
                    written[piece] = asked[piece]
                    plan.arrived(piece, from: node, now: now())
                    // The list was right about it, so whoever sent other bytes was not.
                    if let liar = accused.removeValue(forKey: piece), convicted.insert(liar).inserted {
                        convict(liar, of: piece)
                    }
                case .differs where asked[piece] != digest(of: piece, in: digests):
                    // It was held against a list that was withdrawn since.
                    plan.failed(piece, from: node, now: now())
                case .differs:
                    plan.failed(piece, from: node, now: now())
                    plan.drop(node)
                    let supplier = source.withLock { $0.node }
                    guard node == supplier || accused[piece] != nil else {
                        // Its word against the list's: somebody else's bytes decide.
                        accused[piece] = node
                        break
                    }
                    // The supplier's own bytes are not what its list says, or two others agree that they are not.
                    if convicted.insert(supplier ?? node).inserted { convict(supplier ?? node, of: piece) }
                    if let supplier { plan.drop(supplier) }
                    for innocent in accused.values where innocent != supplier { plan.forgive(innocent) }
                    if node != supplier { plan.forgive(node) }
                    accused = [:]
                    (digests, list) = ([], nil)
                    plan.forgetList()
                    turn(to: plan.nodes)
                case .busy(let pause):
                    busySince = busySince ?? .now
                    plan.failed(piece, from: node, pause: pause, now: now())
                case .failed(let reason):
                    lastReason = "\(node): \(reason)"
                    plan.failed(piece, from: node, now: now())
                case .refused(let error): throw error
                }
            case .tick: break
            }
            if plan.isDone { return }
            if let busySince, ContinuousClock.now - busySince > patience.growth {
                throw PeerTransferFailure.stalled
            }
            if plan.nodes.isEmpty { throw PeerTransferFailure.nobodyLeft(lastReason) }
            // What is under way has a patience of its own: a piece may take long on a thin link.
            if plan.isWaiting { progress = .now }
            let isOrphan = fed.isEmpty && !plan.isWaiting && !plan.hasOpen
            if ContinuousClock.now - progress > (isOrphan ? patience.orphaned : patience.growth) {
                throw isOrphan ? PeerTransferFailure.orphaned : .stalled
            }
            while let (piece, node) = plan.next(reader: reading(), now: now(), rng: &rng) {
                let digest = digests[piece]
                asked[piece] = digest
                group.addTask {
                    inbox.yield(
                        .piece(piece, node, await self.fetch(piece, digest, from: node, into: ingest)))
                }
            }
        }
        throw PeerTransferFailure.cancelled
    }

    private func convict(_ node: NodeID, of piece: Int) {
        observe(node, .lied)
        blame(node, "other bytes than those of piece \(piece) of \(ask)")
    }

    private func digest(of piece: Int, in digests: [[UInt8]]) -> [UInt8]? {
        piece < digests.count ? digests[piece] : nil
    }

    /// Who is asked for the list of pieces, and how many digests of that list are known.
    private let source: Mutex<(node: NodeID?, known: Int)>

    /// The list comes from another one now, from its beginning.
    private func turn(to nodes: [NodeID]) {
        source.withLock { $0 = (nodes.first, 0) }
        shelf.forget(transfer)
    }

    private static func agree(_ one: [[UInt8]], _ other: [[UInt8]]) -> Bool {
        zip(one, other).allSatisfy { $0 == $1 }
    }

    /// Asks a holder again and again what it has, until it has everything and the list is whole.
    private func follow(_ node: NodeID, known found: Found?, _ inbox: AsyncStream<Event>.Continuation) async {
        var bytes: Int64 = 0
        if let found {
            inbox.yield(.found(node, found))
            bytes = found.present.reduce(0) { $0 + $1.upperBound - $1.lowerBound }
        }
        let count = PieceList.pieceCount(of: size)
        var failures = 0
        var isWhole = false
        while !Task.isCancelled {
            let (supplier, pieces) = source.withLock { ($0.node, $0.known) }
            let wantsList = node == supplier && pieces < count
            if isWhole, !wantsList {
                // It may be asked for the list later, should another one fall away.
                if pieces >= count { return }
                try? await Task.sleep(for: .milliseconds(50))
                continue
            }
            do throws(PeerFailure) {
                let request = PeerRequest.find(
                    ask, knownBytes: wantsList ? 0 : bytes,
                    knownPieces: wantsList ? pieces : count,
                    patience: UInt32(patience.poll / .milliseconds(1)), wantsBytes: false)
                let began = ContinuousClock.now
                let reply = try await caller.call(
                    request, of: node,
                    within: .init(silence: patience.answer + patience.poll, inAll: patience.behind))
                failures = 0
                guard case .ok(let encoded) = reply else {
                    if case .busy = reply {
                        try? await Task.sleep(for: .milliseconds(100))
                        continue
                    }
                    return await giveUp(node, "it answers \(reply)", inbox)
                }
                let answer: Found
                do throws(WireError) { answer = try Found(parsing: encoded) } catch {
                    blame(node, "\(error)")
                    return await giveUp(node, "\(error)", inbox)
                }
                guard answer.transfer == transfer, answer.facts.size == size else {
                    return await giveUp(node, "it has other bytes now", inbox)
                }
                bytes = answer.present.reduce(0) { $0 + $1.upperBound - $1.lowerBound }
                inbox.yield(.found(node, answer))
                isWhole = answer.isComplete || bytes >= size
                // Without news at once the next question need not follow at once.
                if ContinuousClock.now - began < .milliseconds(2) {
                    try? await Task.sleep(for: .milliseconds(5))
                }
            } catch {
                failures += 1
                guard failures < 2, error == .timedOut else { return await giveUp(node, "\(error)", inbox) }
            }
        }
    }

    private func giveUp(_ node: NodeID, _ reason: String, _ inbox: AsyncStream<Event>.Continuation) async {
        if !Task.isCancelled { observe(node, .failed) }
        inbox.yield(.gone(node, reason))
    }

    private func fetch(_ piece: Int, _ digest: [UInt8], from node: NodeID, into ingest: Ingest) async
        -> Outcome
    {
        let range = PieceList.range(of: piece, size: size)
        let began = ContinuousClock.now
        let reply: PeerReply
        do throws(PeerFailure) {
            reply = try await caller.call(
                .bytes(ask, transfer, range), of: node, within: .piece(patience.piece))
        } catch {
            if !Task.isCancelled { observe(node, .failed) }
            return .failed("\(error)")
        }
        switch reply {
        case .ok(let bytes):
            guard bytes.count == Int(range.upperBound - range.lowerBound), PieceShelf.digest(bytes) == digest
            else {
                return .differs
            }
            let seconds = max((ContinuousClock.now - began) / .seconds(1), 0.000_1)
            observe(node, .throughput(Double(bytes.count) / seconds))
            do {
                try await ingest.write(bytes, at: range.lowerBound)
                return .written
            } catch {
                return .refused(error)
            }
        case .busy(let pause): return .busy(.milliseconds(Int64(min(pause, 5000))))
        case .notHeld, .denied, .unsupported, .failed: return .failed("it answers \(reply)")
        }
    }
}

extension Range<Int64> {
    fileprivate func contains(_ other: Range<Int64>) -> Bool {
        lowerBound <= other.lowerBound && other.upperBound <= upperBound
    }
}
