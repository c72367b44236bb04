/// The time of a simulated network: it moves only when the simulation says so.
package struct VirtualClock: Sendable {
    /// Nanoseconds since the simulation began.
    package private(set) var nanoseconds: UInt64 = 0

    package init() {}

    /// - Precondition: time does not run backwards.
    package mutating func advance(to time: UInt64) {
        precondition(time >= nanoseconds, "time runs forwards")
        nanoseconds = time
    }
}
