import Foundation
import Gossip

/// A root and what it has signed, for tests.
struct TestCluster {
    let root: NodeKey
    let secret: ClusterSecret
    let start = TrustedClock.build.addingTimeInterval(1000)
    var id: ClusterID { ClusterID(root: root.id) }

    init() throws {
        root = try NodeKey.generate()
        secret = try ClusterSecret.generate()
    }

    func invitation(
        key: NodeKey, serial: Serial = .random(), zone: Zone = .standard, roles: Roles = [],
        joinBy: TimeInterval = 86_400, expires: TimeInterval = 86_400 * 700, root signer: NodeKey? = nil,
        cluster: ClusterID? = nil
    ) -> InvitationCertificate {
        InvitationCertificate(
            cluster: cluster ?? id, key: key.id, serial: serial, zone: zone, roles: roles, issued: start,
            joinBy: start.addingTimeInterval(joinBy), expires: start.addingTimeInterval(expires),
            root: signer ?? root)
    }

    /// A node with a certificate of its own.
    func member(
        zone: Zone = .standard, roles: Roles = [], serial: Serial = .random()
    ) throws -> (key: NodeKey, certificate: NodeCertificate) {
        let (node, invitationKey) = (try NodeKey.generate(), try NodeKey.generate())
        let invitation = invitation(key: invitationKey, serial: serial, zone: zone, roles: roles)
        return (
            node, NodeCertificate(invitation: invitation, node: node.id, joined: start, key: invitationKey)
        )
    }

    func credentials(zone: Zone = .standard, roles: Roles = []) throws -> ClusterCredentials {
        let (key, certificate) = try member(zone: zone, roles: roles)
        return try ClusterCredentials(key: key, secret: secret, root: root.id, certificate: certificate)
    }

    func trust(strictExpiry: Bool = false) -> Trust {
        Trust(anchor: .root(root.id), cluster: id, strictExpiry: strictExpiry)
    }
}

extension Result {
    var failure: Failure? { if case .failure(let failure) = self { failure } else { nil } }
    var success: Success? { if case .success(let success) = self { success } else { nil } }
}
