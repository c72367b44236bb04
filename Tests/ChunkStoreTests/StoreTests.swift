import ChunkStore
import Content
import Testing

@Suite struct StoreTests {
    @Test func whatWasPutIsHeldAfterReopening() async throws {
        let directory = TestDirectory()
        var store = try await directory.open()
        let bytes = Array("module example.com/m\n".utf8)
        let digest = try await store.put(
            bytes, references: [.sample("go/example.com/m@v1.0.0.mod", Digest(of: bytes))])
        for _ in 0..<2 {
            let object = try #require(try await store.object(digest))
            #expect(try await object.bytes() == bytes)
            let reference = try #require(
                try await store.reference(ReferenceName("go/example.com/m@v1.0.0.mod")))
            #expect(try reference == .sample("go/example.com/m@v1.0.0.mod", digest, size: Int64(bytes.count)))
            await store.close()
            store = try await directory.open()
        }
        await store.close()
    }

    @Test func anIngestIsPublishedAsAFileOfItsOwn() async throws {
        let directory = TestDirectory()
        let store = try await directory.open()
        let bytes = randomBytes(300_000, seed: 1)
        let ingest = try await store.beginIngest(expected: Digest(of: bytes), size: 300_000)
        try await ingest.write(Array(bytes[100_000...]), at: 100_000)
        #expect(ingest.present == [100_000..<300_000])
        try await ingest.write(Array(bytes[..<150_000]), at: 0)
        let (digest, size) = try await ingest.seal()
        #expect(digest == Digest(of: bytes) && size == 300_000)
        #expect(try await store.object(digest) == nil)
        let published = try await ingest.publish([.sample("oci/x", digest)])
        #expect(try await published.bytes() == bytes)
        #expect(try await store.object(digest)?.bytes() == bytes)
        #expect(directory.files(below: "ingest") == [])
        #expect(directory.files(below: "blobs") == ["sha256/\(digest.hex.prefix(2))/\(digest.hex)"])
        #expect(try await store.remove(digest, because: "test"))
        #expect(directory.files(below: "blobs") == [])
        #expect(try await store.object(digest) == nil)
        #expect(try await store.reference(ReferenceName("oci/x")) == nil)
        #expect(try await published.bytes() == bytes)
        await store.close()
    }

    @Test func aSmallIngestGoesIntoAPack() async throws {
        let directory = TestDirectory()
        let store = try await directory.open()
        let ingest = try await store.beginIngest()
        try await ingest.write(Array("hello".utf8), at: 0)
        ingest.markEnd(at: 5)
        _ = try await ingest.seal()
        let object = try await ingest.publish()
        #expect(try await object.bytes() == Array("hello".utf8))
        #expect(directory.files(below: "ingest") == [] && directory.files(below: "blobs") == [])
        await store.close()
    }

    @Test func whatWasPutWithoutSyncIsVisibleAtOnceAndHeldAfterClose() async throws {
        let directory = TestDirectory()
        var store = try await directory.open { $0.groupCommitDelay = .seconds(3600) }
        let bytes = Array("later".utf8)
        let digest = try await store.put(bytes, references: [.sample("a/b", Digest(of: bytes))], sync: false)
        #expect(try await store.hotObject(digest)?.bytes() == bytes)
        #expect(try store.hotReference(ReferenceName("a/b"))?.0.digest == digest)
        #expect(try await store.references(prefix: "a/").map(\.name.text) == ["a/b"])
        await store.close()
        store = try await directory.open()
        #expect(try await store.object(digest)?.bytes() == bytes)
        await store.close()
    }
}
