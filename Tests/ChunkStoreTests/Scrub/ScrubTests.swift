import ChunkStore
import Content
import Foundation
import Synchronization
import Testing

@Suite("Scrub and verify")
struct ScrubTests {
    enum Harm: CaseIterable { case flippedBit, cutShort, missing }

    private func harm(_ path: String, _ harm: Harm, at offset: UInt64) throws {
        switch harm {
        case .flippedBit: try flip(path, at: offset)
        case .cutShort: try FileHandle(forUpdating: URL(fileURLWithPath: path)).truncate(atOffset: offset)
        case .missing: try FileManager.default.removeItem(atPath: path)
        }
    }

    @Test(
        "A whole blob's damage is found, reported and dropped, and nothing else is", arguments: Harm.allCases)
    func files(harm: Harm) async throws {
        let directory = TestDirectory()
        let store = try await directory.open()
        let good = try await store.publish(randomBytes(200_000, seed: 1), ["go/good@v1.zip"])
        let bad = try await store.publish(randomBytes(200_000, seed: 2), ["go/bad@v1.zip"])
        try self.harm(directory.path + "/blobs/sha256/\(bad.hex.prefix(2))/\(bad.hex)", harm, at: 77_777)
        let log = EventLog(store)
        let report = try await store.verify()
        #expect(report.blobs == 2 && report.isComplete)
        #expect(report.damaged.map(\.digest) == [bad])
        #expect(log.damaged == [bad])
        #expect(try await store.bytes(bad) == nil)
        #expect(try await store.reference(ReferenceName("go/bad@v1.zip")) == nil)
        #expect(try await store.bytes(good) == randomBytes(200_000, seed: 1))
        // Fetched again on demand.
        try await store.publish(randomBytes(200_000, seed: 2), ["go/bad@v1.zip"])
        #expect(try await store.verify().damaged.isEmpty)
        await store.close()
    }

    @Test("Damage in a pack costs what it hits and no more", arguments: Harm.allCases)
    func packs(harm: Harm) async throws {
        let directory = TestDirectory()
        let store = try await directory.open { $0.smallObjectLimit = 1024 }
        let versions = TestZip.family(versions: 3, files: 50, changed: 50, seed: 3)
        var digests: [Digest] = []
        for bytes in versions {
            digests.append(try await store.publish(bytes))
            _ = try await store.fold(digests[digests.count - 1])
        }
        let pack = directory.path + "/packs/" + directory.files(below: "packs")[0]
        let size = try FileManager.default.attributesOfItem(atPath: pack)[.size] as? UInt64 ?? 0
        try self.harm(pack, harm, at: size / 2)
        await store.close()
        let again = try await directory.open { $0.smallObjectLimit = 1024 }
        let log = EventLog(again)
        let report = try await again.verify()
        #expect(!report.damaged.isEmpty)
        if harm == .flippedBit { #expect(report.damaged.count < 3) }
        for (digest, bytes) in zip(digests, versions) {
            let found = try await again.bytes(digest)
            #expect(found == nil || found == bytes)
            #expect((found == nil) == log.damaged.contains(digest))
        }
        // Everything can be stored and folded again.
        for (digest, bytes) in zip(digests, versions) {
            try await again.publish(bytes)
            _ = try await again.fold(digest)
            #expect(try await again.bytes(digest) == bytes)
        }
        #expect(try await again.verify().damaged.isEmpty)
        await again.close()
    }

    @Test("A reader of a damaged chunk gets an error, never wrong bytes; the blob is dropped behind it")
    func damagedRead() async throws {
        let directory = TestDirectory()
        let store = try await directory.open { $0.smallObjectLimit = 1024 }
        let bytes = TestZip.family(versions: 1, files: 50, changed: 1, seed: 4)[0]
        let digest = try await store.publish(bytes)
        _ = try await store.fold(digest)
        let pack = directory.path + "/packs/" + directory.files(below: "packs")[0]
        try flip(pack, at: 60_000)
        let object = try await store.object(digest)
        let dropped = Signaller()
        store.observe { if case .removed = $0 { dropped.fire() } }
        await #expect(throws: StoreError.self) { try await object?.bytes() }
        await dropped.wait()
        #expect(try await store.bytes(digest) == nil)
        await store.close()
    }

    @Test("Progress counts up to the whole store")
    func progress() async throws {
        let directory = TestDirectory()
        let store = try await directory.open()
        for seed in 0..<20 { try await store.put(randomBytes(3000, seed: UInt64(seed))) }
        let seen = Mutex<[VerifyProgress]>([])
        _ = try await store.verify { progress in seen.withLock { $0.append(progress) } }
        let all = seen.withLock { $0 }
        #expect(all.map(\.blobs) == Array(1...20))
        #expect(all.last == VerifyProgress(blobs: 20, bytes: 60_000, totalBlobs: 20, totalBytes: 60_000))
        await store.close()
    }
}

/// Something that a test waits for.
final class Signaller: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(of: Void.self) }

    func fire() { continuation.yield() }

    func wait() async { for await _ in stream { return } }
}
