import CSodium
import Glibc

/// The file that keeps a node's key: a line with the format's version, a line with the seed in lower-case
/// hexadecimal digits. It belongs to its owner alone (mode 0600).
public enum NodeKeyFile {
    /// The first line of the file.
    static let version = "edgenode-key-v1"
    private static let hexCount = NodeKey.seedByteCount * 2
    private static var fileCount: Int { version.utf8.count + 1 + hexCount + 1 }

    /// The key kept at `path`, made now when the file does not exist. Two processes that start at once end
    /// with the same key.
    /// - Throws: `NodeKeyError`; an unreadable or exposed file is an error, never replaced.
    public static func loadOrCreate(at path: String) throws -> NodeKey {
        do {
            return try load(from: path)
        } catch NodeKeyError.cannotOpen(_, let reason) where reason == text(ENOENT) {
            do {
                return try create(at: path)
            } catch NodeKeyError.alreadyExists {
                return try load(from: path)
            }
        }
    }

    /// - Throws: `NodeKeyError` when the file is missing, open to others, of another version or damaged.
    public static func load(from path: String) throws -> NodeKey {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw NodeKeyError.cannotOpen(path: path, reason: text(errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw NodeKeyError.cannotOpen(path: path, reason: text(errno))
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw NodeKeyError.notAFile(path: path) }
        guard status.st_mode & 0o077 == 0 else {
            throw NodeKeyError.exposed(path: path, mode: status.st_mode)
        }

        // One byte more than a whole file shows whether something follows.
        let content = try SecretBytes(count: fileCount + 1) { buffer in
            var filled = 0
            while filled <= fileCount {
                let count = read(descriptor, buffer + filled, fileCount + 1 - filled)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw NodeKeyError.cannotOpen(path: path, reason: text(errno)) }
                if count == 0 { break }
                filled += count
            }
            // Unread bytes are made zeros, which neither line may hold.
            for index in filled..<(fileCount + 1) { buffer[index] = 0 }
        }
        return try content.withBytes { bytes in
            try parse(UnsafeBufferPointer(start: bytes, count: fileCount + 1), path: path)
        }
    }

    private static func parse(_ content: UnsafeBufferPointer<UInt8>, path: String) throws -> NodeKey {
        let line = content.prefix { $0 != UInt8(ascii: "\n") && $0 != 0 }
        guard line.elementsEqual(version.utf8) else {
            let isText = !line.isEmpty && line.allSatisfy { $0 > 0x20 && $0 < 0x7f }
            guard isText, line.starts(with: "edgenode-key-".utf8) else {
                throw NodeKeyError.malformed(path: path)
            }
            throw NodeKeyError.unknownVersion(
                path: path, found: String(decoding: line.prefix(32), as: UTF8.self))
        }
        guard content[fileCount - 1] == UInt8(ascii: "\n"), content[fileCount] == 0 else {
            throw NodeKeyError.malformed(path: path)
        }
        let seed = try SecretBytes(count: NodeKey.seedByteCount) { seed in
            let digits = content[(line.count + 1)..<(fileCount - 1)]
            guard digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else {
                throw NodeKeyError.malformed(path: path)
            }
            var count = 0
            let result = UnsafeBufferPointer(rebasing: digits).withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map {
                    sodium_hex2bin(seed, NodeKey.seedByteCount, $0, text.count, nil, &count, nil)
                }
            }
            guard result == 0, count == NodeKey.seedByteCount else {
                throw NodeKeyError.malformed(path: path)
            }
        }
        return try NodeKey(seed: seed)
    }

    /// Makes a key and keeps it at `path`, which must not exist. When this returns, the file survives a crash;
    /// when it throws, there is none.
    public static func create(at path: String) throws -> NodeKey {
        let key = try NodeKey.generate()
        let content = try SecretBytes(count: fileCount + 1) { buffer in
            for (index, byte) in version.utf8.enumerated() { buffer[index] = byte }
            buffer[version.utf8.count] = UInt8(ascii: "\n")
            key.withSeed { seed in
                // hexCount digits and a terminating zero, which the last line feed then replaces.
                let digits = buffer + version.utf8.count + 1
                digits.withMemoryRebound(to: CChar.self, capacity: hexCount + 1) {
                    _ = sodium_bin2hex($0, hexCount + 1, seed, NodeKey.seedByteCount)
                }
            }
            buffer[fileCount - 1] = UInt8(ascii: "\n")
        }
        // Written beside its place and linked there whole, so that nobody ever reads half a key.
        let draft = "\(path).new.\(getpid()).\(randombytes_random())"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw NodeKeyError.cannotWrite(path: draft, reason: text(errno)) }
        defer {
            close(descriptor)
            unlink(draft)
        }
        try content.withBytes { bytes in
            let count = write(descriptor, bytes, fileCount)
            guard count == fileCount, fsync(descriptor) == 0 else {
                throw NodeKeyError.cannotWrite(path: draft, reason: count < 0 ? text(errno) : text(ENOSPC))
            }
        }
        guard link(draft, path) == 0 else {
            if errno == EEXIST { throw NodeKeyError.alreadyExists(path: path) }
            throw NodeKeyError.cannotWrite(path: path, reason: text(errno))
        }
        try syncFolder(of: path)
        return key
    }

    private static func syncFolder(of path: String) throws {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw NodeKeyError.cannotWrite(path: folder, reason: text(errno)) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw NodeKeyError.cannotWrite(path: folder, reason: text(errno))
        }
    }

    private static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
