/// The name of a reference: a slash-separated key in the node's one name space, such as
/// `go/golang.org/x/net@v0.34.0.zip` or `oci/docker.io/library/nginx:1.27`.
///
/// The first segment says whose name it is (`go`, `sumdb`, `oci`); what follows is the protocol's own
/// name in its canonical, unescaped form. Names are compared byte for byte.
public struct ReferenceName: Hashable, Sendable, CustomStringConvertible {
    /// The longest name that is accepted, in bytes of UTF-8.
    public static let maximumByteCount = 1024

    public let text: String
    /// Names are looked up far more often than they are made.
    private let hash: Int

    /// - Throws: `ReferenceNameError` when the name is empty, longer than `maximumByteCount`, or holds
    ///   a control character.
    public init(_ text: String) throws(ReferenceNameError) {
        guard !text.isEmpty else { throw .empty }
        guard text.utf8.count <= Self.maximumByteCount else { throw .tooLong(text.utf8.count) }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { throw .controlCharacter }
        self.text = text
        hash = text.hashValue
    }

    public static func == (a: ReferenceName, b: ReferenceName) -> Bool {
        a.hash == b.hash && a.text == b.text
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(hash) }

    public var description: String { text }
}

/// Why a text cannot name a reference.
public enum ReferenceNameError: Error, Equatable, CustomStringConvertible {
    case empty
    case tooLong(Int)
    case controlCharacter

    public var description: String {
        switch self {
        case .empty: "a reference name must not be empty"
        case .tooLong(let count):
            "a reference name has at most \(ReferenceName.maximumByteCount) bytes; this one has \(count)"
        case .controlCharacter: "a reference name must not hold control characters"
        }
    }
}
