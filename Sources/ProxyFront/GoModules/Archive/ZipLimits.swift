/// How much of a zip is looked at before it is given up: the bounds of the go command for module zips
/// (golang.org/ref/mod, "Module zip files"), and bounds on what it takes to keep track of one.
public struct ZipLimits: Sendable {
    /// The largest zip, in bytes.
    public var packedByteCount: Int64 = 500 << 20
    /// The most bytes that all entries together may unpack to.
    public var unpackedByteCount: Int64 = 500 << 20
    /// The largest go.mod and LICENSE in the module's root, in bytes.
    public var rootFileByteCount: Int64 = 16 << 20
    public var entryCount = 1 << 18
    /// The longest name of one entry, in bytes.
    public var nameByteCount = 4096
    /// The most bytes that all names together may have.
    public var namesByteCount = 32 << 20

    public static let module = ZipLimits()

    public init() {}
}

/// Why a zip is no module zip that any client could use. Its h1 is unknown and stays so.
public enum ZipRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    case packedTooLarge(limit: Int64)
    case unpackedTooLarge(limit: Int64)
    case tooManyEntries(limit: Int)
    case namesTooLong(limit: Int)
    /// The archive as a whole cannot be read.
    case unreadable(String)
    /// One entry cannot be read; the name is cut to a bounded length.
    case unreadableEntry(name: String, reason: String)

    public var description: String {
        switch self {
        case .packedTooLarge(let limit): "the zip is larger than \(limit) bytes"
        case .unpackedTooLarge(let limit): "the zip unpacks to more than \(limit) bytes"
        case .tooManyEntries(let limit): "the zip has more than \(limit) entries"
        case .namesTooLong(let limit): "the names in the zip exceed \(limit) bytes"
        case .unreadable(let reason): "the zip cannot be read: \(reason)"
        case .unreadableEntry(let name, let reason):
            "\(QuotedText(name)) in the zip cannot be read: \(reason)"
        }
    }
}
