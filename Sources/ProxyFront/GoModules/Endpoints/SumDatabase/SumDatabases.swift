import ChunkStore
import Content
public import Logging
import NIOCore

/// The configured checksum databases: what modules are checked against, and what answers under `/sumdb/`.
public final class SumDatabases: SumAuthority, SumDatabaseEndpoint {
    let databases: [SumDatabase]
    private let store: ChunkStore

    /// Reads what is cached of each database.
    /// - Parameter configurations: in order; for a module the first one counts whose patterns match.
    public init(
        _ configurations: [SumDatabaseConfiguration], delivery: Delivery, pool: UpstreamPool,
        missFor: Duration = .seconds(60), audit: any AuditLog = NoAuditLog(), logger: Logger
    ) async throws {
        var databases: [SumDatabase] = []
        for configuration in configurations {
            databases.append(
                try await SumDatabase(
                    configuration, delivery: delivery, pool: pool, missFor: missFor, audit: audit,
                    logger: logger))
        }
        self.databases = databases
        store = delivery.store
    }

    public var names: [String] { databases.map(\.configuration.name) }

    // MARK: checking modules

    func database(for module: ModulePath) -> SumDatabase? {
        databases.first { $0.configuration.patterns.matches(module) }
    }

    public func covers(_ module: ModulePath) -> Bool { database(for: module) != nil }

    public func lookup(_ module: ModuleIdentity) async -> SumLookup {
        guard let database = database(for: module.path) else {
            return .notFound("no checksum database answers for \(module.path)")
        }
        switch await database.lookup(module) {
        case .success(let lookup): return .sums(lookup.lines(about: module))
        case .failure(.upstream(.refused(let refusal))) where refusal.isNotFound:
            return .notFound("\(database.configuration.name) does not know \(module)")
        case .failure(.upstream(let failure)): return .unreachable("\(failure)")
        case .failure(.invalid(let reason)): return .invalid(reason)
        case .failure(.store(let reason)): return .unreachable(reason)
        }
    }

    // MARK: serving clients

    public func respond(to asked: SumDBRequest, of name: String, _ request: Request) -> Answer {
        guard let database = databases.first(where: { $0.configuration.name == name }) else {
            return .now(
                .text(.notFound, "not found: no checksum database \(QuotedText(name)) is configured here"))
        }
        switch asked {
        case .supported: return .now(Self.response([], cacheFor: 60))
        case .latest:
            if let head = database.served { return .now(Self.response(head.note, cacheFor: 60)) }
            return .later {
                switch await database.latest() {
                case .success(let head): Self.response(head.note, cacheFor: 60)
                case .failure(let failure): Self.response(failure)
                }
            }
        case .lookup(let module):
            if let bytes = hot(module, in: database) { return .now(Self.response(bytes, cacheFor: 60)) }
            if request.forbidsFetching { return .later { await self.held(module, in: database) } }
            return .later {
                switch await database.lookup(module) {
                case .success(let lookup):
                    Self.response(database.answer(lookup) ?? lookup.recordBytes + lookup.note, cacheFor: 60)
                case .failure(let failure): Self.response(failure)
                }
            }
        case .tile(let tile): return .later { await self.tile(tile, of: database, request) }
        }
    }

    /// A lookup whose bytes are in memory.
    private func hot(_ module: ModuleIdentity, in database: SumDatabase) -> [UInt8]? {
        guard let name = try? SumDatabaseShelf.lookupName(database.configuration.name, module),
            let object = store.hotReference(name)?.1, case .bytes(let bytes) = object.body,
            let lookup = try? SumDBLookup(parsing: bytes)
        else { return nil }
        return database.answer(lookup)
    }

    private func held(_ module: ModuleIdentity, in database: SumDatabase) async -> Response {
        guard let lookup = await database.shelf.lookup(module) else { return GoAnswers.response(.notHeld) }
        return Self.response(database.answer(lookup) ?? lookup.recordBytes + lookup.note, cacheFor: 60)
    }

    /// A proven tile from the cache; any other is passed through, for the client to prove.
    private func tile(_ tile: Tile, of database: SumDatabase, _ request: Request) async -> Response {
        if let held = await database.shelf.tile(tile) { return Self.response(held, cacheFor: 10800) }
        if request.forbidsFetching { return GoAnswers.response(.notHeld) }
        do {
            return Self.response(
                try await database.source.tile(tile), type: "application/octet-stream", cacheFor: 60,
                source: .upstream)
        } catch let failure as UpstreamFailure {
            return GoAnswers.response(.upstream(failure))
        } catch {
            return GoAnswers.response(DeliveryFailure(error))
        }
    }

    private static func response(
        _ bytes: [UInt8], type: String = "text/plain; charset=UTF-8", cacheFor seconds: Int,
        source: Response.Source = .local
    ) -> Response {
        Response(
            status: .ok,
            headers: [
                "Content-Type": type, "Cache-Control": "public, max-age=\(seconds)",
                "X-Content-Type-Options": "nosniff",
            ], body: .array(bytes), servedFrom: source)
    }

    private static func response(_ failure: SumDatabaseFailure) -> Response {
        switch failure {
        case .upstream(let failure): GoAnswers.response(.upstream(failure))
        case .invalid(let reason):
            .text(Status(502), "bad gateway: the checksum database is not believed: \(reason)")
        case .store(let reason): GoAnswers.response(.store(reason))
        }
    }
}
