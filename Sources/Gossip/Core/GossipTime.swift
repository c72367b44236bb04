/// A moment on a node's monotonic clock: nanoseconds since some start of its own.
public struct GossipTime: Hashable, Comparable, Sendable {
    public var nanoseconds: UInt64

    public init(nanoseconds: UInt64 = 0) { self.nanoseconds = nanoseconds }

    public static func < (left: GossipTime, right: GossipTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    public static func + (time: GossipTime, span: Duration) -> GossipTime {
        GossipTime(nanoseconds: time.nanoseconds &+ UInt64(max(0, span.nanoseconds)))
    }

    /// The time between two moments; zero when `right` is the later one.
    public static func - (left: GossipTime, right: GossipTime) -> Duration {
        .nanoseconds(
            Int64(clamping: left.nanoseconds > right.nanoseconds ? left.nanoseconds - right.nanoseconds : 0))
    }

    public static let distantFuture = GossipTime(nanoseconds: .max)
}

extension Duration {
    /// Whole nanoseconds, clamped to 64 bits.
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let whole = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !whole.overflow else { return seconds < 0 ? .min : .max }
        return whole.partialValue.addingReportingOverflow(attoseconds / 1_000_000_000).partialValue
    }
}
