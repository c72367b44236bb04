import ChunkStore
import Content
import ProxyFront
import Synchronization
import Testing

@Suite struct SumDatabaseTests {
    /// A database that serves its log at the size of the moment.
    private final class Served: Sendable {
        private let state: Mutex<(log: TestLog, size: Int64)>

        init(_ log: TestLog, size: Int64) { state = Mutex((log, size)) }

        func become(_ log: TestLog, size: Int64) { state.withLock { $0 = (log, size) } }

        var script: FaultUpstream.Script {
            { asked in
                let (log, size) = self.state.withLock { $0 }
                let path = asked.path.dropFirst()
                if path == "latest" { return [.send(.answer(200, log.head(size)))] }
                if let tile = Tile(path: path), let bytes = log.tile(tile, size: size) {
                    return [.send(.answer(200, bytes))]
                }
                let record = (0..<size).first { "lookup/\(TestLog.module($0).escaped)" == path }
                if let record { return [.send(.answer(200, log.lookup(record, size: size)))] }
                return [.send(.answer(404, "not found: \(path)"))]
            }
        }
    }

    /// The go command's side: a client that knows nothing but the key, through the node.
    private struct ThroughNode: SumDBSource {
        let node: TestNode
        let name: String

        struct Refused: Error { let status: Int }

        private func get(_ path: String) async throws -> [UInt8] {
            let got = await node.get("/sumdb/\(name)/\(path)")
            guard got.status == 200 else { throw Refused(status: got.status) }
            return got.body
        }

        func lookup(_ module: ModuleIdentity) async throws -> [UInt8] {
            try await get(SumDBRequest.lookup(module).requestPath)
        }
        func tile(_ tile: Tile) async throws -> [UInt8] { try await get(SumDBRequest.tile(tile).requestPath) }
        func save(_ tiles: [(tile: Tile, hashes: [UInt8])]) async {}
        func save(_ head: SignedTreeHead) async throws {}
    }

    private func client(_ node: TestNode, _ verifier: NoteVerifier, name: String) -> SumDBClient {
        SumDBClient(verifier: verifier, head: nil, source: ThroughNode(node: node, name: name))
    }

    private func settings(
        _ url: String, key: String, upstream: String = "http://127.0.0.1:1"
    ) throws -> TestNode.Settings {
        var settings = TestNode.Settings(upstream)
        settings.databases = [
            try SumDatabaseConfiguration(key: key, url: url, patterns: ModulePatterns(commaSeparated: "*"))
        ]
        return settings
    }

    @Test(arguments: ["sum.test", "sum.test/with/path"])
    func aFreshClientChecksEveryLookupOnlineAndWithTheDatabaseGone(name: String) async throws {
        var log = TestLog(name: name)
        log.grow(to: 700)
        let served = Served(log, size: 300)
        let directory = TestNode.temporaryDirectory()
        defer { TestNode.remove(directory) }
        let records: [Int64] = [0, 7, 255, 256, 299]
        let later: [Int64] = [5, 400, 699]
        var offline = try settings("http://127.0.0.1:1", key: log.verifierKey)
        offline.directory = directory
        try await FaultUpstream.serving(served.script) { upstream in
            var online = try settings(upstream.url, key: log.verifierKey)
            online.directory = directory
            try await TestNode.running(online) { node in
                #expect(await node.get("/sumdb/\(name)/supported").status == 200)
                let veteran = client(node, log.verifier, name: name)
                for record in records { _ = try await veteran.lookup(TestLog.module(record)) }
                served.become(log, size: 700)
                for record in later { _ = try await veteran.lookup(TestLog.module(record)) }
                #expect(upstream.asked.count { $0.path.hasPrefix("/lookup/") } == records.count + later.count)
                try await upstream.stop()
                let fresh = client(node, log.verifier, name: name)
                for record in records + later { _ = try await fresh.lookup(TestLog.module(record)) }
                for record in records + later { _ = try await veteran.lookup(TestLog.module(record)) }
            }
        }
        // And after a restart.
        try await TestNode.running(offline) { node in
            let fresh = client(node, log.verifier, name: name)
            for record in records + later { _ = try await fresh.lookup(TestLog.module(record)) }
            #expect(fresh.head?.size == 700)
            let latest = await node.get("/sumdb/\(name)/latest")
            #expect(latest.body == log.head(700))
            let unknown = await node.get("/sumdb/\(name)/lookup/example.com/m9@v1.0.0")
            #expect(unknown.status == 503)
        }
    }

    @Test func aHeadThatCoversWhatIsAskedForStays() async throws {
        var log = TestLog()
        log.grow(to: 400)
        let served = Served(log, size: 300)
        try await FaultUpstream.serving(served.script) { upstream in
            try await TestNode.running(try settings(upstream.url, key: log.verifierKey)) { node in
                let client = client(node, log.verifier, name: log.name)
                _ = try await client.lookup(TestLog.module(1))
                served.become(log, size: 400)
                _ = try await client.lookup(TestLog.module(2))
                #expect(client.head?.size == 300)
                _ = try await client.lookup(TestLog.module(350))
                #expect(client.head?.size == 400)
            }
        }
    }

    @Test func aDatabaseThatForksIsRefusedLoudly() async throws {
        var log = TestLog()
        log.grow(to: 5)
        var fork = TestLog(name: log.name, key: log.key)
        fork.grow(to: 12, salt: "forked")
        let served = Served(log, size: 5)
        let forked = fork
        try await FaultUpstream.serving(served.script) { upstream in
            try await TestNode.running(try settings(upstream.url, key: log.verifierKey)) { node in
                let path = "/sumdb/\(log.name)/lookup/"
                #expect(await node.get("\(path)\(TestLog.module(3))").status == 200)
                served.become(forked, size: 12)
                let got = await node.get("\(path)\(TestLog.module(9))")
                #expect(got.status == 502)
                #expect(node.audit.events.contains { $0.reason?.contains("SECURITY") == true })
                #expect(await node.get("\(path)\(TestLog.module(3))").status == 200)
            }
        }
    }

