import ChunkStore
import Testing

@Suite struct PresenceMapTests {
    /// Against a plain array of booleans, over random insertions and removals.
    @Test(arguments: UInt64(1)...20)
    func itAgreesWithABitmap(seed: UInt64) {
        var chance = SplitMix(seed: seed)
        var map = PresenceMap()
        var bits = [Bool](repeating: false, count: 200)
        for step in 0..<150 {
            let start = Int.random(in: 0..<200, using: &chance)
            let end = Int.random(in: start...min(200, start + 30), using: &chance)
            let range = Int64(start)..<Int64(end)
            let adds = step % 4 != 3
            if adds { map.insert(range) } else { map.remove(range) }
            for index in start..<end { bits[index] = adds }

            #expect(map.count == Int64(bits.count { $0 }), "seed \(seed)")
            #expect(zip(map.ranges, map.ranges.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
            #expect(map.ranges.allSatisfy { range in range.allSatisfy { bits[Int($0)] } }, "seed \(seed)")
            #expect(map.end(from: range.lowerBound) == Int64(bits[start...].firstIndex(of: false) ?? 200))
            let missing = map.missing(in: 0..<200)
            #expect(missing.allSatisfy { range in range.allSatisfy { !bits[Int($0)] } }, "seed \(seed)")
            #expect(missing.reduce(0) { $0 + $1.length } + map.count == 200, "seed \(seed)")
            #expect(map.contains(range) == bits[start..<end].allSatisfy { $0 })
        }
    }

    @Test func rangesThatTouchBecomeOne() {
        var map = PresenceMap([0..<10, 20..<30])
        map.insert(10..<20)
        #expect(map.ranges == [0..<30])
        #expect(map.count == 30 && map.end == 30)
    }
}
