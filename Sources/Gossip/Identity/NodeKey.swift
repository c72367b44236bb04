import CSodium

/// Why a node's key cannot be made, read or kept.
public enum NodeKeyError: Error, Equatable, CustomStringConvertible {
    case cannotOpen(path: String, reason: String)
    case cannotWrite(path: String, reason: String)
    case alreadyExists(path: String)
    /// The file may be read or written by others than its owner.
    case exposed(path: String, mode: UInt32)
    case notAFile(path: String)
    case unknownVersion(path: String, found: String)
    case malformed(path: String)
    case noMemory

    public var description: String {
        switch self {
        case .cannotOpen(let path, let reason): "the node's key \(path) cannot be read: \(reason)"
        case .cannotWrite(let path, let reason): "the node's key \(path) cannot be written: \(reason)"
        case .alreadyExists(let path):
            "the node's key \(path) exists already; a node keeps its key, delete the file only to become another node"
        case .exposed(let path, let mode):
            "the node's key \(path) is open to others (mode \(String(mode & 0o777, radix: 8))); run: chmod 600 \(path)"
        case .notAFile(let path): "the node's key \(path) is not a regular file"
        case .unknownVersion(let path, let found):
            "the node's key \(path) begins with \"\(found)\", but this version reads \"\(NodeKeyFile.version)\"; use the edgenode that wrote it"
        case .malformed(let path):
            "the node's key \(path) is damaged; restore it from a backup, or delete it to become another node"
        case .noMemory:
            "no memory can be locked for the node's key; raise the limit on locked memory (ulimit -l)"
        }
    }
}

/// A node's identity: an Ed25519 key pair (RFC 8032) whose secret half never leaves this process.
///
/// The secret stands in locked memory, is wiped when the last holder lets go, and is written nowhere but to
/// the key file.
public final class NodeKey: Sendable {
    public static let signatureByteCount = 64
    static let seedByteCount = 32
    private static let secretByteCount = 64

    /// The public half.
    public let id: NodeID
    private let secret: SecretBytes

    /// A new key from the system's random numbers.
    /// - Throws: `NodeKeyError.noMemory`.
    public static func generate() throws -> NodeKey {
        try NodeKey(seed: SecretBytes(count: seedByteCount) { randombytes_buf($0, seedByteCount) })
    }

    /// The key that `seed` (32 bytes, RFC 8032 section 5.1.5) stands for.
    init(seed: SecretBytes) throws {
        var publicKey = [UInt8](repeating: 0, count: NodeID.byteCount)
        secret = try SecretBytes(count: Self.secretByteCount) { secret in
            seed.withBytes { _ = crypto_sign_ed25519_seed_keypair(&publicKey, secret, $0) }
        }
        guard let id = NodeID(bytes: publicKey) else { throw NodeKeyError.noMemory }
        self.id = id
    }

    /// As `init(seed:)`, for tests whose nodes must be the same in every run.
    /// - Returns: nil unless there are `seedByteCount` bytes.
    package convenience init?(seedBytes: [UInt8]) throws {
        guard seedBytes.count == Self.seedByteCount else { return nil }
        try self.init(
            seed: SecretBytes(count: Self.seedByteCount) { pointer in
                for (index, byte) in seedBytes.enumerated() { pointer[index] = byte }
            })
    }

    /// The signature over `message`, 64 bytes; the same message always has the same one.
    public func sign(_ message: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: Self.signatureByteCount)
        secret.withBytes {
            _ = crypto_sign_ed25519_detached(&signature, nil, message, UInt64(message.count), $0)
        }
        return signature
    }

    /// Lends libsodium's form of the secret key, 64 bytes.
    func withSecret<Result>(_ body: (UnsafePointer<UInt8>) throws -> Result) rethrows -> Result {
        try secret.withBytes(body)
    }

    /// Lends the seed, `seedByteCount` bytes, for the key file only.
    func withSeed<Result>(_ body: (UnsafePointer<UInt8>) throws -> Result) rethrows -> Result {
        // libsodium's secret key is the seed followed by the public key.
        try secret.withBytes(body)
    }
}
