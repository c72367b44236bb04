import Content
import Logging

extension ChunkStore {
    /// Opens the store in `configuration.directory`, making it if needed, and brings it to order after a
    /// crash.
    /// - Throws: `StoreError.inUse` while another process has it, `.notAStore`, `.newerFormat`,
    ///   `.badConfiguration`, or what the disk or the index reports; nothing was changed then that a later
    ///   open would not do as well.
    public static func open(
        _ configuration: Configuration, files: any FileSystem = PosixFileSystem(),
        clock: StoreClock = .system, logger: Logger
    ) async throws -> ChunkStore {
        try await open(configuration, files: files, clock: clock, logger: logger, faults: [])
    }

    /// As `open`, with mistakes to make: for tests that see whether those would be noticed.
    package static func open(
        _ configuration: Configuration, files: any FileSystem, clock: StoreClock, logger: Logger,
        faults: Faults
    ) async throws -> ChunkStore {
        let configuration = try configuration.validated()
        let pool = try BlockingPool(name: "store", threads: configuration.threads)
        let workers = try BlockingPool(name: "store-ingest", threads: configuration.threads)
        do {
            return try await pool.run {
                try Opening(
                    configuration: configuration, files: files, clock: clock, logger: logger, pool: pool,
                    workers: workers, faults: faults
                ).run()
            }
        } catch {
            await Thread.run {
                workers.stop()
                pool.stop()
            }
            throw error
        }
    }
}

/// The steps of opening a store, in order (docs/store-format.md, "Opening"). Blocks.
struct Opening {
    static let versionText = "edgenode store 1\n"

    let configuration: ChunkStore.Configuration
    let files: any FileSystem
    let clock: StoreClock
    let logger: Logger
    let pool: BlockingPool
    let workers: BlockingPool
    let faults: Faults

    private var layout: Layout { Layout(root: configuration.directory) }

    func run() throws -> ChunkStore {
        do {
            let lock = try claimDirectory()
            try checkVersion()
            let databases = try DatabaseFiles(files)
            let index = try Connection(path: layout.index, writable: true, files: databases)
            try prepare(index)
            let packs = try recoverPacks(index)
            let parked = try recoverIngests(index)
            let wasClean =
                try index.first("SELECT value FROM state WHERE key = 'clean'") { $0.integer(0) } == 1
            try index.run("UPDATE state SET value = 0 WHERE key = 'clean'")
            let parts = try assemble(index, of: databases, packs: packs, ingests: parked)
            if wasClean { parts.swept.fire() } else { pool.submit { parts.sweep() } }
            let upkeep: Upkeep
            do { upkeep = try Upkeep(parts, faults: faults) } catch {
                parts.writer.stop()
                throw error
            }
            upkeep.start()
            return ChunkStore(parts: parts, upkeep: upkeep, lock: lock)
        } catch let error as FileError {
            throw StoreError(error)
        }
    }

    private func claimDirectory() throws -> OpenFile {
        try makeRoot()
        try refuseStrangers()
        guard let lock = try files.lock(layout.lock) else {
            throw StoreError.inUse(directory: layout.root)
        }
        return lock
    }

    /// Makes the directory and those above it that are lacking.
    private func makeRoot() throws {
        var path = layout.root
        var lacking: [String] = []
        while try files.size(at: path) == nil {
            lacking.append(path)
            guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { break }
            path = String(path[..<slash])
        }
        for path in lacking.reversed() {
            try files.makeDirectory(path)
            let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
            try files.synchronizeDirectory(parent.isEmpty ? "/" : parent)
        }
    }

    /// A directory without a version file must hold nothing but the beginnings of a store.
    private func refuseStrangers() throws {
        guard try files.size(at: layout.version) == nil else { return }
        let ours: Set = ["lock", "blobs", "ingest", "packs", "version.new"]
        if let stranger = try files.list(layout.root).sorted().first(where: { !ours.contains($0) }) {
            throw StoreError.notAStore(directory: layout.root, found: "it holds \(stranger)")
        }
    }

    /// Reads the version file, or makes it in a directory that holds nothing yet. It is made last: a directory with
    /// it is a whole store.
    private func checkVersion() throws {
        if try files.size(at: layout.version) != nil {
            let file = try files.open(layout.version, .read)
            let text = String(decoding: try files.read(0..<64, of: file), as: UTF8.self)
            if text == Self.versionText { return }
            let number = text.split(separator: " ").last.flatMap { Int($0.dropLast()) }
            if text.hasPrefix("edgenode store "), let number {
                throw StoreError.newerFormat(what: layout.root, found: number, supported: 1)
            }
            throw StoreError.notAStore(directory: layout.root, found: "its version file is not one of ours")
        }
        for directory in [layout.blobs, layout.ingest, layout.packs] { try files.makeDirectory(directory) }
        let new = layout.version + ".new"
        let file = try files.open(new, .create)
        try files.truncate(file, to: 0)
        try files.write(Array(Self.versionText.utf8), to: file, at: 0)
        try files.synchronize(file)
        try files.rename(new, to: layout.version)
        try files.synchronizeDirectory(layout.root)
    }

