import ChunkStore
import Content
import Logging
import Synchronization

/// What a checksum database's cache keeps in the store: proven tiles (the widest of each place), lookups,
/// the newest head and the head being served. Small objects under `sumdb/<name>/`.
final class SumDatabaseShelf: Sendable {
    private let name: String
    private let store: ChunkStore
    private let clock: StoreClock
    private let origin: String
    private let logger: Logger
    private let shelf: Mutex<TileShelf>

    /// Reads what is held.
    init(
        _ configuration: SumDatabaseConfiguration, store: ChunkStore, clock: StoreClock, logger: Logger
    ) async throws {
        name = configuration.name
        origin = configuration.upstream.name
        self.store = store
        self.clock = clock
        self.logger = logger
        let prefix = "sumdb/\(configuration.name)/"
        let held = try await store.references(prefix: "\(prefix)tile/").compactMap { reference -> Tile? in
            guard let full = Tile(path: reference.name.text.dropFirst(prefix.utf8.count)) else { return nil }
            return Tile(
                height: full.height, level: full.level, number: full.number,
                width: Int(reference.size) / TreeHash.byteCount)
        }
        shelf = Mutex(TileShelf(holding: held))
    }

    /// Which tiles are held, at this moment.
    var tiles: TileShelf { shelf.withLock { $0 } }

    // MARK: names

    private func reference(_ rest: String, _ bytes: [UInt8], note: String? = nil) throws -> Reference {
        let now = clock.now
        return Reference(
            name: try ReferenceName("sumdb/\(name)/\(rest)"), digest: Digest(of: bytes),
            size: Int64(bytes.count), learned: now, checked: now, origin: origin, validator: note,
            verified: .verified, access: .public)
    }

    static func lookupName(_ database: String, _ module: ModuleIdentity) throws -> ReferenceName {
        try ReferenceName("sumdb/\(database)/lookup/\(module)")
    }

    private func bytes(_ rest: String) async throws -> [UInt8]? {
        guard let reference = try await store.reference(try ReferenceName("sumdb/\(name)/\(rest)")),
            let object = try await store.object(reference.digest)
        else { return nil }
        switch object.body {
        case .bytes(let bytes): return bytes
        case .file(let file): return try await FileBytes.read(FileSlice(file: file, range: 0..<object.size))
        case .recipe(let reader): return try await reader.read(0..<object.size)
        }
    }

    private func keep(_ rest: String, _ bytes: [UInt8], note: String? = nil, sync: Bool) async throws {
        try await store.keep(bytes, as: try reference(rest, bytes, note: note), sync: sync)
    }

    // MARK: tiles

    /// The hashes of a tile that is held, or is part of a wider one that is.
    func tile(_ tile: Tile) async -> [UInt8]? {
        let place = TileShelf.Place(tile)
        guard shelf.withLock({ $0.holds(tile) }) else { return nil }
        if let bytes = try? await bytes(place.path), let cut = TileShelf.cut(tile, from: bytes) { return cut }
        // Evicted or damaged since: it is fetched again when needed.
        shelf.withLock { $0.remove(place) }
        return nil
    }

    /// Keeps proven tiles; those not wider than what is held are passed over.
    func keep(_ tiles: [(tile: Tile, hashes: [UInt8])]) async {
        for (tile, hashes) in tiles where shelf.withLock({ $0.holder(of: tile) == nil }) {
            do {
                try await keep(TileShelf.Place(tile).path, hashes, sync: false)
                shelf.withLock { _ = $0.keep(tile) }
            } catch {
                logger.warning("\(name): \(tile) cannot be kept: \(error)")
            }
        }
    }

    // MARK: lookups

    func lookup(_ module: ModuleIdentity) async -> SumDBLookup? {
        guard let bytes = try? await bytes("lookup/\(module)") else { return nil }
        return try? SumDBLookup(parsing: bytes)
    }

    /// Keeps a proven lookup, with its record's number where a later start finds it without reading bodies.
    func keep(_ lookup: SumDBLookup, of module: ModuleIdentity) async throws {
        try await keep(
            "lookup/\(module)", lookup.recordBytes + lookup.note, note: String(lookup.record), sync: false)
    }

    /// The records whose lookups are held.
    func records() async throws -> Set<Int64> {
        Set(
            try await store.references(prefix: "sumdb/\(name)/lookup/").compactMap { reference in
                reference.validator.flatMap { Int64($0) }
            })
    }

    // MARK: heads

    func newestHead(_ verifier: NoteVerifier) async throws -> SignedTreeHead? {
        try await bytes("head").flatMap { try? SignedTreeHead(parsing: $0, verifier: verifier) }
    }

    func keepNewest(_ head: SignedTreeHead) async throws { try await keep("head", head.note, sync: true) }

    /// The head that lookups are answered with, and the sizes of those before it.
    func served(_ verifier: NoteVerifier) async throws -> (head: SignedTreeHead, sizes: [Int64])? {
        guard let bytes = try await bytes("served"), let lineEnd = bytes.firstIndex(of: 0x0a),
            let head = try? SignedTreeHead(parsing: Array(bytes[(lineEnd + 1)...]), verifier: verifier)
        else { return nil }
        let sizes = bytes[..<lineEnd].split(separator: 0x20).compactMap {
            Int64(String(decoding: $0, as: UTF8.self))
        }
        return (head, sizes)
    }

    func keepServed(_ head: SignedTreeHead, sizes: [Int64]) async throws {
        let line = sizes.map(String.init).joined(separator: " ") + "\n"
        try await keep("served", Array(line.utf8) + head.note, sync: true)
    }
}
