import Content

/// What an object is to the eviction policy.
package struct EvictionCandidate: Sendable {
    /// The blob's row in the index.
    package var key: Int64
    package var digest: Digest
    /// Bytes that its eviction frees.
    package var size: Int64
    package var rank: EvictionRank

    package init(key: Int64, digest: Digest, size: Int64, rank: EvictionRank) {
        self.key = key
        self.digest = digest
        self.size = size
        self.rank = rank
    }
}

/// Classes of objects: nothing of a later class goes while something of an earlier one can.
package enum EvictionRank: Int, Sendable, CaseIterable {
    /// Blobs: module zips, layers.
    case bulk = 0
    /// Manifests, `.mod`, `.info`, lists: small, and of use even without their blobs.
    case metadata = 1
}

/// What is to be thrown out next: S3-FIFO within each rank, ranks in their order.
///
/// A value: no clock, no disk. Pins, readers and last copies are asked for when a victim is chosen.
package struct EvictionPolicy: Sendable {
    /// What fetching an object again costs, in the unit of bytes: its size when nothing speaks for more.
    package typealias RefetchCost = @Sendable (_ digest: Digest, _ size: Int64) -> Double

    private var bulk = S3FIFO()
    private var metadata = S3FIFO()
    private var cost: RefetchCost

    package init(cost: @escaping RefetchCost = { Double($1) }) { self.cost = cost }

    package var count: Int { bulk.count + metadata.count }
    package var bytes: Int64 { bulk.bytes + metadata.bytes }

    package func contains(_ key: Int64) -> Bool { bulk.contains(key) || metadata.contains(key) }

    /// Replaces the cost function for what is told from now on.
    package mutating func setCost(_ cost: @escaping RefetchCost) { self.cost = cost }

    package mutating func insert(_ candidate: EvictionCandidate) {
        let cost = cost(candidate.digest, candidate.size)
        update(candidate.rank) {
            $0.insert(
                candidate.key, fingerprint: Self.fingerprint(candidate.digest), size: candidate.size,
                cost: cost)
        }
    }

    /// As `insert`, for what was there before a restart, from the least to the most lately used.
    package mutating func restore(_ candidate: EvictionCandidate, hits: Int64) {
        let cost = cost(candidate.digest, candidate.size)
        update(candidate.rank) {
            $0.restore(
                candidate.key, fingerprint: Self.fingerprint(candidate.digest), size: candidate.size,
                hits: hits,
                cost: cost)
        }
    }

    package mutating func hit(_ key: Int64) {
        if bulk.contains(key) { bulk.hit(key) } else { metadata.hit(key) }
    }

    package mutating func resize(_ key: Int64, to size: Int64) {
        if bulk.contains(key) { bulk.resize(key, to: size) } else { metadata.resize(key, to: size) }
    }

    package mutating func remove(_ key: Int64) {
        bulk.remove(key)
        metadata.remove(key)
    }

    /// Chooses the next victim and forgets it; nil when nothing may go.
    package mutating func evict(_ evictability: (Int64) -> Evictability) -> Int64? {
        bulk.evict(evictability) ?? metadata.evict(evictability)
    }

    private mutating func update(_ rank: EvictionRank, _ body: (inout S3FIFO) -> Void) {
        switch rank {
        case .bulk: body(&bulk)
        case .metadata: body(&metadata)
        }
    }

    private static func fingerprint(_ digest: Digest) -> UInt64 {
        digest.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
