/// The name of a repository within its registry, such as `library/nginx` (OCI distribution specification 1.1,
/// "Pulling manifests").
public struct RepositoryName: Hashable, Sendable, CustomStringConvertible {
    public static let maximumByteCount = 255

    public let text: String

    /// - Throws: `RegistryNameError.repository` for a text that does not match
    ///   `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*` or is longer than 255 bytes.
    public init(_ text: some StringProtocol) throws(RegistryNameError) {
        guard text.utf8.count <= Self.maximumByteCount,
            text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
                .allSatisfy({ Self.isSegment($0) })
        else { throw .repository(String(text.prefix(300))) }
        self.text = String(text)
    }

    public var description: String { text }

    /// Whether it is one segment, which on Docker Hub is short for `library/<segment>`.
    public var isOneSegment: Bool { !text.utf8.contains(UInt8(ascii: "/")) }

    private static func isSegment(_ segment: some BidirectionalCollection<UInt8>) -> Bool {
        guard let first = segment.first, let last = segment.last, isAlphanumeric(first), isAlphanumeric(last)
        else { return false }
        var separators: [UInt8] = []
        for byte in segment {
            if isAlphanumeric(byte) {
                if !isSeparator(separators) { return false }
                separators = []
            } else {
                separators.append(byte)
            }
        }
        return true
    }

    /// None at all, `.`, `_`, `__`, or any number of dashes.
    private static func isSeparator(_ bytes: [UInt8]) -> Bool {
        switch bytes.first {
        case nil: true
        case UInt8(ascii: "."): bytes.count == 1
        case UInt8(ascii: "_"): bytes.count <= 2 && bytes.allSatisfy { $0 == UInt8(ascii: "_") }
        case UInt8(ascii: "-"): bytes.allSatisfy { $0 == UInt8(ascii: "-") }
        default: false
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        ByteClass.isDigit(byte) || (0x61...0x7A).contains(byte)
    }
}
