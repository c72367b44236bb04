import ChunkStore
import Content
import Logging
import Synchronization

/// One checksum database, proxied, cached and checked: a lookup is kept and believed only once it is proven
/// to be in a tree that the database signed and that continues every tree seen before
/// (golang.org/ref/mod, "Checksum database"; architecture section 5).
///
/// As long as the head being served covers what is asked for, it stays: all lookups then share one head, and
/// a client that comes for the first time while the database is away finds every tile it needs.
final class SumDatabase: Sendable {
    typealias Answer = Result<SumDBLookup, SumDatabaseFailure>

    let configuration: SumDatabaseConfiguration
    let shelf: SumDatabaseShelf
    let source: SumDatabaseSource
    let client: SumDBClient
    let cache: Mutex<SumDBCache>
    private let lookups = SingleFlight<ModuleIdentity, Answer>()
    private let advances = SingleFlight<Int64, Bool>()
    private let misses: NegativeCache
    private let nextWatch = Mutex(Watch())
    private let audit: any AuditLog
    private let logger: Logger

    init(
        _ configuration: SumDatabaseConfiguration, delivery: Delivery, pool: UpstreamPool,
        missFor: Duration, audit: any AuditLog, logger: Logger
    ) async throws {
        self.configuration = configuration
        self.audit = audit
        self.logger = logger
        shelf = try await SumDatabaseShelf(
            configuration, store: delivery.store, clock: delivery.clock, logger: logger)
        source = SumDatabaseSource(
            name: configuration.name, upstream: configuration.upstream, pool: pool, shelf: shelf,
            peers: delivery.peers)
        client = SumDBClient(
            verifier: configuration.verifier, head: try await shelf.newestHead(configuration.verifier),
            source: source)
        let served = try await shelf.served(configuration.verifier)
        cache = Mutex(
            SumDBCache(
                served: served?.head, servedSizes: served?.sizes ?? [], records: try await shelf.records()))
        misses = NegativeCache(lifetime: missFor, limit: 10_000)
    }

    /// The head that lookups are answered with.
    var served: SignedTreeHead? { cache.withLock { $0.served } }

    /// A proven lookup, from the cache or from the database; one request for all who ask at once.
    func lookup(_ module: ModuleIdentity) async -> Answer {
        if let held = await shelf.lookup(module) { return .success(held) }
        let name = try? SumDatabaseShelf.lookupName(configuration.name, module)
        if let name, let refusal = misses.refusal(for: name, now: .now) {
            return .failure(.upstream(.refused(refusal)))
        }
        do {
            return try await lookups.run(module) {
                let answer = await self.ask(module)
                if let name, case .failure(.upstream(.refused(let refusal))) = answer, refusal.isNotFound {
                    self.misses.remember(refusal, for: name, now: .now)
                }
                return answer
            }.0
        } catch {
            return .failure(.upstream(.cancelled))
        }
    }

    private func ask(_ module: ModuleIdentity) async -> Answer {
        if let given = await source.givenLookup(module) {
            switch await prove(given.bytes, of: module) {
            case .success(let lookup): return .success(lookup)
            case .failure(.invalid(let reason)):
                if await !contradicts(given.bytes) {
                    await source.peers?.lied(given.peer, what: "a lookup of \(module): \(reason)")
                }
            case .failure: break
            }
            // Tiles of peers may be what is wrong.
            return await SumDatabaseSource.$asksPeers.withValue(false) { await askDatabase(module) }
        }
        return await askDatabase(module)
    }

    /// Whether a peer's answer bears a signed head that contradicts the one known here: then it is the database that
    /// told two nodes different things, which raises the alarm, and not the peer that lied.
    private func contradicts(_ answer: [UInt8]) async -> Bool {
        guard let lookup = try? SumDBLookup(parsing: answer) else { return false }
        do {
            try await SumDatabaseSource.$asksPeers.withValue(false) {
                _ = try await client.merge(lookup.note)
            }
            return false
        } catch let error as SumDBError where error.isSecurityIncident {
            _ = failure(error)
            return true
        } catch {
            return false
        }
    }

    private func askDatabase(_ module: ModuleIdentity) async -> Answer {
        do {
            return await prove(try await source.lookup(module), of: module)
        } catch {
            return .failure(failure(error))
        }
    }

    private func prove(_ answer: [UInt8], of module: ModuleIdentity) async -> Answer {
        do {
            let lookup = try SumDBLookup(parsing: answer)
            if let served, lookup.record < served.size {
                _ = try await client.prove(lookup, of: module, under: served)
                watch(lookup.note)
            } else {
                let record = try await client.verify(answer, of: module)
                cache.withLock { $0.offer(record.head) }
            }
            try await shelf.keep(lookup, of: module)
            cache.withLock { $0.insert(record: lookup.record) }
            await advance()
            return .success(lookup)
        } catch UpstreamFailure.refused(let refusal) {
            // A tile that is lacking says nothing about the module.
            return .failure(.invalid("its tiles cannot be had: \(UpstreamFailure.refused(refusal))"))
        } catch {
            return .failure(failure(error))
        }
    }

