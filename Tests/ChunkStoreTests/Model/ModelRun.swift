import ChunkStore
import Content
import Logging

/// One seed of the model test: random steps on a real store in a memory file system, each compared with the
/// model, among them crashes between and within steps.
struct ModelRun {
    struct Finding: Error, CustomStringConvertible {
        let description: String
    }

    /// What is wrong with this run's store on purpose.
    struct Mistakes: Sendable {
        var faults: Faults = []
        var forgottenSyncs: String?
        var wrongReadEvery = 0
        /// SQL that takes something out of the index.
        var sql: String?
    }

    private static let root = "/model"
    private static let capacity: Int64 = 150_000
    private let universe = ModelUniverse.shared
    private let mistakes: Mistakes
    private var random: SplitMix
    private var files: MemoryFileSystem
    private var store: ChunkStore
    private var log: EventLog
    private var seenEvents = 0
    /// Why the run itself removes something.
    private static let step = "step"
    private var model = ModelState()
    private var readers: [StoredObject] = []
    private(set) var steps: [String] = []

    init(seed: UInt64, _ mistakes: Mistakes) async throws {
        random = SplitMix(seed: seed)
        self.mistakes = mistakes
        files = MemoryFileSystem(root: Self.root)
        store = try await Self.open(files, mistakes)
        log = EventLog(store)
        if let prefix = mistakes.forgottenSyncs { files.forgetSyncs(below: prefix) }
        files.readWrongly(every: mistakes.wrongReadEvery)
        if let sql = mistakes.sql { try await store.parts.writer.transaction { try $0.connection.run(sql) } }
    }

    private static func open(_ files: MemoryFileSystem, _ mistakes: Mistakes) async throws -> ChunkStore {
        var configuration = ChunkStore.Configuration(
            directory: root, capacity: capacity, highWater: 0.9, lowWater: 0.7, reservedFree: 0,
            smallObjectLimit: 512, threads: 2)
        configuration.upkeep.isEnabled = false
        configuration.packSizeLimit = 20_000
        return try await ChunkStore.open(
            configuration, files: files, clock: .system, logger: .quiet, faults: mistakes.faults)
    }

    /// Runs `count` steps, then audits the store.
    /// - Throws: a `Finding` at the first contradiction.
    mutating func run(_ count: Int) async throws {
        for _ in 0..<count { try await step() }
        try await audit()
        try await reopen(cleanly: true)
        try await readAll()
        readers.removeAll()
        await store.close()
    }

    func giveUp() async {
        files.failPower(after: 0)
        await store.close()
    }

    private mutating func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

    private mutating func pickBlob() -> ModelUniverse.Blob { universe.blobs[pick(universe.blobs.count)] }

    private mutating func step() async throws {
        let blob = pickBlob()
        let what = pick(100)
        steps.append("\(what) \(blob.digest.hex.prefix(6))")
        switch what {
        case 0..<22: try await ingest(blob)
        case 22..<26: try await cancelIngest(blob)
        case 26..<44: try await read(blob.digest)
        case 44..<50: try await store.settle(blob.digest)
        case 50..<70: try await fold(blob.digest)
        case 70..<76: try await unfold(blob.digest)
        case 76..<80: _ = await store.makeRoom(for: Int64(pick(60_000)))
        case 80..<82: try await pin()
        case 82..<84: try await unpin()
        case 84..<88: try await remove(blob.digest)
        case 88..<90: try await store.collectGarbage()
        case 90..<93: try await keepReader(blob.digest)
        case 93..<96: readers.removeAll()
        case 96..<97: try await reopen(cleanly: pick(2) == 0)
        default: try await crashWithin(blob)
        }
        model.open = Set(readers.map(\.digest))
        try noteEvents()
    }

    // MARK: Steps

