import Content
import Foundation
import Gossip

/// Making a cluster, inviting to it, joining it: what the commands do, without a terminal.
struct ClusterAdmission {
    let folder: ClusterFolder
    let key: NodeKey
    var now: () -> Date = { max(Date(), TrustedClock.build) }

    private static let certificateLife = 2 * 365 * 86_400.0

    /// Makes root and secret, and this node the first member.
    func makeCluster(zone: Zone, roles: Roles) throws(CommandFailure) -> ClusterID {
        guard !folder.isJoined, access(folder.rootKey, F_OK) != 0 else {
            throw CommandFailure(
                .cannotCreate,
                "this node is in a cluster already (\(folder.path)); take that folder away to make a new one")
        }
        try folder.create()
        let root = try rootKey(making: true)
        let secret: ClusterSecret
        do { secret = try ClusterSecret.generate() } catch { throw CommandFailure(.unavailable, "\(error)") }
        try folder.write(secret)
        let token = try invitation(
            root: root, secret: secret, seeds: [], zone: zone, roles: roles, valid: 3600)
        try accept(token)
        return ClusterID(root: root.id)
    }

    /// A token for one more node.
    /// - Parameter valid: seconds in which it may be used.
    func invite(seeds: [ClusterSeed], zone: Zone, roles: Roles, valid: Double) throws(CommandFailure)
        -> ClusterToken
    {
        let root = try rootKey(making: false)
        return try invitation(
            root: root, secret: try folder.readSecret(), seeds: seeds, zone: zone, roles: roles, valid: valid)
    }

    private func invitation(
        root: NodeKey, secret: ClusterSecret, seeds: [ClusterSeed], zone: Zone, roles: Roles, valid: Double
    ) throws(CommandFailure) -> ClusterToken {
        let seed = Blake2b.random(32)
        let oneTime = try key(seed)
        let now = now()
        let invitation = InvitationCertificate(
            cluster: ClusterID(root: root.id), key: oneTime.id, serial: .random(), zone: zone, roles: roles,
            issued: now, joinBy: now.addingTimeInterval(valid),
            expires: now.addingTimeInterval(Self.certificateLife), root: root)
        return ClusterToken(
            root: root.id, secret: secret, seeds: seeds, keySeed: seed, invitation: invitation)
    }

    /// Makes this node a member; nothing is asked of anybody.
    func join(_ token: ClusterToken) throws(CommandFailure) {
        guard !folder.isJoined else {
            throw CommandFailure(
                .cannotCreate,
                "this node is in a cluster already; take \(folder.path) away to join another one")
        }
        try folder.create()
        try folder.write(token.secret)
        try accept(token)
    }

    private func accept(_ token: ClusterToken) throws(CommandFailure) {
        guard now() <= token.invitation.joinBy else {
            throw CommandFailure(
                .noPermission,
                "this node refuses the token: it was to be used until \(token.invitation.joinBy.ISO8601Format()), and the clock says \(now().ISO8601Format()); set the clock, or have another token made with `edgenode cluster invite`"
            )
        }
        do {
            let oneTime = try key(token.keySeed)
            let certificate = NodeCertificate(
                invitation: token.invitation, node: key.id, joined: now(), key: oneTime)
            // Refuses a token whose parts do not belong together.
            _ = try ClusterCredentials(
                key: key, secret: token.secret, root: token.root, certificate: certificate)
            try ClusterMembership(root: token.root, certificate: certificate, seeds: token.seeds)
                .write(to: folder.membership)
        } catch let refusal as TrustRefusal {
            throw CommandFailure(.badData, "this node refuses the token: \(refusal)")
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.badData, "the token cannot be used: \(error)")
        }
    }

    private func key(_ seed: [UInt8]) throws(CommandFailure) -> NodeKey {
        do {
            guard let key = try NodeKey(seedBytes: seed) else {
                throw CommandFailure(.badData, "the key of the invitation has another length")
            }
            return key
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.unavailable, "\(error)")
        }
    }

    /// A list with one more serial or key, signed by the root, kept here.
    func revoke(serial: Serial?, node: NodeID?) throws(CommandFailure) -> RevocationList {
        let root = try rootKey(making: false)
        let last = try folder.readRevocations()
        let list = RevocationList(
            cluster: ClusterID(root: root.id), number: (last?.number ?? 0) + 1, issued: now(),
            serials: Set(last?.serials ?? []).union(serial.map { [$0] } ?? []),
            keys: Set(last?.keys ?? []).union(node.map { [$0] } ?? []), root: root)
        try folder.write(list)
        return list
    }

    private func rootKey(making: Bool) throws(CommandFailure) -> NodeKey {
        do {
            return try making
                ? NodeKeyFile.create(at: folder.rootKey) : NodeKeyFile.load(from: folder.rootKey)
        } catch {
            throw CommandFailure(
                .noInput,
                "the cluster's root key \(folder.rootKey) cannot be used (\(error)); it stands where `edgenode cluster init` was run, or where it was moved to: copy it back for as long as it is needed"
            )
        }
    }
}
