import Content

/// Every file operation of the store.
///
/// The store touches the disk through this and nothing else (SQLite included), so that a test can record,
/// drop, tear and reorder whatever was not synced. All calls block and belong on the store's threads.
public protocol FileSystem: Sendable {
    /// - Throws: `FileError` with `.notFound` when `access` does not create and there is no file.
    func open(_ path: String, _ access: FileAccess) throws(FileError) -> OpenFile
    /// Writes all of `bytes` at `offset`.
    func write(_ bytes: UnsafeRawBufferPointer, to file: OpenFile, at offset: Int64) throws(FileError)
    /// Fills `buffer` from `offset`; fewer bytes than asked for means the end of the file.
    func read(from file: OpenFile, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64)
        throws(FileError) -> Int
    func truncate(_ file: OpenFile, to size: Int64) throws(FileError)
    func size(of file: OpenFile) throws(FileError) -> Int64
    /// Makes the file's bytes and length durable (fdatasync).
    func synchronize(_ file: OpenFile) throws(FileError)
    /// Makes the names in a directory durable.
    func synchronizeDirectory(_ path: String) throws(FileError)
    /// Replaces `destination` if it exists.
    func rename(_ source: String, to destination: String) throws(FileError)
    func unlink(_ path: String) throws(FileError)
    /// Makes one directory with mode 0700; one that exists is fine.
    func makeDirectory(_ path: String) throws(FileError)
    /// The names in a directory, in no order, without `.` and `..`.
    func list(_ path: String) throws(FileError) -> [String]
    /// The size of the file at `path`, nil when there is none.
    func size(at path: String) throws(FileError) -> Int64?
    /// Bytes that may still be written on the file system that holds `path`.
    func freeSpace(at path: String) throws(FileError) -> Int64
    /// Opens (making it if needed) and locks a file for this process; nil when another one has it.
    func lock(_ path: String) throws(FileError) -> OpenFile?
    /// Gives a lock up at once. Closing alone is not enough while a process that is just being started holds a
    /// copy of the descriptor.
    func unlock(_ file: OpenFile)
}

extension FileSystem {
    /// For file systems whose locks end with the file.
    public func unlock(_ file: OpenFile) {}
}

/// How a file is opened.
public enum FileAccess: Sendable {
    case read
    case readWrite
    /// For reading and writing; made with mode 0600 when it does not exist.
    case create
    /// As `create`, but an existing file is an error.
    case createNew
}

/// A file operation that failed, on what, and why.
public struct FileError: Error, Equatable, CustomStringConvertible {
    public let operation: String
    public let path: String
    /// The C library's `errno`.
    public let code: Int32

    public init(_ operation: String, _ path: String, code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }
}
