import ChunkStore
import Content
import NIOCore

/// Bytes from other nodes: written at any offset, beside the sequential body of an upstream. Between the two a
/// transfer may change either way, at the byte where the gapless ones end.
extension Transfer {
    /// Takes what peers give, from one choice of them after another.
    /// - Returns: true when every byte is there; false when upstream is to bring the rest.
    /// - Throws: `DeliveryFailure.cancelled` when nobody wants the body any more.
    mutating func receive(from first: any PeerBody) async throws -> Bool {
        guard let ingest else { return false }
        var next: (any PeerBody)? = first
        while let body = next, peerTries > 0 {
            peerTries -= 1
            next = nil
            note(body)
            let before = ingest.presentCount
            let failure = await run(body, into: ingest)
            // Only tries that bring nothing are counted.
            if ingest.presentCount > before { peerTries = Self.peerTriesAtMost }
            guard let failure else {
                offset = total ?? ingest.size ?? ingest.front
                return true
            }
            offset = ingest.front
            delivery.logger.notice("\(order.name) at byte \(offset): \(body.peer): \(failure)")
            if failure is CancellationError {
                do { try await park() } catch UpstreamFailure.cancelled {
                    // Somebody came.
                }
            }
            if let total, offset == total { return true }
            switch await flight.peerChoice() {
            case .peers(let other)? where flight.admits(other.facts, total: total) && continues(body, other):
                next = other
            case .upstream(let lease)?: isFed(under: lease)
            default: isFed(under: nil)
            }
        }
        if next != nil { isFed(under: nil) }
        return false
    }

    /// From now on the bytes come from upstream.
    private mutating func isFed(under lease: (any PeerLease)?) {
        self.lease = lease
        flight.state.withLock { $0.isFed = true }
    }

    /// Whether the bytes of `next` may follow those of `body`: where the name is no digest, only if both are known to
    /// be the same ones.
    private func continues(_ body: any PeerBody, _ next: any PeerBody) -> Bool {
        if order.expected != nil || ingest?.presentCount == 0 { return true }
        return body.facts.digest != nil && body.facts.digest == next.facts.digest
    }

    private mutating func note(_ body: any PeerBody) {
        lease = nil
        sourceName = body.peer.description
        if !givers.contains(sourceName) { givers.append(sourceName) }
        if !peerGivers.contains(body.peer) { peerGivers.append(body.peer) }
        flight.state.withLock { state in
            state.isFromPeers = true
            state.isFed = false
            state.rangeSource = nil
        }
    }

    /// - Returns: why peers gave no more; nil when every byte is there.
    private func run(_ body: any PeerBody, into ingest: Ingest) async -> (any Error)? {
        let (flight, total) = (flight, total)
        let running = Task { () -> (any Error)? in
            do {
                try await body.run(into: ingest, reading: { flight.lowestPosition })
                return nil
            } catch {
                return Task.isCancelled ? CancellationError() : error
            }
        }
        flight.state.withLock { state in
            state.whenLonely = {
                if flight.shouldPark(received: ingest.presentCount, total: total) { running.cancel() }
            }
        }
        let failure = await running.value
        flight.state.withLock { $0.whenLonely = nil }
        return failure
    }

    /// Goes on upstream behind what peers gave. What they gave of a body that has no digest for a name counts only
    /// if upstream's bytes are the same.
    mutating func continueUpstream() async throws {
        let start = order.expected == nil ? 0 : offset
        let giver = sourceName
        let (next, index) = try await flight.open(from: start, to: nil)
        do {
            try await adopt(next, index: index)
        } catch is Differs {
            throw DeliveryFailure.bytesDiffer(
                first: giver, second: order.sources[index].member.name, at: offset)
        }
    }

    /// Upstream died: lets peers bring the rest of a body that is named by its digest.
    mutating func peersGoOn() async throws -> Bool {
        guard order.expected != nil, relay == nil, peerTries > 0, !Task.isCancelled else { return false }
        // Given back before another one is asked for: the owner would take the later word for the new one's end.
        lease = nil
        switch await flight.peerChoice() {
        case .peers(let body)? where flight.admits(body.facts, total: total):
            return try await receive(from: body)
        case .upstream(let lease)?: isFed(under: lease)
        default: isFed(under: nil)
        }
        return false
    }

    /// Holds bytes from upstream against those that are there ahead of them: from peers, or brought by ranges of what
    /// upstream may have had before.
    /// - Throws: `DeliveryFailure.bytesDiffer`: the body is given up, and fetched again, without peers if they gave some.
    func compareWithHeld(_ bytes: ByteBuffer) async throws {
        guard order.expected == nil, let ingest, ingest.presentCount > offset else { return }
        let range = offset..<offset + Int64(bytes.readableBytes)
        for held in ingest.present where held.overlaps(range) {
            let both = held.clamped(to: range)
            let start = bytes.readerIndex + Int(both.lowerBound - range.lowerBound)
            let part = bytes.viewBytes(at: start, length: both.count)
            guard try await part?.elementsEqual(ingest.read(both)) == true else {
                throw DeliveryFailure.bytesDiffer(
                    first: peerGivers.first?.description ?? "an earlier answer", second: sourceName,
                    at: both.lowerBound)
            }
        }
    }

    /// Names the peer that vouched for bytes which turned out wrong; nobody, when others gave bytes too.
    func convict(_ what: String) async {
        guard peerGivers.count == 1, givers == [peerGivers[0].description] else { return }
        await delivery.peers?.lied(peerGivers[0], what: what)
    }
}

/// The body of a transfer that has no upstream yet.
struct NoBody: UpstreamBody {
    func next() async throws(UpstreamFailure) -> ByteBuffer? { nil }
    func cancel() {}
}
