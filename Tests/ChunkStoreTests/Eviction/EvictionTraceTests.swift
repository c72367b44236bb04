import ChunkStore
import Content
import Testing

/// The policy as the store drives it: evict until what comes fits.
private struct PolicyCache: SimulatedCache {
    let capacity: Int64
    var policy = S3FIFO()

    mutating func access(_ object: Int, size: Int64) -> Bool {
        let key = Int64(object)
        if policy.contains(key) {
            policy.hit(key)
            return true
        }
        while policy.bytes + size > capacity, policy.evict({ _ in .yes }) != nil {}
        policy.insert(key, fingerprint: UInt64(object), size: size, cost: Double(size))
        return false
    }
}

@Suite("Eviction on traces")
struct EvictionTraceTests {
    static let traces = [
        Trace.zipf(objects: 8000, requests: 150_000, exponent: 0.7, seed: 11),
        Trace.zipf(objects: 8000, requests: 150_000, exponent: 1.0, seed: 12),
        Trace.scanMixed(objects: 6000, requests: 150_000, seed: 13),
        Trace.loop(objects: 3000, rounds: 30, seed: 14),
    ]

    @Test(
        "Byte hit ratio is above LRU's and within a point of the reference's",
        arguments: [
            (0, 0.05), (0, 0.2), (0, 0.5), (1, 0.05), (1, 0.2), (1, 0.5),
            // Half of all that a scan ever touched is more than the hot set: nothing is left to gain there.
            (2, 0.05), (2, 0.2), (2, 0.35),
            // Loops of more than 1.9 times the cache are beyond the ghost queue: both get nothing there.
            (3, 0.55), (3, 0.7), (3, 0.9),
        ])
    func ratios(trace: Int, share: Double) {
        let trace = Self.traces[trace]
        let capacity = Int64(share * Double(trace.footprint))
        let ours = trace.byteHitRatio(PolicyCache(capacity: capacity))
        let reference = trace.byteHitRatio(ReferenceS3FIFO(capacity: capacity))
        let lru = trace.byteHitRatio(ReferenceLRU(capacity: capacity))
        print("\(trace.name) at \(share): ours \(ours), reference \(reference), LRU \(lru)")
        #expect(ours > lru, "\(trace.name) at \(share): \(ours) against LRU's \(lru)")
        #expect(abs(ours - reference) < 0.01, "\(trace.name) at \(share): \(ours) against \(reference)")
    }
}
