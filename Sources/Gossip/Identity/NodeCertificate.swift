import Content

import struct FoundationEssentials.Date

/// A node's place in its cluster: the invitation that the root signed, and the node's key signed with the invitation's
/// (docs/trust-model.md, "Certificates"). The root's key makes it a chain of three.
public struct NodeCertificate: Hashable, Sendable {
    static let kind: UInt8 = 2
    /// Bytes of the longest one.
    public static let byteLimit = 400

    public let invitation: InvitationCertificate
    public let node: NodeID
    /// When the node says it joined.
    public let joined: Date
    /// The whole chain below the root.
    public let encoded: [UInt8]

    public var cluster: ClusterID { invitation.cluster }
    public var zone: Zone { invitation.zone }
    public var roles: Roles { invitation.roles }
    public var serial: Serial { invitation.serial }
    public var expires: Date { invitation.expires }

    /// - Parameter key: the invitation's key, which signs and is then thrown away.
    public init(invitation: InvitationCertificate, node: NodeID, joined: Date, key: NodeKey) {
        self.invitation = invitation
        self.node = node
        self.joined = Date(seconds: joined.seconds)
        var writer = WireWriter(capacity: 150)
        writer.write(CertificateForm.version)
        writer.write(Self.kind)
        writer.write(invitation.cluster.bytes)
        writer.write(invitation.serial.bytes)
        writer.write(node.bytes)
        writer.write(joined.seconds)
        writer.write(key.sign(writer.bytes))
        encoded = invitation.encoded + writer.bytes
    }

    /// Reads one; its signatures are checked by `verify`.
    package init(from reader: inout WireReader) throws(WireError) {
        let start = reader.rest
        invitation = try InvitationCertificate(from: &reader)
        try CertificateForm.expect(Self.kind, in: &reader)
        guard try ClusterID(from: &reader) == invitation.cluster,
            try Serial(from: &reader) == invitation.serial
        else { throw .malformed("a certificate whose two parts belong to different invitations") }
        node = try NodeID(from: &reader)
        joined = Date(seconds: try reader.read())
        _ = try reader.readBytes(NodeKey.signatureByteCount)
        encoded = Array(start.prefix(start.count - reader.remaining))
        guard encoded.count <= Self.byteLimit else {
            throw .tooLarge(UInt64(encoded.count), limit: UInt64(Self.byteLimit))
        }
    }

    /// Whether root and invitation have signed it, for this cluster. Times are `Trust`'s to judge.
    package func verify(root: NodeID, cluster: ClusterID) throws(TrustRefusal) {
        guard invitation.cluster == cluster else { throw .otherCluster(invitation.cluster) }
        guard invitation.isSigned(by: root) else { throw .notSignedByRoot }
        let own = Array(encoded.dropFirst(invitation.encoded.count))
        guard invitation.key.hasSigned(own) else { throw .notSignedByInvitation }
    }
}
