package import Gossip
internal import Synchronization

internal import struct FoundationEssentials.Date

/// Tries the ways to other members and back, over UDP and TCP, for a person who wants to know why nodes do not meet.
package final class PeerTrials: Sendable {
    /// Of one member's wishes one is fulfilled in so much time: a trial costs a handshake.
    private static let pause = Duration.seconds(2)

    private let gossip: GossipService
    private let connections: PeerConnections
    private let lately = Mutex<[NodeID: ContinuousClock.Instant]>([:])

    package init(gossip: GossipService, connections: PeerConnections) {
        self.gossip = gossip
        self.connections = connections
    }

    /// Tries the ways from here to a member; takes ten seconds at most. `silence` is not filled in.
    package func run(_ node: NodeID) async -> PeerTrial {
        async let datagram = gossip.tryDatagram(to: node, .usual)
        async let largest = gossip.tryDatagram(to: node, .largest)
        var trial = PeerTrial(clock: Date())
        do throws(PeerFailure) { trial.stream = try await connections.tryDialling(node) } catch {
            trial.streamFailure = "\(error)"
        }
        (trial.datagram, trial.largestDatagram) = await (datagram, largest)
        trial.clock = Date()
        return trial
    }

    /// Has a member try the ways from there to this node.
    package func runBack(_ node: NodeID) async throws(PeerFailure) -> PeerTrial {
        // Whoever asks twice within two seconds is asked to wait once.
        for isLast in [false, true] {
            // It says when it last heard of this node, so it hears of it now, a moment before it is asked.
            async let _ = gossip.tryDatagram(to: node, .usual)
            try? await Task.sleep(for: .milliseconds(50))
            switch try await connections.call(
                .trial, of: node, within: .init(silence: .seconds(15), inAll: .seconds(15)))
            {
            case .ok(let bytes):
                do { return try PeerTrial(parsing: bytes) } catch { throw .malformed("\(error)") }
            case .busy(let pause) where !isLast:
                try? await Task.sleep(for: .milliseconds(Int64(min(pause, 3000))))
            case .busy: throw .malformed("it is busy with other trials")
            case .unsupported: throw .malformed("it runs a version that cannot try the way back")
            case let other: throw .malformed("\(other)")
            }
        }
        throw .timedOut
    }

    /// Since the last datagram of a member.
    package func silence(of node: NodeID) async -> Duration? { await gossip.silence(of: node) }

    /// Answers a member that asks for a trial of the ways to it.
    package func answer(_ node: NodeID) async -> PeerReply {
        let now = ContinuousClock.now
        let isWelcome = lately.withLock { lately in
            lately = lately.filter { now - $0.value < Self.pause }
            guard lately[node] == nil, lately.count < 16 else { return false }
            lately[node] = now
            return true
        }
        guard isWelcome else { return .busy(2000) }
        // Before this node's own pings, whose answers would count as signs of life.
        let silence = await gossip.silence(of: node)
        var trial = await run(node)
        trial.silence = silence
        return .ok(trial.encoded)
    }
}
