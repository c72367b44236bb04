public import Content

/// A mutable name of a manifest within its repository: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}` (OCI distribution
/// specification 1.1, "Pulling manifests").
public struct Tag: Hashable, Sendable, CustomStringConvertible {
    public static let latest = Tag(trusted: "latest")

    public let text: String

    /// - Throws: `RegistryNameError.tag`.
    public init(_ text: some StringProtocol) throws(RegistryNameError) {
        let bytes = text.utf8
        guard (1...128).contains(bytes.count), bytes.allSatisfy(Self.isTagByte),
            bytes.first != UInt8(ascii: "."), bytes.first != UInt8(ascii: "-")
        else { throw .tag(String(text.prefix(200))) }
        self.text = String(text)
    }

    private init(trusted text: String) { self.text = text }

    public var description: String { text }

    private static func isTagByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// What a manifest is asked for by.
public enum ManifestReference: Hashable, Sendable, CustomStringConvertible {
    case tag(Tag)
    case digest(Digest)

    /// - Throws: `RegistryNameError`: `.digest` for a text with a colon, `.tag` for another one.
    public init(parsing text: some StringProtocol) throws(RegistryNameError) {
        guard text.utf8.contains(UInt8(ascii: ":")) else {
            self = .tag(try Tag(text))
            return
        }
        do throws(DigestError) { self = .digest(try Digest(parsing: text)) } catch { throw .digest(error) }
    }

    public var description: String {
        switch self {
        case .tag(let tag): tag.text
        case .digest(let digest): "\(digest)"
        }
    }
}