    /// The newest signed head, which becomes the one being served when there is none yet.
    func latest() async -> Result<SignedTreeHead, SumDatabaseFailure> {
        if let served { return .success(served) }
        do {
            let head = try await client.merge(try await source.latest())
            cache.withLock { $0.offer(head) }
            await advance()
            return .success(served ?? head)
        } catch {
            return .failure(failure(error))
        }
    }

    /// The bytes that answer a lookup that is held, under the head being served; nil while that head cannot
    /// prove it yet.
    func answer(_ lookup: SumDBLookup) -> [UInt8]? {
        let tiles = shelf.tiles
        return cache.withLock { $0.answer(lookup, shelf: tiles) }
    }

    /// Moves on to the waiting head once its tiles are here.
    func advance() async {
        let (waiting, records, sizes) = cache.withLock { cache in
            (cache.waiting, cache.records, cache.servedSizes + (cache.served.map { [$0.size] } ?? []))
        }
        guard let waiting else { return }
        _ = try? await advances.run(waiting.size) {
            do {
                try await self.client.prefetch(
                    waiting, records: records.filter { $0 < waiting.size }.sorted(), olderSizes: sizes)
                let tiles = self.shelf.tiles
                let (moved, head, sizes) = self.cache.withLock { cache in
                    (cache.advance(shelf: tiles), cache.served, cache.servedSizes)
                }
                if moved, let head { try await self.shelf.keepServed(head, sizes: sizes) }
                return moved
            } catch {
                self.logger.notice(
                    "\(self.configuration.name): the head of size \(waiting.size) must wait: \(error)")
                return false
            }
        }
    }

    /// Holds a head that is not needed yet against the newest one known, beside the answer it came with: a
    /// database that forks must not stay unnoticed as long as the head being served covers what is asked for.
    private func watch(_ note: [UInt8]) {
        let known = client.head?.note
        guard note != known, nextWatch.withLock({ $0.begin(now: .now, every: Self.watchEvery) }) else {
            return
        }
        Task {
            do {
                try await client.merge(note)
            } catch {
                _ = failure(error)
            }
        }
    }

    func failure(_ error: any Error) -> SumDatabaseFailure {
        switch error {
        case let failure as UpstreamFailure: return .upstream(failure)
        case let error as SumDBError:
            if error.isSecurityIncident {
                logger.critical("ALARM: \(configuration.name): \(error)")
                audit.record(AuditEvent(.policy, configuration.name, reason: "\(error)"))
            } else {
                logger.error("\(configuration.name) gave an answer that is not to be believed: \(error)")
            }
            return .invalid("\(error)")
        default: return .store("\(error)")
        }
    }
}

extension SumDatabase {
    /// The proof costs some tiles each time the database's right edge moves, and large databases move all the
    /// time.
    static let watchEvery: Duration = .seconds(600)

    /// When newer heads are looked at again.
    private struct Watch {
        private var last: ContinuousClock.Instant?

        mutating func begin(now: ContinuousClock.Instant, every: Duration) -> Bool {
            if let last, now - last < every { return false }
            last = now
            return true
        }
    }
}

/// Why a checksum database could not be asked, or is not believed.
enum SumDatabaseFailure: Error, Sendable {
    case upstream(UpstreamFailure)
    case invalid(String)
    case store(String)
}

/// What the database's client is fed from: the shelf first, then what an import brings, then the database.
struct SumDatabaseSource: SumDBSource {
    /// False while an answer is worked out that peers had no part in.
    @TaskLocal static var asksPeers = true

    let name: String
    let upstream: Upstream
    let pool: UpstreamPool
    let shelf: SumDatabaseShelf
    let peers: (any PeerReach)?
    let borrowed = BorrowedTiles()

    func get(_ path: String, limit: Int64) async throws -> [UInt8] {
        try await pool.whole(UpstreamRequest(upstream.base.appending(path), limit: limit), from: upstream)
            .bytes
    }

    func latest() async throws -> [UInt8] { try await get("latest", limit: 64 << 10) }

    func lookup(_ module: ModuleIdentity) async throws -> [UInt8] {
        try await get(
            SumDBRequest.lookup(module).requestPath, limit: Int64(SumDBLookup.maximumByteCount))
    }

    func tile(_ tile: Tile) async throws -> [UInt8] {
        if let held = await shelf.tile(tile) { return held }
        if let lent = await borrowed.tile(tile) { return lent }
        if let given = await givenTile(tile) { return given }
        return try await get(SumDBRequest.tile(tile).requestPath, limit: Int64(tile.byteCount ?? 16 << 20))
    }

    func save(_ tiles: [(tile: Tile, hashes: [UInt8])]) async { await shelf.keep(tiles) }

    func save(_ head: SignedTreeHead) async throws { try await shelf.keepNewest(head) }
}
