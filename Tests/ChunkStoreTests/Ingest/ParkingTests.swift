import ChunkStore
import Content
import Foundation
import Testing

@Suite struct ParkingTests {
    private static let size = 5 << 20

    @Test func aParkedPartialIsGoneOnWithAfterARestart() async throws {
        let directory = TestDirectory()
        let bytes = randomBytes(Self.size, seed: 21)
        let digest = Digest(of: bytes)
        var store = try await directory.open()
        let ingest = try await store.beginIngest(expected: digest, size: Int64(Self.size))
        try await ingest.write(bytes[..<2_000_000], at: 0)
        try await ingest.write(bytes[3_000_000..<4_000_000], at: 3_000_000)
        await ingest.park()
        #expect(store.parked.map(\.expected) == [digest])
        await store.close()

        store = try await directory.open()
        #expect(store.parts.space.used == 3_000_000)
        let resumed = try #require(try await store.parkedIngest(expected: digest))
        #expect(resumed.present == [0..<2_000_000, 3_000_000..<4_000_000])
        #expect(resumed.size == Int64(Self.size))
        #expect(try await store.parkedIngest(expected: digest) == nil)
        try await resumed.write(bytes[4_000_000...], at: 4_000_000)
        try await resumed.write(bytes[2_000_000..<3_000_000], at: 2_000_000)
        #expect(try await resumed.seal() == (digest, Int64(Self.size)))
        #expect(try await resumed.publish().bytes() == bytes)
        #expect(directory.files(below: "ingest") == [])
        #expect(store.parts.space.used == Int64(Self.size))
        await store.close()
    }

    @Test func runningIngestsAreParkedWhenTheStoreCloses() async throws {
        let directory = TestDirectory()
        let bytes = randomBytes(Self.size, seed: 22)
        var store = try await directory.open()
        let named = try await store.beginIngest(expected: Digest(of: bytes))
        try await named.write(bytes[..<1_500_000], at: 0)
        let small = try await store.beginIngest(expected: Digest(of: [1]))
        try await small.write([1], at: 0)
        let unnamed = try await store.beginIngest()
        try await unnamed.write(bytes, at: 0)
        await store.close()
        store = try await directory.open()
        #expect(store.parked.map(\.present) == [1_500_000])
        #expect(directory.files(below: "ingest").count == 2)
        await store.dropParked(Digest(of: bytes))
        #expect(directory.files(below: "ingest") == [])
        #expect(store.parts.space.used == 0)
        await store.close()
    }

    /// What a killed process leaves is what a copy of the directory holds while the process runs.
    @Test func aPartialSurvivesWithoutBeingParked() async throws {
        let directory = TestDirectory()
        let copy = TestDirectory()
        let bytes = randomBytes(Self.size, seed: 23)
        let digest = Digest(of: bytes)
        let store = try await directory.open()
        let ingest = try await store.beginIngest(expected: digest, size: Int64(Self.size))
        for start in stride(from: 0, to: 4 << 20, by: 1 << 18) {
            try await ingest.write(bytes[start..<start + 1 << 18], at: Int64(start))
        }
        // Behind the saves that the writes have caused.
        await ingest.saved()
        try FileManager.default.copyItem(atPath: directory.path, toPath: copy.path)
        await ingest.abandon()
        await store.close()

        let reopened = try await copy.open()
        let resumed = try #require(try await reopened.parkedIngest(expected: digest))
        let present = try #require(resumed.present.first)
        #expect(present.lowerBound == 0 && present.upperBound >= 1 << 20)
        try await resumed.write(bytes, at: 0)
        #expect(try await resumed.seal().0 == digest)
        _ = try await resumed.publish()
        await reopened.close()
    }

    @Test func aPartialWhoseBytesWentBadIsFoundOut() async throws {
        let directory = TestDirectory()
        let bytes = randomBytes(Self.size, seed: 24)
        let digest = Digest(of: bytes)
        var store = try await directory.open()
        let ingest = try await store.beginIngest(expected: digest, size: Int64(Self.size))
        try await ingest.write(bytes[..<3_000_000], at: 0)
        await store.close()
        let part = try #require(directory.files(below: "ingest").first { $0.hasSuffix(".part") })
        try flipBit(in: directory.path + "/ingest/" + part, at: 1_234_567)
        store = try await directory.open()
        let resumed = try #require(try await store.parkedIngest(expected: digest))
        try await resumed.write(bytes[3_000_000...], at: 3_000_000)
        await #expect(throws: StoreError.self) { try await resumed.seal() }
        await store.close()
        #expect(directory.files(below: "ingest") == [])
    }

    @Test func aDamagedMapCostsThePartialAndNothingElse() async throws {
        let directory = TestDirectory()
        let bytes = randomBytes(Self.size, seed: 25)
        var store = try await directory.open()
        let ingest = try await store.beginIngest(expected: Digest(of: bytes))
        try await ingest.write(bytes[..<3_000_000], at: 0)
        await store.close()
        let map = try #require(directory.files(below: "ingest").first { $0.hasSuffix(".map") })
        try flipBit(in: directory.path + "/ingest/" + map, at: 10)
        store = try await directory.open()
        #expect(store.parked == [])
        #expect(directory.files(below: "ingest") == [])
        await store.close()
    }
}
