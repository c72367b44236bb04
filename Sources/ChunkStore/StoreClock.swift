import struct FoundationEssentials.Date

#if canImport(Glibc)
    import Glibc
#endif

/// Where the store takes the time of day from; tests hand in their own.
public struct StoreClock: Sendable {
    /// Milliseconds since 1970.
    public let milliseconds: @Sendable () -> Int64

    public init(milliseconds: @escaping @Sendable () -> Int64) {
        self.milliseconds = milliseconds
    }

    public var now: Date { Date(milliseconds: milliseconds()) }

    /// The machine's clock, to a few milliseconds: it is read at every hit.
    public static let system = StoreClock {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

extension Date {
    package init(milliseconds: Int64) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    /// Milliseconds since 1970, as the index stores times.
    package var milliseconds: Int64 { Int64((timeIntervalSince1970 * 1000).rounded()) }
}
