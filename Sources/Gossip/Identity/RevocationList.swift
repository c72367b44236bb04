import Content

import struct FoundationEssentials.Date

/// What is no longer valid, signed by the root. A list with a higher number takes the place of one with a lower
/// (docs/trust-model.md, "Revocation").
public struct RevocationList: Hashable, Sendable {
    /// Serials and keys in one list at most.
    public static let entryLimit = 4096
    static let kind: UInt8 = 3

    public let cluster: ClusterID
    /// Grows by one with each list.
    public let number: UInt64
    public let issued: Date
    /// In order.
    public let serials: [Serial]
    /// In order of their bytes.
    public let keys: [NodeID]
    public let encoded: [UInt8]

    public init(
        cluster: ClusterID, number: UInt64, issued: Date, serials: Set<Serial>, keys: Set<NodeID>,
        root: NodeKey
    ) {
        self.cluster = cluster
        self.number = number
        self.issued = Date(seconds: issued.seconds)
        self.serials = serials.sorted()
        self.keys = keys.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        var writer = WireWriter()
        writer.write(CertificateForm.version)
        writer.write(Self.kind)
        writer.write(cluster.bytes)
        writer.write(number)
        writer.write(issued.seconds)
        writer.writeNumber(self.serials.count)
        for serial in self.serials { writer.write(serial.bytes) }
        writer.writeNumber(self.keys.count)
        for key in self.keys { writer.write(key.bytes) }
        writer.write(root.sign(writer.bytes))
        encoded = writer.bytes
    }

    /// Reads one; its signature is checked by `isSigned(by:)`.
    package init(from reader: inout WireReader) throws(WireError) {
        let start = reader.rest
        try CertificateForm.expect(Self.kind, in: &reader)
        cluster = try ClusterID(from: &reader)
        number = try reader.read()
        issued = Date(seconds: try reader.read())
        var serials: [Serial] = []
        for _ in 0..<(try reader.readCount(limit: Self.entryLimit)) {
            let serial = try Serial(from: &reader)
            guard serials.last.map({ $0 < serial }) ?? true else { throw .malformed("serials out of order") }
            serials.append(serial)
        }
        self.serials = serials
        var keys: [NodeID] = []
        for _ in 0..<(try reader.readCount(limit: Self.entryLimit)) { keys.append(try NodeID(from: &reader)) }
        self.keys = keys
        _ = try reader.readBytes(NodeKey.signatureByteCount)
        encoded = Array(start.prefix(start.count - reader.remaining))
    }

    package func isSigned(by root: NodeID) -> Bool { root.hasSigned(encoded) }
}
