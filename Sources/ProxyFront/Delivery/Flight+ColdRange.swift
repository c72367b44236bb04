import ChunkStore
import Content

/// Ranges far ahead of the front: one upstream range, written into the same ingest, instead of waiting.
extension Flight {
    /// Whether the body stands still, and somewhere before `offset`.
    func isLazy(beyond offset: Int64) -> Bool {
        let (ingest, isLazy) = state.withLock { ($0.ingest, $0.isLazy) }
        guard isLazy, let ingest else { return false }
        return offset > ingest.front + TransferPolicy.nearby
    }

    /// Sees to it that the bytes of `range` come, and returns without waiting for them: the front when that
    /// will be there soon, else a request for the range alone. Where a source cannot give a range safely, the
    /// front brings it in time.
    func bring(_ range: Range<Int64>) {
        let (ingest, place) = state.withLock { ($0.ingest, $0.rangeSource) }
        guard let ingest, let place, place.validator != nil || order.expected != nil else { return }
        let present = ingest.present
        guard !present.contains(where: { $0.contains(range.lowerBound) }) else { return }
        let front = present.first.map { $0.lowerBound == 0 ? $0.upperBound : 0 } ?? 0
        guard claims(range, front: front, total: ingest.size) else { return }
        Task.detached {
            let result = await self.fetchAside(
                range, of: place.source, validator: place.validator, into: ingest)
            self.endAside(range, result)
        }
    }

    /// Whether the range is to be asked for by itself; counts it.
    private func claims(_ range: Range<Int64>, front: Int64, total: Int64?) -> Bool {
        let policy = delivery.policy
        let (claimed, parked): (Bool, OneShot<Bool>?) = state.withLock { state in
            guard !state.asides.contains(where: { $0.contains(range.lowerBound) }) else {
                return (false, nil)
            }
            let seconds = (ContinuousClock.now - state.began) / .seconds(1)
            let rate = seconds > 0 ? Double(front) / seconds : 0
            if !state.isLazy, policy.reachesSoon(range.lowerBound, front: front, rate: rate) {
                return (false, nil)
            }
            state.asked += range.upperBound - range.lowerBound
            defer { state.parked = nil }
            // The front is about to start from here: a second request for the same bytes gains nothing.
            if state.isLazy, let total, policy.fillsWhole(asked: state.asked, total: total),
                range.lowerBound - front <= TransferPolicy.nearby
            {
                return (false, state.parked)
            }
            state.asides.append(range)
            return (true, state.parked)
        }
        parked?.fulfil(true)
        return claimed
    }

    private func endAside(_ range: Range<Int64>, _ result: Result<Void, DeliveryFailure>) {
        let parked: OneShot<Bool>? = state.withLock { state in
            if let index = state.asides.firstIndex(of: range) { state.asides.remove(at: index) }
            guard case .failure(let failure) = result, failure != .cancelled else { return nil }
            // Whoever waits for these bytes gets them from the front, which must not stand still then.
            state.asked = .max
            defer { state.parked = nil }
            return state.parked
        }
        parked?.fulfil(true)
        if case .failure(let failure) = result, failure != .cancelled {
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
            if order.expected == nil, let validator, let other = answer.facts.validator, other != validator {
                throw UpstreamFailure.unusable(upstream: source.name, reason: "it has other bytes now")
            }
            var offset = range.lowerBound
            while offset < range.upperBound, let bytes = try await answer.body.next() {
                try await ingest.write(BufferSource(buffer: bytes), at: offset)
                offset += Int64(bytes.readableBytes)
                if state.withLock({ $0.readers.isEmpty }) { throw DeliveryFailure.cancelled }
            }
            guard offset >= range.upperBound else {
                throw UpstreamFailure.cutShort(
                    upstream: source.name, received: offset - range.lowerBound, expected: answer.facts.length)
            }
            return .success(())
        } catch {
            return .failure(DeliveryFailure(error))
        }
    }
}
