package import Gossip
internal import Synchronization

/// What moved between this node and each peer, for metrics and status.
package final class ExchangeCounters: Sendable {
    package struct Peer: Hashable, Sendable {
        /// Bytes of content that came from it, and that it was given.
        package var bytesIn: UInt64 = 0
        package var bytesOut: UInt64 = 0
        package var calls: UInt64 = 0
        package var failures: UInt64 = 0
        /// What it sent was not what it should have been.
        package var lies: UInt64 = 0
        package var lastLie: String?

        package init() {}
    }

    private struct State {
        var peers: [NodeID: Peer] = [:]
        var handshakesRefused: UInt64 = 0
        var firstMessagesDropped: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    package var peers: [NodeID: Peer] { state.withLock { $0.peers } }
    /// Handshakes that ended with a refusal, and first messages that were not even answered.
    package var refused: (handshakes: UInt64, firstMessages: UInt64) {
        state.withLock { ($0.handshakesRefused, $0.firstMessagesDropped) }
    }

    package func count(_ node: NodeID, _ change: (inout Peer) -> Void) {
        state.withLock { state in
            guard state.peers[node] != nil || state.peers.count < 16_384 else { return }
            change(&state.peers[node, default: Peer()])
        }
    }

    func handshakeRefused() { state.withLock { $0.handshakesRefused += 1 } }
    func firstMessageDropped() { state.withLock { $0.firstMessagesDropped += 1 } }
}
