import ChunkStore
import Content
import Testing

@Suite("Eviction")
struct EvictorTests {
    private func open(
        _ directory: TestDirectory, capacity: Int64, faults: Faults = [], clock: StoreClock = .system
    ) async throws -> ChunkStore {
        try await directory.open(faults: faults, clock: clock) {
            $0.capacity = capacity
            $0.highWater = 0.9
            $0.lowWater = 0.6
            $0.smallObjectLimit = 4096
            $0.packSizeLimit = 64 << 10
        }
    }

    @Test("A full store makes room down to its low mark; what was read, pinned or is being read stays")
    func evicts() async throws {
        let directory = TestDirectory()
        let store = try await open(directory, capacity: 1_000_000)
        let log = EventLog(store)
        try await store.pin("go/pinned@*")
        let pinned = try await store.publish(randomBytes(90_000, seed: 1), ["go/pinned@v1.zip"])
        let open = try await store.publish(randomBytes(90_000, seed: 2), ["go/open@v1.zip"])
        let held = try await store.object(open)
        let read = try await store.publish(randomBytes(90_000, seed: 3), ["go/read@v1.zip"])
        for _ in 0..<3 { _ = try await store.bytes(read) }
        let small = try await store.put(Array("module m".utf8), references: [.sample("go/m@v1.mod", pinned)])
        for seed in 10..<40 {
            try await store.publish(randomBytes(90_000, seed: UInt64(seed)), ["go/x@v\(seed).zip"])
            #expect(store.usedBytes <= 1_000_000)
        }
        #expect(log.evicted.count > 20)
        for digest in [pinned, open, read, small] { #expect(try await store.bytes(digest) != nil) }
        #expect(try await held?.bytes() == randomBytes(90_000, seed: 2))
        #expect(try await StoreAudit(store: store, directory: directory.path).findings() == [])
        await store.close()
    }

    @Test("What a pinned name reaches stays with it, by eviction and by age, and goes once the pin is gone")
    func reach() async throws {
        let directory = TestDirectory()
        let clock = TestClock()
        let store = try await directory.open(clock: clock.clock) {
            $0.capacity = 1_000_000
            $0.highWater = 0.9
            $0.lowWater = 0.6
            $0.smallObjectLimit = 4096
            $0.maxUnused = [.init(pattern: "oci/*", age: .seconds(3600))]
        }
        let layer = try await store.publish(randomBytes(90_000, seed: 1), ["oci/r/a@layer"])
        let other = try await store.publish(randomBytes(90_000, seed: 2), ["oci/r/b@layer"])
        let manifest = try await store.put(Array("manifest".utf8), references: [.sample("oci/r/a:1", layer)])
        store.setPinReach { pinned in pinned.map(\.digest) == [manifest] ? [layer] : [] }
        try await store.pin("oci/r/a:*")
        for seed in 10..<40 {
            try await store.publish(randomBytes(90_000, seed: UInt64(seed)), ["go/x@v\(seed).zip"])
        }
        #expect(try await store.bytes(layer) != nil)
        #expect(try await store.bytes(other) == nil)

        clock.advance(.seconds(7200))
        try await store.collectGarbage()
        #expect(try await store.bytes(layer) != nil)
        #expect(try await store.reference(try ReferenceName("oci/r/a@layer")) != nil)
        #expect(try await store.unpin("oci/r/a:*"))
        clock.advance(.seconds(7200))
        try await store.collectGarbage()
        #expect(try await store.bytes(layer) == nil)
        await store.close()
    }

    @Test("When nothing may go, the typed error comes, and what is held stays readable")
    func noSpace() async throws {
        let directory = TestDirectory()
        let store = try await open(directory, capacity: 300_000)
        try await store.pin("*")
        let digest = try await store.publish(randomBytes(200_000, seed: 1), ["go/a@v1.zip"])
        let ingest = try await store.beginIngest()
        await #expect(throws: StoreError.noSpace) {
            try await ingest.write(randomBytes(150_000, seed: 2), at: 0)
        }
        await ingest.abandon()
        #expect(try await store.bytes(digest) == randomBytes(200_000, seed: 1))
        #expect(try await store.unpin("*"))
        try await store.publish(randomBytes(200_000, seed: 3), ["go/b@v1.zip"])
        #expect(try await store.bytes(digest) == nil)
        await store.close()
    }

