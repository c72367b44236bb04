import ChunkStore
import Content
import Testing

@Suite struct HotLookupTests {
    @Test func memoryIsBounded() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem()) {
            $0.memory = ChunkStore.MemoryLimits(references: 10, objectBytes: 20_000, openFiles: 3)
            $0.smallObjectLimit = 4000
        }
        var digests: [Digest] = []
        for index in 0..<50 {
            let bytes = randomBytes(1000, seed: UInt64(index))
            digests.append(try await store.put(bytes, references: [.sample("n\(index)", Digest(of: bytes))]))
        }
        for index in 0..<6 {
            let ingest = try await store.beginIngest(size: 5000)
            try await ingest.write(randomBytes(5000, seed: 100 + UInt64(index)), at: 0)
            digests.append(try await ingest.seal().0)
            _ = try await ingest.publish()
        }
        let hot = digests.filter { store.hotObject($0) != nil }
        #expect(hot.filter(digests[..<50].contains).count == 17)
        #expect(hot.filter(digests[50...].contains).count == 3)
        let names = try (0..<50).map { try ReferenceName("n\($0)") }
        #expect(names.filter { store.hotReference($0) != nil }.count == 10)
        for digest in digests { #expect(try await store.object(digest) != nil) }
        await store.close()
    }

    /// What is used stays, what is passed by once goes (SIEVE).
    @Test func aScanDoesNotPushOutWhatIsUsed() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem()) {
            $0.memory = ChunkStore.MemoryLimits(references: 100, objectBytes: 20_000, openFiles: 3)
        }
        var used: [Digest] = []
        for index in 0..<5 { used.append(try await store.put(randomBytes(1000, seed: 500 + UInt64(index)))) }
        for index in 0..<200 {
            for digest in used { #expect(store.hotObject(digest) != nil, "after \(index)") }
            try await store.put(randomBytes(1000, seed: 1000 + UInt64(index)))
        }
        await store.close()
    }

    @Test func aRemovedObjectIsHotNoMore() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        let digest = try await store.put([1], references: [.sample("a", Digest(of: []))])
        #expect(store.hotObject(digest) != nil)
        try await store.remove(digest, because: "test")
        #expect(store.hotObject(digest) == nil)
        #expect(try store.hotReference(ReferenceName("a")) == nil)
        #expect(try await store.remove(digest, because: "test") == false)
        await store.close()
    }
}
