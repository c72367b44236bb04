import ChunkStore
import Content
import Foundation
import Testing

@Suite("Folding")
struct FoldTests {
    @Test("A family of versions folds to a fraction, stays byte-exact, and its space comes back when it goes")
    func family() async throws {
        let directory = TestDirectory()
        let store = try await directory.open { $0.smallObjectLimit = 1024 }
        let versions = TestZip.family(versions: 12, files: 80, changed: 2, seed: 1)
        var digests: [Digest] = []
        for (index, bytes) in versions.enumerated() {
            digests.append(try await store.publish(bytes, ["go/m@\(index)"]))
        }
        let whole = store.usedBytes
        for digest in digests {
            guard case .folded = try await store.fold(digest) else {
                Issue.record("not folded")
                return
            }
        }
        #expect(store.usedBytes * 5 < whole, "\(store.usedBytes) of \(whole)")
        #expect(directory.files(below: "blobs").isEmpty)
        for (digest, bytes) in zip(digests, versions) { #expect(try await store.bytes(digest) == bytes) }
        #expect(try await StoreAudit(store: store, directory: directory.path).findings() == [])
        for digest in digests { try await store.remove(digest, because: "test") }
        try await store.collectGarbage()
        #expect(directory.files(below: "packs").isEmpty)
        #expect(store.usedBytes == 0)
        await store.close()
    }

    @Test("Folded blobs are there after a restart, and every range of them reads right")
    func ranges() async throws {
        let directory = TestDirectory()
        var store = try await directory.open { $0.smallObjectLimit = 1024 }
        let bytes = TestZip.family(versions: 1, files: 40, changed: 1, seed: 2)[0]
        let digest = try await store.publish(bytes)
        _ = try await store.fold(digest)
        await store.close()
        store = try await directory.open { $0.smallObjectLimit = 1024 }
        guard case .recipe(let reader)? = try await store.object(digest)?.body else {
            Issue.record("not a recipe")
            return
        }
        var random = SplitMix(seed: 3)
        for _ in 0..<300 {
            let start = Int.random(in: 0..<bytes.count, using: &random)
            let end = Int.random(in: start...min(bytes.count, start + 20_000), using: &random)
            #expect(try await reader.read(Int64(start)..<Int64(end)) == Array(bytes[start..<end]))
        }
        await store.close()
    }

    @Test("A blob that was published to stay whole is neither settled nor folded, a restart later too")
    func publishedToStayWhole() async throws {
        let directory = TestDirectory()
        var store = try await directory.open { $0.smallObjectLimit = 1024 }
        let versions = TestZip.family(versions: 2, files: 40, changed: 1, seed: 4)
        _ = try await store.fold(store.publish(versions[0]))
        let ingest = try await store.beginIngest(size: Int64(versions[1].count))
        try await ingest.write(versions[1], at: 0)
        let digest = try await ingest.seal().0
        _ = try await ingest.publish(staysWhole: true)
        for _ in 0..<2 {
            guard case .refused(.odd) = try await store.fold(digest) else {
                Issue.record("it was folded")
                return
            }
            #expect(try await store.settle(digest) == .odd)
            await store.close()
            store = try await directory.open { $0.smallObjectLimit = 1024 }
        }
        #expect(try await store.bytes(digest) == versions[1])
        await store.close()
    }

    @Test("A reader goes on after its blob was removed and its packs were rewritten")
    func readerOutlives() async throws {
        let directory = TestDirectory()
        let store = try await directory.open { $0.smallObjectLimit = 1024 }
        let bytes = TestZip.family(versions: 1, files: 40, changed: 1, seed: 4)[0]
        let digest = try await store.publish(bytes)
        _ = try await store.fold(digest)
        let object = try await store.object(digest)
        try await store.remove(digest, because: "test")
        try await store.collectGarbage()
        #expect(directory.files(below: "packs").isEmpty)
        #expect(try await object?.bytes() == bytes)
        await store.close()
    }

    @Test("Removing one version leaves the chunks that others share")
    func sharedChunksStay() async throws {
        let directory = TestDirectory()
        let store = try await directory.open { $0.smallObjectLimit = 1024 }
        let versions = TestZip.family(versions: 4, files: 60, changed: 3, seed: 5)
        var digests: [Digest] = []
        for bytes in versions {
            digests.append(try await store.publish(bytes))
            _ = try await store.fold(digests[digests.count - 1])
        }
        try await store.remove(digests[0], because: "test")
        try await store.remove(digests[2], because: "test")
        try await store.collectGarbage()
        #expect(try await store.bytes(digests[1]) == versions[1])
        #expect(try await store.bytes(digests[3]) == versions[3])
        // Folding a removed version again finds most of it in the packs.
        let again = try await store.publish(versions[2])
        guard case .folded(let stored) = try await store.fold(again) else {
            Issue.record("not folded")
            return
        }
        #expect(stored * 4 < Int64(versions[2].count))
        await store.close()
    }

    @Test("What is unfolded is one file again, and its chunks are given up")
    func unfolds() async throws {
        let directory = TestDirectory()
        let store = try await directory.open { $0.smallObjectLimit = 1024 }
        let bytes = TestZip.family(versions: 1, files: 40, changed: 1, seed: 6)[0]
        let digest = try await store.publish(bytes)
        _ = try await store.fold(digest)
        #expect(try await store.unfold(digest))
        #expect(try await store.place(digest) == .file)
        #expect(try await store.bytes(digest) == bytes)
        #expect(try await store.unfold(digest) == false)
        try await store.collectGarbage()
        #expect(directory.files(below: "packs").isEmpty)
        #expect(store.usedBytes == Int64(bytes.count))
        #expect(try await StoreAudit(store: store, directory: directory.path).findings() == [])
        await store.close()
    }

    @Test("The second read within the window makes a folded blob whole again; cold blobs fold by themselves")
    func heat() async throws {
        let directory = TestDirectory()
        let time = TestClock()
        let store = try await directory.open(clock: time.clock) {
            $0.smallObjectLimit = 1024
            $0.foldAfter = .seconds(1000)
        }
        let versions = TestZip.family(versions: 2, files: 40, changed: 1, seed: 7)
        try await store.publish(versions[0])
        let bytes = versions[1]
        let digest = try await store.publish(bytes)
        await store.keepUp()
        #expect(try await store.place(digest) == .file)
        time.advance(.seconds(2000))
        await store.keepUp()
        #expect(try await store.place(digest) == .recipe)
        #expect(try await store.bytes(digest) == bytes)
        time.advance(.seconds(100_000))
        #expect(try await store.bytes(digest) == bytes)
        await store.keepUp()
        #expect(try await store.place(digest) == .recipe)
        time.advance(.seconds(100))
        #expect(try await store.bytes(digest) == bytes)
        await store.keepUp()
        #expect(try await store.place(digest) == .file)
        #expect(try await store.bytes(digest) == bytes)
        await store.close()
    }

    @Test("Compressed bytes and odd zips stay whole")
    func staysWhole() async throws {
        let directory = TestDirectory()
        let store = try await directory.open { $0.smallObjectLimit = 1024 }
        let noise = try await store.publish(randomBytes(50_000, seed: 8))
        guard case .refused(.notWorthwhile) = try await store.fold(noise) else {
            Issue.record("noise was folded")
            return
        }
        var zip = TestZip.module("m@v1", files: 9, size: 500...900, seed: 9)
        zip.entries[4].claimedOffset = 0
        let odd = try await store.publish(zip.bytes)
        guard case .refused(.odd) = try await store.fold(odd) else {
            Issue.record("an odd zip was folded")
            return
        }
        #expect(try await store.settle(noise) == .notWorthwhile)
        #expect(try await store.settle(odd) == .odd)
        #expect(try await store.bytes(odd) == zip.bytes)
        await store.close()
    }

    @Test("Plain bytes fold by content and share chunks")
    func plain() async throws {
        let directory = TestDirectory()
        let store = try await directory.open()
        let line = Array("a line of text that LZ4 packs quite well, number ".utf8)
        let text = (0..<40_000).flatMap { line + Array("\($0)\n".utf8) }
        let first = try await store.publish(text)
        let second = try await store.publish(Array("one line more\n".utf8) + text)
        guard case .folded(let stored) = try await store.fold(first),
            case .folded(let more) = try await store.fold(second)
        else {
            Issue.record("not folded")
            return
        }
        #expect(stored * 2 < Int64(text.count))
        #expect(more * 4 < stored)
        #expect(try await store.bytes(first) == text)
        await store.close()
    }

    @Test("A blob whose file was damaged is not folded, and is dropped")
    func damagedFile() async throws {
        let directory = TestDirectory()
        let store = try await directory.open { $0.smallObjectLimit = 1024 }
        let bytes = TestZip.family(versions: 1, files: 40, changed: 1, seed: 10)[0]
        let digest = try await store.publish(bytes)
        try flip(directory.path + "/" + (directory.files(below: "blobs").map { "blobs/" + $0 }[0]), at: 5000)
        await #expect(throws: StoreError.self) { try await store.fold(digest) }
        #expect(try await store.place(digest) == .file)
        await store.close()
    }

    @Test("Derived data say which whole blobs share a chunk, and may be deleted at any time")
    func derived() async throws {
        let directory = TestDirectory()
        var store = try await directory.open { $0.smallObjectLimit = 1024 }
        let versions = TestZip.family(versions: 2, files: 30, changed: 2, seed: 11)
        let digests = [try await store.publish(versions[0]), try await store.publish(versions[1])]
        for digest in digests { #expect(try await store.settle(digest) == .cut) }
        let plan = try Chunkers.plan(MemoryBlobSource(versions[0]))
        func sharing() async throws -> Int {
            var both = 0
            for cut in plan.cuts {
                let chunk = Array(versions[0][Int(cut.lowerBound)..<Int(cut.upperBound)])
                let places = try await store.places(of: ChunkID(of: chunk))
                if Set(places.map(\.digest)) == Set(digests) { both += 1 }
                for place in places {
                    let bytes = versions[digests.firstIndex(of: place.digest) ?? 0]
                    #expect(Array(bytes[Int(place.offset)..<Int(place.offset + place.length)]) == chunk)
                }
            }
            return both
        }
        #expect(try await sharing() >= 28)
        await store.close()
        try FileManager.default.removeItem(atPath: directory.path + "/derived.sqlite")
        store = try await directory.open { $0.smallObjectLimit = 1024 }
        #expect(try await sharing() == 0)
        for digest in digests { #expect(try await store.settle(digest) == .cut) }
        #expect(try await sharing() >= 28)
        await store.close()
    }
}

/// Flips one bit of a file.
func flip(_ path: String, at offset: UInt64) throws {
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    defer { try? handle.close() }
    try handle.seek(toOffset: offset)
    let byte = try handle.read(upToCount: 1)?.first ?? 0
    try handle.seek(toOffset: offset)
    try handle.write(contentsOf: [byte ^ 0x10])
}
