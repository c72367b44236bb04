import struct FoundationEssentials.Date

/// Why a node is not taken for a member.
public enum TrustRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    case otherCluster(ClusterID)
    case notSignedByRoot
    case notSignedByInvitation
    /// The certificate is another node's.
    case otherNode
    case noCertificate
    case notListed
    case expired(Date)
    /// The invitation was used after its time.
    case joinedTooLate(Date)
    case revoked(serial: Serial?)
    /// Another key joined with the same invitation before.
    case invitationUsed(Serial)
    /// Two keys claim one invitation, and nobody can tell who stole it.
    case heldBack(Serial)
    case malformed(String)
    /// The two speak no version of docs/wire-formats.md in common.
    case otherProtocols(ClosedRange<UInt8>, own: ClosedRange<UInt8>)

    /// The number that travels in a refusal (docs/wire-formats.md).
    package var code: UInt8 {
        switch self {
        case .otherCluster: 1
        case .notSignedByRoot: 2
        case .notSignedByInvitation: 3
        case .otherNode: 4
        case .noCertificate: 5
        case .notListed: 6
        case .expired: 7
        case .joinedTooLate: 8
        case .revoked: 9
        case .invitationUsed: 10
        case .heldBack: 11
        case .malformed: 12
        case .otherProtocols: 13
        }
    }

    public var description: String {
        switch self {
        case .otherCluster(let cluster):
            "its certificate is of another cluster (\(cluster)); invite it with `edgenode cluster invite` there"
        case .notSignedByRoot: "its invitation is not signed by this cluster's root; invite it again"
        case .notSignedByInvitation: "its certificate is not signed with its invitation's key; join again"
        case .otherNode:
            "its certificate was made for another node's key; a copied data folder must join anew"
        case .noCertificate: "it shows no certificate; run `edgenode join` with a token of this cluster"
        case .notListed: "its key is not on the list; add it as [[cluster.member]] on every node"
        case .expired(let date): "its certificate expired on \(Self.day(date)); invite it again"
        case .joinedTooLate(let date):
            "its invitation was to be used until \(Self.day(date)); invite it again, and check its clock"
        case .revoked: "its certificate is revoked; invite it again if it may come back"
        case .invitationUsed(let serial):
            "another node has joined with the same invitation (\(serial)); each node needs one of its own"
        case .heldBack(let serial):
            "two nodes joined with the same invitation (\(serial)) and both are held back; revoke it with "
                + "`edgenode cluster revoke \(serial)` and invite the right one again"
        case .malformed(let what): "what it shows cannot be read: \(what)"
        case .otherProtocols(let its, let own):
            "it speaks \(Self.versions(its)) of what nodes say to each other, this node \(Self.versions(own)); "
                + "bring the older of the two up to date"
        }
    }

    private static func versions(_ range: ClosedRange<UInt8>) -> String {
        range.count == 1
            ? "version \(range.lowerBound)" : "versions \(range.lowerBound) to \(range.upperBound)"
    }

    package static func day(_ date: Date) -> String { String(date.ISO8601Format().prefix(10)) }
}
