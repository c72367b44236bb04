import CSodium
import Crypto

/// Why a verifier key or a signed note is refused.
public enum NoteError: Error, Hashable, Sendable, CustomStringConvertible {
    case malformedKey(String)
    /// The key's own hash is not that of its name and bytes: a mistyped key.
    case wrongKeyHash(String)
    case unknownAlgorithm(String)
    case tooLarge(limit: Int)
    case malformedNote(String)
    /// A signature that claims to be of a known key is not.
    case badSignature(name: String)
    /// No signature is of a known key.
    case unknownSigners([String])

    public var description: String {
        switch self {
        case .malformedKey(let key):
            "\(QuotedText(key)) is not a verifier key: it must read <name>+<8 hex digits>+<base64>"
        case .wrongKeyHash(let key):
            "the key hash in the verifier key \(QuotedText(key)) is wrong: a mistyped key?"
        case .unknownAlgorithm(let key):
            "the verifier key \(QuotedText(key)) is of an unknown kind; Ed25519 is known"
        case .tooLarge(let limit): "the signed note is larger than \(limit) bytes"
        case .malformedNote(let reason): "malformed signed note: \(reason)"
        case .badSignature(let name): "the signature by \(QuotedText(name)) is not valid for the note"
        case .unknownSigners(let names):
            "no signature of the note is by a known key, only by \(names.map { QuotedText($0).description })"
        }
    }
}

/// A key that signed notes are checked with: a name and an Ed25519 public key, written
/// `name+hash+base64` (golang.org/x/mod/sumdb/note).
public struct NoteVerifier: Hashable, Sendable, CustomStringConvertible {
    private static let ed25519: UInt8 = 1

    /// The name of the signer, such as `sum.golang.org`.
    public let name: String
    /// The first four bytes of SHA-256 over name, line feed and key.
    public let keyHash: UInt32
    private let publicKey: [UInt8]

    /// The keys that the go command knows by name.
    public static let wellKnown = [
        "sum.golang.org": "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    ]

    /// - Parameter key: a verifier key, or one of the names in `wellKnown`.
    public init(_ key: String) throws(NoteError) {
        let text = Self.wellKnown[key] ?? key
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, Self.isName(parts[0]), parts[1].utf8.count == 8,
            parts[1].utf8.allSatisfy({ ASCII.isDigit($0) || (0x61...0x66).contains(ASCII.lowercased($0)) }),
            let hash = UInt32(parts[1], radix: 16), let bytes = Base64.decode(parts[2]),
            let kind = bytes.first
        else { throw .malformedKey(text) }
        guard hash == Self.keyHash(name: String(parts[0]), key: bytes) else { throw .wrongKeyHash(text) }
        guard kind == Self.ed25519 else { throw .unknownAlgorithm(text) }
        guard bytes.count == 1 + Int(crypto_sign_ed25519_PUBLICKEYBYTES) else { throw .malformedKey(text) }
        name = String(parts[0])
        keyHash = hash
        publicKey = Array(bytes.dropFirst())
    }

    /// The key as it is written in configurations.
    public var description: String {
        let digits = String(keyHash, radix: 16)
        let hash = String(repeating: "0", count: 8 - digits.count) + digits
        return "\(name)+\(hash)+\(Base64.encode([Self.ed25519] + publicKey))"
    }

    /// Whether the name is a host with an optional path, as that of a checksum database must be, so that it
    /// can stand in URLs.
    public var isDatabaseName: Bool {
        let elements = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return elements.allSatisfy { element in
            !element.isEmpty && element.contains { $0 != UInt8(ascii: ".") }
                && element.allSatisfy {
                    ASCII.isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
                        || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: ":")
                }
        }
    }

    func verifies(_ message: ArraySlice<UInt8>, signature: ArraySlice<UInt8>) -> Bool {
        guard signature.count == Int(crypto_sign_ed25519_BYTES) else { return false }
        return signature.withUnsafeBufferPointer { signature in
            message.withUnsafeBufferPointer { message in
                guard let start = signature.baseAddress else { return false }
                return crypto_sign_ed25519_verify_detached(
                    start, message.baseAddress, UInt64(message.count), publicKey) == 0
            }
        }
    }

    static func keyHash(name: String, key: [UInt8]) -> UInt32 {
        let digest = SHA256.hash(data: Array(name.utf8) + [0x0a] + key)
        return digest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    static func isName(_ name: some StringProtocol) -> Bool {
        !name.isEmpty
            && name.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0 != "+" && $0.value >= 0x20 }
    }
}
