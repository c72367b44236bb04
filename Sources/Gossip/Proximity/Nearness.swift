/// How near a member is, as probes and transfers found it: exponentially weighted means, as TCP keeps its own
/// (RFC 6298, section 2).
package struct Nearness: Sendable {
    package private(set) var roundTrip: Duration?
    package private(set) var throughput: Double?
    private var failures = 0
    package private(set) var demotedUntil = GossipTime()

    package init() {}

    package mutating func sample(_ roundTrip: Duration) {
        self.roundTrip = self.roundTrip.map { ($0 * 7 + roundTrip) / 8 } ?? roundTrip
    }

    package mutating func sample(throughput: Double) {
        self.throughput = self.throughput.map { ($0 * 3 + throughput) / 4 } ?? throughput
        failures = 0
    }

    /// The data path failed: the member is asked last, for 2 s at first and a minute at most.
    package mutating func failed(now: GossipTime, isLie: Bool = false) {
        failures = min(failures + 1, 6)
        let seconds = isLie ? 600 : min(60, 1 << failures)
        demotedUntil = max(demotedUntil, now + .seconds(seconds))
    }

    package func isDemoted(now: GossipTime) -> Bool { demotedUntil > now }

    /// Seconds that a MiB would take; what is unknown counts as a fast neighbour, so that it is tried.
    package var cost: Double {
        let wait = (roundTrip ?? .milliseconds(1)) / .seconds(1)
        return wait + 1_048_576 / max(throughput ?? 50_000_000, 1)
    }
}
