import Content
import ProxyFront

/// The module files of a tree: what a module proxy serves as files, or the go command's own cache of downloads.
struct ModuleTree: Sendable {
    /// Where modules begin in a module cache, in GOPATH, and in a proxy's tree.
    private static let bases = [
        "", "cache/download/", "mod/cache/download/", "pkg/mod/cache/download/", "download/",
    ]

    let tree: any SourceTree
    /// What precedes every path.
    let base: String
    /// A version's small files before its zip, modules in the order of their paths.
    let files: [(file: ModuleFile, path: String)]

    /// Nil when there is no module file in the tree.
    init?(_ tree: any SourceTree) {
        self.tree = tree
        for base in Self.bases {
            let files = tree.paths.compactMap { path -> (file: ModuleFile, path: String)? in
                guard path.hasPrefix(base),
                    let file = ModuleFile(treePath: String(path.dropFirst(base.count)))
                else { return nil }
                return (file, path)
            }
            guard !files.isEmpty else { continue }
            self.base = base
            self.files = files.sorted {
                $0.file.module == $1.file.module
                    ? $0.file.kind.rawValue < $1.file.kind.rawValue : $0.file.module < $1.file.module
            }
            return
        }
        return nil
    }

    /// The sum that the go command noted beside a zip; blocks.
    func notedSum(of path: String) -> String? {
        guard path.hasSuffix(".zip"), let bytes = try? tree.bytes(path + "hash", limit: 256) else {
            return nil
        }
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).first.map(
            String.init)
    }
}

/// The records that the go command keeps of a checksum database, below `sumdb/` in its cache of downloads.
struct CachedRecords: SumMaterial {
    private static let limit: Int64 = 1 << 20

    let database: String
    let modules: [ModuleIdentity]
    let head: [UInt8]? = nil
    private let tree: any SourceTree
    private let folder: String

    /// Those of all databases in the tree, in the order of their names.
    static func all(in files: ModuleTree) -> [CachedRecords] {
        let prefix = files.base + "sumdb/"
        var found: [String: [ModuleIdentity]] = [:]
        for path in files.tree.paths where path.hasPrefix(prefix) {
            let rest = path.dropFirst(prefix.count)
            guard let mark = rest.firstRange(of: "/lookup/"), let module = identity(rest[mark.upperBound...])
            else {
                continue
            }
            found[String(rest[..<mark.lowerBound]), default: []].append(module)
        }
        return found.sorted { $0.key < $1.key }.map { name, modules in
            CachedRecords(database: name, modules: modules, tree: files.tree, folder: "\(prefix)\(name)/")
        }
    }

    private init(database: String, modules: [ModuleIdentity], tree: any SourceTree, folder: String) {
        self.database = database
        self.modules = modules
        self.tree = tree
        self.folder = folder
    }

    private static func identity(_ text: Substring) -> ModuleIdentity? {
        guard let at = text.lastIndex(of: "@"), let path = try? ModulePath(escaped: String(text[..<at])),
            let version = try? ModuleVersion(escaped: String(text[at...].dropFirst()))
        else { return nil }
        return ModuleIdentity(path: path, version: version)
    }

    func lookup(_ module: ModuleIdentity) async throws -> [UInt8] {
        guard let bytes = try await read("lookup/\(module.escaped)") else {
            throw SourceError("its record cannot be read")
        }
        return bytes
    }

    func tile(_ tile: Tile) async -> [UInt8]? {
        for candidate in [tile, tile.full] {
            if let bytes = try? await read(candidate.path), let part = TileShelf.part(tile, of: bytes) {
                return part
            }
        }
        return nil
    }

    private func read(_ name: String) async throws -> [UInt8]? {
        let (tree, path) = (tree, folder + name)
        return try await FileBytes.onThread { try tree.bytes(path, limit: Self.limit) }
    }
}
