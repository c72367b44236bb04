import ChunkStore
import Content
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite struct NoSpaceTests {
    /// Writes 100 KB pieces until one does not fit; gives how many did.
    private func fill(_ ingest: Ingest, _ bytes: [UInt8]) async throws -> Int {
        for start in stride(from: 0, to: bytes.count, by: 100_000) {
            do {
                try await ingest.write(bytes[start..<min(start + 100_000, bytes.count)], at: Int64(start))
            } catch StoreError.noSpace { return start }
        }
        return bytes.count
    }

    private static let held = Array("held before".utf8)

    /// The disk is full: the readers keep what is there.
    private func fillsUp(_ store: ChunkStore) async throws {
        let bytes = randomBytes(9_000_000, seed: 31)
        // Pinned: a store that has no room throws out what it may.
        try await store.put(Self.held, references: [.sample("n/held", Digest(of: Self.held))])
        try await store.pin("n/held")
        // Its size is told to nobody: a body that could never fit is not begun.
        let ingest = try await store.beginIngest(expected: Digest(of: bytes))
        let waiting = Task { try await ingest.available(8_999_999..<9_000_000) }
        let there = try await fill(ingest, bytes)
        #expect(there > 0 && there < bytes.count)
        await #expect(throws: StoreError.noSpace) { try await waiting.value }
        let range = try await ingest.available(0..<9_000_000)
        #expect(range == 0..<Int64(there))
        #expect(try await ingest.read(range) == Array(bytes[..<there]))
        await #expect(throws: StoreError.noSpace) { try await ingest.write([1], at: Int64(there)) }
        await #expect(throws: StoreError.noSpace) { try await ingest.seal() }
        await ingest.abandon()
    }

    /// Once there is room, all is as before.
    private func isAsBefore(_ store: ChunkStore, _ directory: TestDirectory) async throws {
        let digest = try await store.put(randomBytes(30_000, seed: 32))
        #expect(try await store.object(digest) != nil)
        #expect(try await store.object(Digest(of: Self.held))?.bytes() == Self.held)
        #expect(try await StoreAudit(store: store, directory: directory.path).findings() == [])
    }

    @Test func aFullDiskEndsAnIngestAndNothingElse() async throws {
        let directory = TestDirectory()
        let disk = FullDisk()
        let store = try await directory.open(files: disk)
        disk.leave(3_000_000)
        try await fillsUp(store)
        disk.leave(nil)
        try await isAsBefore(store, directory)
        await store.close()
    }

    @Test func aCommitThatDoesNotFitIsReportedAndUndone() async throws {
        let directory = TestDirectory()
        let disk = FullDisk()
        var store = try await directory.open(files: disk)
        let first = try await store.put(randomBytes(5000, seed: 1))
        for room in stride(from: Int64(0), to: 40_000, by: 1111) {
            disk.leave(room)
            let bytes = randomBytes(5000, seed: 100 + UInt64(room))
            let name = try ReferenceName("n/\(room)")
            do {
                let digest = try await store.put(bytes, references: [.sample(name.text, Digest(of: bytes))])
                #expect(try await store.object(digest)?.bytes() == bytes)
            } catch StoreError.noSpace {
                #expect(try await store.reference(name) == nil)
            }
            disk.leave(nil)
            #expect(try await store.object(first)?.bytes() == randomBytes(5000, seed: 1))
        }
        let last = try await store.put(randomBytes(5000, seed: 2))
        #expect(try await StoreAudit(store: store, directory: directory.path).findings() == [])
        await store.close()
        store = try await directory.open(files: disk)
        #expect(try await store.object(last)?.bytes() == randomBytes(5000, seed: 2))
        #expect(try await StoreAudit(store: store, directory: directory.path).findings() == [])
        await store.close()
    }

    @Test func aPackThatCannotBeBegunLeavesNoFile() async throws {
        let directory = TestDirectory()
        let disk = FullDisk()
        let store = try await directory.open(files: disk)
        disk.leave(10)
        for value in 0..<5 {
            await #expect(throws: StoreError.noSpace) { try await store.put([UInt8(value)]) }
        }
        #expect(directory.files(below: "packs") == [])
        disk.leave(nil)
        try await store.put([9])
        #expect(try await StoreAudit(store: store, directory: directory.path).findings() == [])
        await store.close()
    }

    @Test func aLargeBlobThatCannotBeCommittedLeavesNoFile() async throws {
        let directory = TestDirectory()
        let disk = FullDisk()
        let store = try await directory.open(files: disk)
        try await store.put([1])
        let ingest = try await store.beginIngest(size: 200_000)
        try await ingest.write(randomBytes(200_000, seed: 3), at: 0)
        let (digest, _) = try await ingest.seal()
        disk.leave(0)
        await #expect(throws: StoreError.noSpace) { try await ingest.publish() }
        disk.leave(nil)
        #expect(try await store.object(digest) == nil)
        // The next commit takes what the failed one left.
        try await store.put([2])
        #expect(directory.files(below: "blobs") == [] && directory.files(below: "ingest") == [])
        #expect(try await StoreAudit(store: store, directory: directory.path).findings() == [])
        await store.close()
    }

    @Test func nothingIsEvictedForWhatCouldNeverFit() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem()) { $0.capacity = 1_000_000 }
        let held = try await store.put(Self.held, references: [.sample("n/held", Digest(of: Self.held))])
        await #expect(throws: StoreError.noSpace) { _ = try await store.beginIngest(size: 1_000_001) }
        #expect(try await store.object(held)?.bytes() == Self.held)
        #expect(directory.files(below: "ingest") == [])
        let fits = try await store.beginIngest(size: 1_000_000)
        await fits.abandon()
        #expect(try await StoreAudit(store: store, directory: directory.path).findings() == [])
        await store.close()
    }

    /// More than the file system is asked for at a time.
    @Test func muchFitsAtOnce() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem()) { $0.capacity = 1 << 30 }
        try await store.parts.space.reserve(200 << 20)
        #expect(store.parts.space.used >= 200 << 20)
        store.parts.space.add(-200 << 20)
        await store.close()
    }

    private final class Asked: RoomMaker {
        private let count = Mutex(0)
        var times: Int { count.withLock { $0 } }
        func makeRoom(for bytes: Int64) async -> Bool {
            count.withLock { $0 += 1 }
            return false
        }
    }

    /// What is written without having been announced to the store asks for room itself.
    @Test func nothingIsEvictedForASmallOneThatCouldNeverFitEither() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem()) { $0.capacity = 50_000 }
        try await store.put(Self.held, references: [.sample("n/held", Digest(of: Self.held))])
        let asked = Asked()
        store.parts.space.setMaker(asked)
        let ingest = try await store.beginIngest(size: 60_000)
        await #expect(throws: StoreError.noSpace) {
            try await ingest.write(randomBytes(60_000, seed: 1), at: 0)
        }
        await #expect(throws: StoreError.noSpace) { try await store.put(randomBytes(60_000, seed: 2)) }
        #expect(asked.times == 0)
        // What would fit without the others is worth asking for.
        let other = try await store.beginIngest(size: 50_000)
        await #expect(throws: StoreError.noSpace) {
            try await other.write(randomBytes(50_000, seed: 3), at: 0)
        }
        #expect(asked.times == 1)
        await ingest.abandon()
        await other.abandon()
        await store.close()
    }

    private struct Evictor: RoomMaker {
        let store: ChunkStore
        let victim: Digest
        func makeRoom(for bytes: Int64) async -> Bool {
            (try? await store.remove(victim, because: "room is needed")) == true
        }
    }

    @Test func theCapacityIsKeptAndEvictionMakesRoom() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem()) { $0.capacity = 1_000_000 }
        let first = try await store.beginIngest(size: 600_000)
        try await first.write(randomBytes(600_000, seed: 1), at: 0)
        let (digest, _) = try await first.seal()
        _ = try await first.publish()
        let second = try await store.beginIngest(size: 600_000)
        await #expect(throws: StoreError.noSpace) {
            try await second.write(randomBytes(600_000, seed: 2), at: 0)
        }
        await second.abandon()
        #expect(store.parts.space.used == 600_000)
        store.parts.space.setMaker(Evictor(store: store, victim: digest))
        let third = try await store.beginIngest(size: 600_000)
        try await third.write(randomBytes(600_000, seed: 2), at: 0)
        _ = try await third.seal()
        _ = try await third.publish()
        #expect(try await store.object(digest) == nil)
        #expect(store.parts.space.used == 600_000)
        store.parts.space.setMaker(nil)
        await store.close()
    }

    /// A real file system of 6 MiB, where this user may mount one.
    @Test(.enabled(if: geteuid() == 0)) func aFullFileSystemEndsAnIngestAndNothingElse() async throws {
        let directory = TestDirectory()
        try PosixFileSystem().makeDirectory(directory.path)
        // A container may be root and yet not allowed to mount.
        guard mount("tmpfs", directory.path, "tmpfs", 0, "size=6m") == 0 else { return }
        defer { umount2(directory.path, Int32(MNT_DETACH)) }
        var store = try await directory.open()
        try await fillsUp(store)
        // The space of an unlinked partial comes back with its last holder.
        await store.close()
        store = try await directory.open()
        try await isAsBefore(store, directory)
        await store.close()
    }
}
