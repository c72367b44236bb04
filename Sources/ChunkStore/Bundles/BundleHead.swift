public import Content

/// The first lines of a bundle: who made it, what its manifest is, and the signature over both
/// (docs/bundle-format.md, "Head"). Pure; signing and checking signatures is the caller's.
public struct BundleHead: Sendable, Equatable {
    static let magic = "edgenode bundle "
    static let version = "1"
    /// The longest head, in bytes.
    public static let maximumByteCount = 1024
    /// The longest manifest, in bytes.
    public static let maximumManifest: Int64 = 64 << 20
    private static let maximumKey = 256
    private static let signatureByteCount = 64
    /// The first line of what is signed; no other signature of a node begins with it.
    private static let domain = "edgenode bundle signature 1\n"

    /// The signer's public key, in its text form.
    public let key: String
    /// The manifest's bytes.
    public let manifestSize: Int64
    public let manifestDigest: Digest
    public let signature: [UInt8]
    /// The head's own bytes: where the manifest begins.
    public var byteCount: Int { bytes.count }

    /// The head for a manifest.
    /// - Parameter sign: the Ed25519 signature of `key` over the bytes it is given.
    public init(
        key: String, manifest: [UInt8], sign: ([UInt8]) throws -> [UInt8]
    ) throws {
        self.key = key
        manifestSize = Int64(manifest.count)
        manifestDigest = Digest(of: manifest)
        signature = try sign(Self.signed(key, manifestSize, manifestDigest))
        guard Self.isKey(key), signature.count == Self.signatureByteCount else {
            throw BundleError.malformedHead("its key or signature has not the form that it must have")
        }
        guard manifestSize <= Self.maximumManifest else {
            throw BundleError.tooLarge("its manifest has \(manifestSize) bytes; make several bundles")
        }
    }

    /// Whether a file that begins with these bytes means to be a bundle.
    public static func isBundle(_ bytes: some Sequence<UInt8>) -> Bool { bytes.starts(with: magic.utf8) }

    /// Reads the head out of the first bytes of a file: `maximumByteCount` of them, or all there are. The signature
    /// is not checked.
    /// - Throws: `BundleError.notABundle`, `.otherVersion`, `.malformedHead`, `.cutShort` or `.tooLarge`.
    public init(parsing bytes: some Collection<UInt8>) throws(BundleError) {
        guard Self.isBundle(bytes) else { throw .notABundle }
        var rest = Array(bytes.prefix(Self.maximumByteCount))[...]
        var lines: [String] = []
        for name in ["version", "key", "manifest", "signature"] {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
                throw .cutShort("its head ends before the \(name)")
            }
            guard rest[..<end].allSatisfy({ (0x20...0x7e).contains($0) }) else {
                throw .malformedHead("the \(name) is not plain text")
            }
            lines.append(String(decoding: rest[..<end], as: UTF8.self))
            rest = rest[(end + 1)...]
            // A later version may have other lines.
            if lines.count == 1, lines[0] != Self.magic + Self.version {
                throw .otherVersion(String(lines[0].dropFirst(Self.magic.count).prefix(40)))
            }
        }
        guard let key = lines[1].value(of: "key"), Self.isKey(key) else { throw .malformedHead("the key") }
        let words = lines[2].value(of: "manifest")?.split(separator: " ", omittingEmptySubsequences: false)
        guard let words, words.count == 2, let size = Int64(words[0]), size >= 0, String(size) == words[0],
            let digest = try? Digest(parsing: words[1]), digest.algorithm == .sha256
        else { throw .malformedHead("the manifest's size and digest") }
        guard size <= Self.maximumManifest else { throw .tooLarge("its manifest has \(size) bytes") }
        guard let signature = lines[3].value(of: "signature").flatMap({ Hex.decode($0) }),
            signature.count == Self.signatureByteCount
        else { throw .malformedHead("the signature") }
        self.key = key
        manifestSize = size
        manifestDigest = digest
        self.signature = signature
    }

    /// What the signature is over.
    public var signedBytes: [UInt8] { Self.signed(key, manifestSize, manifestDigest) }

    /// The head as it stands in the file.
    public var bytes: [UInt8] {
        Array((Self.lines(key, manifestSize, manifestDigest) + "signature \(Hex.encode(signature))\n").utf8)
    }

    private static func signed(_ key: String, _ size: Int64, _ digest: Digest) -> [UInt8] {
        Array((domain + lines(key, size, digest)).utf8)
    }

    private static func lines(_ key: String, _ size: Int64, _ digest: Digest) -> String {
        "\(magic)\(version)\nkey \(key)\nmanifest \(size) \(digest)\n"
    }

    private static func isKey(_ key: String) -> Bool {
        (1...maximumKey).contains(key.utf8.count) && key.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }
}

extension String {
    /// What follows the word `name` and one space.
    fileprivate func value(of name: String) -> String? {
        hasPrefix(name + " ") ? String(dropFirst(name.count + 1)) : nil
    }
}
