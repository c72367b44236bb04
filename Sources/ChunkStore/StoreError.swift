import Content

/// What can go wrong in the store, with the facts a person needs.
public enum StoreError: Error, CustomStringConvertible, Equatable {
    case badConfiguration(String)
    /// Another process has the directory.
    case inUse(directory: String)
    case notAStore(directory: String, found: String)
    /// Written by a newer edgenode.
    case newerFormat(what: String, found: Int, supported: Int)
    case file(FileError)
    case database(code: Int32, message: String, doing: String)
    /// Disk or capacity full after eviction; what is already there stays readable.
    case noSpace
    /// The body ended before or after the length that was announced.
    case lengthMismatch(expected: Int64, found: Int64)
    case digestMismatch(expected: Digest, found: Digest)
    /// Bytes on disk that no longer match their digest or size.
    case damaged(Digest, what: String)
    /// A reference was to be set to a blob that is not held.
    case unknownDigest(Digest)
    /// The ingest lacks bytes: it cannot be sealed.
    case incomplete(present: Int64, size: Int64?)
    /// The ingest was published, parked, abandoned or failed and takes no more calls.
    case released
    case closed

    /// SQLITE_CORRUPT and SQLITE_NOTADB.
    private static let corruption: Set<Int32> = [11, 26]

    public var description: String {
        switch self {
        case .badConfiguration(let what): "store configuration: \(what)"
        case .inUse(let directory):
            "the store in \(directory) is in use by another process: stop that one, or name another directory"
        case .notAStore(let directory, let found):
            "\(directory) is not a store (\(found)): name an empty directory or a store"
        case .newerFormat(let what, let found, let supported):
            "\(what) has format \(found), this program reads up to \(supported): use the newer program"
        case .file(let error): error.description
        case .database(let code, let message, let doing):
            "index database: \(message) (SQLite code \(code)) while \(doing)"
                + (Self.corruption.contains(code & 0xff)
                    ? "; the index is damaged: stop the node and move the store's directory away, it fills anew"
                    : "")
        case .noSpace: "no space: the disk or the store's capacity is full and nothing more can be evicted"
        case .lengthMismatch(let expected, let found): "expected \(expected) bytes, found \(found)"
        case .digestMismatch(let expected, let found): "expected \(expected), the bytes are \(found)"
        case .damaged(let digest, let what): "\(digest) is damaged: \(what)"
        case .unknownDigest(let digest): "\(digest) is not held: publish or put it first"
        case .incomplete(let present, let size):
            "\(present) of \(size.map(String.init) ?? "an unknown number of") bytes are there: not complete"
        case .released: "this ingest is finished and takes no more calls"
        case .closed: "the store is closed"
        }
    }
}
