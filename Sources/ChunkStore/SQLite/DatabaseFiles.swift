import CSQLite
import Content
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A SQLite VFS over the store's `FileSystem`, so that the databases' writes and syncs too can be recorded,
/// dropped and torn by a test.
///
/// The store's lock keeps other processes out; locks and the write-ahead log's index are therefore kept in this
/// process's memory (https://www.sqlite.org/vfs.html, https://www.sqlite.org/walformat.html). Connections to one
/// database must all come from one instance.
// Unchecked: the C structure is written in `init` only and read by SQLite, which has locks of its own.
package final class DatabaseFiles: @unchecked Sendable {
    /// The name under which SQLite knows it.
    package let name: String
    let files: any FileSystem
    private let vfs: UnsafeMutablePointer<sqlite3_vfs>
    private let cName: UnsafeMutablePointer<CChar>
    private let shared = Mutex<[String: SharedDatabaseFile]>([:])
    private static let counter = Atomic<Int>(0)

    package init(_ files: any FileSystem) throws(StoreError) {
        self.files = files
        let number = Self.counter.add(1, ordering: .relaxed).newValue
        name = "edgenode-\(number)"
        guard let cName = strdup(name) else {
            throw .database(code: SQLITE_NOMEM, message: "out of memory", doing: "starting SQLite")
        }
        self.cName = cName
        vfs = .allocate(capacity: 1)
        vfs.initialize(to: sqlite3_vfs())
        vfs.pointee.iVersion = 2
        vfs.pointee.szOsFile = Int32(MemoryLayout<DatabaseFileSlot>.size)
        vfs.pointee.mxPathname = 4096
        vfs.pointee.zName = UnsafePointer(cName)
        vfs.pointee.pAppData = Unmanaged.passUnretained(self).toOpaque()
        Self.fill(vfs)
        let code = sqlite3_vfs_register(vfs, 0)
        guard code == SQLITE_OK else {
            throw .database(code: code, message: "the VFS is refused", doing: "starting SQLite")
        }
    }

    deinit {
        sqlite3_vfs_unregister(vfs)
        vfs.deallocate()
        free(cName)
    }

    /// What all connections to the file at `path` share.
    func sharedFile(_ path: String) -> SharedDatabaseFile {
        shared.withLock { shared in
            if let file = shared[path] { return file }
            let file = SharedDatabaseFile()
            shared[path] = file
            return file
        }
    }

    static func of(_ vfs: UnsafeMutablePointer<sqlite3_vfs>?) -> DatabaseFiles? {
        vfs?.pointee.pAppData.map { Unmanaged<DatabaseFiles>.fromOpaque($0).takeUnretainedValue() }
    }

    private static func fill(_ vfs: UnsafeMutablePointer<sqlite3_vfs>) {
        vfs.pointee.xOpen = { vfs, name, file, flags, outFlags in
            guard let files = DatabaseFiles.of(vfs), let name, let file else { return SQLITE_CANTOPEN }
            return files.open(String(cString: name), into: file, flags: flags, outFlags: outFlags)
        }
        vfs.pointee.xDelete = { vfs, name, syncDirectory in
            guard let files = DatabaseFiles.of(vfs), let name else { return IOFailure.delete }
            return files.delete(String(cString: name), syncDirectory: syncDirectory != 0)
        }
        vfs.pointee.xAccess = { vfs, name, flags, result in
            guard let files = DatabaseFiles.of(vfs)?.files, let name else { return IOFailure.access }
            guard let size = try? files.size(at: String(cString: name)) else {
                result?.pointee = 0
                return SQLITE_OK
            }
            // As SQLite's own unix VFS has it: an empty file does not exist.
            result?.pointee = flags == SQLITE_ACCESS_EXISTS && size == 0 ? 0 : 1
            return SQLITE_OK
        }
        vfs.pointee.xFullPathname = { _, name, count, target in
            guard let name, let target, strlen(name) < Int(count) else { return SQLITE_CANTOPEN }
            strcpy(target, name)
            return SQLITE_OK
        }
        vfs.pointee.xRandomness = { _, count, target in
            guard let target else { return 0 }
            var generator = SystemRandomNumberGenerator()
            for index in 0..<Int(count) { target[index] = CChar(truncatingIfNeeded: generator.next()) }
            return count
        }
        vfs.pointee.xSleep = { _, microseconds in
            usleep(UInt32(microseconds))
            return microseconds
        }
        vfs.pointee.xCurrentTimeInt64 = { _, result in
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            // Milliseconds since the start of the Julian calendar; 1970 began at this one.
            result?.pointee =
                210_866_760_000_000 + Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
            return SQLITE_OK
        }
        vfs.pointee.xCurrentTime = { _, result in
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            result?.pointee = 2_440_587.5 + Double(time.tv_sec) / 86400
            return SQLITE_OK
        }
        vfs.pointee.xGetLastError = { _, _, _ in 0 }
    }

    private func open(
        _ path: String, into file: UnsafeMutablePointer<sqlite3_file>, flags: Int32,
        outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        let slot = DatabaseFileSlot.at(file)
        // SQLite calls xClose only when there are methods.
        slot.pointee = DatabaseFileSlot()
        let creates = flags & SQLITE_OPEN_CREATE != 0
        do throws(FileError) {
            let isNew = creates ? try files.size(at: path) == nil : false
            let handle = try files.open(
                path, flags & SQLITE_OPEN_READONLY != 0 ? .read : creates ? .create : .readWrite)
            let open = OpenDatabaseFile(
                handle, path: path, in: self, shared: sharedFile(path), nameIsUnsynced: isNew,
                deletesOnClose: flags & SQLITE_OPEN_DELETEONCLOSE != 0)
            slot.pointee.methods = OpenDatabaseFile.methods
            slot.pointee.file = Unmanaged.passRetained(open).toOpaque()
            outFlags?.pointee = flags
            return SQLITE_OK
        } catch {
            return error.isNoSpace ? SQLITE_FULL : SQLITE_CANTOPEN
        }
    }

    fileprivate func delete(_ path: String, syncDirectory: Bool) -> Int32 {
        do throws(FileError) {
            try files.unlink(path)
            if syncDirectory { try files.synchronizeDirectory(parent(of: path)) }
            return SQLITE_OK
        } catch {
            return error.isNotFound ? IOFailure.deleteMissing : IOFailure.delete
        }
    }

    func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}

/// SQLite's `sqlite3_file` with the store's own pointer behind it.
struct DatabaseFileSlot {
    var methods: UnsafePointer<sqlite3_io_methods>?
    var file: UnsafeMutableRawPointer?

    static func at(_ file: UnsafeMutablePointer<sqlite3_file>) -> UnsafeMutablePointer<DatabaseFileSlot> {
        UnsafeMutableRawPointer(file).assumingMemoryBound(to: DatabaseFileSlot.self)
    }
}
