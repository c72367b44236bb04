import Gossip

import struct FoundationEssentials.Date

/// The people of a simulated cluster: its root, its secret and its nodes' keys and certificates, the same in every
/// run of one seed. Made once and shared by all simulations of a process, since signing a thousand chains takes
/// longer than a short run.
package struct Population: Sendable {
    package let root: NodeKey
    package let secret: ClusterSecret
    package let members: [ClusterCredentials]
    /// The number of each node, by its id.
    package let numbers: [NodeID: Int]

    /// The root of those who would like to be members.
    package static let forger: NodeKey = {
        guard let key = try? NodeKey(seedBytes: Array(repeating: 66, count: 32)) else {
            preconditionFailure("32 bytes make a key")
        }
        return key
    }()

    /// The member whose word about names is believed alone.
    package static let resolver = 1

    /// When every simulation begins, by the clocks that are right.
    static let start = TrustedClock.build.addingTimeInterval(86_400)

    /// - Parameters:
    ///   - count: how many nodes.
    ///   - zones: nodes take them in turn.
    package init(seed: UInt64, count: Int, zones: [Zone] = [.standard]) throws {
        var random = SimulationRandom(seed: seed)
        func key(_ random: inout SimulationRandom) throws -> NodeKey {
            guard let key = try NodeKey(seedBytes: random.bytes(32)) else { throw NodeKeyError.noMemory }
            return key
        }
        root = try key(&random)
        guard let secret = try ClusterSecret(bytes: random.bytes(ClusterSecret.byteCount)) else {
            throw NodeKeyError.noMemory
        }
        self.secret = secret
        var members: [ClusterCredentials] = []
        var numbers: [NodeID: Int] = [:]
        for number in 0..<count {
            let own = try key(&random)
            let certificate = try Self.certificate(
                of: own.id, cluster: ClusterID(root: root.id), root: root, invitation: key(&random),
                serial: random.bytes(Serial.byteCount),
                zone: zones[number % zones.count], roles: number == Self.resolver ? [.resolver] : [])
            members.append(
                try ClusterCredentials(
                    key: own, secret: secret, root: root.id, certificate: certificate))
            numbers[own.id] = number
        }
        (self.members, self.numbers) = (members, numbers)
    }

    /// What a node of `root` shows; another root's than the cluster's makes a forgery.
    package static func certificate(
        of node: NodeID, cluster: ClusterID, root: NodeKey, invitation: NodeKey, serial: [UInt8], zone: Zone,
        roles: Roles = []
    ) throws -> NodeCertificate {
        guard let serial = Serial(bytes: serial) else { throw NodeKeyError.noMemory }
        let issued = start.addingTimeInterval(-3_600)
        return NodeCertificate(
            invitation: InvitationCertificate(
                cluster: cluster, key: invitation.id, serial: serial, zone: zone, roles: roles,
                issued: issued, joinBy: start.addingTimeInterval(7 * 86_400),
                expires: start.addingTimeInterval(730 * 86_400), root: root),
            node: node, joined: issued, key: invitation)
    }
}
