package import ChunkStore
package import Content
package import Gossip

package import struct FoundationEssentials.Date

/// What a node's own upstream said of a name that may change, signed by that node (docs/trust-model.md, "Mutable
/// names").
package struct Statement: Hashable, Sendable {
    static let version: UInt8 = 1
    static let kind: UInt8 = 5

    package let cluster: ClusterID
    package let signer: NodeID
    package let name: ReferenceName
    package let digest: Digest
    package let size: Int64
    /// When the signer's upstream said so, in whole seconds.
    package let checked: Date
    package let access: AccessClass
    package let contentType: String?
    package let origin: String
    package let encoded: [UInt8]

    /// Signs what this node knows.
    package init(_ reference: Reference, credentials: ClusterCredentials) {
        cluster = credentials.cluster
        signer = credentials.id
        name = reference.name
        digest = reference.digest
        size = reference.size
        checked = Date(seconds: reference.checked.seconds)
        access = reference.access
        contentType = reference.contentType.map { String($0.prefix(200)) }
        origin = String(reference.origin.prefix(200))
        var writer = WireWriter(capacity: 300)
        writer.write(Self.version)
        writer.write(Self.kind)
        writer.write(cluster.bytes)
        writer.write(signer.bytes)
        writer.writeText(name.text)
        digest.write(to: &writer)
        writer.write(size)
        writer.write(checked.seconds)
        writer.write(UInt8(access == .public ? 1 : 0))
        writer.writeText(contentType ?? "")
        writer.writeText(origin)
        writer.write(credentials.key.sign(writer.bytes))
        encoded = writer.bytes
    }

    /// Reads one; its signature is not checked.
    package init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        guard try reader.read(UInt8.self) == Self.version, try reader.read(UInt8.self) == Self.kind else {
            throw .malformed("no statement of version \(Self.version)")
        }
        cluster = try ClusterID(from: &reader)
        signer = try NodeID(from: &reader)
        name = try ReferenceName(from: &reader)
        digest = try Digest(from: &reader)
        size = try reader.read()
        guard (0...PeerExchange.sizeLimit).contains(size) else {
            throw .malformed("a size of \(size) bytes")
        }
        checked = Date(seconds: try reader.read())
        access = try reader.read(UInt8.self) & 1 != 0 ? .public : .private
        let type = try reader.readText(limit: 1024)
        contentType = type.isEmpty ? nil : type
        origin = try reader.readText(limit: 1024)
        _ = try reader.readBytes(NodeKey.signatureByteCount)
        try reader.expectEnd()
        encoded = bytes
    }

    /// Reads what a member answered when it was asked about a name; nil when it is not its own word about that name.
    package init?(_ bytes: [UInt8], by member: NodeID, about name: ReferenceName, in cluster: ClusterID) {
        guard let statement = try? Statement(parsing: bytes), statement.signer == member,
            statement.name == name, statement.cluster == cluster, statement.isSigned
        else { return nil }
        self = statement
    }

    package var isSigned: Bool { signer.hasSigned(encoded) }
}
