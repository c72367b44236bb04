public import Content

extension ChunkStore {
    /// What the store knows of a blob besides its bytes.
    public struct Holding: Sendable, Equatable {
        public let digest: Digest
        /// In bytes.
        public let size: Int64
        /// It is never cut into chunks: different readers read it differently.
        public let staysWhole: Bool
    }

    /// Whether a blob is held, without reading any of it; nil when it is not.
    public func holding(_ digest: Digest) async throws -> Holding? {
        if parts.promises.isPending { try await parts.writer.transaction { _ in } }
        return try await parts.readers.read { try $0.blob(digest) }.map {
            Holding(digest: $0.digest, size: $0.size, staysWhole: $0.staysWhole)
        }
    }
}
