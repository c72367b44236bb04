import ChunkStore
import Content
import ProxyFront
import Synchronization
import Testing

/// Checksum databases between nodes: lookups and tiles are shared, and heads that contradict each other are noticed.
@Suite("Checksum databases and peers") struct SumDatabasePeersTests {
    private static func serving(_ log: TestLog, size: Int64) -> FaultUpstream.Script {
        { asked in
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

    /// Two nodes of one mesh, each with its own view of the database.
    private func nodes(
        _ log: TestLog, _ first: @escaping FaultUpstream.Script, _ second: @escaping FaultUpstream.Script,
        _ body: (PeerMesh, [TestNode], [FaultUpstream]) async throws -> Void
    ) async throws {
        func settings(_ number: Int, _ mesh: PeerMesh, _ url: String) throws -> TestNode.Settings {
            var settings = TestNode.Settings("http://127.0.0.1:1")
            settings.databases = [
                try SumDatabaseConfiguration(
                    key: log.verifierKey, url: url, patterns: ModulePatterns(commaSeparated: "*"))
            ]
            settings.peers = { _ in mesh.reach(of: number) }
            return settings
        }
        let mesh = PeerMesh()
        try await FaultUpstream.serving(first) { one in
            try await FaultUpstream.serving(second) { two in
                try await TestNode.running(try settings(1, mesh, one.url)) { a in
                    mesh.add(1, a.store, [a.delivery])
                    try await TestNode.running(try settings(2, mesh, two.url)) { b in
                        mesh.add(2, b.store, [b.delivery])
                        try await body(mesh, [a, b], [one, two])
                    }
                }
            }
        }
    }

    private func lookup(_ record: Int64, _ log: TestLog) -> String {
        "/sumdb/\(log.name)/lookup/\(TestLog.module(record))"
    }

    @Test func aLookupIsProvenWithWhatAPeerHolds() async throws {
        var log = TestLog()
        log.grow(to: 300)
        let served = Self.serving(log, size: 300)
        try await nodes(log, served, served) { mesh, nodes, databases in
            #expect(await nodes[0].get(lookup(7, log)).status == 200)
            try await databases[1].stop()
            let got = await nodes[1].get(lookup(7, log))
            #expect(got.status == 200 && got.body == log.lookup(7, size: 300))
            #expect(mesh.blamed.isEmpty)
            #expect(await nodes[1].get(lookup(8, log)).status == 503)
        }
    }

    @Test func aPeersWrongLookupOrTilesAreReplacedByTheDatabases() async throws {
        var log = TestLog()
        log.grow(to: 300)
        let served = Self.serving(log, size: 300)
        try await nodes(log, served, served) { mesh, nodes, databases in
            #expect(await nodes[0].get(lookup(7, log)).status == 200)
            mesh.change(1) { $0.lies = true }
            #expect(await nodes[1].get(lookup(7, log)).body == log.lookup(7, size: 300))
            #expect(mesh.blamed.count == 1)
            // The lookup comes from the database, the tiles from the liar.
            #expect(await nodes[1].get(lookup(280, log)).body == log.lookup(280, size: 300))
        }
    }

    @Test func headsOfTwoNodesThatContradictEachOtherRaiseTheAlarm() async throws {
        var log = TestLog()
        log.grow(to: 5)
        var fork = TestLog(name: log.name, key: log.key)
        fork.grow(to: 12, salt: "forked")
        try await nodes(log, Self.serving(log, size: 5), Self.serving(fork, size: 12)) { mesh, nodes, _ in
            #expect(await nodes[0].get(lookup(3, log)).status == 200)
            #expect(await nodes[1].get(lookup(9, log)).status == 200)
            _ = await nodes[1].get(lookup(3, log))
            try await waitUntil {
                nodes[1].audit.events.contains { $0.reason?.contains("SECURITY") == true }
            }
            #expect(mesh.blamed.isEmpty)
        }
    }
}