    @Test("What others share is folded before anything is dropped")
    func foldsFirst() async throws {
        let directory = TestDirectory()
        let versions = TestZip.family(versions: 24, files: 60, changed: 2, seed: 4)
        let size = Int64(versions[0].count)
        let store = try await open(directory, capacity: size * 12)
        let log = EventLog(store)
        var digests: [Digest] = []
        for (index, bytes) in versions.enumerated() {
            digests.append(try await store.publish(bytes, ["go/m@v\(index).zip"]))
            try await store.settle(digests[index])
        }
        #expect(log.evicted.isEmpty)
        for (digest, bytes) in zip(digests, versions) { #expect(try await store.bytes(digest) == bytes) }
        #expect(store.usedBytes <= size * 12)
        await store.close()
    }

    @Test("The policy outlives a restart: what was read much is still there")
    func restart() async throws {
        let directory = TestDirectory()
        var store = try await open(directory, capacity: 1_000_000)
        let read = try await store.publish(randomBytes(90_000, seed: 1), ["go/read@v1.zip"])
        for _ in 0..<5 { _ = try await store.bytes(read) }
        for seed in 2..<9 {
            try await store.publish(randomBytes(90_000, seed: UInt64(seed)), ["go/x@v\(seed).zip"])
        }
        await store.close()
        store = try await open(directory, capacity: 1_000_000)
        for seed in 20..<30 {
            try await store.publish(randomBytes(90_000, seed: UInt64(seed)), ["go/y@v\(seed).zip"])
        }
        #expect(try await store.bytes(read) != nil)
        await store.close()
    }

    @Test("Infinite refetch cost: last copies go last")
    func lastCopies() async throws {
        let directory = TestDirectory()
        let store = try await open(directory, capacity: 1_000_000)
        let last = try await store.publish(randomBytes(90_000, seed: 1), ["go/last@v1.zip"])
        store.setRefetchCost { digest, size in digest == last ? .infinity : Double(size) }
        for seed in 2..<30 {
            try await store.publish(randomBytes(90_000, seed: UInt64(seed)), ["go/x@v\(seed).zip"])
        }
        #expect(try await store.bytes(last) != nil)
        await store.close()
    }

    @Test("Age limits drop what nobody used, by name; pins and other names keep theirs")
    func ageLimits() async throws {
        let directory = TestDirectory()
        let time = TestClock()
        let store = try await directory.open(clock: time.clock) {
            $0.maxUnused = [.init(pattern: "go/*@*-0.*", age: .seconds(3600))]
        }
        let old = try await store.put(
            Array("old".utf8), references: [.sample("go/a@v0-0.1.mod", Digest(of: []))])
        let both = try await store.put(
            Array("both".utf8),
            references: [.sample("go/b@v0-0.1.mod", Digest(of: [])), .sample("go/b@v1.mod", Digest(of: []))])
        let pinned = try await store.put(
            Array("pin".utf8), references: [.sample("go/c@v0-0.1.mod", Digest(of: []))])
        try await store.pin("go/c@*")
        time.advance(.seconds(1800))
        await store.keepUp()
        #expect(try await store.bytes(old) != nil)
        time.advance(.seconds(3600))
        await store.keepUp()
        #expect(try await store.bytes(old) == nil)
        #expect(try await store.bytes(both) != nil)
        #expect(try await store.bytes(pinned) != nil)
        #expect(try await store.reference(ReferenceName("go/b@v0-0.1.mod")) == nil)
        #expect(try await store.reference(ReferenceName("go/b@v1.mod")) != nil)
        await store.close()
    }

    @Test("Space freed in packs comes back")
    func packs() async throws {
        let directory = TestDirectory()
        let store = try await open(directory, capacity: 500_000)
        for seed in 0..<400 {
            try await store.put(
                randomBytes(4000, seed: UInt64(seed)),
                references: [.sample("go/m@v\(seed).mod", Digest(of: []))])
        }
        #expect(store.usedBytes <= 500_000)
        #expect(try await StoreAudit(store: store, directory: directory.path).findings() == [])
        await store.close()
    }
}
