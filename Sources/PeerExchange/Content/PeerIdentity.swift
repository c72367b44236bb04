package import Gossip

/// A member that was let in: who it is, and what its certificate lets it have.
package struct PeerIdentity: Hashable, Sendable {
    package let id: NodeID
    package let zone: Zone
    package let roles: Roles

    package init(id: NodeID, zone: Zone, roles: Roles) {
        self.id = id
        self.zone = zone
        self.roles = roles
    }

    /// Whether it may be given private content (architecture section 7).
    package var mayHavePrivate: Bool { roles.contains(.private) }

    /// The same member with nothing but what every member may have.
    var withoutRoles: PeerIdentity { PeerIdentity(id: id, zone: zone, roles: []) }
}
