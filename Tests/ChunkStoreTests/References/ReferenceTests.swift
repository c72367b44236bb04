import ChunkStore
import Content
import Foundation
import Testing

@Suite struct ReferenceTests {
    @Test func aPrefixFindsItsNamesInOrder() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        let names = [
            "go/golang.org/x/net@v0.1.0.zip", "go/golang.org/x/net@v0.10.0.zip",
            "go/golang.org/x/net@v0.2.0.zip",
            "go/golang.org/x/netx@v1.0.0.zip", "go/golang.org/x/net", "go/golang.org/x/text@v0.1.0.zip",
            "go/\u{10FFFF}", "go/é", "go/é@v1", "oci/a_b", "oci/a%b", "oci/aXb",
        ]
        let digest = try await store.put([1], references: names.map { try .sample($0, Digest(of: [])) })
        func found(_ prefix: String) async throws -> [String] {
            try await store.references(prefix: prefix).map(\.name.text)
        }
        let sorted = names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        for prefix in [
            "", "go/", "go/golang.org/x/net@", "go/golang.org/x/net", "go/\u{10FFFF}", "go/é", "oci/a_", "x",
        ] {
            #expect(
                try await found(prefix) == sorted.filter { $0.utf8.starts(with: prefix.utf8) }, "\(prefix)")
        }
        #expect(try await store.references(prefix: "oci/").allSatisfy { $0.digest == digest && $0.size == 1 })
        await store.close()
    }

    @Test func aReferenceIsReplacedAndRemoved() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        let first = try await store.put([1])
        let second = try await store.put([2, 2])
        let name = try ReferenceName("oci/docker.io/library/nginx:1.27")
        try await store.setReference(.sample(name.text, first))
        var changed = try Reference.sample(name.text, second)
        changed.checked = Date(timeIntervalSince1970: 1_800_000_000)
        changed.validator = nil
        changed.contentType = nil
        changed.h1 = nil
        changed.verified = .pinnedAtFirstSight
        changed.access = .private
        try await store.setReference(changed)
        changed.size = 2
        #expect(try await store.reference(name) == changed)
        #expect(store.hotReference(name)?.0 == changed)
        #expect(try await store.removeReference(name))
        #expect(try await store.removeReference(name) == false)
        #expect(try await store.reference(name) == nil && store.hotReference(name) == nil)
        #expect(try await store.object(second) != nil)
        await store.close()
    }

    @Test func aReferenceToNothingIsRefused() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        let held = try await store.put([1], references: [.sample("a", Digest(of: []))])
        let missing = Digest(of: [9])
        await #expect(throws: StoreError.unknownDigest(missing)) {
            try await store.setReference(.sample("a", missing))
        }
        #expect(try await store.reference(ReferenceName("a"))?.digest == held)
        await store.close()
    }

    @Test func usesAreCountedAndWrittenTogether() async throws {
        let directory = TestDirectory()
        let time = SharedNumber(1_000_000)
        let clock = StoreClock { time.value }
        let store = try await directory.open(files: HastyFileSystem(), clock: clock)
        let digest = try await store.put([1], references: [.sample("a", Digest(of: []))])
        time.value = 2_000_000
        for _ in 0..<10 { #expect(store.hotObject(digest) != nil) }
        #expect(try store.hotReference(ReferenceName("a"))?.1 != nil)
        let row = try await store.blobs()[0]
        #expect(row.hits == 0 && row.used == 1_000_000)
        await store.flushTouches()
        let counted = try await store.blobs()[0]
        #expect(counted.hits == 11 && counted.used == 2_000_000)
        await store.close()
    }

    @Test func aBlobIsPublicOnceOneOfItsReferencesIs() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        var reference = try Reference.sample("a", Digest(of: []))
        reference.access = .private
        let digest = try await store.put([1], references: [reference])
        #expect(try await store.blobs()[0].access == .private)
        try await store.setReference(.sample("b", digest))
        #expect(try await store.blobs()[0].access == .public)
        await store.close()
    }

    @Test func pinsAreKept() async throws {
        let directory = TestDirectory()
        var store = try await directory.open(files: HastyFileSystem())
        try await store.pin("go/golang.org/*")
        try await store.pin("go/golang.org/*")
        try await store.pin("oci/a")
        #expect(try await store.unpin("oci/a"))
        #expect(try await store.unpin("oci/a") == false)
        await store.close()
        store = try await directory.open(files: HastyFileSystem())
        #expect(try await store.pins() == ["go/golang.org/*"])
        await store.close()
    }

    /// What was committed is what the memory says, however readers and writers meet.
    @Test func memoryNeverFallsBehindTheIndex() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem()) { $0.memory.references = 2 }
        var digests: [Digest] = []
        for value in 0..<40 { digests.append(try await store.put([UInt8(value)])) }
        let held = digests
        let newest = SharedNumber(0)
        let name = try ReferenceName("moving")
        try await store.setReference(.sample("moving", held[0]))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for value in 1..<40 {
                    try await store.setReference(.sample("moving", held[value]))
                    newest.value = Int64(value)
                }
            }
            for reader in 0..<3 {
                group.addTask {
                    while newest.value < 39 {
                        let floor = Int(newest.value)
                        let found = try #require(try await store.reference(name))
                        #expect(try #require(held.firstIndex(of: found.digest)) >= floor)
                        // Pushes the name out of memory, so that the next look goes to the index.
                        for other in 0..<3 {
                            _ = try await store.reference(ReferenceName("r\(reader)\(other)"))
                        }
                        try await store.setReference(.sample("r\(reader)0", held[0]), sync: false)
                        try await store.setReference(.sample("r\(reader)1", held[0]))
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(store.hotReference(name).map { $0.0.digest == held[39] } != false)
        #expect(try await store.reference(name)?.digest == held[39])
        await store.close()
    }
}
