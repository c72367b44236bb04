import struct FoundationEssentials.Date

/// The time as far as it can be trusted: edge machines may have no clock of their own, and start in 1970.
///
/// It is the latest of the machine's clock, the day this build was made, and the last time that was kept on disk.
public struct TrustedClock: Sendable, Hashable {
    /// No earlier than this build (2026-11-27).
    public static let build = Date(seconds: 1_795_737_600)

    /// The last time that was kept.
    public private(set) var floor: Date

    public init(kept: Date = Self.build) { floor = max(kept, Self.build) }

    /// - Parameter wall: the machine's clock.
    public mutating func now(_ wall: Date) -> Date {
        floor = max(floor, min(wall, floor.addingTimeInterval(Self.longestLeap)))
        return max(wall, floor)
    }

    /// Whether the machine's clock cannot be right.
    public func isBehind(_ wall: Date) -> Bool { wall < Self.build }

    /// A clock that was wrong by years once must not hold the node there for ever: the floor follows it by a day at a
    /// time.
    private static let longestLeap = 86_400.0
}
