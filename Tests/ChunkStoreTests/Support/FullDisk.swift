import ChunkStore
import Content
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A disk that takes only so many more bytes, then reports that it is full.
final class FullDisk: LayeredFileSystem {
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
        try PosixFileSystem().write(UnsafeRawBufferPointer(rebasing: bytes[..<fits]), to: file, at: offset)
        if fits < bytes.count { throw FileError("write", "a full disk", code: ENOSPC) }
    }

    func synchronize(_ file: OpenFile) throws(FileError) {}
    func synchronizeDirectory(_ path: String) throws(FileError) {}
}
