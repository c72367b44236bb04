import ChunkStore
import Content
import Foundation
import Synchronization
import Testing

/// Flipped bits, cut and missing files: found, never served, dropped so that they can be fetched again.
@Suite struct DamageTests {
    private static let small = randomBytes(3000, seed: 41)
    private static let large = randomBytes(200_000, seed: 42)

    /// A closed store with one small and one large object.
    private func filled() async throws -> TestDirectory {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        try await store.put(Self.small, references: [.sample("small", Digest(of: []))])
        try await publish(store)
        await store.close()
        return directory
    }

    private func publish(_ store: ChunkStore) async throws {
        let ingest = try await store.beginIngest(size: 200_000)
        try await ingest.write(Self.large, at: 0)
        _ = try await ingest.seal()
        _ = try await ingest.publish([.sample("large", Digest(of: []))])
    }

    private func isDroppedAndComesBack(_ directory: TestDirectory, _ digest: Digest, name: String)
        async throws
    {
        let store = try await directory.open(files: HastyFileSystem())
        let events = Mutex<[StoreEvent]>([])
        store.observe { event in events.withLock { $0.append(event) } }
        #expect(try await store.object(digest) == nil)
        #expect(try await store.reference(ReferenceName(name)) == nil)
        let seen = events.withLock { $0 }
        #expect(seen.contains { if case .damaged(digest, _) = $0 { true } else { false } })
        #expect(seen.contains { if case .removed(digest, _, _) = $0 { true } else { false } })
        if name == "small" {
            try await store.put(Self.small, references: [.sample("small", digest)])
        } else {
            try await publish(store)
        }
        #expect(try await store.object(digest)?.bytes() == (name == "small" ? Self.small : Self.large))
        #expect(try await StoreAudit(store: store, directory: directory.path).findings() == [])
        await store.close()
    }

    @Test func aFlippedBitInAPack() async throws {
        let directory = try await filled()
        let pack = try #require(directory.files(below: "packs").first)
        try flipBit(in: directory.path + "/packs/" + pack, at: 1500)
        try await isDroppedAndComesBack(directory, Digest(of: Self.small), name: "small")
    }

    @Test func aPackCutShort() async throws {
        let directory = try await filled()
        let pack = try #require(directory.files(below: "packs").first)
        try cutFile(directory.path + "/packs/" + pack, to: 1000)
        let store = try await directory.open(files: HastyFileSystem())
        #expect(try await store.object(Digest(of: Self.small)) == nil)
        let digest = try await store.put(Self.small)
        #expect(try await store.object(digest)?.bytes() == Self.small)
        await store.close()
    }

    @Test func aMissingPack() async throws {
        let directory = try await filled()
        let pack = try #require(directory.files(below: "packs").first)
        try FileManager.default.removeItem(atPath: directory.path + "/packs/" + pack)
        let store = try await directory.open(files: HastyFileSystem())
        #expect(try await store.object(Digest(of: Self.small)) == nil)
        let digest = try await store.put(Self.small)
        #expect(try await store.object(digest)?.bytes() == Self.small)
        await store.close()
    }

    @Test func aBlobFileCutShort() async throws {
        let directory = try await filled()
        let blob = try #require(directory.files(below: "blobs").first)
        try cutFile(directory.path + "/blobs/" + blob, to: 199_999)
        try await isDroppedAndComesBack(directory, Digest(of: Self.large), name: "large")
    }

    @Test func anIndexThatIsNoDatabase() async throws {
        let directory = try await filled()
        try Data(randomBytes(8192, seed: 5)).write(to: URL(fileURLWithPath: directory.path + "/index.sqlite"))
        let error = await #expect(throws: StoreError.self) { try await directory.open() }
        #expect(try #require(error).description.contains("move the store's directory away"))
    }

    @Test func aMissingBlobFile() async throws {
        let directory = try await filled()
        let blob = try #require(directory.files(below: "blobs").first)
        try FileManager.default.removeItem(atPath: directory.path + "/blobs/" + blob)
        try await isDroppedAndComesBack(directory, Digest(of: Self.large), name: "large")
    }
}
