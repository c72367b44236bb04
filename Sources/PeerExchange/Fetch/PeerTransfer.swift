package import ChunkStore
internal import Content
package import Gossip
internal import Synchronization

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
    let transfer: TransferKey
    private let first: NodeID
    private let others: [NodeID]
    private let begun: Found
    let caller: any PeerCaller
    private let shelf: PieceShelf
    private let cluster: ClusterID
    let patience: Patience
    let observe: @Sendable (NodeID, PeerObservation) -> Void
    let blame: @Sendable (NodeID, String) -> Void

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

    /// What is known while the body comes in.
    struct Course {
        var plan: FetchPlan
        var judge: PieceJudge
        /// When something last came, or a holder got more.
        var progress = ContinuousClock.now
        /// Nobody gives anything but busy answers since then.
        var busySince: ContinuousClock.Instant?
        /// Those who get it from upstream.
        var fed: [NodeID]
        var lastReason = "nobody answered"
        private let start = ContinuousClock.now

        init(plan: FetchPlan, judge: PieceJudge, fed: [NodeID]) {
            (self.plan, self.judge, self.fed) = (plan, judge, fed)
        }

        var now: GossipTime { GossipTime() + (ContinuousClock.now - start) }
    }

    private func conduct(
        _ events: AsyncStream<Event>, _ inbox: AsyncStream<Event>.Continuation, _ ingest: Ingest,
        _ reading: @Sendable () -> Int64, _ group: inout ThrowingTaskGroup<Void, any Error>
    ) async throws {
        var course = Course(
            plan: FetchPlan(size: size),
            judge: PieceJudge(transfer: transfer, size: size, cluster: cluster, supplier: first),
            fed: begun.isFed ? [first] : [])
        var rng = GossipRandom()
        for run in ingest.present {
            for piece in 0..<course.plan.pieceCount
            where run.contains(PieceList.range(of: piece, size: size)) { course.plan.have(piece) }
        }
        course.plan.add(first)
        for node in others.prefix(9) { course.plan.add(node) }
        for await event in events {
            try Task.checkCancellation()
            switch event {
            case .found(let node, let found): try took(found, from: node, &course)
            case .gone(let node, let reason): lost(node, reason, &course)
            case .piece(let piece, let digest, let node, let outcome):
                try came(piece, digest, from: node, outcome, &course)
            case .tick: break
            }
            if course.plan.isDone { return }
            if let failure = failure(of: &course) { throw failure }
            while let (piece, node) = course.plan.next(reader: reading(), now: course.now, rng: &rng),
                let digest = course.judge.digest(of: piece)
            {
                group.addTask {
                    let outcome = await self.fetch(piece, digest, from: node, into: ingest)
                    inbox.yield(.piece(piece, digest, node, outcome))
                }
            }
        }
        throw PeerTransferFailure.cancelled
    }

    private func took(_ found: Found, from node: NodeID, _ course: inout Course) throws {
        if let part = found.pieces {
            switch course.judge.read(part, from: node) {
            case .ignored: break
            case .taken(let isNews):
                shelf.note(part)
                if isNews { course.progress = .now }
                course.plan.list(course.judge.digestCount)
                source.withLock { $0.known = course.judge.readCount }
            case .refused:
                blame(node, "a list of pieces of \(ask) that is not signed so, or differs from another's")
                course.plan.drop(node)
                turn(&course)
            case .contradicts: throw PeerTransferFailure.nobodyLeft("their lists of pieces differ")
            }
        }
        if course.plan.note(found.isComplete ? nil : found.present, at: node) { course.progress = .now }
        course.fed.removeAll { $0 == node }
        if found.isFed, course.plan.nodes.contains(node) { course.fed.append(node) }
    }

    private func lost(_ node: NodeID, _ reason: String, _ course: inout Course) {
        course.lastReason = "\(node): \(reason)"
        course.plan.drop(node)
        course.fed.removeAll { $0 == node }
        if node == course.judge.supplier { turn(&course) }
    }

    private func came(
        _ piece: Int, _ digest: [UInt8], from node: NodeID, _ outcome: Outcome, _ course: inout Course
    ) throws {
        switch outcome {
        case .written:
            course.progress = .now
            course.busySince = nil
            course.plan.arrived(piece, from: node, now: course.now)
            // The list was right about it, so whoever sent other bytes was not.
            for liar in course.judge.wrote(piece, by: digest) { convict(liar, of: piece) }
        case .differs(let actual):
            course.plan.failed(piece, from: node, now: course.now)
            switch course.judge.differs(piece, from: node, by: digest, actual: actual) {
            case .moot: break
            case .accused: course.plan.drop(node)
            case .withdrawn(let withdrawal):
                for liar in withdrawal.convicted { convict(liar, of: piece) }
                for liar in withdrawal.liars { course.plan.drop(liar) }
                for innocent in withdrawal.cleared { course.plan.forgive(innocent) }
                course.plan.forgetList()
                turn(&course)
            }
        case .busy(let pause):
            course.busySince = course.busySince ?? .now
            course.plan.failed(piece, from: node, pause: pause, now: course.now)
        case .failed(let reason):
            course.lastReason = "\(node): \(reason)"
            course.plan.failed(piece, from: node, now: course.now)
        case .refused(let error): throw error
        }
    }

    /// Why there is no use in waiting on.
    private func failure(of course: inout Course) -> PeerTransferFailure? {
        if let busySince = course.busySince, ContinuousClock.now - busySince > patience.growth {
            return .stalled
        }
        if course.plan.nodes.isEmpty { return .nobodyLeft(course.lastReason) }
        // What is under way has a patience of its own: a piece may take long on a thin link.
        if course.plan.isWaiting { course.progress = .now }
        let isOrphan = course.fed.isEmpty && !course.plan.isWaiting && !course.plan.hasOpen
        guard ContinuousClock.now - course.progress > (isOrphan ? patience.orphaned : patience.growth) else {
            return nil
        }
        return isOrphan ? .orphaned : .stalled
    }

    private func convict(_ node: NodeID, of piece: Int) {
        observe(node, .lied)
        blame(node, "other bytes than those of piece \(piece) of \(ask)")
    }

    /// Who is asked for the list of pieces, and how many digests of that list are known.
    let source: Mutex<(node: NodeID?, known: Int)>

    /// The list comes from another one now, from its beginning.
    private func turn(_ course: inout Course) {
        let supplier = course.plan.nodes.first
        course.judge.turn(to: supplier)
        source.withLock { $0 = (supplier, 0) }
        shelf.forget(transfer)
    }
}

extension Range<Int64> {
    fileprivate func contains(_ other: Range<Int64>) -> Bool {
        lowerBound <= other.lowerBound && other.upperBound <= upperBound
    }
}
