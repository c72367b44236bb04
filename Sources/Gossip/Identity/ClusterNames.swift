import CSodium
import Content

/// Which cluster: a digest of its root's public key, or of its secret where a list of keys stands in a root's place
/// (docs/wire-formats.md, "Names").
public struct ClusterID: Hashable, Sendable, CustomStringConvertible {
    public static let byteCount = 16

    /// Exactly `byteCount` bytes.
    public let bytes: [UInt8]

    /// - Returns: nil unless there are `byteCount` bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// The cluster of a root.
    public init(root: NodeID) {
        bytes = Blake2b.hash(Array("edgenode cluster v1".utf8) + root.bytes, count: Self.byteCount)
    }

    /// The cluster of those who know a secret and stand on each other's lists.
    public init(staticListWith secret: ClusterSecret) {
        bytes = secret.keyedHash("edgenode cluster static v1", [], count: Self.byteCount)
    }

    package init(from reader: inout WireReader) throws(WireError) {
        bytes = Array(try reader.readBytes(Self.byteCount))
    }

    public var description: String { Hexadecimal.text(bytes) }
}

/// Tells one invitation from another; random.
public struct Serial: Hashable, Comparable, Sendable, CustomStringConvertible {
    public static let byteCount = 16
    public let bytes: [UInt8]

    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// - Returns: nil for anything but 32 lower-case hexadecimal digits.
    public init?(parsing text: String) {
        guard let bytes = Hexadecimal.bytes(text) else { return nil }
        self.init(bytes: bytes)
    }

    public static func random() -> Serial { Serial(trusted: Blake2b.random(byteCount)) }

    private init(trusted bytes: [UInt8]) { self.bytes = bytes }

    package init(from reader: inout WireReader) throws(WireError) {
        bytes = Array(try reader.readBytes(Self.byteCount))
    }

    public static func < (left: Serial, right: Serial) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    public var description: String { Hexadecimal.text(bytes) }
}

/// How datagrams name a node: a hash of its id keyed with the cluster secret, so that nobody outside learns who
/// speaks.
public struct NodeTag: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static func < (left: NodeTag, right: NodeTag) -> Bool { left.rawValue < right.rawValue }

    public var description: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
