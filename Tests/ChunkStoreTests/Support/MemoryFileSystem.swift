import ChunkStore
import Content
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A file system in memory that can crash: what was not synced is then lost, torn or kept by chance
/// (`SimulatedDisk`). SQLite's files live here too.
final class MemoryFileSystem: FileSystem {
    private struct State {
        var contents: [Int: [UInt8]] = [:]
        var names: [String: Int] = [:]
        var directories: Set<String> = [""]
        var open: [ObjectIdentifier: Int] = [:]
        var disk = SimulatedDisk()
        var nextFile = 0
        /// Changes until the power fails; nil = it does not.
        var changesLeft: Int?
        var syncsForgottenBelow: String?
        /// Every how many longer reads of a blob's file a bit of what is read is wrong; 0 = never.
        var wrongReadEvery = 0
        var reads = 0
        var paths: [Int: String] = [:]
    }
    private let root: String
    private let state = Mutex(State())

    /// An empty file system below `root`.
    init(root: String) { self.root = root }

    /// What is left of `other` after a crash.
    init(after crash: SimulatedDisk.Crash, of other: MemoryFileSystem) {
        root = other.root
        let (remains, forgotten) = other.state.withLock {
            ($0.disk.remains(of: crash), $0.syncsForgottenBelow)
        }
        state.withLock { state in
            state.syncsForgottenBelow = forgotten
            for directory in remains.directories where !directory.isEmpty {
                Self.change(.makeDirectory(directory), &state)
                Self.change(.synchronizeDirectory(Self.parent(directory)), &state)
            }
            state.directories.formUnion(remains.directories)
            for (path, bytes) in remains.files {
                state.nextFile += 1
                let file = state.nextFile
                state.names[path] = file
                state.paths[file] = path
                state.contents[file] = bytes
                Self.change(.create(path, file: file), &state)
                Self.change(.write(file: file, offset: 0, bytes: bytes), &state)
                Self.change(.synchronize(file: file), &state)
            }
            for directory in remains.directories { Self.change(.synchronizeDirectory(directory), &state) }
        }
    }

    /// After so many more changes every change fails, until the store is given up.
    func failPower(after changes: Int?) { state.withLock { $0.changesLeft = changes } }

    /// From now on syncs of files whose path starts so do nothing.
    func forgetSyncs(below prefix: String) { state.withLock { $0.syncsForgottenBelow = prefix } }

    func readWrongly(every count: Int) { state.withLock { $0.wrongReadEvery = count } }

    /// All bytes of an open file, never wrong.
    func bytes(of file: OpenFile) -> [UInt8] {
        state.withLock { state in state.open[ObjectIdentifier(file)].flatMap { state.contents[$0] } ?? [] }
    }

    /// The files below a folder, with their sizes.
    func files(below folder: String) -> [String: Int64] {
        state.withLock { state in
            var found: [String: Int64] = [:]
            for (path, file) in state.names where path.hasPrefix(folder + "/") {
                found[root + "/" + path] = Int64(state.contents[file]?.count ?? 0)
            }
            return found
        }
    }

    private static func parent(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }

    private static func change(_ operation: DiskOperation, _ state: inout State) {
        state.disk.apply(operation)
    }

    private func relative(_ path: String) -> String {
        path == root ? "" : String(path.dropFirst(root.utf8.count + 1))
    }

