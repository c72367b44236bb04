/// The name of a repository within its registry, such as `library/nginx` (OCI distribution specification 1.1,
/// "Pulling manifests").
public struct RepositoryName: Hashable, Sendable, CustomStringConvertible {
    public static let maximumByteCount = 255

    public let text: String

    /// - Throws: `RegistryNameError.repository` for a text that does not match
    ///   `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*` or is longer than 255 bytes.
    public init(_ text: some StringProtocol) throws(RegistryNameError) {
        var copy = String(text)
        guard copy.withUTF8({ $0.count <= Self.maximumByteCount && Self.isValid($0) }) else {
            throw .repository(String(text.prefix(300)))
        }
        self.text = copy
    }

    public var description: String { text }

    /// Whether it is one segment, which on Docker Hub is short for `library/<segment>`.
    public var isOneSegment: Bool { !text.utf8.contains(UInt8(ascii: "/")) }

    private static func isValid(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        // The separator that is open: its first byte, and how many there are of it.
        var (separator, count) = (UInt8(ascii: "/"), 1)
        for byte in text {
            switch byte {
            case _ where isAlphanumeric(byte): count = 0
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "/"):
                // Of the same kind two underscores or any number of dashes may follow each other; a segment begins and
                // ends with a letter or a digit.
                if count == 0 {
                    (separator, count) = (byte, 1)
                } else if byte == separator,
                    byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") && count == 1
                {
                    count += 1
                } else {
                    return false
                }
            default: return false
            }
        }
        return count == 0
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        ByteClass.isDigit(byte) || (0x61...0x7A).contains(byte)
    }
}