    private func prepare(_ index: Connection) throws {
        try index.run("PRAGMA journal_mode = WAL")
        // Every commit syncs the write-ahead log: what was reported as published survives a power failure.
        try index.run("PRAGMA synchronous = FULL")
        try index.run("PRAGMA wal_autocheckpoint = 1000")
        try index.run("PRAGMA cache_size = -8192")
        try Schema.migrate(index)
    }

    /// Unlinks packs that the index does not know and cuts the open one to its committed length.
    private func recoverPacks(_ index: Connection) throws -> (next: Int64, unsealed: PackRow?, bytes: Int64) {
        let rows = try index.packs()
        let known = Set(rows.map(\.id))
        var next = (rows.map(\.id).max() ?? 0) + 1
        for name in try files.list(layout.packs) {
            guard let id = Layout.number(in: name, suffix: ".pack") else { continue }
            next = max(next, id + 1)
            if !known.contains(id) { try files.unlink(layout.pack(id)) }
        }
        var unsealed = rows.last { !$0.sealed }
        if let open = unsealed, !(try cut(open)) {
            logger.error("the open pack is missing or cut short", metadata: ["pack": "\(open.id)"])
            try index.setPack(open.id, length: open.length, sealed: true)
            unsealed = nil
        }
        return (next, unsealed, rows.reduce(0) { $0 + $1.length })
    }

    /// False when the pack is shorter than what was committed.
    private func cut(_ pack: PackRow) throws -> Bool {
        guard let size = try files.size(at: layout.pack(pack.id)), size >= pack.length else { return false }
        if size > pack.length {
            try files.truncate(try files.open(layout.pack(pack.id), .readWrite), to: pack.length)
        }
        return true
    }

    /// Finds the partials that can be gone on with and unlinks the rest.
    private func recoverIngests(_ index: Connection) throws -> IngestRegistry {
        var registry = IngestRegistry()
        let names = try files.list(layout.ingest)
        for name in names.sorted() {
            if let id = Layout.number(in: name, suffix: ".part") {
                registry.nextID = max(registry.nextID, id + 1)
                if let parked = try recoverPartial(id), try index.blob(parked.expected) == nil,
                    registry.parked[parked.expected] == nil
                {
                    registry.parked[parked.expected] = parked
                } else {
                    try discard([layout.partialMap(id), layout.partial(id)])
                }
            } else if let id = Layout.number(in: name, suffix: ".map") {
                registry.nextID = max(registry.nextID, id + 1)
                if try files.size(at: layout.partial(id)) == nil { try discard([layout.partialMap(id)]) }
            }
        }
        return registry
    }

    private func recoverPartial(_ id: Int64) throws -> ParkedPartial? {
        guard let mapSize = try files.size(at: layout.partialMap(id)), mapSize <= 64 << 20 else { return nil }
        let map = try files.open(layout.partialMap(id), .read)
        guard let contents = PartialMap.decode(try files.read(0..<mapSize, of: map)) else { return nil }
        let size = try files.size(at: layout.partial(id)) ?? 0
        guard contents.present.end <= size, contents.present.count >= Ingest.smallestKept else { return nil }
        return ParkedPartial(
            id: id, expected: contents.expected, size: contents.size, present: contents.present,
            reserved: contents.present.count)
    }

    private func discard(_ paths: [String]) throws {
        for path in paths where try files.size(at: path) != nil { try files.unlink(path) }
    }

    private func assemble(
        _ index: Connection, of databases: DatabaseFiles,
        packs: (next: Int64, unsealed: PackRow?, bytes: Int64), ingests: IngestRegistry
    ) throws -> StoreParts {
        let (configuration, layout, files, clock, pool) = (configuration, layout, files, clock, pool)
        let space = SpaceAccount(
            capacity: configuration.capacity, reservedFree: configuration.reservedFree,
            directory: layout.root, files: files)
        space.add(try index.totals("files").bytes + packs.bytes)
        space.add(ingests.parked.values.reduce(0) { $0 + $1.reserved })
        let packFiles = PackFiles(files: files, layout: layout, openFiles: 64)
        let packWriter = try PackWriter(
            files: files, layout: layout, nextID: packs.next, unsealed: packs.unsealed,
            sizeLimit: configuration.packSizeLimit)
        let readers = ReaderPool(on: pool) { () throws(StoreError) in
            try Connection(path: layout.index, writable: false, files: databases)
        }
        let writer = try IndexWriter {
            WriteStage(
                connection: index, files: files, layout: layout, clock: clock, space: space,
                packFiles: packFiles, packs: packWriter)
        }
        return StoreParts(
            configuration: configuration, layout: layout, files: files, clock: clock, logger: logger,
            pool: pool, workers: workers, databases: databases, readers: readers, writer: writer,
            packFiles: packFiles,
            space: space,
            cache: HotCache(limits: configuration.memory, clock: clock), ingests: ingests)
    }
}
