import ChunkStore
import Content
import Foundation
import Logging
import NIOCore
import NIOPosix
import ProxyFront
import Synchronization

/// A node without its HTTP server: a store in a folder of its own, upstreams, Delivery and the Go endpoints.
struct TestNode: Sendable {
    struct Settings {
        var upstreams: String
        var authority: any SumAuthority = NoSumAuthority()
        var databases: [SumDatabaseConfiguration] = []
        var policy = TransferPolicy()
        var access: any AccessControl = AccessRules.open
        var rules: any PolicyControl = NoPolicy()
        var breaker = CircuitBreaker.Configuration()
        var go: @Sendable (inout GoModuleConfiguration) -> Void = { _ in }
        var client: @Sendable (inout HTTPUpstreamClient.Configuration) -> Void = { _ in }
        var store: @Sendable (inout ChunkStore.Configuration) -> Void = { _ in }
        /// A folder to keep; nil = one that is removed afterwards.
        var directory: String?
        /// The way to the other nodes.
        var peers: (@Sendable (ChunkStore) -> any PeerReach)?

        init(_ upstreams: String) { self.upstreams = upstreams }
    }

    let store: ChunkStore
    let pool: UpstreamPool
    let delivery: Delivery
    let responder: GoModuleResponder
    let metrics: Metrics
    let clock: TestClock
    let audit: RecordingAudit

    /// Runs a node until the body returns.
    static func running<Result>(
        _ settings: Settings, _ body: (TestNode) async throws -> Result
    ) async throws -> Result {
        let directory = settings.directory ?? temporaryDirectory()
        defer { if settings.directory == nil { try? FileManager.default.removeItem(atPath: directory) } }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let clock = TestClock()
        let list = try UpstreamList(parsing: settings.upstreams)
        var origins = Set(list.upstreams.map(\.base.origin))
        for database in settings.databases { origins.insert(database.upstream.base.origin) }
        var configuration = HTTPUpstreamClient.Configuration(redirects: RedirectPolicy(configured: origins))
        // Long: on a busy machine only those tests may run into a time-out that mean to.
        configuration.connectTimeout = .seconds(20)
        configuration.firstByteTimeout = .seconds(20)
        configuration.stallTimeout = .seconds(20)
        settings.client(&configuration)
        let client = try HTTPUpstreamClient(
            configuration, group: MultiThreadedEventLoopGroup.singleton, logger: logger)
        var storeConfiguration = ChunkStore.Configuration(directory: directory)
        settings.store(&storeConfiguration)
        let store = try await ChunkStore.open(storeConfiguration, clock: clock.storeClock, logger: logger)
        let metrics = Metrics()
        let audit = RecordingAudit()
        let pool = UpstreamPool(
            transport: client, breaker: settings.breaker, metrics: metrics, logger: logger)
        let delivery = Delivery(
            store: store, policy: settings.policy, clock: clock.storeClock, metrics: metrics,
            peers: settings.peers?(store), logger: logger)
        var go = GoModuleConfiguration(upstreams: list)
        go.databasePatience = .seconds(20)
        settings.go(&go)
        let databases = try await SumDatabases(
            settings.databases, delivery: delivery, pool: pool, audit: audit, logger: logger)
        let node = TestNode(
            store: store, pool: pool, delivery: delivery,
            responder: GoModuleResponder(
                go, delivery: delivery, pool: pool,
                sumAuthority: settings.databases.isEmpty ? settings.authority : databases,
                sumDatabases: databases, access: settings.access, policy: settings.rules, metrics: metrics,
                audit: audit, logger: logger),
            metrics: metrics, clock: clock, audit: audit)
        do {
            let result = try await body(node)
            await store.close()
            try await client.shutdown()
            return result
        } catch {
            await store.close()
            try? await client.shutdown()
            throw error
        }
    }

    static func temporaryDirectory() -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("edgenode-\(UUID().uuidString)").path
    }

    static func remove(_ directory: String) { try? FileManager.default.removeItem(atPath: directory) }

    /// Asks as a client does, and reads the body to its end or its failure.
    func get(_ path: String, headers: Headers = [:]) async -> Got {
        await Got.reading(await response(path, headers: headers).0)
    }

    /// The response itself, and whether it came without waiting.
    func response(_ path: String, headers: Headers = [:]) async -> (Response, isNow: Bool) {
        switch responder.respond(to: Request(target: path, headers: headers)) {
        case .now(let response): (response, true)
        case .later(let make): (await make(), false)
        }
    }

    /// Waits until the store has the name: a transfer publishes after its last byte went out.
    func waitUntilHeld(_ name: String) async throws {
        try await waitUntil { try await store.reference(try ReferenceName(name)) != nil }
    }

    /// Waits until nothing is in flight.
    func waitUntilQuiet() async throws {
        try await waitUntil { delivery.inFlight.isEmpty }
    }
}

/// Polls a condition that another task will make true; gives up after a minute.
func waitUntil(_ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw NeverHappened() }
        // Yielding alone would keep the few threads that all suites share busy with nothing but polls.
        try await Task.sleep(for: .milliseconds(5))
    }
}

struct NeverHappened: Error {}

/// What a client received.
struct Got: Sendable {
    let status: Int
    let headers: Headers
    /// Bytes promised, when a length was given.
    let promised: Int64?
    let body: [UInt8]
    /// The body came to its end; false = the connection would have been cut.
    let isComplete: Bool

    var text: String { String(decoding: body, as: UTF8.self) }

    static func reading(_ response: Response) async -> Got {
        var body: [UInt8] = []
        var promised: Int64?
        var isComplete = true
        switch response.body {
        case .none: break
        case .bytes(let buffer): body = Array(buffer.readableBytesView)
        case .array(let bytes): body = bytes
        case .file(let slice): body = bytes(of: slice)
        case .stream(let length, let producer):
            promised = length
            do {
                while let part = try await producer.next() { body += bytes(of: part) }
                if let length { isComplete = Int64(body.count) == length }
            } catch {
                isComplete = false
            }
        }
        return Got(
            status: response.status.code, headers: response.headers, promised: promised, body: body,
            isComplete: isComplete)
    }

    static func bytes(of part: BodyPart) -> [UInt8] {
        switch part {
        case .bytes(let buffer): Array(buffer.readableBytesView)
        case .file(let slice): bytes(of: slice)
        }
    }

    static func bytes(of slice: FileSlice) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Int(slice.count)) { buffer, count in
            count = pread(
                slice.file.descriptor, buffer.baseAddress, buffer.count, Int(slice.range.lowerBound))
            precondition(count == buffer.count, "the bytes of a slice are in its file")
        }
    }
}

/// A clock that a test sets.
final class TestClock: Sendable {
    private let time = Mutex<Int64>(1_800_000_000_000)

    var storeClock: StoreClock { StoreClock { self.time.withLock { $0 } } }
    /// Since 1970.
    var seconds: Int64 { time.withLock { $0 / 1000 } }
    func advance(seconds: Int64) { time.withLock { $0 += seconds * 1000 } }
}

/// Counts what several tasks do.
final class Tally: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
}

/// Keeps what was recorded.
final class RecordingAudit: AuditLog {
    private let state = Mutex<[AuditEvent]>([])
    var events: [AuditEvent] { state.withLock { $0 } }
    func record(_ event: AuditEvent) { state.withLock { $0.append(event) } }
}
