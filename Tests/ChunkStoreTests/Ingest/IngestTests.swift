import ChunkStore
import Content
import Synchronization
import Testing

@Suite struct IngestTests {
    /// Collects what a front observer sees and fails on demand.
    private final class Collector: FrontObserver {
        private let seen = Mutex<[UInt8]>([])
        private let limit: Int
        let isQuick: Bool
        struct Refused: Error, Equatable {}

        init(failingAt limit: Int = .max, isQuick: Bool = false) {
            self.limit = limit
            self.isQuick = isQuick
        }

        var bytes: [UInt8] { seen.withLock { $0 } }

        func front(advanced bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
            try seen.withLock { seen in
                #expect(Int(offset) == seen.count, "the front jumped")
                seen.append(contentsOf: bytes)
                if seen.count >= limit { throw Refused() }
            }
        }
    }

    private func read(_ slice: FileSlice) throws(FileError) -> [UInt8] {
        var failure: FileError?
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(slice.count)) { buffer, count in
            do throws(FileError) {
                count = try PosixFileSystem().read(
                    from: slice.file, into: UnsafeMutableRawBufferPointer(buffer), at: slice.range.lowerBound)
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Several writers in random order with overlaps, several readers: everybody gets the same bytes.
    @Test(
        arguments: [
            (DigestAlgorithm.sha256, 3_000_000), (.sha512, 3_000_000), (.sha256, 60_000), (.sha512, 65_536),
        ],
        [true, false])
    func writersInAnyOrderAndReadersAtAnyPlaceAgree(
        _ kind: (algorithm: DigestAlgorithm, size: Int), hasQuickObserver: Bool
    ) async throws {
        let (algorithm, size) = kind
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        let bytes = randomBytes(size, seed: 11)
        let collector = Collector(isQuick: hasQuickObserver)
        let ingest = try await store.beginIngest(
            expected: Digest(algorithm, of: bytes), size: Int64(size), observer: collector)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for reader in 0..<4 {
                group.addTask {
                    var offset = Int64(reader * size / 30)
                    while offset < Int64(size) {
                        let there = try await ingest.available(offset..<Int64(size))
                        #expect(there.lowerBound == offset && !there.isEmpty)
                        let got = try self.read(ingest.slice(there))
                        #expect(got == Array(bytes[Int(there.lowerBound)..<Int(there.upperBound)]))
                        offset = there.upperBound
                    }
                    #expect(try await ingest.available(Int64(size)..<Int64(size + 1)).isEmpty)
                }
            }
            for writer in 0..<3 {
                group.addTask {
                    var chance = SplitMix(seed: UInt64(writer))
                    for start in stride(from: 0, to: size, by: size / 60).shuffled(using: &chance) {
                        let end = min(size, start + size / 50)
                        try await ingest.write(bytes[start..<end], at: Int64(start))
                    }
                }
            }
            try await group.waitForAll()
        }
        let (digest, found) = try await ingest.seal()
        #expect(digest == Digest(algorithm, of: bytes) && found == Int64(size))
        #expect(collector.bytes == bytes)
        _ = try await ingest.publish()
        #expect(try await store.object(digest)?.bytes() == bytes)
        await store.close()
    }

    /// A small body whose length is known is in memory until it is published; its bytes count as the store's all the same.
    @Test func aSmallOneIsOnDiskOnlyOncePublished() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        let before = try await store.totals().usedBytes
        let (kept, dropped, failed) = (
            randomBytes(60_000, seed: 1), randomBytes(50_000, seed: 2), randomBytes(7, seed: 3)
        )
        let wrong = Digest(of: kept)
        let ingests = try await [
            store.beginIngest(expected: Digest(of: kept), size: 60_000), store.beginIngest(size: 50_000),
            store.beginIngest(expected: wrong, size: 7), store.beginIngest(expected: wrong, size: 64 << 10),
        ]
        for (ingest, bytes) in zip(ingests, [kept, dropped, failed, Array(kept[..<1000])]) {
            try await ingest.write(bytes, at: 0)
            #expect(try await ingest.read(0..<Int64(bytes.count)) == bytes)
        }
        #expect(directory.files(below: "ingest") == [])
        #expect(try await store.totals().usedBytes == before + 60_000 + 50_000 + 7 + 1000)
        await ingests[1].abandon()
        await #expect(throws: StoreError.self) { try await ingests[2].seal() }
        await ingests[3].park()
        #expect(store.parked == [])
        #expect(try await store.totals().usedBytes == before + 60_000)
        let slice = ingests[0].slice(10..<60_000)
        #expect(try await ingests[0].seal() == (Digest(of: kept), 60_000))
        #expect(try await ingests[0].publish().bytes() == kept)
        #expect(try read(slice) == Array(kept[10...]), "it stays readable")
        await store.close()
        #expect(directory.files(below: "ingest") == [])
        let reopened = try await directory.open()
        #expect(try await reopened.object(Digest(of: kept))?.bytes() == kept)
        await reopened.close()
    }

