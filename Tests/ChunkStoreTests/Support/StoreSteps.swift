import ChunkStore
import Content
import Synchronization
import Testing

extension ChunkStore {
    /// Publishes bytes through an ingest.
    @discardableResult
    func publish(_ bytes: [UInt8], _ names: [String] = []) async throws -> Digest {
        let digest = Digest(of: bytes)
        let ingest = try await beginIngest(expected: digest, size: Int64(bytes.count))
        try await ingest.write(bytes, at: 0)
        _ = try await ingest.seal()
        _ = try await ingest.publish(names.map { try .sample($0, digest) })
        return digest
    }

    /// What the store gives for a digest; nil when it is not held.
    func bytes(_ digest: Digest) async throws -> [UInt8]? { try await object(digest)?.bytes() }

    func place(_ digest: Digest) async throws -> BlobPlace? {
        try await blobs(limit: 100_000).first { $0.digest == digest }?.place
    }
}

/// Collects a store's events.
final class EventLog: Sendable {
    private let events = Mutex<[StoreEvent]>([])

    init(_ store: ChunkStore) {
        store.observe { event in self.events.withLock { $0.append(event) } }
    }

    var all: [StoreEvent] { events.withLock { $0 } }
    var damaged: [Digest] {
        all.compactMap { if case .damaged(let digest, _) = $0 { digest } else { nil } }
    }
    var evicted: [Digest] {
        all.compactMap { if case .evicted(let digest, _) = $0 { digest } else { nil } }
    }
}

/// A clock that a test moves.
final class TestClock: Sendable {
    private let time = Mutex<Int64>(1_700_000_000_000)

    var clock: StoreClock { StoreClock { self.time.withLock { $0 } } }

    func advance(_ duration: Duration) {
        time.withLock { $0 += duration.components.seconds * 1000 }
    }
}

extension TestZip {
    /// Versions of one module: each replaces a few files of the one before.
    static func family(versions: Int, files: Int, changed: Int, seed: UInt64) -> [[UInt8]] {
        var random = SplitMix(seed: seed)
        var entries = TestZip.module("m@v", files: files, size: 200...6000, seed: seed).entries
        return (0..<versions).map { version in
            for _ in 0..<changed {
                let index = Int(random.next() % UInt64(files))
                entries[index].data = random.bytes(entries[index].data.count)
                entries[index].crc32 = UInt32(random.next() >> 32)
            }
            var zip = TestZip(entries)
            for index in zip.entries.indices {
                zip.entries[index].name = "example.com/m@v1.0.\(version)/" + entries[index].name
            }
            return zip.bytes
        }
    }
}
