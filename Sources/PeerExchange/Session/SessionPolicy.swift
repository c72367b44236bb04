package import Gossip

/// Who this node is towards peers, and what a session needs to know.
package struct SessionIdentity: Sendable {
    package let credentials: ClusterCredentials
    /// What this node shows.
    package let card: @Sendable () -> MemberCard
    /// Whether the other side is a member.
    package let admit: @Sendable (MemberCard) async -> Result<Trust.Admission, TrustRefusal>

    package init(
        credentials: ClusterCredentials, card: @escaping @Sendable () -> MemberCard,
        admit: @escaping @Sendable (MemberCard) async -> Result<Trust.Admission, TrustRefusal>
    ) {
        (self.credentials, self.card, self.admit) = (credentials, card, admit)
    }
}

/// Bounds of a session.
package struct SessionLimits: Sendable {
    package var handshakeTimeout: Duration = .seconds(5)
    /// Without a call a session ends after this.
    package var idleTimeout: Duration = .seconds(90)
    /// Calls of one peer that are answered at once; more are told to wait.
    package var callsAtOnce = 64
    /// Answers under way to all peers.
    package var streamsAtOnce = 64
    /// Bytes a second to all peers; 0 = as fast as it goes.
    package var uploadRate: Int64 = 0

    package init() {}
}
