import Content

#if canImport(Glibc)
    import Glibc
#endif

/// The machine's file system.
public struct PosixFileSystem: FileSystem {
    public init() {}

    public func open(_ path: String, _ access: FileAccess) throws(FileError) -> OpenFile {
        let flags: Int32 =
            switch access {
            case .read: O_RDONLY
            case .readWrite: O_RDWR
            case .create: O_RDWR | O_CREAT
            case .createNew: O_RDWR | O_CREAT | O_EXCL
            }
        let descriptor = retrying { Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600) }
        guard descriptor >= 0 else { throw FileError("open", path, code: errno) }
        return OpenFile(owning: descriptor)
    }

    public func write(_ bytes: UnsafeRawBufferPointer, to file: OpenFile, at offset: Int64) throws(FileError)
    {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = retrying {
                pwrite(file.descriptor, rest.baseAddress, rest.count, off_t(offset) + done)
            }
            guard count > 0 else {
                throw FileError("write", describe(file), code: count == 0 ? ENOSPC : errno)
            }
            done += count
        }
    }

    public func read(
        from file: OpenFile, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(FileError) -> Int {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = retrying {
                pread(file.descriptor, rest.baseAddress, rest.count, off_t(offset) + done)
            }
            guard count >= 0 else { throw FileError("read", describe(file), code: errno) }
            if count == 0 { break }
            done += count
        }
        return done
    }

    public func truncate(_ file: OpenFile, to size: Int64) throws(FileError) {
        guard retrying({ ftruncate(file.descriptor, off_t(size)) }) == 0 else {
            throw FileError("truncate", describe(file), code: errno)
        }
    }

    public func size(of file: OpenFile) throws(FileError) -> Int64 {
        var status = stat()
        guard fstat(file.descriptor, &status) == 0 else {
            throw FileError("examine", describe(file), code: errno)
        }
        return Int64(status.st_size)
    }

    public func synchronize(_ file: OpenFile) throws(FileError) {
        guard retrying({ fdatasync(file.descriptor) }) == 0 else {
            throw FileError("sync", describe(file), code: errno)
        }
    }

    public func synchronizeDirectory(_ path: String) throws(FileError) {
        let descriptor = retrying { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw FileError("open", path, code: errno) }
        defer { _ = close(descriptor) }
        guard retrying({ fsync(descriptor) }) == 0 else { throw FileError("sync", path, code: errno) }
    }

    public func rename(_ source: String, to destination: String) throws(FileError) {
        guard Glibc.rename(source, destination) == 0 else {
            throw FileError("rename to \(destination)", source, code: errno)
        }
    }

    public func unlink(_ path: String) throws(FileError) {
        guard Glibc.unlink(path) == 0 else { throw FileError("remove", path, code: errno) }
    }

    public func makeDirectory(_ path: String) throws(FileError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw FileError("make directory", path, code: errno)
        }
    }

    public func list(_ path: String) throws(FileError) -> [String] {
        guard let directory = opendir(path) else { throw FileError("list", path, code: errno) }
        defer { closedir(directory) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw FileError("list", path, code: errno) }
        return names
    }

    public func size(at path: String) throws(FileError) -> Int64? {
        var status = stat()
        if lstat(path, &status) == 0 { return Int64(status.st_size) }
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw FileError("examine", path, code: errno)
    }

    public func freeSpace(at path: String) throws(FileError) -> Int64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw FileError("examine", path, code: errno) }
        return Int64(
            clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).0)
    }

    public func lock(_ path: String) throws(FileError) -> OpenFile? {
        let file = try open(path, .create)
        // A child process that is being started holds copies of all descriptors until its own program runs, and
        // with them the lock of a store that was just closed: it is believed to be taken after half a second.
        for attempt in 0..<20 {
            if attempt > 0 { usleep(25_000) }
            if retrying({ flock(file.descriptor, LOCK_EX | LOCK_NB) }) == 0 { return file }
            guard errno == EWOULDBLOCK else { throw FileError("lock", path, code: errno) }
        }
        return nil
    }

    public func unlock(_ file: OpenFile) {
        // The only way to fail is a bad descriptor, which an `OpenFile` never has.
        _ = flock(file.descriptor, LOCK_UN)
    }

    private func describe(_ file: OpenFile) -> String { "file of descriptor \(file.descriptor)" }

    private func retrying<Value: SignedInteger>(_ call: () -> Value) -> Value {
        while true {
            let value = call()
            if value != -1 || errno != EINTR { return value }
        }
    }
}
