import Crypto

/// A hash in a transparency log's tree: SHA-256 with a prefix that tells leaves from inner nodes
/// (RFC 6962, section 2.1).
public struct TreeHash: Hashable, Sendable, CustomStringConvertible {
    public static let byteCount = 32

    /// Exactly `byteCount` bytes.
    public let bytes: [UInt8]

    /// Nil unless there are exactly `byteCount` bytes.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = Array(bytes)
    }

    /// Parses the base64 form of tree heads.
    public init?(base64 text: some StringProtocol) {
        guard let bytes = Base64.decode(text), bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    private init(_ digest: SHA256Digest) { bytes = Array(digest) }

    /// The hash of the tree without records.
    public static let empty = TreeHash(SHA256.hash(data: [UInt8]()))

    /// The hash of a record as a leaf.
    public static func leaf(_ record: some Collection<UInt8>) -> TreeHash {
        var hash = SHA256()
        hash.update(data: [0])
        hash.update(data: Array(record))
        return TreeHash(hash.finalize())
    }

    /// The hash of the node over two subtrees.
    public static func node(_ left: TreeHash, _ right: TreeHash) -> TreeHash {
        var input: [UInt8] = [1]
        input.reserveCapacity(65)
        input += left.bytes
        input += right.bytes
        return TreeHash(SHA256.hash(data: input))
    }

    /// The base64 form, as tree heads are written.
    public var description: String { Base64.encode(bytes) }
}
