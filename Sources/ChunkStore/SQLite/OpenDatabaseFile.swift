import CSQLite
import Content
import Synchronization

/// One open file of one connection: what SQLite's `sqlite3_io_methods` work on.
// Unchecked: SQLite calls the methods of one connection from one thread at a time.
final class OpenDatabaseFile: @unchecked Sendable {
    private let file: OpenFile
    private let path: String
    private let owner: DatabaseFiles
    private let shared: SharedDatabaseFile
    private let deletesOnClose: Bool
    /// The file was made by this opening: the first sync makes its name durable, too.
    private var nameIsUnsynced: Bool
    private var lockLevel = SQLITE_LOCK_NONE
    private var isMapped = false
    private var sharedSlots: UInt16 = 0
    private var exclusiveSlots: UInt16 = 0

    init(
        _ file: OpenFile, path: String, in owner: DatabaseFiles, shared: SharedDatabaseFile,
        nameIsUnsynced: Bool, deletesOnClose: Bool
    ) {
        self.file = file
        self.path = path
        self.owner = owner
        self.shared = shared
        self.nameIsUnsynced = nameIsUnsynced
        self.deletesOnClose = deletesOnClose
    }

    private var files: any FileSystem { owner.files }

    private func close() {
        unmap()
        shared.unlock(to: SQLITE_LOCK_NONE, held: &lockLevel)
        // A temporary file that stays behind is one that the next opening cannot mistake for anything.
        if deletesOnClose { try? files.unlink(path) }
    }

    private func read(_ target: UnsafeMutableRawPointer?, _ count: Int32, _ offset: Int64) -> Int32 {
        let buffer = UnsafeMutableRawBufferPointer(start: target, count: Int(count))
        do throws(FileError) {
            let done = try files.read(from: file, into: buffer, at: offset)
            if done == buffer.count { return SQLITE_OK }
            UnsafeMutableRawBufferPointer(rebasing: buffer[done...]).initializeMemory(
                as: UInt8.self, repeating: 0)
            return IOFailure.shortRead
        } catch {
            return IOFailure.read
        }
    }

    private func write(_ source: UnsafeRawPointer?, _ count: Int32, _ offset: Int64) -> Int32 {
        reporting(IOFailure.write) { () throws(FileError) in
            try files.write(UnsafeRawBufferPointer(start: source, count: Int(count)), to: file, at: offset)
        }
    }

    private func synchronize() -> Int32 {
        reporting(IOFailure.synchronize) { () throws(FileError) in
            try files.synchronize(file)
            guard nameIsUnsynced else { return }
            try files.synchronizeDirectory(owner.parent(of: path))
            nameIsUnsynced = false
        }
    }

    private func reporting(_ code: Int32, _ body: () throws(FileError) -> Void) -> Int32 {
        do throws(FileError) {
            try body()
            return SQLITE_OK
        } catch {
            return error.isNoSpace ? SQLITE_FULL : code
        }
    }

    private func map(_ index: Int32, size: Int32, extend: Bool) -> UnsafeMutableRawPointer? {
        if !isMapped {
            isMapped = true
            shared.mapped()
        }
        return UnsafeMutableRawPointer(
            bitPattern: shared.region(Int(index), size: Int(size), extend: extend))
    }

    private func unmap() {
        guard isMapped else { return }
        isMapped = false
        _ = shared.lockSlots(
            0..<Int(SQLITE_SHM_NLOCK), flags: SQLITE_SHM_UNLOCK, shared: &sharedSlots,
            exclusive: &exclusiveSlots)
        shared.unmapped()
    }

    private static func of(_ file: UnsafeMutablePointer<sqlite3_file>?) -> OpenDatabaseFile? {
        guard let file, let pointer = DatabaseFileSlot.at(file).pointee.file else { return nil }
        return Unmanaged<OpenDatabaseFile>.fromOpaque(pointer).takeUnretainedValue()
    }

    // Unsafe only in its type: written here once, then read by SQLite.
    nonisolated(unsafe) static let methods: UnsafePointer<sqlite3_io_methods> = {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: sqlite3_io_methods())
        methods.pointee.iVersion = 2
        methods.pointee.xClose = { file in
            guard let open = of(file), let file else { return SQLITE_OK }
            open.close()
            DatabaseFileSlot.at(file).pointee.file = nil
            Unmanaged.passUnretained(open).release()
            return SQLITE_OK
        }
        methods.pointee.xRead = { of($0)?.read($1, $2, $3) ?? IOFailure.read }
        methods.pointee.xWrite = { of($0)?.write($1, $2, $3) ?? IOFailure.write }
        methods.pointee.xTruncate = { file, size in
            guard let open = of(file) else { return IOFailure.truncate }
            return open.reporting(IOFailure.truncate) { () throws(FileError) in
                try open.files.truncate(open.file, to: size)
            }
        }
        methods.pointee.xSync = { file, _ in of(file)?.synchronize() ?? IOFailure.synchronize }
        methods.pointee.xFileSize = { file, result in
            guard let open = of(file) else { return IOFailure.status }
            return open.reporting(IOFailure.status) { () throws(FileError) in
                result?.pointee = try open.files.size(of: open.file)
            }
        }
        methods.pointee.xLock = { file, level in
            guard let open = of(file) else { return IOFailure.lock }
            return open.shared.lock(level, held: &open.lockLevel)
        }
        methods.pointee.xUnlock = { file, level in
            guard let open = of(file) else { return IOFailure.unlock }
            open.shared.unlock(to: level, held: &open.lockLevel)
            return SQLITE_OK
        }
        methods.pointee.xCheckReservedLock = { file, result in
            result?.pointee = of(file)?.shared.isReserved == true ? 1 : 0
            return SQLITE_OK
        }
        methods.pointee.xFileControl = { _, _, _ in SQLITE_NOTFOUND }
        methods.pointee.xSectorSize = { _ in 4096 }
        // A write that is cut short by a power failure changes no byte outside of it.
        methods.pointee.xDeviceCharacteristics = { _ in SQLITE_IOCAP_POWERSAFE_OVERWRITE }
        methods.pointee.xShmMap = { file, index, size, extend, result in
            guard let open = of(file) else { return IOFailure.sharedMemoryMap }
            result?.pointee = open.map(index, size: size, extend: extend != 0)
            return SQLITE_OK
        }
        methods.pointee.xShmLock = { file, offset, count, flags in
            guard let open = of(file) else { return IOFailure.sharedMemoryLock }
            return open.shared.lockSlots(
                Int(offset)..<Int(offset + count), flags: flags, shared: &open.sharedSlots,
                exclusive: &open.exclusiveSlots)
        }
        methods.pointee.xShmBarrier = { _ in atomicMemoryFence(ordering: .sequentiallyConsistent) }
        methods.pointee.xShmUnmap = { file, _ in
            of(file)?.unmap()
            return SQLITE_OK
        }
        return UnsafePointer(methods)
    }()
}
