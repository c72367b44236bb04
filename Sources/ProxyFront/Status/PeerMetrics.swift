import Synchronization

/// What moved between this node and each of its peers, as the exchange counts it: the newest count is shown.
public final class PeerMetricsFamily: Metric {
    /// Series at most: clusters are larger than what a metrics server should be given.
    static let maximumPeers = 64

    /// A type of its own, since a bare closure in a mutex gets one more thunk with every look at it.
    private struct Source: Sendable {
        let counts: @Sendable () -> [NodeStatus.Peer]
    }

    private let told = Mutex<Source?>(nil)

    public init() {}

    /// Where the counts come from; asked whenever metrics are rendered.
    public func set(_ source: @escaping @Sendable () -> [NodeStatus.Peer]) {
        told.withLock { $0 = Source(counts: source) }
    }

    public func render(into text: inout String) {
        guard let source = told.withLock({ $0 }) else { return }
        let peers = source.counts().prefix(Self.maximumPeers)
        func series(_ name: String, _ help: String, _ kind: String, _ value: (NodeStatus.Peer) -> String) {
            MetricText.head(name, help, kind: kind, into: &text)
            for peer in peers {
                text += "\(name){peer=\"\(MetricText.escaped(peer.node))\"} \(value(peer))\n"
            }
        }
        series("edgenode_peer_up", "1 while a peer is alive, by peer.", "gauge") {
            $0.state == "alive" ? "1" : "0"
        }
        series("edgenode_peer_objects", "Objects that a peer says it holds, by peer.", "gauge") {
            String($0.objects)
        }
        series("edgenode_peer_received_bytes_total", "Content bytes that came from a peer.", "counter") {
            String($0.receivedBytes)
        }
        series("edgenode_peer_sent_bytes_total", "Content bytes that a peer was given.", "counter") {
            String($0.sentBytes)
        }
        series(
            "edgenode_peer_lies_total", "How often what a peer sent was not what it should have been.",
            "counter"
        ) { String($0.lies) }
    }
}
