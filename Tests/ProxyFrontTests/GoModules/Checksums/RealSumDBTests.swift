import ProxyFront
import Testing

@Suite struct RealSumDBTests {
    private func source() -> MemorySource {
        MemorySource(lookups: RealSumDB.lookups, tiles: RealSumDB.tiles)
    }

    @Test func `all data is there`() {
        #expect(RealSumDB.lookups.count == 54)
        #expect(RealSumDB.tiles.count == 110)
        #expect(RealSumDB.heads.count == 7)
    }

    @Test func `every signed head verifies under the real key`() throws {
        let sizes = try RealSumDB.heads.map {
            try SignedTreeHead(parsing: $0, verifier: RealSumDB.verifier).size
        }
        #expect(sizes == [756113, 6_476_701, 10_680_630, 15_067_302, 28_891_140, 52_544_510, 59_045_944])
        #expect(try SignedTreeHead(parsing: RealSumDB.latest, verifier: RealSumDB.verifier).size == 9_380_838)
    }

    @Test func `every lookup is proven, whatever head it came with`() async throws {
        let source = source()
        let client = SumDBClient(verifier: RealSumDB.verifier, head: nil, source: source)
        for (module, _, _) in try RealSumDB.newestFirst() {
            let record = try await client.lookup(module)
            #expect(record.hashes(of: .zip).count == 1 && record.hashes(of: .goMod).count == 1, "\(module)")
        }
        #expect(client.head?.size == 9_380_838)
        #expect(source.head == client.head)
        for (tile, hashes) in source.saved { #expect(RealSumDB.tiles[tile] == hashes) }
    }

    @Test func `the lines are the ones the go command would write`() async throws {
        let client = SumDBClient(verifier: RealSumDB.verifier, head: nil, source: source())
        let text = ModuleIdentity(
            path: try ModulePath("golang.org/x/text"), version: try ModuleVersion("v0.3.0"))
        try await client.merge(RealSumDB.latest)
        let record = try await client.lookup(text)
        #expect(record.lookup.record == 0)
        #expect(
            record.lines.map(\.description) == [
                "golang.org/x/text v0.3.0 h1:g61tztE5qeGQ89tm6NTjjM9VPIm088od1l6aSorWRWg=",
                "golang.org/x/text v0.3.0/go.mod h1:NqM8EUOU14njkJ3fqMW+pc6Ldnwhi/IjpwHt7yyuwOQ=",
            ])
    }

    @Test func `no altered byte of any lookup is believed`() async throws {
        for (index, (module, answer, _)) in try RealSumDB.newestFirst().enumerated() {
            for position in stride(from: index % 7, to: answer.count, by: 7) {
                var altered = answer
                altered[position] ^= UInt8(1 << (position % 8))
                let client = SumDBClient(verifier: RealSumDB.verifier, head: nil, source: source())
                try await client.merge(RealSumDB.latest)
                // Not always an error of the client: another record number asks for tiles that are not there.
                await #expect(throws: (any Error).self, "\(module) byte \(position)") {
                    try await client.verify(altered, of: module)
                }
            }
        }
    }

    @Test func `no altered tile is believed or saved`() async throws {
        let (module, answer, _) = try #require(try RealSumDB.newestFirst().last)
        let used = source()
        try await SumDBClient(verifier: RealSumDB.verifier, head: nil, source: used).merge(RealSumDB.latest)
        let good = SumDBClient(verifier: RealSumDB.verifier, head: nil, source: used)
        try await good.merge(RealSumDB.latest)
        _ = try await good.verify(answer, of: module)
        let asked = used.asked
        #expect(asked.count > 4)
        for tile in asked {
            let bytes = try #require(RealSumDB.tiles[tile])
            for position in stride(from: tile.width % 97, to: bytes.count, by: 97) {
                let source = source()
                var altered = bytes
                altered[position] ^= 0x40
                source.put(tile, altered)
                let client = SumDBClient(verifier: RealSumDB.verifier, head: nil, source: source)
                await #expect(throws: SumDBError.self, "\(tile) byte \(position)") {
                    try await client.merge(RealSumDB.latest)
                    return try await client.verify(answer, of: module)
                }
                #expect(source.saved[tile] == nil || source.saved[tile] == bytes)
            }
            let source = source()
            source.put(tile, Array(bytes.dropLast()))
            let client = SumDBClient(verifier: RealSumDB.verifier, head: nil, source: source)
            await #expect(throws: SumDBError.self) {
                try await client.merge(RealSumDB.latest)
                return try await client.verify(answer, of: module)
            }
        }
    }

    @Test func `a lookup does not answer for another module`() async throws {
        let lookups = try RealSumDB.newestFirst()
        let client = SumDBClient(verifier: RealSumDB.verifier, head: nil, source: source())
        try await client.merge(RealSumDB.latest)
        await #expect(throws: SumDBError.recordOfAnother(lookups[1].module)) {
            try await client.verify(lookups[0].answer, of: lookups[1].module)
        }
    }

    @Test func `one head answers every lookup, and its tiles serve a client that knows nothing`() async throws
    {
        let upstream = source()
        let node = SumDBClient(verifier: RealSumDB.verifier, head: nil, source: upstream)
        var cache = SumDBCache()
        cache.offer(try await node.merge(RealSumDB.latest))
        var held: [ModuleIdentity: SumDBLookup] = [:]
        for (module, _, _) in try RealSumDB.newestFirst() {
            let lookup = try await node.lookup(module).lookup
            held[module] = lookup
            cache.insert(record: lookup.record)
        }
        var shelf = TileShelf(holding: upstream.saved.keys)
        for tile in cache.missingTiles(for: try #require(cache.waiting), shelf: shelf) {
            #expect(RealSumDB.tiles[tile] != nil, "\(tile) is not in the data")
        }
        if !cache.advance(shelf: shelf) {
            try await node.prefetch(
                try #require(cache.waiting), records: Array(cache.records), olderSizes: [])
            shelf = TileShelf(holding: upstream.saved.keys)
            let hasAdvanced = cache.advance(shelf: shelf)
            #expect(hasAdvanced)
        }

        // Offline: nothing but what the node holds, cut to what is asked for.
        let offline = MemorySource(lookups: [:], tiles: upstream.saved)
        for (module, lookup) in held { offline.put(module, try #require(cache.answer(lookup, shelf: shelf))) }
        for order in 0..<3 {
            let client = SumDBClient(verifier: RealSumDB.verifier, head: nil, source: offline)
            let modules = held.keys.sorted()
            for module in order == 0 ? modules : modules.shuffled() { _ = try await client.lookup(module) }
            #expect(client.head?.size == 9_380_838)
        }
    }
}
