#if canImport(Glibc)
    import Glibc
#endif

/// An open file that closes itself when its last holder lets go.
///
/// Holding one keeps the file's bytes readable even after the file was unlinked, which is how eviction
/// and running readers stay out of each other's way. Reads go by `pread`, `sendfile` or a duplicated
/// descriptor; nobody may move the shared file offset.
public final class OpenFile: Sendable {
    public let descriptor: Int32

    /// Takes ownership of `descriptor`.
    public init(owning descriptor: Int32) {
        precondition(descriptor >= 0, "OpenFile needs an open descriptor")
        self.descriptor = descriptor
    }

    deinit { _ = close(descriptor) }
}

/// A run of bytes in an open file: what a response body sends with `sendfile`.
public struct FileSlice: Sendable {
    public let file: OpenFile
    /// Offsets in the file, in bytes.
    public let range: Range<Int64>

    public init(file: OpenFile, range: Range<Int64>) {
        precondition(range.lowerBound >= 0, "a file slice starts at or after the file's start")
        self.file = file
        self.range = range
    }

    public var count: Int64 { range.upperBound - range.lowerBound }
}
