import ProxyFront
import Testing

@Suite struct SumDBCacheTests {
    private static let log: TestLog = {
        var log = TestLog()
        log.grow(to: 68_000)
        return log
    }()

    private func tile(_ path: String) throws -> Tile { try #require(Tile(path: path)) }

    @Test func `of each place the widest tile is kept and narrower ones are cut from it`() throws {
        var shelf = TileShelf()
        let kept = try [
            shelf.keep(tile("tile/8/0/000.p/5")), shelf.keep(tile("tile/8/0/000.p/5")),
            shelf.keep(tile("tile/8/0/000.p/3")),
        ]
        #expect(kept == [true, false, false])
        #expect(try shelf.holder(of: tile("tile/8/0/000.p/3")) == tile("tile/8/0/000.p/5"))
        #expect(try !shelf.holds(tile("tile/8/0/000.p/6")))
        try shelf.keep(tile("tile/8/0/000"))
        #expect(try shelf.holder(of: tile("tile/8/0/000.p/200")) == tile("tile/8/0/000"))
        #expect(try !shelf.holds(tile("tile/8/1/000.p/1")) && !shelf.holds(tile("tile/8/0/001.p/1")))
        try shelf.keep(tile("tile/8/data/000.p/9"))
        #expect(try !shelf.holds(tile("tile/8/data/000.p/8")) && shelf.holds(tile("tile/8/data/000.p/9")))
        #expect(try TileShelf.Place(tile("tile/8/0/x001/002.p/7")).path == "tile/8/0/x001/002")
        shelf.remove(TileShelf.Place(try tile("tile/8/0/000.p/1")))
        #expect(try !shelf.holds(tile("tile/8/0/000.p/1")))

        let hashes = (0..<160).map { UInt8($0) }
        #expect(try TileShelf.cut(tile("tile/8/0/000.p/2"), from: hashes) == Array(hashes.prefix(64)))
        #expect(try TileShelf.cut(tile("tile/8/0/000.p/6"), from: hashes) == nil)
    }

    @Test func `a head waits until its tiles are there`() throws {
        var cache = SumDBCache()
        let first = try Self.log.signedHead(300)
        let second = try Self.log.signedHead(600)
        cache.insert(record: 7)
        cache.offer(first)
        var shelf = TileShelf()
        let hasAdvanced1 = cache.advance(shelf: shelf)
        #expect(!hasAdvanced1 && cache.served == nil)
        for tile in cache.missingTiles(for: first, shelf: shelf) { shelf.keep(tile) }
        let hasAdvanced2 = cache.advance(shelf: shelf)
        #expect(hasAdvanced2 && cache.served == first && cache.waiting == nil)

        cache.offer(second)
        cache.offer(first)
        #expect(cache.waiting == second)
        let lookup = try SumDBLookup(parsing: Self.log.lookup(7, size: 600))
        #expect(cache.answer(lookup, shelf: shelf) == Self.log.lookup(7, size: 300))
        let hasAdvanced3 = cache.advance(shelf: shelf)
        #expect(!hasAdvanced3 && cache.served == first)
        for tile in cache.missingTiles(for: second, shelf: shelf) { shelf.keep(tile) }
        let hasAdvanced4 = cache.advance(shelf: shelf)
        #expect(hasAdvanced4 && cache.served == second && cache.servedSizes == [300])
        #expect(cache.answer(lookup, shelf: shelf) == Self.log.lookup(7, size: 600))

        // A record that the served tree does not hold, or whose tiles are lacking, is not answered for.
        #expect(cache.answer(try SumDBLookup(parsing: Self.log.lookup(600, size: 601)), shelf: shelf) == nil)
        shelf.remove(TileShelf.Place(try tile("tile/8/0/000")))
        #expect(cache.answer(lookup, shelf: shelf) == nil)
    }

    @Test func `a head that does not cover every record held is not served`() throws {
        var cache = SumDBCache(records: [400])
        cache.offer(try Self.log.signedHead(300))
        let tiles = SumDBCache.tiles(for: try Self.log.signedHead(300).head, records: [], olderSizes: [])
        let hasAdvanced = cache.advance(shelf: TileShelf(holding: tiles))
        #expect(!hasAdvanced)
    }

    @Test func `heads given out are remembered up to a bound`() throws {
        var cache = SumDBCache()
        for size in 1...200 as ClosedRange<Int64> {
            cache.offer(try Self.log.signedHead(size))
            let next = try #require(cache.waiting)
            let tiles = cache.missingTiles(for: next, shelf: TileShelf())
            let hasAdvanced = cache.advance(shelf: TileShelf(holding: tiles))
            #expect(hasAdvanced)
        }
        #expect(cache.servedSizes == Array(136...199))
    }

    @Test(arguments: 0..<4)
    func `whatever was held when upstream went away serves clients new and old`(round: Int) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        var cache = SumDBCache()
        var shelf = TileShelf()
        var tiles: [TileShelf.Place: [UInt8]] = [:]
        var lookups: [Int64: SumDBLookup] = [:]
        var clients: [SumDBClient] = []
        var newest: SignedTreeHead?
        var size = Int64.random(in: 1...600, using: &random)
        let offline = MemorySource(lookups: [:], tiles: [:])

        func offer() throws {
            for lookup in lookups.values {
                guard let answer = cache.answer(lookup, shelf: shelf) else { continue }
                offline.put(TestLog.module(lookup.record), answer)
            }
        }
        for step in 0..<8 {
            let source = LogSource(Self.log, size: size)
            let node = SumDBClient(verifier: Self.log.verifier, head: newest, source: source)
            for _ in 0..<3 {
                let record = Int64.random(in: 0..<size, using: &random)
                lookups[record] = try await node.lookup(TestLog.module(record)).lookup
                cache.insert(record: record)
            }
            let head = try #require(node.head)
            newest = head
            cache.offer(head)
            try await node.prefetch(
                head, records: Array(cache.records),
                olderSizes: cache.servedSizes + (cache.served.map { [$0.size] } ?? []))
            for (tile, hashes) in source.saved where shelf.keep(tile) {
                tiles[TileShelf.Place(tile)] = hashes
            }
            let hasAdvanced5 = cache.advance(shelf: shelf)
            #expect(hasAdvanced5, "seed \(seed), step \(step)")

            // Cut from the shelf what a client may ask for.
            let wanted = SumDBCache.tiles(
                for: head.head, records: Array(cache.records), olderSizes: cache.servedSizes)
            for tile in wanted {
                let hashes = try #require(tiles[TileShelf.Place(tile)])
                offline.put(tile, try #require(TileShelf.cut(tile, from: hashes)))
            }
            try offer()
            clients.append(SumDBClient(verifier: Self.log.verifier, head: nil, source: offline))
            for client in clients {
                for record in lookups.keys {
                    let proven = try await client.lookup(TestLog.module(record))
                    #expect(proven.head.size == size, "seed \(seed), step \(step)")
                }
            }
            size = min(
                68_000, size + Int64.random(in: 1...(step.isMultiple(of: 3) ? 30_000 : 300), using: &random))
        }
    }
}
