import ChunkStore
import Content

/// The beginning of a flight: what is held, what an earlier transfer left, and which source answers.
extension Flight {
    /// Runs the flight to its end.
    func run() async {
        await followPredecessor()
        do {
            if let (reference, object) = try await delivery.local(order.name) {
                state.withLock { $0.isClosed = true }
                head.fulfil(.success(.held(reference, object)))
                return
            }
            try await fetch()
        } catch {
            await fail(DeliveryFailure(error))
        }
    }

    private func fetch() async throws {
        let feed = ProofFeed(order.proof(), expected: order.expected)
        let partial = try await partial(feed)
        let choice = await peerChoice()
        var transfer: Transfer
        if case .peers(let body)? = choice, let begun = try await begin(body, partial, feed) {
            transfer = begun
        } else if let partial, let resumed = try await resume(partial, feed) {
            transfer = resumed
        } else {
            let probes = probes(front: 0)
            let (answer, index) = try await open(from: 0, to: probes ? 1 : nil)
            transfer = Transfer(flight: self, feed: feed, answer: answer, index: index, isProbe: probes)
        }
        if case .upstream(let lease)? = choice { transfer.lease = lease }
        do {
            try await transfer.begin()
            try await transfer.receiveAll()
            try await transfer.finish()
        } catch {
            transfer.answer.body.cancel()
            throw error
        }
    }

    /// What an earlier transfer left of a body that is named by its digest, before a restart or a cut.
    private func partial(_ feed: ProofFeed) async throws -> Ingest? {
        guard let expected = order.expected else { return nil }
        do {
            return try await delivery.store.parkedIngest(expected: expected, observer: feed)
        } catch {
            delivery.logger.notice("\(order.name): what was kept of it cannot be read: \(error)")
            return nil
        }
    }

    /// Goes on with a partial. A source is asked whatever is there, and says that this client may have it.
    /// - Returns: nil when the partial is of no use: it is dropped then.
    private func resume(_ partial: Ingest, _ feed: ProofFeed) async throws -> Transfer? {
        // Of a whole one the last byte is asked for.
        let start = min(partial.front, partial.size.map { max(0, $0 - 1) } ?? .max)
        state.withLock { $0.ingest = partial }
        let probes = probes(front: start)
        let answer: UpstreamAnswer
        let index: Int
        do throws(UpstreamFailure) {
            (answer, index) = try await open(from: start, to: probes ? start + 1 : nil)
        } catch {
            guard case .refused(let refusal) = error, refusal.status == 416 else { throw error }
            await drop(partial)
            return nil
        }
        let total = order.size ?? answer.facts.total
        let fits = partial.size == nil || total == nil || total == partial.size
        guard fits, answer.facts.offset == start || answer.facts.offset == 0 else {
            answer.body.cancel()
            await drop(partial)
            return nil
        }
        return Transfer(
            flight: self, feed: feed, answer: answer, index: index, isProbe: probes, partial: partial)
    }

    func drop(_ partial: Ingest) async {
        state.withLock { $0.ingest = nil }
        await partial.abandon()
    }

    /// Whether no more than a byte is asked for at first: the reader wants a part far from the front, and how
    /// large the body is decides how much of it is fetched.
    private func probes(front: Int64) -> Bool {
        order.expected != nil && firstByte > front + TransferPolicy.nearby
    }

    func open(
        from start: Int64, to end: Int64?
    ) async throws(UpstreamFailure) -> (UpstreamAnswer, index: Int) {
        var pauses = order.expected == nil ? [] : delivery.policy.retryPauses[...]
        while true {
            do {
                return try await order.sources.firstSuccess { source throws(UpstreamFailure) in
                    try await source.open(from: start, to: end, validator: nil)
                }
            } catch {
                guard error.isHiccup, let pause = pauses.popFirst() else { throw error }
                try? await Task.sleep(for: max(pause, error.askedPatience ?? .zero))
            }
        }
    }
}

extension Ingest {
    /// Where the gapless bytes from 0 on end.
    var front: Int64 { present.first.map { $0.lowerBound == 0 ? $0.upperBound : 0 } ?? 0 }
}

extension UpstreamFailure {
    /// A server that is there and failed once, as against one that is not there.
    var isHiccup: Bool {
        switch self {
        case .refused(let refusal): refusal.status >= 500 || askedPatience != nil
        case .cutShort: true
        default: false
        }
    }
}
