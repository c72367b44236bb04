import Content
import Glibc
import ProxyFront

extension OpenFile {
    /// Opens a regular file for reading; blocks.
    /// - Parameter folder: a folder's descriptor that `path` starts from, and below which no symbolic link is followed;
    ///   nil = the path as it stands.
    /// - Throws: `SourceError` naming `shown`.
    static func regular(_ path: String, in folder: Int32? = nil, shown: String) throws(SourceError)
        -> OpenFile
    {
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (folder == nil ? 0 : O_NOFOLLOW)
        let descriptor = openat(folder ?? AT_FDCWD, path, flags)
        guard descriptor >= 0 else { throw SourceError(reason(errno, shown)) }
        let file = OpenFile(owning: descriptor)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SourceError("\(shown) is not a regular file")
        }
        return file
    }

    /// In bytes; blocks.
    var byteCount: Int64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Bytes of the file; blocks.
    /// - Throws: `FileBytes.Failure` when they are not all there.
    func bytes(at offset: Int64, count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            try FileBytes.readNow(self, at: offset, into: UnsafeMutableRawBufferPointer(buffer))
            filled = count
        }
    }

    static func reason(_ code: Int32, _ shown: String) -> String {
        let text = String(cString: strerror(code))
        switch code {
        case ELOOP: return "\(shown) is a symbolic link; copy the tree with its links followed (cp -rL)"
        case EACCES, EPERM, ENOENT:
            // A service sees neither /home nor /tmp, whatever their permissions.
            return
                "\(shown): \(text); a node that runs as a service opens it as its own user, and sees nothing below "
                + "/home and /tmp: put it where that user may read it, such as below /srv or the data folder"
        default: return "\(shown): \(text)"
        }
    }
}
