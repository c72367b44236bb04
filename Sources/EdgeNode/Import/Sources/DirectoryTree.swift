import Content
import Glibc

/// The files below a folder. Symbolic links are never followed: a tree from elsewhere must not name what else is on
/// this machine.
struct DirectoryTree: SourceTree {
    static let maximumFiles = 1 << 20
    private static let maximumDepth = 64

    private let root: OpenFile
    private let shown: String
    let paths: [String]

    /// Lists everything below `path`; blocks.
    init(_ path: String) throws(SourceError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SourceError(OpenFile.reason(errno, path)) }
        root = OpenFile(owning: descriptor)
        shown = path
        var found: [String] = []
        try Self.list(root, prefix: "", depth: 0, shown: path, into: &found)
        paths = found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    func file(_ path: String) throws(SourceError) -> FileSlice? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.isEmpty, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else { return nil }
        var folder = root
        for part in parts.dropLast() {
            let next = openat(
                folder.descriptor, String(part), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
            guard next >= 0 else {
                if errno == ENOENT || errno == ENOTDIR { return nil }
                throw SourceError(OpenFile.reason(errno, "\(shown)/\(path)"))
            }
            folder = OpenFile(owning: next)
        }
        let name = String(parts[parts.count - 1])
        guard faccessat(folder.descriptor, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        let file = try OpenFile.regular(name, in: folder.descriptor, shown: "\(shown)/\(path)")
        return FileSlice(file: file, range: 0..<file.byteCount)
    }

    private static func list(
        _ folder: OpenFile, prefix: String, depth: Int, shown: String, into found: inout [String]
    ) throws(SourceError) {
        guard depth <= maximumDepth else { throw SourceError("\(shown)/\(prefix) lies too deep") }
        // The stream closes its descriptor; `folder` keeps its own.
        guard let stream = fdopendir(fcntl(folder.descriptor, F_DUPFD_CLOEXEC, 0)) else {
            throw SourceError(OpenFile.reason(errno, "\(shown)/\(prefix)"))
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name != ".", name != ".." else { continue }
            var status = stat()
            guard fstatat(folder.descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFREG:
                guard found.count < maximumFiles else {
                    throw SourceError("\(shown) holds more than \(maximumFiles) files; import a part of it")
                }
                found.append(prefix + name)
            case S_IFDIR:
                let next = openat(folder.descriptor, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
                guard next >= 0 else {
                    throw SourceError(OpenFile.reason(errno, "\(shown)/\(prefix)\(name)"))
                }
                try list(
                    OpenFile(owning: next), prefix: "\(prefix)\(name)/", depth: depth + 1, shown: shown,
                    into: &found)
            default: continue
            }
        }
    }
}
