import DequeModule

/// Remembers what was evicted lately, without its bytes: fingerprints in the order of eviction, bounded by
/// the bytes they stood for and by their number.
struct GhostQueue: Sendable {
    /// About 4 MB when full.
    static let maximumCount = 1 << 17

    private var order = Deque<(fingerprint: UInt64, stamp: UInt32)>()
    /// What counts of `order`: entries of another stamp than this are void.
    private var present: [UInt64: (stamp: UInt32, size: Int64)] = [:]
    private var bytes: Int64 = 0
    private var next: UInt32 = 0

    mutating func insert(_ fingerprint: UInt64, size: Int64, limit: Int64) {
        _ = remove(fingerprint)
        next &+= 1
        present[fingerprint] = (next, size)
        order.append((fingerprint, next))
        bytes += size
        while bytes > limit || order.count > Self.maximumCount, let first = order.popFirst() {
            if present[first.fingerprint]?.stamp == first.stamp { _ = remove(first.fingerprint) }
        }
    }

    /// Whether the fingerprint was there; it no longer is.
    mutating func remove(_ fingerprint: UInt64) -> Bool {
        guard let entry = present.removeValue(forKey: fingerprint) else { return false }
        bytes -= entry.size
        return true
    }
}
