import ProxyFront
import Synchronization
import Testing

@Suite struct SumDBClientTests {
    private static let log: TestLog = {
        var log = TestLog()
        log.grow(to: 70_000)
        return log
    }()

    @Test(
        arguments: [1, 2, 3, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 66_000, 70_000] as [Int64])
    func `records of a tree of any size are proven`(size: Int64) async throws {
        let source = LogSource(Self.log, size: size)
        let client = SumDBClient(verifier: Self.log.verifier, head: nil, source: source)
        for record in Set([0, size / 2, size / 3, size - 1, min(255, size - 1), min(256, size - 1)]) {
            let answer = Self.log.lookup(record, size: size)
            let proven = try await client.verify(answer, of: TestLog.module(record))
            #expect(proven.lookup.record == record && proven.lines.count == 2)
        }
        #expect(client.head?.size == size && source.head?.size == size)
    }

    @Test func `heads may come in any order, and the newest is kept`() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        let source = LogSource(Self.log, size: 70_000)
        let client = SumDBClient(verifier: Self.log.verifier, head: nil, source: source)
        var newest: Int64 = 0
        for _ in 0..<40 {
            let size = Int64.random(in: 0...70_000, using: &random)
            newest = max(newest, size)
            try await client.merge(Self.log.head(size))
            #expect(client.head?.size == newest, "seed \(seed)")
        }
        #expect(source.head?.size == newest)
    }

    @Test func `many tasks at once agree on the newest head`() async throws {
        let source = LogSource(Self.log, size: 70_000)
        let client = SumDBClient(verifier: Self.log.verifier, head: nil, source: source)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for size in stride(from: Int64(1000), through: 64_000, by: 1000) {
                let answer = Self.log.lookup(size / 2, size: size)
                group.addTask { _ = try await client.verify(answer, of: TestLog.module(size / 2)) }
            }
            try await group.waitForAll()
        }
        #expect(client.head?.size == 64_000)
    }

    @Test(
        arguments: [(1, 300), (256, 300), (257, 65_700), (65_536, 65_700), (65_537, 65_700), (400, 400)]
            as [(Int64, Int64)])
    func `a fork is noticed and proven`(older: Int64, newer: Int64) async throws {
        var forged = TestLog(name: Self.log.name, key: Self.log.key)
        forged.grow(to: older - 1)
        forged.grow(to: newer, salt: "forged")
        let known = try Self.log.signedHead(older)
        let client = SumDBClient(
            verifier: Self.log.verifier, head: known, source: LogSource(forged, size: newer))
        do {
            try await client.merge(forged.head(newer))
            Issue.record("the fork went unnoticed")
        } catch let error as SumDBError {
            guard case .fork(let fork) = error else { throw error }
            #expect(error.isSecurityIncident && fork.isProven)
            #expect(
                fork.older.size == older && fork.newer.size == newer && fork.found == forged.root(0..<older))
            #expect(
                error.description.contains("SECURITY")
                    && error.description.contains(known.head.hash.description))
        }
        #expect(client.head == known)

        // The other way round: an old head that does not belong to the tree known.
        let second = SumDBClient(
            verifier: Self.log.verifier, head: try forged.signedHead(newer),
            source: LogSource(forged, size: newer))
        await #expect { try await second.merge(Self.log.head(older)) } throws: {
            ($0 as? SumDBError)?.isSecurityIncident == true
        }
    }

    @Test func `wrong tiles are an error and no proof of a fork`() async throws {
        var other = TestLog()
        other.grow(to: 300, salt: "other")
        let client = SumDBClient(
            verifier: Self.log.verifier, head: try Self.log.signedHead(100),
            source: LogSource(other, size: 300))
        await #expect(throws: SumDBError.inconsistentTiles(size: 300)) {
            try await client.merge(Self.log.head(300))
        }
        #expect(client.head?.size == 100)
    }

    @Test func `a partial tile that is gone is cut from the full one`() async throws {
        let client = SumDBClient(
            verifier: Self.log.verifier, head: nil, source: FullTilesOnly(log: Self.log))
        _ = try await client.verify(Self.log.lookup(3, size: 300), of: TestLog.module(3))
        #expect(client.head?.size == 300)
    }

    private struct FullTilesOnly: SumDBSource {
        let log: TestLog
        func lookup(_ module: ModuleIdentity) async throws -> [UInt8] { [] }
        func tile(_ tile: Tile) async throws -> [UInt8] {
            guard tile.isFull || tile.level == 1, let bytes = log.tile(tile, size: 70_000) else {
                throw MemorySource.Missing(what: tile.path)
            }
            return bytes
        }
        func save(_ tiles: [(tile: Tile, hashes: [UInt8])]) async {}
        func save(_ head: SignedTreeHead) async throws {}
    }

    private struct FullDisk: Error {}

    /// Saves no head as long as it is full.
    private final class FullSource: SumDBSource {
        let log: TestLog
        let isFull = Mutex(true)
        let saved = Mutex<Int64?>(nil)
        init(_ log: TestLog) { self.log = log }
        func lookup(_ module: ModuleIdentity) async throws -> [UInt8] { [] }
        func tile(_ tile: Tile) async throws -> [UInt8] { log.tile(tile, size: 1000) ?? [] }
        func save(_ tiles: [(tile: Tile, hashes: [UInt8])]) async {}
        func save(_ head: SignedTreeHead) async throws {
            if isFull.withLock({ $0 }) { throw FullDisk() }
            saved.withLock { $0 = head.size }
        }
    }

    @Test func `a head that could not be saved is not believed, and saved the next time`() async throws {
        let source = FullSource(Self.log)
        let client = SumDBClient(verifier: Self.log.verifier, head: nil, source: source)
        await #expect(throws: FullDisk.self) { try await client.merge(Self.log.head(300)) }
        #expect(client.head == nil)
        source.isFull.withLock { $0 = false }
        try await client.merge(Self.log.head(300))
        source.isFull.withLock { $0 = true }
        await #expect(throws: FullDisk.self) { try await client.merge(Self.log.head(600)) }
        #expect(client.head?.size == 300 && source.saved.withLock { $0 } == 300)
        source.isFull.withLock { $0 = false }
        try await client.merge(Self.log.head(600))
        #expect(source.saved.withLock { $0 } == 600)
    }

    @Test func `a record beyond the signed tree is refused`() async throws {
        var answer = Self.log.lookup(5, size: 300)
        answer.replaceSubrange(0..<1, with: Array("300".utf8))
        let client = SumDBClient(
            verifier: Self.log.verifier, head: nil, source: LogSource(Self.log, size: 300))
        await #expect(throws: SumDBError.recordBeyondTree(record: 300, size: 300)) {
            try await client.verify(answer, of: TestLog.module(5))
        }
    }

    @Test(arguments: [
        "", "1", "1\n", "1\na\n", "-1\na\n\nx", "01\na\n\nx", "x\na\n\nx", "1\n\n\nx", "1\na\u{1}\n\nx",
        "+1\na\n\nx",
        "99999999999999999999\na\n\nx",
    ])
    func `a malformed lookup is refused`(answer: String) {
        #expect(throws: SumDBError.self) { try SumDBLookup(parsing: Array(answer.utf8)) }
    }
}
