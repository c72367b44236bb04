import Content

extension ChunkStore {
    /// The object if it is in memory or its file is open; never blocks, so that it may be called on an event
    /// loop. Counts as a use.
    public func hotObject(_ digest: Digest) -> StoredObject? {
        parts.cache.object(digest)
    }

    /// The object, nil when it is not held. Small ones are verified as they are read from disk; a file is
    /// checked for its size.
    ///
    /// One that turns out damaged is dropped with its references and reported as an event; the answer is nil
    /// then, as if it had never been held.
    public func object(_ digest: Digest) async throws -> StoredObject? {
        if let hot = parts.cache.object(digest) { return hot }
        let parts = parts
        for _ in 0..<3 {
            let version = parts.cache.version(of: digest)
            let found = try await parts.readers.read { try parts.load(digest, with: $0) }
            switch found {
            case .held(let object):
                parts.cache.fill(object, version: version)
                parts.cache.touch(digest)
                flushManyTouches()
                return object
            case .absent: return nil
            case .moved: continue
            case .damaged(let what):
                parts.events.send(.damaged(digest, what: what))
                try await remove(digest, because: what)
                return nil
            }
        }
        throw StoreError.database(code: 5, message: "\(digest) keeps moving", doing: "reading an object")
    }

    /// The widest class under which the object was ever referenced; nil when it is not held.
    public func access(of digest: Digest) async throws -> AccessClass? {
        if parts.promises.isPending { try await parts.writer.transaction { _ in } }
        return try await parts.readers.read { try $0.blob(digest)?.access }
    }

    /// Puts a small object into a pack, with references to it (their digest and size are set here).
    ///
    /// - Parameter sync: true = durable when this returns; false = visible at once, committed together with
    ///   others within `Configuration.groupCommitDelay`, lost if the machine stops before.
    /// - Returns: the object's SHA-256 digest.
    /// - Throws: `StoreError.noSpace`; `.badConfiguration` when `bytes` is larger than the small object limit.
    @discardableResult
    public func put(_ bytes: [UInt8], references: [Reference] = [], sync: Bool = true) async throws -> Digest
    {
        let digest = Digest(.sha256, of: bytes)
        try await put(bytes, as: digest, references: references, sync: sync)
        return digest
    }

    /// As `put`, under a digest that the caller knows.
    /// - Throws: `StoreError.digestMismatch` when `bytes` do not have it.
    public func put(
        _ bytes: [UInt8], expecting expected: Digest, references: [Reference] = [], sync: Bool = true
    ) async throws {
        let digest = Digest(expected.algorithm, of: bytes)
        guard digest == expected else { throw StoreError.digestMismatch(expected: expected, found: digest) }
        try await put(bytes, as: digest, references: references, sync: sync)
    }

    private func put(_ bytes: [UInt8], as digest: Digest, references: [Reference], sync: Bool) async throws {
        guard bytes.count <= parts.configuration.smallObjectLimit else {
            throw StoreError.badConfiguration(
                "an object of \(bytes.count) bytes is above the small object limit of "
                    + "\(parts.configuration.smallObjectLimit): use an ingest")
        }
        let references = references.map { $0.pointing(at: digest, size: Int64(bytes.count)) }
        if sync {
            _ = try await parts.putRecord(bytes, digest: digest, references: references)
        } else {
            try await parts.putRecordLater(bytes, digest: digest, references: references)
        }
    }

    /// Drops a bad or unwanted blob and its references. Readers that hold it keep its bytes.
    /// - Returns: false when it was not held.
    @discardableResult
    public func remove(_ digest: Digest, because reason: String) async throws -> Bool {
        try await parts.remove(digest, because: reason)
    }

    /// At most `limit` rows of held blobs whose id is above `after`: a walk over everything that never holds
    /// the index.
    package func blobs(after: Int64 = 0, limit: Int = 1000) async throws -> [BlobRow] {
        try await parts.readers.read { try $0.blobs(after: after, limit: limit) }
    }
}
