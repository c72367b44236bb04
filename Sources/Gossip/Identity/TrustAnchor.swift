import struct FoundationEssentials.Date

/// A node that the configuration lists.
public struct StaticMember: Hashable, Sendable {
    public var key: NodeID
    public var zone: Zone
    public var roles: Roles
    /// Where it is reached, `host:port`.
    public var address: String?

    public init(key: NodeID, zone: Zone = .standard, roles: Roles = [], address: String? = nil) {
        (self.key, self.zone, self.roles, self.address) = (key, zone, roles, address)
    }
}

/// What decides who is a member.
public enum TrustAnchor: Hashable, Sendable {
    /// Whoever has a certificate that this key stands behind.
    case root(NodeID)
    /// Whoever is on the list.
    case members([StaticMember])
}

/// What this node proves itself with.
public struct ClusterCredentials: Sendable {
    public let key: NodeKey
    public let secret: ClusterSecret
    public let anchor: TrustAnchor
    public let cluster: ClusterID
    /// Nil with a list of members.
    public let certificate: NodeCertificate?
    public let zone: Zone
    public let roles: Roles
    /// How datagrams name this node.
    public let tag: NodeTag

    public var id: NodeID { key.id }

    /// Those of a node that joined by invitation.
    /// - Throws: `TrustRefusal` when the certificate is not this node's, or not of this root.
    public init(
        key: NodeKey, secret: ClusterSecret, root: NodeID, certificate: NodeCertificate
    ) throws(TrustRefusal) {
        guard certificate.node == key.id else { throw .otherNode }
        cluster = ClusterID(root: root)
        try certificate.verify(root: root, cluster: cluster)
        self.key = key
        self.secret = secret
        anchor = .root(root)
        self.certificate = certificate
        (zone, roles) = (certificate.zone, certificate.roles)
        tag = secret.tag(of: key.id)
    }

    /// Those of a node that stands on a list.
    /// - Throws: `TrustRefusal.notListed` when it does not.
    public init(key: NodeKey, secret: ClusterSecret, members: [StaticMember]) throws(TrustRefusal) {
        guard let own = members.first(where: { $0.key == key.id }) else { throw .notListed }
        self.key = key
        self.secret = secret
        anchor = .members(members)
        cluster = ClusterID(staticListWith: secret)
        certificate = nil
        (zone, roles) = (own.zone, own.roles)
        tag = secret.tag(of: key.id)
    }
}
