import Glibc

/// Why an audit file cannot be written.
package struct RotatingFileError: Error, CustomStringConvertible {
    package var path: String
    package var reason: String
    package var description: String { "\(path): \(reason)" }
}

/// A file of lines that is renamed to `<path>.1` when it has grown, the older ones moving up to `<path>.<keep>`.
///
/// Belongs to one thread. The file is made with mode 0600; one that others may read is closed to them.
struct RotatingFile: ~Copyable {
    private let path: String
    private let maximum: Int64
    private let keep: Int
    private var descriptor: Int32 = -1
    private var size: Int64 = 0

    /// - Parameters:
    ///   - maximum: bytes above which a new file is begun; a line is never split.
    ///   - keep: how many renamed files are kept.
    init(path: String, maximum: Int64, keep: Int) throws(RotatingFileError) {
        self.path = path
        self.maximum = maximum
        self.keep = keep
        (descriptor, size) = try Self.open(path)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private static func open(_ path: String) throws(RotatingFileError) -> (Int32, Int64) {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw RotatingFileError(path: path, reason: String(cString: strerror(errno)))
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw RotatingFileError(path: path, reason: "is not a regular file")
        }
        if status.st_mode & 0o077 != 0, fchmod(descriptor, 0o600) != 0 {
            close(descriptor)
            throw RotatingFileError(path: path, reason: "is open to others and cannot be closed to them")
        }
        return (descriptor, Int64(status.st_size))
    }

    /// Appends whole lines, each with its line feed. What cannot be written is lost and reported by throwing; the next
    /// call tries again.
    mutating func append(_ lines: [UInt8]) throws(RotatingFileError) {
        if descriptor < 0 { (descriptor, size) = try Self.open(path) }
        let lineFeed = UInt8(ascii: "\n")
        var rest = lines[...]
        while !rest.isEmpty {
            let fitting = rest.prefix(Int(clamping: max(0, maximum - size)))
            if fitting.count == rest.count { return try write(rest) }
            if let end = fitting.lastIndex(of: lineFeed) {
                try write(rest[...end])
                rest = rest[(end + 1)...]
            } else if size == 0 {
                // A line that is longer than a file has one to itself.
                let end = rest.firstIndex(of: lineFeed) ?? rest.endIndex - 1
                try write(rest[...end])
                rest = rest[(end + 1)...]
            }
            guard !rest.isEmpty else { return }
            try rotate()
            // What could not be moved away grows: better too long than lost.
            if size > 0 { return try write(rest) }
        }
    }

    private mutating func write(_ bytes: ArraySlice<UInt8>) throws(RotatingFileError) {
        let start = size
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let reason = String(cString: strerror(errno))
                // No half line, which the next one would go on behind.
                if ftruncate(descriptor, off_t(start)) == 0 { size = start }
                throw RotatingFileError(path: path, reason: reason)
            }
            size += Int64(count)
            rest = rest.dropFirst(count)
        }
    }

    private mutating func rotate() throws(RotatingFileError) {
        close(descriptor)
        descriptor = -1
        if keep > 0 {
            for number in stride(from: keep - 1, to: 0, by: -1) {
                rename("\(path).\(number)", "\(path).\(number + 1)")
            }
            guard rename(path, "\(path).1") == 0 || errno == ENOENT else {
                throw RotatingFileError(
                    path: path, reason: "cannot be rotated: " + String(cString: strerror(errno)))
            }
        } else {
            unlink(path)
        }
        (descriptor, size) = try Self.open(path)
    }
}