    /// Runs a change of the disk, unless the power is gone.
    private func changing<Value: Sendable>(
        _ what: String, _ path: String, _ body: (inout State) throws(FileError) -> Value
    ) throws(FileError) -> Value {
        try locked { state throws(FileError) in
            if let left = state.changesLeft {
                guard left > 0 else { throw FileError(what, path, code: EIO) }
                state.changesLeft = left - 1
            }
            return try body(&state)
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

    func open(_ path: String, _ access: FileAccess) throws(FileError) -> OpenFile {
        let name = relative(path)
        let file = OpenFile(owning: Glibc.open("/dev/null", O_RDWR | O_CLOEXEC))
        try locked { state throws(FileError) in
            if let number = state.names[name] {
                if access == .createNew { throw FileError("open", path, code: EEXIST) }
                state.open[ObjectIdentifier(file)] = number
                return
            }
            guard access == .create || access == .createNew else {
                throw FileError("open", path, code: ENOENT)
            }
            if state.changesLeft == 0 { throw FileError("open", path, code: EIO) }
            state.nextFile += 1
            state.names[name] = state.nextFile
            state.paths[state.nextFile] = name
            state.contents[state.nextFile] = []
            state.open[ObjectIdentifier(file)] = state.nextFile
            Self.change(.create(name, file: state.nextFile), &state)
        }
        return file
    }

    func write(_ bytes: UnsafeRawBufferPointer, to file: OpenFile, at offset: Int64) throws(FileError) {
        let copy = Array(bytes)
        try changing("write", "a file") { state throws(FileError) in
            let number = try Self.number(file, state)
            let end = Int(offset) + copy.count
            if state.contents[number, default: []].count < end {
                let lacking = end - (state.contents[number]?.count ?? 0)
                state.contents[number, default: []].append(contentsOf: repeatElement(0, count: lacking))
            }
            state.contents[number]?.replaceSubrange(Int(offset)..<end, with: copy)
            Self.change(.write(file: number, offset: offset, bytes: copy), &state)
        }
    }

    func read(
        from file: OpenFile, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(FileError) -> Int {
        nonisolated(unsafe) let buffer = buffer
        return try locked { state throws(FileError) in
            let number = try Self.number(file, state)
            let held = state.contents[number]?.count ?? 0
            let count = max(0, min(buffer.count, held - Int(offset)))
            guard count > 0 else { return 0 }
            state.contents[number]?.withUnsafeBytes {
                buffer.copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: $0[Int(offset)..<Int(offset) + count]))
            }
            if state.wrongReadEvery > 0, count >= 600, state.paths[number]?.hasPrefix("ingest/") == true {
                state.reads += 1
                if state.reads % state.wrongReadEvery == 0 { buffer[count / 2] ^= 1 }
            }
            return count
        }
    }

    func truncate(_ file: OpenFile, to size: Int64) throws(FileError) {
        try changing("truncate", "a file") { state throws(FileError) in
            let number = try Self.number(file, state)
            let now = state.contents[number]?.count ?? 0
            if Int(size) < now {
                state.contents[number]?.removeLast(now - Int(size))
            } else {
                state.contents[number]?.append(contentsOf: repeatElement(0, count: Int(size) - now))
            }
            Self.change(.truncate(file: number, size: size), &state)
        }
    }

    func synchronize(_ file: OpenFile) throws(FileError) {
        try changing("sync", "a file") { state throws(FileError) in
            let number = try Self.number(file, state)
            if let prefix = state.syncsForgottenBelow, state.paths[number]?.hasPrefix(prefix) == true {
                return
            }
            Self.change(.synchronize(file: number), &state)
        }
    }

    func synchronizeDirectory(_ path: String) throws(FileError) {
        let name = relative(path)
        try changing("sync", path) { state throws(FileError) in
            Self.change(.synchronizeDirectory(name), &state)
        }
    }

    func rename(_ source: String, to destination: String) throws(FileError) {
        let (from, to) = (relative(source), relative(destination))
        try changing("rename", source) { state throws(FileError) in
            guard let file = state.names.removeValue(forKey: from) else {
                throw FileError("rename", source, code: ENOENT)
            }
            state.names[to] = file
            Self.change(.rename(from, to: to), &state)
        }
    }

    func unlink(_ path: String) throws(FileError) {
        let name = relative(path)
        try changing("remove", path) { state throws(FileError) in
            guard state.names.removeValue(forKey: name) != nil else {
                throw FileError("remove", path, code: ENOENT)
            }
            Self.change(.unlink(name), &state)
        }
    }

    func makeDirectory(_ path: String) throws(FileError) {
        let name = relative(path)
        try changing("make directory", path) { state throws(FileError) in
            guard state.directories.insert(name).inserted, !name.isEmpty else { return }
            Self.change(.makeDirectory(name), &state)
        }
    }

    func list(_ path: String) throws(FileError) -> [String] {
        let name = relative(path)
        return try locked { state throws(FileError) in
            guard state.directories.contains(name) else { throw FileError("list", path, code: ENOENT) }
            let below = Set(state.names.keys).union(state.directories).filter { !$0.isEmpty }
            return below.filter { Self.parent($0) == name }
                .map { name.isEmpty ? $0 : String($0.dropFirst(name.utf8.count + 1)) }
        }
    }

    func size(of file: OpenFile) throws(FileError) -> Int64 {
        try locked { state throws(FileError) in
            Int64(state.contents[try Self.number(file, state)]?.count ?? 0)
        }
    }

    func size(at path: String) throws(FileError) -> Int64? {
        let name = relative(path)
        return try locked { state throws(FileError) in
            state.names[name].map { Int64(state.contents[$0]?.count ?? 0) }
        }
    }

    func freeSpace(at path: String) throws(FileError) -> Int64 { 1 << 40 }

    func lock(_ path: String) throws(FileError) -> OpenFile? { try open(path, .create) }

    private static func number(_ file: OpenFile, _ state: borrowing State) throws(FileError) -> Int {
        guard let number = state.open[ObjectIdentifier(file)] else {
            throw FileError("use", "a file of another file system", code: EBADF)
        }
        return number
    }
}
