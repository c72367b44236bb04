import ChunkStore
import Content

/// Ranges far ahead of the front: one upstream range, written into the same ingest, instead of waiting.
extension Flight {
    /// Sees to it that the bytes of `range` come: waits for the front when that will be there soon, else
    /// asks the source for them. Where a source cannot give a range safely, the front brings it in time.
    func bring(_ range: Range<Int64>) async throws {
        let (ingest, isLazy, began, place) = state.withLock {
            ($0.ingest, $0.isLazy, $0.began, $0.rangeSource)
        }
        guard let ingest, let place, place.validator != nil || order.expected != nil else { return }
        let present = ingest.present
        guard !present.contains(where: { $0.contains(range.lowerBound) }) else { return }
        let front = present.first.map { $0.lowerBound == 0 ? $0.upperBound : 0 } ?? 0
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        let rate = seconds > 0 ? Double(front) / seconds : 0
        if !isLazy, delivery.policy.reachesSoon(range.lowerBound, front: front, rate: rate) { return }
        state.withLock { state in
            state.asked += range.upperBound - range.lowerBound
            state.parked?.fulfil(true)
            state.parked = nil
        }
        let (result, _) = try await asides.run(range.lowerBound) {
            await self.fetchAside(range, of: place.source, validator: place.validator, into: ingest)
        }
        if case .failure(let failure) = result {
            delivery.logger.notice("\(order.name), bytes \(range): \(failure)")
        }
    }

    private func fetchAside(
        _ range: Range<Int64>, of source: any BodySource, validator: String?, into ingest: Ingest
    ) async -> Result<Void, DeliveryFailure> {
        do {
            let answer = try await source.open(
                from: range.lowerBound, to: range.upperBound, validator: validator)
            defer { answer.body.cancel() }
            guard answer.facts.offset == range.lowerBound, answer.facts.offset > 0 || validator != nil else {
                throw UpstreamFailure.unusable(upstream: source.name, reason: "it gives no ranges")
            }
            var offset = range.lowerBound
            while offset < range.upperBound, let bytes = try await answer.body.next() {
                try await ingest.write(BufferSource(buffer: bytes), at: offset)
                offset += Int64(bytes.readableBytes)
            }
            return .success(())
        } catch {
            return .failure(DeliveryFailure(error))
        }
    }
}
