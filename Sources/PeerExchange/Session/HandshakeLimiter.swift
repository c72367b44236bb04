internal import Synchronization

/// How many handshakes an address may begin: some a second, and some at once (docs/wire-formats.md, "Handshake").
package final class HandshakeLimiter: Sendable {
    private struct Bucket {
        var tokens: Double
        var last: ContinuousClock.Instant
    }

    private struct State {
        var buckets: [String: Bucket] = [:]
        var running = 0
    }

    private let rate: Double
    private let atOnce: Int
    private static let addressLimit = 4096
    private let state = Mutex(State())

    package init(perSecond: Int = 20, atOnce: Int = 64) {
        rate = Double(perSecond)
        self.atOnce = atOnce
    }

    /// Whether one more may begin; `end` must follow then.
    package func begin(_ address: String, now: ContinuousClock.Instant = .now) -> Bool {
        state.withLock { state in
            guard state.running < atOnce else { return false }
            var bucket = state.buckets[address] ?? Bucket(tokens: rate, last: now)
            bucket.tokens = min(rate, bucket.tokens + (now - bucket.last) / .seconds(1) * rate)
            bucket.last = now
            defer { state.buckets[address] = bucket }
            if state.buckets.count >= Self.addressLimit {
                let rate = rate
                state.buckets = state.buckets.filter { (now - $0.value.last) / .seconds(1) * rate < rate }
            }
            guard bucket.tokens >= 1 else { return false }
            bucket.tokens -= 1
            state.running += 1
            return true
        }
    }

    package func end() { state.withLock { $0.running -= 1 } }
}
