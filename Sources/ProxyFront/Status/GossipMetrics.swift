public import Gossip
import Synchronization

/// What gossip moved over UDP and what was not let in, as the cluster counts it: the newest count is shown.
public final class GossipMetricsFamily: Metric {
    public struct Counts: Sendable {
        public var gossip: GossipCounters
        /// Handshakes over TCP that ended with a refusal, and first messages that got no answer.
        public var refusedHandshakes: UInt64
        public var droppedFirstMessages: UInt64

        public init(gossip: GossipCounters, refusedHandshakes: UInt64, droppedFirstMessages: UInt64) {
            self.gossip = gossip
            self.refusedHandshakes = refusedHandshakes
            self.droppedFirstMessages = droppedFirstMessages
        }
    }

    /// A type of its own, since a bare closure in a mutex gets one more thunk with every look at it.
    private struct Source: Sendable {
        let counts: @Sendable () -> Counts
    }

    private let told = Mutex<Source?>(nil)

    public init() {}

    /// Where the counts come from; asked whenever metrics are rendered.
    public func set(_ source: @escaping @Sendable () -> Counts) {
        told.withLock { $0 = Source(counts: source) }
    }

    public func render(into text: inout String) {
        guard let counts = told.withLock({ $0 })?.counts() else { return }
        func series(_ name: String, _ help: String, _ values: [(labels: String, value: UInt64)]) {
            MetricText.head(name, help, kind: "counter", into: &text)
            for (labels, value) in values { text += "\(name)\(labels) \(value)\n" }
        }
        let (gossip, drops) = (counts.gossip, counts.gossip.drops)
        series(
            "edgenode_gossip_datagrams_total", "Datagrams of gossip, by direction.",
            [
                (#"{direction="in"}"#, gossip.datagramsIn), (#"{direction="out"}"#, gossip.datagramsOut),
            ])
        series(
            "edgenode_gossip_bytes_total",
            "Bytes of gossip's datagrams without the headers below them, by direction.",
            [(#"{direction="in"}"#, gossip.bytesIn), (#"{direction="out"}"#, gossip.bytesOut)])
        series(
            "edgenode_gossip_send_failures_total", "Datagrams that the system did not take.",
            [("", gossip.sendFailures)])
        series(
            "edgenode_gossip_dropped_datagrams_total", "Datagrams that were not taken, by reason.",
            [
                (#"{reason="malformed"}"#, drops.malformed), (#"{reason="strange"}"#, drops.strange),
                (#"{reason="replayed"}"#, drops.replayed), (#"{reason="refused"}"#, drops.refused),
                (#"{reason="flooding"}"#, drops.flooding), (#"{reason="forged"}"#, drops.forged),
            ])
        series(
            "edgenode_peer_refused_handshakes_total",
            "Connections of nodes that are no members, refused with the reason or without an answer.",
            [
                (#"{answer="refused"}"#, counts.refusedHandshakes),
                (#"{answer="none"}"#, counts.droppedFirstMessages),
            ])
    }
}
