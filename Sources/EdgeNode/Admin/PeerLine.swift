import Foundation
import Gossip
import PeerExchange
import ProxyFront

/// One member as the running node sees it, for `edgenode peers`.
package struct PeerLine: Codable, Sendable {
    var node: String
    var address: String
    var zone: String
    var roles: [String]
    var state: String
    var software: String
    /// Milliseconds.
    var roundTrip: Double?
    /// Bytes a second.
    var throughput: Double?
    var holds: Int
    /// Bytes of content.
    var bytesIn: UInt64
    var bytesOut: UInt64
    var failures: UInt64
    /// What it sent that it should not have sent, the last time; nil = never.
    var blamedFor: String?
    /// Days until its certificate expires.
    var expiresInDays: Int?
    /// Seconds since its last datagram.
    var silence: Double?
}

/// What commands ask of a node that is in a cluster.
package protocol ClusterAdministration: Sendable {
    var report: ClusterLine { get }
    /// Takes the revocation list of the data folder over and passes it on.
    func takeRevocations() throws
    /// Tries the ways to every member and back; takes up to half a minute.
    func tryPeers() async -> [TrialLine]
}

/// This node in its cluster.
package struct ClusterLine: Codable, Sendable {
    var cluster: String
    var node: String
    var address: String
    var zone: String
    var roles: [String]
    var holds: Int
    var revocationList: UInt64
    var datagramsIn: UInt64
    var datagramsOut: UInt64
    var datagramBytesIn: UInt64
    var datagramBytesOut: UInt64
    var peers: [PeerLine]
    /// Who showed itself of late and is no member.
    var refused: [Refused]?

    package struct Refused: Codable, Sendable {
        var node: String
        var reason: String
    }
}

extension ClusterLink: ClusterAdministration {
    package var report: ClusterLine {
        let peers = network.counters.peers
        let counters = gossip.counters
        let credentials = gossip.credentials
        return ClusterLine(
            cluster: "\(credentials.cluster)", node: "\(credentials.id)", address: "\(gossip.endpoint)",
            zone: credentials.zone.text, roles: credentials.roles.names, holds: gossip.inventoryCount,
            revocationList: gossip.revocationNumber, datagramsIn: counters.datagramsIn,
            datagramsOut: counters.datagramsOut, datagramBytesIn: counters.bytesIn,
            datagramBytesOut: counters.bytesOut,
            peers: gossip.members.sorted { ($0.zone, $0.node.description) < ($1.zone, $1.node.description) }
                .map { view in
                    let moved = peers[view.node] ?? ExchangeCounters.Peer()
                    return PeerLine(
                        node: "\(view.node)", address: "\(view.endpoint)", zone: view.zone.text,
                        roles: view.roles.names, state: view.state.rawValue, software: view.software,
                        roundTrip: view.roundTrip.map { $0 / .milliseconds(1) }, throughput: view.throughput,
                        holds: view.inventoryCount, bytesIn: moved.bytesIn, bytesOut: moved.bytesOut,
                        failures: moved.failures, blamedFor: moved.lastLie,
                        expiresInDays: view.expires.map {
                            Int($0.timeIntervalSince(TrustedClock().nowOfDay) / 86_400)
                        },
                        silence: view.silence.map { $0 / .seconds(1) })
                },
            refused: gossip.refused.map { .init(node: "\($0.node)", reason: "\($0.refusal)") })
    }

    /// The members as metrics and status show them.
    package var peers: [NodeStatus.Peer] {
        let moved = network.counters.peers
        return gossip.members.map { view in
            let counts = moved[view.node] ?? ExchangeCounters.Peer()
            return NodeStatus.Peer(
                node: "\(view.node)", zone: view.zone.text, state: view.state.rawValue,
                address: "\(view.endpoint)",
                roundTripMilliseconds: view.roundTrip.map { $0 / .milliseconds(1) },
                objects: view.inventoryCount,
                receivedBytes: counts.bytesIn, sentBytes: counts.bytesOut, lies: counts.lies,
                lastLie: counts.lastLie, software: view.software)
        }
    }

    /// What gossip moved, for metrics.
    package var gossipCounts: GossipMetricsFamily.Counts {
        let refused = network.counters.refused
        return GossipMetricsFamily.Counts(
            gossip: gossip.counters, refusedHandshakes: refused.handshakes,
            droppedFirstMessages: refused.firstMessages)
    }

    package func takeRevocations() throws {
        if let list = try files.readRevocations() { gossip.take(list) }
    }
}

extension TrustedClock {
    /// The machine's clock, but not before the build.
    fileprivate var nowOfDay: Date { max(Date(), Self.build) }
}
