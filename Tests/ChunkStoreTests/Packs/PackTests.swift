import ChunkStore
import Content
import Testing

@Suite struct PackTests {
    private func open(_ directory: TestDirectory) async throws -> ChunkStore {
        try await directory.open(files: HastyFileSystem()) { $0.packSizeLimit = 100_000 }
    }

    @Test func packsAreSealedWhenTheyAreFullAndRewrittenWhenTheyAreDead() async throws {
        let directory = TestDirectory()
        let store = try await open(directory)
        var digests: [Digest] = []
        for index in 0..<60 {
            digests.append(try await store.put(randomBytes(10_000, seed: 900 + UInt64(index))))
        }
        let before = store.parts.space.used
        #expect(directory.files(below: "packs").count == 7)
        for index in 0..<60 where index % 3 != 0 { try await store.remove(digests[index], because: "test") }
        #expect(store.parts.space.used == before)
        #expect(try await store.rewritePacks() > 300_000)
        // What was the open pack is sealed by now.
        try await store.rewritePacks()
        #expect(try await store.rewritePacks() == 0)
        let packs = directory.files(below: "packs").map { directory.path + "/packs/" + $0 }
        let sizes = try packs.map { try PosixFileSystem().size(at: $0) ?? 0 }
        #expect(store.parts.space.used == sizes.reduce(0, +))
        for index in 0..<60 {
            let bytes = try await store.object(digests[index])?.bytes()
            #expect(bytes == (index % 3 == 0 ? randomBytes(10_000, seed: 900 + UInt64(index)) : nil))
        }
        #expect(try await StoreAudit(store: store, directory: directory.path).findings() == [])
        await store.close()
    }

    @Test func objectsAreReadWhileTheirPacksAreRewritten() async throws {
        let directory = TestDirectory()
        // Nothing stays in memory: every read goes to a pack.
        let store = try await directory.open(files: HastyFileSystem()) {
            $0.packSizeLimit = 50_000
            $0.memory.objectBytes = 0
        }
        var digests: [Digest] = []
        for index in 0..<80 { digests.append(try await store.put(randomBytes(3000, seed: UInt64(index)))) }
        let all = digests
        let kept = stride(from: 0, to: 80, by: 4).map { digests[$0] }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    for digest in kept + kept + kept {
                        let bytes = try await store.object(digest)?.bytes()
                        #expect(bytes.map { Digest(of: $0) } == digest)
                    }
                }
            }
            group.addTask {
                for index in 0..<80 where index % 4 != 0 {
                    try await store.remove(all[index], because: "test")
                    try await store.rewritePacks()
                }
            }
            try await group.waitForAll()
        }
        #expect(try await StoreAudit(store: store, directory: directory.path).findings() == [])
        await store.close()
    }

    @Test func thePutsOfManyAreCommittedTogether() async throws {
        let directory = TestDirectory()
        let files = RecordingFileSystem(root: directory.path)
        let store = try await directory.open(files: files)
        let before = files.journal.count { if case .synchronize = $0 { true } else { false } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<200 {
                group.addTask { try await store.put(Array("object \(index)".utf8), sync: false) }
            }
            try await group.waitForAll()
        }
        await store.close()
        let syncs = files.journal.count { if case .synchronize = $0 { true } else { false } } - before
        #expect(syncs < 100)
    }

    @Test func theSameBytesTakeUpSpaceOnce() async throws {
        let directory = TestDirectory()
        let store = try await open(directory)
        let bytes = randomBytes(5000, seed: 1)
        let digest = try await store.put(bytes, references: [.sample("a", Digest(of: bytes))])
        let used = store.parts.space.used
        #expect(try await store.put(bytes, references: [.sample("b", digest)]) == digest)
        #expect(store.parts.space.used == used)
        #expect(try await store.references(prefix: "").map(\.name.text) == ["a", "b"])
        await store.close()
    }
}
