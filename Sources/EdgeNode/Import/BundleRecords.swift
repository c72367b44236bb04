import ChunkStore
import Content
import ProxyFront

/// One checksum database's part of a bundle.
struct BundleRecords: SumMaterial {
    /// The longest lookup or list of sizes that is read, in bytes.
    private static let limit: Int64 = 1 << 20

    let database: String
    let modules: [ModuleIdentity]
    let head: [UInt8]?
    private let bundle: BundleFile
    private let store: ChunkStore
    /// Where each object stands in the manifest, by the name below `sumdb/<database>/`.
    private let indices: [String: Int]

    /// Those of all databases that the bundle speaks of, in the order of their names.
    static func all(in bundle: BundleFile, store: ChunkStore) -> [BundleRecords] {
        var found: [String: [String: Int]] = [:]
        for (index, object) in bundle.manifest.objects.enumerated() {
            for reference in object.references {
                guard let database = databaseName(of: reference.name) else { continue }
                let rest = reference.name.text.dropFirst("sumdb/\(database)/".count)
                found[database, default: [:]][String(rest)] = index
            }
        }
        return found.sorted { $0.key < $1.key }.map { BundleRecords($0.key, $0.value, bundle, store) }
    }

    /// The database that a name of the store belongs to; nil for other names.
    static func databaseName(of name: ReferenceName) -> String? {
        guard name.text.hasPrefix("sumdb/") else { return nil }
        let rest = name.text.dropFirst("sumdb/".count)
        for mark in ["/lookup/", "/tile/"] {
            if let found = rest.firstRange(of: mark), found.lowerBound > rest.startIndex {
                return String(rest[..<found.lowerBound])
            }
        }
        return rest.hasSuffix("/served") ? String(rest.dropLast("/served".count)) : nil
    }

    private init(_ database: String, _ indices: [String: Int], _ bundle: BundleFile, _ store: ChunkStore) {
        self.database = database
        self.indices = indices
        self.bundle = bundle
        self.store = store
        modules = indices.keys.sorted().compactMap { rest in
            guard rest.hasPrefix("lookup/"), let at = rest.lastIndex(of: "@") else { return nil }
            let path = String(rest[..<at].dropFirst("lookup/".count))
            guard let path = try? ModulePath(path), let version = try? ModuleVersion(rest[at...].dropFirst())
            else {
                return nil
            }
            return ModuleIdentity(path: path, version: version)
        }
        // A line of sizes stands before the head (SumDatabaseShelf).
        head = indices["served"].flatMap { index in
            guard let bytes = Self.readNow(index, bundle), let end = bytes.firstIndex(of: UInt8(ascii: "\n"))
            else {
                return nil
            }
            return Array(bytes[(end + 1)...])
        }
    }

    func lookup(_ module: ModuleIdentity) async throws -> [UInt8] {
        guard let bytes = await read("lookup/\(module)") else {
            throw SourceError("its record is damaged or was left out of the bundle and is not held")
        }
        return bytes
    }

    func tile(_ tile: Tile) async -> [UInt8]? {
        // The widest tile of each place stands under the name of the full one.
        guard let widest = await read(tile.full.path) else { return nil }
        return TileShelf.part(tile, of: widest)
    }

    private func read(_ name: String) async -> [UInt8]? {
        guard let index = indices[name] else { return nil }
        let bundle = bundle
        if let bytes = try? await FileBytes.onThread({ Self.readNow(index, bundle) }) { return bytes }
        let digest = bundle.manifest.objects[index].digest
        return try? await store.object(digest)?.wholeBytes(atMost: Self.limit)
    }

    /// The object's bytes when they are there and have their digest; blocks.
    private static func readNow(_ index: Int, _ bundle: BundleFile) -> [UInt8]? {
        guard let slice = bundle.slice(index), slice.count <= limit,
            let bytes = try? slice.file.bytes(at: slice.range.lowerBound, count: Int(slice.count))
        else { return nil }
        let digest = bundle.manifest.objects[index].digest
        return Digest(digest.algorithm, of: bytes) == digest ? bytes : nil
    }
}
