import ChunkStore
import Content
import Testing

@Suite struct ReferenceWalkTests {
    @Test func aWalkPicksWhatItIsToldToAndStaysBelowItsPrefix() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        for name in ["a/1", "a/2", "a/3:x", "a/3:y", "b/1"] {
            try await store.put(Array(name.utf8), references: [try Reference.sample(name, Digest(of: []))])
        }
        let found = try await store.references(prefix: "a/") { $0.name.text + ";" }
        #expect(found.map(\.name.text) == ["a/1", "a/2", "a/3:x", "a/3:y"])
        let skipping = try await store.references(prefix: "a/") { reference in
            reference.name.text.hasPrefix("a/3") ? "a/3;" : reference.name.text + ";"
        }
        #expect(skipping.map(\.name.text) == ["a/1", "a/2", "a/3:x"])
        let first = try await store.references(prefix: "a/") { _ in nil }
        #expect(first.map(\.name.text) == ["a/1"])
        await store.close()
    }

    @Test func theWidestClassOfAnObjectCounts() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        var reference = try Reference.sample("a", Digest(of: []))
        reference.access = .private
        let digest = try await store.put([1, 2, 3], references: [reference], sync: false)
        #expect(try await store.access(of: digest) == .private)
        reference.name = try ReferenceName("b")
        reference.access = .public
        try await store.put([1, 2, 3], references: [reference], sync: false)
        #expect(try await store.access(of: digest) == .public)
        #expect(try await store.access(of: Digest(of: [9])) == nil)
        await store.close()
    }

    @Test func aPinHoldsForTheNamesItMatches() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        try await store.pin("oci/docker.io/*:1.?")
        #expect(try await store.isPinned(try ReferenceName("oci/docker.io/library/x:1.2")))
        #expect(try await !store.isPinned(try ReferenceName("oci/docker.io/library/x:1.22")))
        await store.close()
    }
}