    @Test func bytesThatAreThereNeverChange() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        let ingest = try await store.beginIngest()
        try await ingest.write([UInt8](repeating: 1, count: 10), at: 5)
        try await ingest.write([UInt8](repeating: 2, count: 30), at: 0)
        ingest.markEnd(at: 30)
        let expected =
            [UInt8](repeating: 2, count: 5) + [UInt8](repeating: 1, count: 10)
            + [UInt8](repeating: 2, count: 15)
        #expect(try await ingest.seal().0 == Digest(of: expected))
        #expect(try await ingest.publish().bytes() == expected)
        await store.close()
    }

    @Test func wrongBytesAreDiscardedAndNothingStays() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        let expected = Digest(of: Array("right".utf8))
        let ingest = try await store.beginIngest(expected: expected, size: 5)
        try await ingest.write(Array("wrong".utf8), at: 0)
        await #expect(
            throws: StoreError.digestMismatch(expected: expected, found: Digest(of: Array("wrong".utf8)))
        ) {
            try await ingest.seal()
        }
        await #expect(throws: StoreError.self) { try await ingest.available(0..<5) }
        await #expect(throws: StoreError.self) { try await ingest.publish() }
        await store.close()
        #expect(directory.files(below: "ingest") == [] && directory.files(below: "blobs") == [])
    }

    @Test func aBodyOfTheWrongLengthFails() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        let long = try await store.beginIngest(size: 4)
        await #expect(throws: StoreError.lengthMismatch(expected: 4, found: 5)) {
            try await long.write(Array("12345".utf8), at: 0)
        }
        let short = try await store.beginIngest(size: 4)
        try await short.write(Array("123".utf8), at: 0)
        short.markEnd(at: 3)
        await #expect(throws: StoreError.lengthMismatch(expected: 4, found: 3)) { try await short.seal() }
        let open = try await store.beginIngest(size: 4)
        try await open.write(Array("123".utf8), at: 0)
        await #expect(throws: StoreError.incomplete(present: 3, size: 4)) { try await open.seal() }
        try await open.write(Array("4".utf8), at: 3)
        #expect(try await open.seal().1 == 4)
        await store.close()
        #expect(directory.files(below: "ingest") == [])
    }

    @Test func aFailureWakesEveryReader() async throws {
        struct Upstream: Error {}
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        let ingest = try await store.beginIngest(size: 100)
        try await ingest.write([1, 2, 3], at: 0)
        let readers = (0..<5).map { index in Task { try await ingest.available(Int64(10 + index)..<100) } }
        let cancelled = Task { try await ingest.available(50..<100) }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        ingest.fail(Upstream())
        for reader in readers { await #expect(throws: Upstream.self) { try await reader.value } }
        await #expect(throws: Upstream.self) { try await ingest.write([4], at: 3) }
        await store.close()
        #expect(directory.files(below: "ingest") == [])
    }

    @Test func anObserverCanRefuse() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        let ingest = try await store.beginIngest(observer: Collector(failingAt: 2))
        try await ingest.write([1], at: 0)
        // The refusal comes from the hashing lane, with or behind the write that caused it.
        _ = try? await ingest.write([2], at: 1)
        await #expect(throws: Collector.Refused.self) { try await ingest.seal() }
        await store.close()
        #expect(directory.files(below: "ingest") == [])
    }

    @Test func anEmptyBlobIsABlob() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        let ingest = try await store.beginIngest()
        ingest.markEnd(at: 0)
        #expect(try await ingest.available(0..<1).isEmpty)
        #expect(try await ingest.seal() == (Digest(of: []), 0))
        #expect(try await ingest.publish().bytes() == [])
        #expect(try await store.object(Digest(of: []))?.size == 0)
        await store.close()
    }

    @Test func anIngestThatNobodyHoldsLeavesNothing() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        try await store.beginIngest().write([1, 2, 3], at: 0)
        await store.close()
        #expect(directory.files(below: "ingest") == [])
        #expect(store.parts.space.used == 0)
    }

    @Test func aSlowObserverHoldsUpNoOtherIngest() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        let gate = Gate()
        let slow = try await store.beginIngest(observer: gate)
        let writing = Task { try await slow.write([1], at: 0) }
        let quick = try await store.beginIngest()
        try await quick.write([2], at: 0)
        quick.markEnd(at: 1)
        _ = try await quick.seal()
        _ = try await quick.publish()
        gate.open()
        try await writing.value
        await slow.abandon()
        await store.close()
    }

    /// Blocks the hashing of one ingest until it is opened.
    private final class Gate: FrontObserver {
        private let semaphore = Semaphore()
        func open() { semaphore.signal() }
        func front(advanced bytes: UnsafeRawBufferPointer, at offset: Int64) throws { semaphore.wait() }
    }
}
