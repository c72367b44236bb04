import Content

import struct FoundationEssentials.Date

/// What the root grants to whoever holds an invitation's key: a place in the cluster (docs/trust-model.md,
/// "Certificates").
public struct InvitationCertificate: Hashable, Sendable {
    static let kind: UInt8 = 1

    public let cluster: ClusterID
    /// The invitation's one-time key.
    public let key: NodeID
    public let serial: Serial
    public let zone: Zone
    public let roles: Roles
    public let issued: Date
    /// Until then the invitation may be used.
    public let joinBy: Date
    /// Until then the node that used it is a member.
    public let expires: Date
    let encoded: [UInt8]

    /// - Parameter root: the cluster's root key, which signs.
    public init(
        cluster: ClusterID, key: NodeID, serial: Serial, zone: Zone, roles: Roles, issued: Date,
        joinBy: Date, expires: Date, root: NodeKey
    ) {
        (self.cluster, self.key, self.serial) = (cluster, key, serial)
        (self.zone, self.roles) = (zone, roles)
        // What is signed has whole seconds.
        (self.issued, self.joinBy, self.expires) = (
            Date(seconds: issued.seconds), Date(seconds: joinBy.seconds), Date(seconds: expires.seconds)
        )
        var writer = WireWriter(capacity: 200)
        writer.write(CertificateForm.version)
        writer.write(Self.kind)
        writer.write(cluster.bytes)
        writer.write(key.bytes)
        writer.write(serial.bytes)
        writer.write(roles.rawValue)
        writer.write(issued.seconds)
        writer.write(joinBy.seconds)
        writer.write(expires.seconds)
        writer.writeText(zone.text)
        writer.write(root.sign(writer.bytes))
        encoded = writer.bytes
    }

    /// Reads one; its signature is checked by `isSigned(by:)`.
    init(from reader: inout WireReader) throws(WireError) {
        let start = reader.rest
        try CertificateForm.expect(Self.kind, in: &reader)
        cluster = try ClusterID(from: &reader)
        key = try NodeID(from: &reader)
        serial = try Serial(from: &reader)
        roles = Roles(rawValue: try reader.read())
        issued = Date(seconds: try reader.read())
        joinBy = Date(seconds: try reader.read())
        expires = Date(seconds: try reader.read())
        zone = try Zone(from: &reader)
        _ = try reader.readBytes(NodeKey.signatureByteCount)
        encoded = Array(start.prefix(start.count - reader.remaining))
    }

    func isSigned(by root: NodeID) -> Bool { root.hasSigned(encoded) }

    /// As it travels in a token.
    package var bytes: [UInt8] { encoded }
    /// Reads one out of a token.
    package init(parsing reader: inout WireReader) throws(WireError) { try self.init(from: &reader) }
}

/// What invitation and node certificates have in common.
enum CertificateForm {
    static let version: UInt8 = 1

    static func expect(_ kind: UInt8, in reader: inout WireReader) throws(WireError) {
        let found: UInt8 = try reader.read()
        guard found == version else {
            throw .malformed("a certificate of version \(found), this build reads version \(version)")
        }
        guard try reader.read(UInt8.self) == kind else { throw .malformed("a certificate of another kind") }
    }
}

extension NodeID {
    package init(from reader: inout WireReader) throws(WireError) {
        guard let id = NodeID(bytes: Array(try reader.readBytes(Self.byteCount))) else { throw .truncated }
        self = id
    }

    /// Whether the last 64 bytes are this key's signature over those before.
    package func hasSigned(_ encoded: [UInt8]) -> Bool {
        guard encoded.count >= NodeKey.signatureByteCount else { return false }
        return isValid(
            Array(encoded.suffix(NodeKey.signatureByteCount)),
            of: Array(encoded.dropLast(NodeKey.signatureByteCount)))
    }
}

extension Date {
    /// Whole seconds since 1970; what lies before counts as 1970.
    package var seconds: UInt64 { UInt64(max(0, timeIntervalSince1970.rounded(.down))) }

    package init(seconds: UInt64) {
        self.init(timeIntervalSince1970: Double(min(seconds, 1 << 50)))
    }
}
