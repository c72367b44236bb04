extension ChunkStore {
    /// How much the store holds.
    public struct Totals: Sendable, Equatable {
        /// Whole blobs, small objects and recipes.
        public var objects: Int
        public var references: Int
        /// What blobs, packs and ingests take on disk, the index apart.
        public var usedBytes: Int64
    }

    /// Counted in the index, not on the disk: cheap enough for every look at the node's status.
    public func totals() async throws -> Totals {
        let (objects, references) = try await parts.readers.read { connection in
            (try connection.totals("blobs").count, try connection.totals("refs").count)
        }
        return Totals(
            objects: Int(clamping: objects), references: Int(clamping: references),
            usedBytes: parts.space.used)
    }
}
