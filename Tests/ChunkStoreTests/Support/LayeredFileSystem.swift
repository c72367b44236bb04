import ChunkStore
import Content
import Synchronization

/// A file system over the machine's: what a test does not change passes through.
protocol LayeredFileSystem: FileSystem {}

extension LayeredFileSystem {
    var base: PosixFileSystem { PosixFileSystem() }

    func open(_ path: String, _ access: FileAccess) throws(FileError) -> OpenFile {
        try base.open(path, access)
    }
    func write(_ bytes: UnsafeRawBufferPointer, to file: OpenFile, at offset: Int64) throws(FileError) {
        try base.write(bytes, to: file, at: offset)
    }
    func read(
        from file: OpenFile, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(FileError) -> Int { try base.read(from: file, into: buffer, at: offset) }
    func truncate(_ file: OpenFile, to size: Int64) throws(FileError) { try base.truncate(file, to: size) }
    func size(of file: OpenFile) throws(FileError) -> Int64 { try base.size(of: file) }
    func synchronize(_ file: OpenFile) throws(FileError) { try base.synchronize(file) }
    func synchronizeDirectory(_ path: String) throws(FileError) { try base.synchronizeDirectory(path) }
    func rename(_ source: String, to destination: String) throws(FileError) {
        try base.rename(source, to: destination)
    }
    func unlink(_ path: String) throws(FileError) { try base.unlink(path) }
    func makeDirectory(_ path: String) throws(FileError) { try base.makeDirectory(path) }
    func list(_ path: String) throws(FileError) -> [String] { try base.list(path) }
    func size(at path: String) throws(FileError) -> Int64? { try base.size(at: path) }
    func freeSpace(at path: String) throws(FileError) -> Int64 { try base.freeSpace(at: path) }
    func lock(_ path: String) throws(FileError) -> OpenFile? { try base.lock(path) }
    func unlock(_ file: OpenFile) { base.unlock(file) }
}

/// The machine's file system without waiting for the disk: for tests in which no power fails.
struct HastyFileSystem: LayeredFileSystem {
    func synchronize(_ file: OpenFile) throws(FileError) {}
    func synchronizeDirectory(_ path: String) throws(FileError) {}
}

/// Counts what is read.
final class CountingFileSystem: LayeredFileSystem {
    private let count = Atomic<Int64>(0)
    var bytesRead: Int64 { count.load(ordering: .relaxed) }

    func read(
        from file: OpenFile, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(FileError) -> Int {
        let read = try base.read(from: file, into: buffer, at: offset)
        count.add(Int64(read), ordering: .relaxed)
        return read
    }
}
