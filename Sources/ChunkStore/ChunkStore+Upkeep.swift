import Content

extension ChunkStore {
    /// Checks every byte that is held, at once and at full speed, and drops what is damaged.
    ///
    /// - Parameter progress: is told after each blob; must be quick.
    public func verify(
        progress: @escaping @Sendable (VerifyProgress) -> Void = { _ in }
    ) async throws -> VerifyReport {
        let walk = Scrubber(parts: parts, thread: parts.pool)
        return try await walk.walk(pace: { _ in true }, progress: { state, _ in progress(state) })
    }

    /// Frees what nobody needs, now: references over their age limit, unused chunks, dead bytes in packs, and
    /// whatever is above the high water mark.
    ///
    /// - Returns: bytes that came back.
    @discardableResult
    public func collectGarbage() async throws -> Int64 {
        let before = parts.space.used
        try await parts.dropUnused()
        try await upkeep.folder.dropUnused()
        await upkeep.evictor.trim()
        _ = try await parts.rewritePacks(sealing: true)
        return max(0, before - parts.space.used)
    }

    /// Folds a blob into its recipe now, whatever it frees.
    package func fold(_ digest: Digest) async throws -> FoldOutcome {
        try await upkeep.folder.fold(digest, leastSaving: -.infinity) { false }
    }

    /// Makes a folded blob whole again.
    /// - Returns: false when it is not folded.
    @discardableResult
    package func unfold(_ digest: Digest) async throws -> Bool {
        try await upkeep.unfolder.unfold(digest) { false }
    }

    /// Evicts a blob now, as making room for another would, unless it is pinned.
    /// - Returns: false when it stays or is not held.
    @discardableResult
    package func evict(_ digest: Digest) async throws -> Bool { try await upkeep.evictor.evict(digest) }

    /// Settles a blob now. Nil when it is not a whole file.
    @discardableResult
    package func settle(_ digest: Digest) async throws -> Settlement? {
        try await upkeep.settler.settle(digest) { _ in true }
    }

    /// Does now all that is done behind at every interval.
    package func keepUp() async { await upkeep.round() }

    /// Bytes that blobs, packs and ingests take on disk, the index apart.
    public var usedBytes: Int64 { parts.space.used }

    /// Tries to free `bytes`, as a write that finds no room does.
    package func makeRoom(for bytes: Int64) async -> Bool { await upkeep.evictor.makeRoom(for: bytes) }

    /// What fetching a blob again costs, in the unit of bytes: its size when nothing speaks for more, infinite
    /// for what must go last. Asked whenever a blob is stored and when one is about to be evicted.
    public func setRefetchCost(_ cost: @escaping @Sendable (_ digest: Digest, _ size: Int64) -> Double) {
        upkeep.evictor.setCost(cost)
    }

    /// Where whole blobs hold a chunk.
    package func places(of chunk: ChunkID) async throws -> [(digest: Digest, offset: Int64, length: Int64)] {
        try await upkeep.settler.places(of: chunk)
    }
}
