import ChunkStore
import Content
import Testing

@Suite("Eviction policy")
struct EvictionPolicyTests {
    private func candidate(_ key: Int64, size: Int64 = 1000, rank: EvictionRank = .bulk) -> EvictionCandidate
    {
        EvictionCandidate(
            key: key, digest: Digest(of: withUnsafeBytes(of: key) { Array($0) }), size: size, rank: rank)
    }

    private func order(_ policy: inout EvictionPolicy, _ may: (Int64) -> Evictability = { _ in .yes })
        -> [Int64]
    {
        var victims: [Int64] = []
        while let next = policy.evict(may) { victims.append(next) }
        return victims
    }

    @Test("What was never read goes before what was")
    func readStays() {
        var policy = EvictionPolicy()
        for key in 1...10 { policy.insert(candidate(Int64(key))) }
        for key in [2, 5, 5, 2, 9, 9] as [Int64] { policy.hit(key) }
        let victims = order(&policy)
        #expect(Set(victims.suffix(3)) == [2, 5, 9])
        #expect(victims.count == 10 && policy.count == 0 && policy.bytes == 0)
    }

    @Test("Pinned and busy objects are never chosen, and the search for others ends")
    func protected() {
        var policy = EvictionPolicy()
        for key in 1...100 { policy.insert(candidate(Int64(key))) }
        #expect(order(&policy) { $0 % 10 == 0 ? .no : .yes }.count == 90)
        #expect(policy.evict { _ in .no } == nil)
        #expect(policy.count == 10)
        #expect(order(&policy).count == 10)
    }

    @Test("Last copies go only when nothing else is left")
    func lastCopies() {
        var policy = EvictionPolicy()
        for key in 1...20 { policy.insert(candidate(Int64(key))) }
        let victims = order(&policy) { $0 <= 5 ? .last : .yes }
        #expect(Set(victims.suffix(5)) == [1, 2, 3, 4, 5])
    }

    @Test("Metadata outlives bulk, whatever was read")
    func ranks() {
        var policy = EvictionPolicy()
        for key in 1...5 { policy.insert(candidate(Int64(key), size: 10, rank: .metadata)) }
        for key in 6...10 {
            policy.insert(candidate(Int64(key)))
            policy.hit(Int64(key))
            policy.hit(Int64(key))
        }
        #expect(Set(order(&policy).prefix(5)) == [6, 7, 8, 9, 10])
    }

    @Test("What costs much more to fetch again per byte outlives what is cheap")
    func costs() {
        let dear = Set((1...5).map { candidate($0).digest })
        var policy = EvictionPolicy { digest, size in Double(size) * (dear.contains(digest) ? 16 : 1) }
        for key in 100...140 { policy.insert(candidate(Int64(key))) }
        for key in 1...5 { policy.insert(candidate(Int64(key))) }
        for key in 200...240 { policy.insert(candidate(Int64(key))) }
        #expect(Set(order(&policy).suffix(5)) == [1, 2, 3, 4, 5])
    }

    @Test("What comes back soon after its eviction is kept longer")
    func ghosts() {
        var policy = EvictionPolicy()
        for key in 1...100 { policy.insert(candidate(Int64(key))) }
        for _ in 0..<10 { _ = policy.evict { _ in .yes } }
        policy.insert(candidate(1))
        for key in 101...109 { policy.insert(candidate(Int64(key))) }
        let victims = order(&policy)
        #expect((victims.firstIndex(of: 1) ?? 0) > 80)
    }

    @Test("A restart keeps roughly the order: read objects first, then by last use")
    func restores() {
        var policy = EvictionPolicy()
        for key in 1...10 { policy.restore(candidate(Int64(key)), hits: key == 3 ? 4 : 0) }
        let victims = order(&policy)
        #expect(victims == [1, 2, 4, 5, 6, 7, 8, 9, 10, 3])
    }

    @Test("Weights follow folding and removal")
    func weights() {
        var policy = EvictionPolicy()
        for key in 1...4 { policy.insert(candidate(Int64(key))) }
        policy.resize(2, to: 100)
        policy.remove(3)
        policy.remove(99)
        #expect(policy.bytes == 2100 && policy.count == 3)
        #expect(order(&policy).count == 3 && policy.bytes == 0)
    }

    @Test(
        "Water marks",
        arguments: [
            (used: 70, free: 1000, incoming: 5, excess: 0), (used: 75, free: 1000, incoming: 1, excess: 26),
            (used: 95, free: 1000, incoming: 0, excess: 45), (used: 10, free: 60, incoming: 0, excess: 0),
            (used: 10, free: 45, incoming: 0, excess: 30), (used: 10, free: 60, incoming: 20, excess: 35),
        ] as [(used: Int64, free: Int64, incoming: Int64, excess: Int64)])
    func marks(_ row: (used: Int64, free: Int64, incoming: Int64, excess: Int64)) {
        let marks = WaterMarks(capacity: 100, high: 0.75, low: 0.5, reservedFree: 50)
        #expect(marks.excess(used: row.used, free: row.free, incoming: row.incoming) == row.excess)
        let open = WaterMarks(capacity: 0, high: 0.75, low: 0.5, reservedFree: 0)
        #expect(open.excess(used: row.used, free: row.free, incoming: row.incoming) == 0)
    }

    @Test(
        "Name patterns",
        arguments: [
            ("go/*", "go/golang.org/x/net@v1.zip", true), ("go/*", "oci/x", false),
            ("*.zip", "go/a@v1.zip", true),
            ("*.zip", "go/a@v1.zipx", false), ("go/*@v?.mod", "go/a/b@v1.mod", true),
            ("go/*@v?.mod", "go/a/b@v11.mod", false), ("*", "", true), ("", "", true), ("", "a", false),
            ("a*b*c", "aXbXbXc", true), ("a*b*c", "aXbXbX", false), ("a**", "a", true), ("[a]", "[a]", true),
        ])
    func patterns(pattern: String, name: String, matches: Bool) {
        #expect(NamePattern(pattern).matches(name) == matches)
    }

    @Test("A pattern of many stars takes no exponential time")
    func patternBomb() {
        let pattern = NamePattern(String(repeating: "*a", count: 200) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 1000)))
    }
}
