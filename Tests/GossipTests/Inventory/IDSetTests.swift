import Gossip
import Testing

@Suite("Sets of ids") struct IDSetTests {
    /// All ids, page by page.
    private func walk(_ set: IDSet, limit: Int) -> [UInt64] {
        var set = set
        var ids: [UInt64] = []
        while true {
            let (page, more) = set.page(after: ids.last, limit: limit)
            #expect(page.count <= limit && page.isEmpty == (set.count == 0))
            ids += page
            if !more { return ids }
        }
    }

    @Test("a set holds what was put in and not taken out, whatever the order", arguments: 0..<8)
    func anyCourse(seed: Int) {
        var rng = GossipRandom(seed: [UInt8](repeating: UInt8(seed), count: 32))
        // Enough for the changes to be merged several times; few enough ids for each to come and go.
        let ids: [UInt64] = [0, .max] + (0..<3000).map { _ in rng.next() }
        var (set, plain) = (IDSet(), Set<UInt64>())
        for step in 0..<20_000 {
            let id = ids[Int.random(in: 0..<ids.count, using: &rng)]
            if Int.random(in: 0..<5, using: &rng) < 3 {
                #expect(set.insert(id) == plain.insert(id).inserted, "seed \(seed), step \(step)")
            } else {
                #expect(set.remove(id) == (plain.remove(id) != nil), "seed \(seed), step \(step)")
            }
            #expect(set.count == plain.count && set.contains(id) == plain.contains(id))
            if step % 4999 == 0 { #expect(walk(set, limit: 100) == plain.sorted(), "seed \(seed)") }
        }
        for id in ids { #expect(set.contains(id) == plain.contains(id), "seed \(seed)") }
        let sorted = plain.sorted()
        for limit in [1, 7, 5000] { #expect(walk(set, limit: limit) == sorted, "seed \(seed)") }
        // Which way it came about cannot be told from the hash.
        #expect(IDSet(sorted: sorted).hash == set.hash, "seed \(seed)")
        var backwards = IDSet()
        for id in sorted.reversed() { backwards.insert(id) }
        #expect(backwards.hash == set.hash && backwards.count == set.count, "seed \(seed)")
        for id in sorted { backwards.remove(id) }
        #expect(backwards.hash == 0 && backwards.count == 0 && walk(backwards, limit: 9).isEmpty)
    }

    @Test("sets that differ in one id have different hashes")
    func hashes() {
        let sorted = (0..<1000).map { UInt64($0) * 3 }
        var hashes: Set<UInt64> = [IDSet(sorted: sorted).hash]
        for id in sorted {
            var less = IDSet(sorted: sorted)
            less.remove(id)
            var more = IDSet(sorted: sorted)
            more.insert(id + 1)
            hashes.formUnion([less.hash, more.hash])
        }
        #expect(hashes.count == 2001)
    }

    @Test("a page begins behind any number, whether that is in the set or not")
    func pages() {
        var set = IDSet(sorted: [10, 20, 30])
        for (after, ids) in [
            (nil, [10, 20]), (0, [10, 20]), (9, [10, 20]), (10, [20, 30]), (11, [20, 30]), (20, [30]),
            (30, []), (.max, []),
        ] as [(UInt64?, [UInt64])] {
            let (page, more) = set.page(after: after, limit: 2)
            #expect(page == ids && more == (ids == [10, 20]))
        }
    }
}
