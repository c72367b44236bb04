import ChunkStore
import Content
import Synchronization

/// One change of the disk, as the store asked for it; files are known by number, whatever their names become.
enum DiskOperation: Sendable {
    case makeDirectory(String)
    case create(String, file: Int)
    case write(file: Int, offset: Int64, bytes: [UInt8])
    case truncate(file: Int, size: Int64)
    case synchronize(file: Int)
    case synchronizeDirectory(String)
    case rename(String, to: String)
    case unlink(String)
    /// In place of an operation that a test took out.
    case nothing
}

/// The machine's file system, with a journal of every change. Paths in the journal are relative to `root`.
final class RecordingFileSystem: LayeredFileSystem {
    private struct State {
        var journal: [DiskOperation] = []
        var names: [String: Int] = [:]
        var open: [ObjectIdentifier: Int] = [:]
        var nextFile = 0
    }
    private let root: String
    private let base = PosixFileSystem()
    // Held while the operation itself runs, so that the journal has the order of the disk.
    private let state = Mutex(State())

    init(root: String) { self.root = root }

    var journal: [DiskOperation] { state.withLock { $0.journal } }
    var count: Int { state.withLock { $0.journal.count } }

    private func relative(_ path: String) -> String {
        guard path.hasPrefix(root) else { return "outside" }
        return path == root ? "" : String(path.dropFirst(root.utf8.count + 1))
    }

    private func file(_ file: OpenFile, in state: borrowing State) throws(FileError) -> Int {
        guard let number = state.open[ObjectIdentifier(file)] else {
            throw FileError("record", "a file that was not opened for writing", code: 9)
        }
        return number
    }

    func open(_ path: String, _ access: FileAccess) throws(FileError) -> OpenFile {
        let name = relative(path)
        return try locked { state throws(FileError) in
            let existed = try self.base.size(at: path) != nil
            let file = try self.base.open(path, access)
            if !existed {
                state.nextFile += 1
                state.names[name] = state.nextFile
                state.journal.append(.create(name, file: state.nextFile))
            }
            state.open[ObjectIdentifier(file)] = state.names[name]
            return file
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, to file: OpenFile, at offset: Int64) throws(FileError) {
        let copy = Array(bytes)
        try locked { state throws(FileError) in
            let number = try self.file(file, in: state)
            try self.base.write(copy, to: file, at: offset)
            state.journal.append(.write(file: number, offset: offset, bytes: copy))
        }
    }

    func truncate(_ file: OpenFile, to size: Int64) throws(FileError) {
        try locked { state throws(FileError) in
            let number = try self.file(file, in: state)
            try self.base.truncate(file, to: size)
            state.journal.append(.truncate(file: number, size: size))
        }
    }

    func synchronize(_ file: OpenFile) throws(FileError) {
        // No real sync: what would survive is worked out from the journal.
        try locked { state throws(FileError) in
            state.journal.append(.synchronize(file: try self.file(file, in: state)))
        }
    }

    func synchronizeDirectory(_ path: String) throws(FileError) {
        let name = relative(path)
        try locked { state throws(FileError) in state.journal.append(.synchronizeDirectory(name)) }
    }

    func rename(_ source: String, to destination: String) throws(FileError) {
        let (from, to) = (relative(source), relative(destination))
        try locked { state throws(FileError) in
            try self.base.rename(source, to: destination)
            state.names[to] = state.names.removeValue(forKey: from)
            state.journal.append(.rename(from, to: to))
        }
    }

    func unlink(_ path: String) throws(FileError) {
        let name = relative(path)
        try locked { state throws(FileError) in
            try self.base.unlink(path)
            state.names[name] = nil
            state.journal.append(.unlink(name))
        }
    }

    func makeDirectory(_ path: String) throws(FileError) {
        let name = relative(path)
        try locked { state throws(FileError) in
            let existed = try self.base.size(at: path) != nil
            try self.base.makeDirectory(path)
            if !existed && !name.isEmpty { state.journal.append(.makeDirectory(name)) }
        }
    }

    private func locked<Value: Sendable>(
        _ body: (inout State) throws(FileError) -> Value
    ) throws(FileError) -> Value {
        let result: Result<Value, FileError> = state.withLock { state in
            do throws(FileError) { return .success(try body(&state)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
