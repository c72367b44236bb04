import ChunkStore
import Content
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A disk that takes only so many more bytes, then reports that it is full.
final class FullDisk: FileSystem {
    private let base = HastyFileSystem()
    private let left: Mutex<Int64?>

    /// - Parameter left: bytes that may still be written; nil = any number.
    init(left: Int64? = nil) { self.left = Mutex(left) }

    func leave(_ bytes: Int64?) { left.withLock { $0 = bytes } }

    func write(_ bytes: UnsafeRawBufferPointer, to file: OpenFile, at offset: Int64) throws(FileError) {
        let fits = left.withLock { left -> Int in
            guard let room = left else { return bytes.count }
            let fits = min(Int64(bytes.count), room)
            left = room - fits
            return Int(fits)
        }
        // A full disk takes the part that fits.
        try base.write(UnsafeRawBufferPointer(rebasing: bytes[..<fits]), to: file, at: offset)
        if fits < bytes.count { throw FileError("write", "a full disk", code: ENOSPC) }
    }

    func open(_ path: String, _ access: FileAccess) throws(FileError) -> OpenFile {
        try base.open(path, access)
    }
    func read(
        from file: OpenFile, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(FileError) -> Int { try base.read(from: file, into: buffer, at: offset) }
    func truncate(_ file: OpenFile, to size: Int64) throws(FileError) { try base.truncate(file, to: size) }
    func size(of file: OpenFile) throws(FileError) -> Int64 { try base.size(of: file) }
    func synchronize(_ file: OpenFile) throws(FileError) {}
    func synchronizeDirectory(_ path: String) throws(FileError) {}
    func rename(_ source: String, to destination: String) throws(FileError) {
        try base.rename(source, to: destination)
    }
    func unlink(_ path: String) throws(FileError) { try base.unlink(path) }
    func makeDirectory(_ path: String) throws(FileError) { try base.makeDirectory(path) }
    func list(_ path: String) throws(FileError) -> [String] { try base.list(path) }
    func size(at path: String) throws(FileError) -> Int64? { try base.size(at: path) }
    func freeSpace(at path: String) throws(FileError) -> Int64 { try base.freeSpace(at: path) }
    func lock(_ path: String) throws(FileError) -> OpenFile? { try base.lock(path) }
}
