#if canImport(Glibc)
    import Glibc
#endif

extension FileError {
    public var isNotFound: Bool { code == ENOENT }
    /// Disk, quota or file size limit reached.
    public var isNoSpace: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }

    public var description: String {
        let reason = String(cString: strerror(code))
        let remedy =
            switch code {
            case EACCES, EPERM: "; give this user the right to the store's directory"
            case EMFILE, ENFILE: "; raise the limit of open files (ulimit -n)"
            case EROFS: "; the file system is read-only"
            case EIO: "; the disk reports errors"
            default: ""
            }
        return "cannot \(operation) \(path): \(reason)\(remedy)"
    }
}

extension StoreError {
    /// A failed file operation as the store reports it: a full disk is a case of its own.
    init(_ error: FileError) {
        self = error.isNoSpace ? .noSpace : .file(error)
    }
}

/// Runs file operations so that their failures come out as `StoreError`.
@inline(__always)
func storing<Result>(_ body: () throws(FileError) -> Result) throws(StoreError) -> Result {
    do { return try body() } catch { throw StoreError(error) }
}
