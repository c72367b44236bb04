import ChunkStore
import Content
import Foundation
import Testing

/// Measures what the process uses of its processors, so that a busy machine says the same as an idle one; run with EDGENODE_BENCH=1 in a release build.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["EDGENODE_BENCH"] == "1"), .serialized)
struct IngestSpeedTests {
    @Test(arguments: [64 << 10, 256 << 10, 1 << 20]) func anIngestKeepsUpWithItsHash(block: Int) async throws
    {
        let directory = TestDirectory()
        let store = try await directory.open()
        let total = 1 << 30
        let bytes = randomBytes(block, seed: 1)
        let clock = ProcessorClock()
        let hashing = clock.measure {
            var hasher = DigestHasher(.sha256)
            for _ in 0..<total / block { hasher.update(bytes) }
            _ = hasher.finalize()
        }
        let ingest = try await store.beginIngest(size: Int64(total))
        let ingesting = try await clock.measuring {
            for index in 0..<total / block { try await ingest.write(bytes, at: Int64(index * block)) }
            _ = try await ingest.seal()
        }
        let publishing = try await clock.measuring { _ = try await ingest.publish() }
        print("blocks of \(block): hash alone \(hashing), ingest \(ingesting), publish \(publishing)")
        #expect(ingesting.processor < hashing.processor * 2)
        await store.close()
    }

    @Test func smallPuts() async throws {
        let directory = TestDirectory()
        let store = try await directory.open()
        let clock = ProcessorClock()
        for sync in [true, false] {
            let time = try await clock.measuring {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for worker in 0..<32 {
                        group.addTask {
                            for index in 0..<100 {
                                let bytes = randomBytes(1000, seed: UInt64(worker * 100_000 + index))
                                let digest = Digest(of: bytes)
                                try await store.put(
                                    bytes, references: [.sample("\(sync)/\(worker)/\(index)", digest)],
                                    sync: sync)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            print("3200 puts of 1000 bytes by 32 tasks, sync \(sync): \(time)")
        }
        let name = try ReferenceName("true/3/50")
        _ = try await store.reference(name)
        let hits = clock.measure { for _ in 0..<1_000_000 { _ = store.hotReference(name) } }
        print("10^6 hot references: \(hits)")
        await store.close()
    }
}

/// Wall time and the processor time of the whole process.
struct ProcessorClock {
    struct Spent: CustomStringConvertible {
        let wall: Duration
        let processor: Duration
        var description: String { "\(wall) (processor \(processor))" }
    }

    private var processor: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    func measure(_ body: () throws -> Void) rethrows -> Spent {
        let (start, used) = (ContinuousClock.now, processor)
        try body()
        return Spent(wall: ContinuousClock.now - start, processor: processor - used)
    }

    func measuring(_ body: () async throws -> Void) async rethrows -> Spent {
        let (start, used) = (ContinuousClock.now, processor)
        try await body()
        return Spent(wall: ContinuousClock.now - start, processor: processor - used)
    }
}
