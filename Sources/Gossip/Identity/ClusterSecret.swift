import CSodium

/// The 32 bytes that every node of a cluster knows: they key inventory ids, datagrams and the first message of a
/// handshake. Knowing them keeps strangers out early; it makes nobody a member.
public final class ClusterSecret: Sendable {
    public static let byteCount = 32
    private let secret: SecretBytes

    /// A new one from the system's random numbers.
    /// - Throws: `NodeKeyError.noMemory`.
    public static func generate() throws -> ClusterSecret {
        ClusterSecret(try SecretBytes(count: byteCount) { randombytes_buf($0, byteCount) })
    }

    /// - Throws: `NodeKeyError.noMemory`.
    /// - Returns: nil unless there are `byteCount` bytes.
    package convenience init?(bytes: some Collection<UInt8>) throws {
        guard bytes.count == Self.byteCount else { return nil }
        self.init(
            try SecretBytes(count: Self.byteCount) { pointer in
                for (index, byte) in bytes.enumerated() { pointer[index] = byte }
            })
    }

    private init(_ secret: SecretBytes) { self.secret = secret }

    /// Lends the bytes, for the secret's own file and for invitations only.
    package func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows -> Result {
        try secret.withBytes { try body(UnsafeBufferPointer(start: $0, count: Self.byteCount)) }
    }

    /// BLAKE2b of `count` bytes (1 to 64), keyed with the secret, over the domain and the parts, one behind the
    /// other. Parts of variable length must tell where they end.
    package func keyedHash(_ domain: String, _ parts: [[UInt8]], count: Int) -> [UInt8] {
        let input = parts.reduce(into: Array(domain.utf8)) { $0 += $1 }
        var output = [UInt8](repeating: 0, count: count)
        secret.withBytes {
            _ = crypto_generichash_blake2b(
                &output, count, input, UInt64(input.count), $0, Self.byteCount)
        }
        return output
    }

    /// The first eight bytes of a keyed hash, as a little-endian number.
    package func keyedNumber(_ domain: String, _ parts: [[UInt8]]) -> UInt64 {
        keyedHash(domain, parts, count: 8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// How datagrams name a node.
    package func tag(of node: NodeID) -> NodeTag {
        NodeTag(rawValue: keyedNumber("edgenode node tag v1", [node.bytes]))
    }
}
