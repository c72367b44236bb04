import Content
import DequeModule
import Synchronization

/// Remembers for a while that upstream has nothing of a name, with its very words.
///
/// Only what an upstream said is remembered, never that it could not be asked. Bounded; the oldest goes
/// first. Memory only: after a restart upstream is asked again.
package final class NegativeCache: Sendable {
    package typealias Instant = ContinuousClock.Instant

    private struct State {
        var entries: [ReferenceName: (refusal: UpstreamRefusal, until: Instant)] = [:]
        var order: Deque<(name: ReferenceName, until: Instant)> = []
        /// Of the bodies in `entries`.
        var bytes = 0

        mutating func drop(_ name: ReferenceName) {
            bytes -= entries.removeValue(forKey: name)?.refusal.body.count ?? 0
        }
    }

    /// Bytes of error bodies remembered at most.
    private static let byteLimit = 16 << 20

    private let lifetime: Duration
    private let limit: Int
    private let state = Mutex(State())

    package init(lifetime: Duration, limit: Int) {
        self.lifetime = lifetime
        self.limit = limit
    }

    package func refusal(for name: ReferenceName, now: Instant) -> UpstreamRefusal? {
        state.withLock { state in
            guard let entry = state.entries[name], now < entry.until else { return nil }
            return entry.refusal
        }
    }

    package func remember(_ refusal: UpstreamRefusal, for name: ReferenceName, now: Instant) {
        state.withLock { state in
            let until = now + lifetime
            state.drop(name)
            state.entries[name] = (refusal, until)
            state.bytes += refusal.body.count
            state.order.append((name, until))
            while let oldest = state.order.first,
                oldest.until <= now || state.order.count > limit || state.bytes > Self.byteLimit
            {
                state.order.removeFirst()
                // A name that was remembered again since has a later place in the order.
                if state.entries[oldest.name]?.until == oldest.until { state.drop(oldest.name) }
            }
        }
    }

    package func forget(_ name: ReferenceName) {
        state.withLock { $0.drop(name) }
    }
}