    private mutating func ingest(_ blob: ModelUniverse.Blob) async throws {
        let name = "go/m\(pick(12))@v\(pick(3)).zip"
        model.uncertainNames.insert(name)
        model.uncertain.insert(blob.digest)
        do {
            if blob.bytes.count <= 512 {
                try await store.put(blob.bytes, references: [.sample(name, blob.digest)])
            } else {
                try await store.publish(blob.bytes, [name])
            }
        } catch StoreError.noSpace where !model.pins.isEmpty || !readers.isEmpty {
            try noteEvents()
            try await resolve(blob.digest)
            try await resolve(name)
            return
        }
        // Making room for it may have evicted it as it was before.
        try noteEvents()
        model.hold(blob.digest, name)
    }

    private mutating func cancelIngest(_ blob: ModelUniverse.Blob) async throws {
        let ingest = try await store.beginIngest(expected: blob.digest)
        do { try await ingest.write(Array(blob.bytes.prefix(blob.bytes.count / 2)), at: 0) } catch StoreError
            .noSpace
        {}
        await ingest.abandon()
    }

    private mutating func read(_ digest: Digest) async throws {
        let object = try await store.object(digest)
        if let object {
            guard try await bytes(of: object) == universe.byDigest[digest] else {
                throw Finding(description: "\(digest) reads wrong")
            }
        }
        try noteEvents()
        guard model.uncertain.contains(digest) || (object != nil) == model.held.contains(digest) else {
            throw Finding(description: "\(digest) is \(object == nil ? "absent" : "held")")
        }
    }

    private mutating func fold(_ digest: Digest) async throws {
        let outcome: FoldOutcome
        do { outcome = try await store.fold(digest) } catch StoreError.noSpace { return } catch StoreError
            .damaged where mistakes.wrongReadEvery > 0
        {
            return
        } catch StoreError.digestMismatch where mistakes.wrongReadEvery > 0 { return }
        if case .folded = outcome, !model.held.contains(digest), !model.uncertain.contains(digest) {
            throw Finding(description: "\(digest) was folded, but is not held")
        }
    }

    private mutating func unfold(_ digest: Digest) async throws {
        do { _ = try await store.unfold(digest) } catch StoreError.noSpace {}
    }

    private mutating func pin() async throws {
        let pattern = "go/m\(pick(12))@*"
        try await store.pin(pattern)
        model.pins.insert(pattern)
    }

    private mutating func unpin() async throws {
        for pattern in model.pins.sorted() { try await store.unpin(pattern) }
        model.pins = []
    }

    private mutating func remove(_ digest: Digest) async throws {
        let wasHeld = try await store.remove(digest, because: Self.step)
        if !model.uncertain.contains(digest), wasHeld != model.held.contains(digest) {
            throw Finding(description: "removing \(digest) said \(wasHeld)")
        }
        model.drop(digest)
    }

    private mutating func keepReader(_ digest: Digest) async throws {
        if readers.count < 3, let object = try await store.object(digest) { readers.append(object) }
        for reader in readers {
            guard try await bytes(of: reader) == universe.byDigest[reader.digest] else {
                throw Finding(description: "a reader that was kept reads wrong")
            }
        }
    }

    /// The power fails somewhere within a step.
    private mutating func crashWithin(_ blob: ModelUniverse.Blob) async throws {
        files.failPower(after: pick(40))
        let name = "go/m\(pick(12))@v\(pick(3)).zip"
        do {
            switch pick(6) {
            case 0:
                model.uncertain.insert(blob.digest)
                model.uncertainNames.insert(name)
                try await store.publish(blob.bytes, [name])
            case 1:
                model.uncertain.insert(blob.digest)
                for (name, target) in model.names where target == blob.digest {
                    model.uncertainNames.insert(name)
                }
                try await store.remove(blob.digest, because: Self.step)
            case 2: _ = try await store.unfold(blob.digest)
            case 3: try await store.collectGarbage()
            default: _ = try await store.fold(blob.digest)
            }
        } catch {
            // Whatever it was: the power is failing.
        }
        for event in log.all.dropFirst(seenEvents) {
            if case .evicted(let digest, _) = event { model.uncertain.insert(digest) }
        }
        for (name, target) in model.names where model.uncertain.contains(target) {
            model.uncertainNames.insert(name)
        }
        try await reopen(cleanly: false)
        for digest in model.uncertain.sorted() { try await resolve(digest) }
        model.uncertainNames.insert(name)
        for name in model.uncertainNames.sorted() { try await resolve(name) }
    }

