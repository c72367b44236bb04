import CSodium

/// Why a text does not name a node.
public enum NodeIDError: Error, Equatable, CustomStringConvertible {
    case malformed(String)

    public var description: String {
        switch self {
        case .malformed(let text):
            "\"\(text.prefix(80))\" is not a node's public key: it must read \(NodeID.prefix) and 43 characters of base64url"
        }
    }
}

/// Who a node is: its Ed25519 public key (RFC 8032).
///
/// The text form is `edgenode-ed25519:` and the 32 bytes in base64url without padding (RFC 4648, section 5),
/// fit for shells, TOML and URLs. There is one text for each key.
public struct NodeID: Hashable, Sendable, CustomStringConvertible {
    public static let byteCount = 32
    public static let prefix = "edgenode-ed25519:"

    /// Exactly `byteCount` bytes.
    public let bytes: [UInt8]

    /// The key that stands in `bytes`; nil unless there are `byteCount` of them.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// - Throws: `NodeIDError.malformed` for any other text than the one that `description` gives.
    public init(parsing text: String) throws(NodeIDError) {
        guard text.hasPrefix(Self.prefix),
            let bytes = Base64URL.decode(String(text.dropFirst(Self.prefix.count))),
            let id = NodeID(bytes: bytes), id.description == text
        else { throw .malformed(text) }
        self = id
    }

    public var description: String { Self.prefix + Base64URL.encode(bytes) }

    /// Whether `signature` is this node's over `message`. Weak keys and signatures in another form than the
    /// canonical one are refused, as libsodium does.
    public func isValid(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard signature.count == NodeKey.signatureByteCount, Sodium.isReady else { return false }
        return crypto_sign_ed25519_verify_detached(signature, message, UInt64(message.count), bytes) == 0
    }
}
