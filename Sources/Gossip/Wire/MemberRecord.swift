import Content

/// How often a node has started, and how often it had to say since that it lives.
public struct Incarnation: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public init(boot: UInt32, refutations: UInt32 = 0) {
        rawValue = UInt64(boot) << 32 | UInt64(refutations)
    }

    public var boot: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
    public var refutations: UInt32 { UInt32(truncatingIfNeeded: rawValue) }

    /// The next one of the same start.
    /// The last one has none above it.
    package var next: Incarnation { Incarnation(rawValue: rawValue == .max ? .max : rawValue + 1) }

    public static func < (left: Incarnation, right: Incarnation) -> Bool { left.rawValue < right.rawValue }

    public var description: String { "\(boot).\(refutations)" }
}

/// What a node says of itself, signed by it (docs/wire-formats.md, "Member records").
public struct MemberRecord: Hashable, Sendable {
    package static let version: UInt8 = 1
    package static let kind: UInt8 = 4
    public static let endpointLimit = 4
    public static let softwareByteLimit = 32
    /// Bytes of fields that this version does not know.
    static let extraByteLimit = 256
    public static let byteLimit = 640

    public let cluster: ClusterID
    public let node: NodeID
    public let incarnation: Incarnation
    /// The node has said goodbye.
    public let isLeaving: Bool
    /// The lowest and the highest version of docs/wire-formats.md that it speaks.
    public let protocols: ClosedRange<UInt8>
    /// One to `endpointLimit`, the one to be tried first leading.
    public let endpoints: [Endpoint]
    /// Which of its inventories counts.
    public let inventoryEpoch: UInt64
    public let software: String
    /// What this version does not know, kept because it is signed.
    package let extra: [UInt8]
    public let encoded: [UInt8]

    package init(
        cluster: ClusterID, incarnation: Incarnation, isLeaving: Bool, protocols: ClosedRange<UInt8>,
        endpoints: [Endpoint], inventoryEpoch: UInt64, software: String, extra: [UInt8] = [], key: NodeKey
    ) {
        self.cluster = cluster
        node = key.id
        self.incarnation = incarnation
        self.isLeaving = isLeaving
        self.protocols = protocols
        self.endpoints = Array(endpoints.prefix(Self.endpointLimit))
        self.inventoryEpoch = inventoryEpoch
        self.software = String(
            software.unicodeScalars.filter(\.isASCII).prefix(Self.softwareByteLimit).map(Character.init))
        self.extra = extra
        var writer = WireWriter(capacity: 220)
        writer.write(Self.version)
        writer.write(Self.kind)
        writer.write(cluster.bytes)
        writer.write(node.bytes)
        writer.write(incarnation.rawValue)
        writer.write(UInt8(isLeaving ? 1 : 0))
        writer.write(protocols.lowerBound)
        writer.write(protocols.upperBound)
        writer.write(inventoryEpoch)
        writer.write(UInt8(self.endpoints.count))
        for endpoint in self.endpoints { endpoint.write(to: &writer) }
        writer.writeText(self.software)
        writer.writeBlock(extra)
        writer.write(key.sign(writer.bytes))
        encoded = writer.bytes
    }

    /// Reads one; its signature is checked by `isSigned`.
    package init(from reader: inout WireReader) throws(WireError) {
        let start = reader.rest
        guard try reader.read(UInt8.self) == Self.version, try reader.read(UInt8.self) == Self.kind else {
            throw .malformed("no member record of version \(Self.version)")
        }
        cluster = try ClusterID(from: &reader)
        node = try NodeID(from: &reader)
        incarnation = Incarnation(rawValue: try reader.read())
        isLeaving = try reader.read(UInt8.self) & 1 != 0
        let (low, high): (UInt8, UInt8) = (try reader.read(), try reader.read())
        guard low <= high else { throw .malformed("protocol versions \(low) to \(high)") }
        protocols = low...high
        inventoryEpoch = try reader.read()
        let count = Int(try reader.read(UInt8.self))
        guard (1...Self.endpointLimit).contains(count) else { throw .malformed("\(count) endpoints") }
        var endpoints: [Endpoint] = []
        for _ in 0..<count { endpoints.append(try Endpoint(from: &reader)) }
        self.endpoints = endpoints
        software = try reader.readText(limit: Self.softwareByteLimit)
        extra = Array(try reader.readBlock(limit: Self.extraByteLimit))
        _ = try reader.readBytes(NodeKey.signatureByteCount)
        encoded = Array(start.prefix(start.count - reader.remaining))
    }

    package var isSigned: Bool { node.hasSigned(encoded) }
}

/// A record with the certificate that makes its node a member: what nodes show each other when they meet.
public struct MemberCard: Hashable, Sendable {
    public static let byteLimit = MemberRecord.byteLimit + NodeCertificate.byteLimit + 4

    public let record: MemberRecord
    /// Nil with a list of members.
    public let certificate: NodeCertificate?

    package init(record: MemberRecord, certificate: NodeCertificate?) {
        (self.record, self.certificate) = (record, certificate)
    }

    package init(from reader: inout WireReader) throws(WireError) {
        let record = try reader.readBlock(limit: MemberRecord.byteLimit)
        try self.init(record, chain: try reader.readBlock(limit: NodeCertificate.byteLimit))
    }

    /// Reads past one.
    /// - Returns: nil for one that this version cannot read.
    /// - Throws: when there is not even the place of one.
    static func readable(from reader: inout WireReader) throws(WireError) -> MemberCard? {
        let record = try reader.readBlock(limit: MemberRecord.byteLimit)
        let chain = try reader.readBlock(limit: NodeCertificate.byteLimit)
        return try? MemberCard(record, chain: chain)
    }

    private init(_ bytes: ArraySlice<UInt8>, chain: ArraySlice<UInt8>) throws(WireError) {
        var inner = WireReader(bytes)
        record = try MemberRecord(from: &inner)
        try inner.expectEnd()
        if chain.isEmpty {
            certificate = nil
        } else {
            var inner = WireReader(chain)
            certificate = try NodeCertificate(from: &inner)
            try inner.expectEnd()
        }
    }

    package func write(to writer: inout WireWriter) {
        writer.writeBlock(record.encoded)
        writer.writeBlock(certificate?.encoded ?? [])
    }

    /// Bytes of `encoded`, or a few more.
    var encodedByteCount: Int { record.encoded.count + (certificate?.encoded.count ?? 0) + 4 }

    package var encoded: [UInt8] {
        var writer = WireWriter(capacity: record.encoded.count + 260)
        write(to: &writer)
        return writer.bytes
    }
}