    /// Takes over from the store what the model cannot know: whether the last, unanswered step was done.
    private mutating func resolve(_ digest: Digest) async throws {
        let object = try await store.object(digest)
        if let object {
            guard try await bytes(of: object) == universe.byDigest[digest] else {
                throw Finding(description: "\(digest) reads wrong after a crash")
            }
            model.held.insert(digest)
            model.uncertain.remove(digest)
        } else {
            model.drop(digest)
        }
    }

    private mutating func resolve(_ name: String) async throws {
        let reference = try await store.reference(ReferenceName(name))
        if let reference, !model.held.contains(reference.digest) {
            throw Finding(description: "\(name) points at \(reference.digest), which is not held")
        }
        model.names[name] = reference?.digest
        model.uncertainNames.remove(name)
    }

    private mutating func reopen(cleanly: Bool) async throws {
        readers.removeAll()
        if cleanly {
            await store.close()
        } else {
            files.failPower(after: 0)
            let crash = SimulatedDisk.Crash.losingSome(seed: random.next())
            let remains = MemoryFileSystem(after: pick(4) == 0 ? .losingAll : crash, of: files)
            await store.close()
            files = remains
            files.readWrongly(every: mistakes.wrongReadEvery)
        }
        do { store = try await Self.open(files, mistakes) } catch {
            throw Finding(description: "the store does not open: \(error)")
        }
        log = EventLog(store)
        seenEvents = 0
        await store.recovered()
        try await audit()
    }

    // MARK: Comparisons

    /// Evictions must be allowed; the store must find no damage where there is none.
    private mutating func noteEvents() throws {
        let events = log.all
        for event in events.dropFirst(seenEvents) {
            switch event {
            case .evicted(let digest, _):
                if model.isPinned(digest) {
                    throw Finding(description: "\(digest) is pinned and was evicted")
                }
                if model.open.contains(digest),
                    case .file? = readers.first(where: { $0.digest == digest })?.body
                {
                    throw Finding(description: "\(digest) is being read and was evicted")
                }
                model.drop(digest)
            case .damaged(let digest, let what):
                throw Finding(description: "\(digest) is damaged: \(what)")
            case .removed(let digest, _, let why) where why != Self.step:
                throw Finding(description: "\(digest) was removed because \(why)")
            default: break
            }
        }
        seenEvents = events.count
    }

    private mutating func readAll() async throws {
        for blob in universe.blobs { try await read(blob.digest) }
        for (name, digest) in model.names.sorted(by: { $0.key < $1.key }) {
            let found = try await store.reference(ReferenceName(name))?.digest
            if found != digest {
                throw Finding(description: "\(name) is \(found.map { "\($0)" } ?? "absent")")
            }
        }
    }

    /// No file without a row, no row without its file, counters that are right, and the account with them.
    private mutating func audit() async throws {
        var findings = try await StoreAudit(store: store, directory: Self.root).index()
        let rows = try await store.blobs(limit: 10_000)
        let wanted = Set(rows.filter { $0.place == .file }.map { store.parts.layout.blob($0.digest) })
        let blobs = files.files(below: "blobs")
        if wanted != Set(blobs.keys) { findings.append("blob files and rows differ") }
        let packs = files.files(below: "packs")
        let packRows = try await store.parts.readers.read { try $0.packs() }
        if Set(packRows.map { store.parts.layout.pack($0.id) }) != Set(packs.keys) {
            findings.append("pack files and rows differ")
        }
        let used = packRows.reduce(0) { $0 + $1.length } + blobs.values.reduce(0, +)
        if store.usedBytes != used { findings.append("\(store.usedBytes) bytes counted, \(used) used") }
        if !findings.isEmpty { throw Finding(description: "\(findings)") }
    }

    private func bytes(of object: StoredObject) async throws -> [UInt8] {
        switch object.body {
        case .bytes(let bytes): return bytes
        case .recipe(let reader): return try await reader.read(0..<object.size)
        case .file(let file): return files.bytes(of: file)
        }
    }
}