    @Test func aForkBeyondTheHeadBeingServedIsNoticedToo() async throws {
        var log = TestLog()
        log.grow(to: 5)
        var fork = TestLog(name: log.name, key: log.key)
        fork.grow(to: 12, salt: "forked")
        let served = Served(log, size: 5)
        let (honest, forked) = (log, fork)
        // The record is the one of the tree being served; only the head beside it is of the other tree.
        let script: FaultUpstream.Script = { asked in
            if asked.path == "/lookup/\(TestLog.module(2).escaped)" {
                let record = Array("2\n".utf8) + honest.records[2] + [0x0a]
                return [.send(.answer(200, record + forked.head(12)))]
            }
            if let tile = Tile(path: asked.path.dropFirst()), tile.path.contains(".p/12"),
                let bytes = forked.tile(tile, size: 12)
            {
                return [.send(.answer(200, bytes))]
            }
            return served.script(asked)
        }
        try await FaultUpstream.serving(script) { upstream in
            try await TestNode.running(try settings(upstream.url, key: log.verifierKey)) { node in
                let path = "/sumdb/\(log.name)/lookup/"
                #expect(await node.get("\(path)\(TestLog.module(3))").status == 200)
                #expect(await node.get("\(path)\(TestLog.module(2))").status == 200)
                try await waitUntil {
                    node.audit.events.contains { $0.reason?.contains("SECURITY") == true }
                }
            }
        }
    }

    @Test func anotherKeysDatabaseIsNotBelieved() async throws {
        var log = TestLog()
        log.grow(to: 10)
        let served = Served(log, size: 10)
        try await FaultUpstream.serving(served.script) { upstream in
            try await TestNode.running(try settings(upstream.url, key: TestLog().verifierKey)) { node in
                #expect(await node.get("/sumdb/\(log.name)/lookup/\(TestLog.module(3))").status == 502)
                #expect(await node.get("/sumdb/\(log.name)/latest").status == 502)
            }
        }
    }

    @Test func whatTheDatabaseDoesNotKnowIsRelayedAndRemembered() async throws {
        let served = Served(TestLog(), size: 0)
        let key = TestLog().verifierKey
        try await FaultUpstream.serving(served.script) { upstream in
            try await TestNode.running(try settings(upstream.url, key: key)) { node in
                for _ in 0..<3 {
                    let got = await node.get("/sumdb/sum.test/lookup/example.com/no@v1.0.0")
                    #expect(got.status == 404)
                    #expect(got.text == "not found: lookup/example.com/no@v1.0.0")
                }
                #expect(upstream.asked.count == 1)
            }
        }
    }

    @Test func theNodeChecksModulesAgainstItsDatabase() async throws {
        let module = TestModule()
        var log = TestLog()
        log.append(record: Array(try module.sums.map { "\($0)\n" }.joined().utf8))
        log.grow(to: 40)
        let whole = log
        try await FaultUpstream.serving { asked in
            let path = asked.path.dropFirst()
            if path == "lookup/example.com/toy@v1.0.0" {
                return [.send(.answer(200, whole.lookup(0, size: 40)))]
            }
            if let tile = Tile(path: path), let bytes = whole.tile(tile, size: 40) {
                return [.send(.answer(200, bytes))]
            }
            return [.send(.answer(200, asked.path == module.zipPath ? module.zip : module.mod))]
        } _: { upstream in
            let settings = try settings(upstream.url, key: log.verifierKey, upstream: upstream.url)
            try await TestNode.running(settings) { node in
                #expect(await node.get(module.zipPath).isComplete)
                #expect(await node.get(module.modPath).status == 200)
                try await node.waitUntilHeld(module.zipName)
                let zip = try await node.store.reference(try ReferenceName(module.zipName))
                #expect(zip?.verified == .verified)
                #expect(upstream.asked.count { $0.path.hasPrefix("/lookup/") } == 1)
            }
        }
    }

    @Test func theRealDatabasesRecordsServeAFreshOfflineClient() async throws {
        let directory = TestNode.temporaryDirectory()
        defer { TestNode.remove(directory) }
        let key = RealSumDB.verifier.description
        try await FaultUpstream.serving { asked in
            let path = asked.path.dropFirst()
            if let tile = Tile(path: path), let bytes = RealSumDB.tiles[tile] {
                return [.send(.answer(200, bytes))]
            }
            let lookup = RealSumDB.lookups.first { "lookup/\($0.key.escaped)" == path }
            return [.send(lookup.map { .answer(200, $0.value) } ?? .answer(404, "not found"))]
        } _: { upstream in
            var online = try settings(upstream.url, key: key)
            online.directory = directory
            try await TestNode.running(online) { node in
                for (module, _, _) in try RealSumDB.newestFirst() {
                    let got = await node.get("/sumdb/sum.golang.org/lookup/\(module.escaped)")
                    #expect(got.status == 200, "\(module): \(got.text.prefix(200))")
                }
            }
        }
        var offline = try settings("http://127.0.0.1:1", key: key)
        offline.directory = directory
        try await TestNode.running(offline) { node in
            let fresh = client(node, RealSumDB.verifier, name: "sum.golang.org")
            for module in RealSumDB.lookups.keys.sorted() {
                let record = try await fresh.lookup(module)
                #expect(!record.hashes(of: .goMod).isEmpty)
            }
        }
    }
}
