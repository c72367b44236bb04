import Content

extension ChunkStore {
    /// Begins a new blob.
    /// - Parameters:
    ///   - expected: the digest it must turn out to have; such an ingest can be parked and survives restarts.
    ///   - size: its length, when that is known.
    ///   - observer: sees its bytes in order.
    /// - Throws: `StoreError.noSpace` when `size` is more than the store could hold if it were empty: nothing is
    ///   evicted for what cannot stay. A small one, which is kept in memory, is told so by its first write.
    public func beginIngest(
        expected: Digest? = nil, size: Int64? = nil, observer: (any FrontObserver)? = nil
    ) async throws -> Ingest {
        let parts = parts
        let (id, old) = try parts.ingests.withLock { registry throws(StoreError) in
            (try registry.takeID(), expected.flatMap { registry.parked.removeValue(forKey: $0) })
        }
        var memory: OpenFile?
        if let size, size <= Int64(min(parts.configuration.smallObjectLimit, Ingest.inMemoryLimit)),
            old == nil
        {
            memory = OpenFile.inMemory()
        }
        let file =
            if let memory {
                memory
            } else {
                try await partial(id, replacing: old, size: size)
            }
        var state = IngestState()
        state.size = size
        let ingest = Ingest(
            id: id, file: file, isInMemory: memory != nil, expected: expected, state: state,
            observer: observer, parts: parts)
        parts.ingests.withLock { $0.running[id] = IngestRegistry.Weak(ingest: ingest) }
        return ingest
    }

    private func partial(_ id: Int64, replacing old: ParkedPartial?, size: Int64?) async throws -> OpenFile {
        let parts = parts
        return try await parts.pool.run {
            if let old { parts.discardPartial(old.id, reserved: old.reserved) }
            if let size, try !parts.space.couldFit(size) { throw StoreError.noSpace }
            return try storing { () throws(FileError) in
                try parts.files.open(parts.layout.partial(id), .createNew)
            }
        }
    }

    /// Goes on with a partial that was parked or survived a restart; nil when there is none. Its bytes are
    /// hashed again from the start, beside whatever the caller does with it.
    public func parkedIngest(
        expected: Digest, observer: (any FrontObserver)? = nil
    ) async throws -> Ingest? {
        let parts = parts
        guard let parked = parts.ingests.withLock({ $0.parked.removeValue(forKey: expected) }) else {
            return nil
        }
        let file = try await parts.pool.run {
            try storing { () throws(FileError) in
                try parts.files.open(parts.layout.partial(parked.id), .readWrite)
            }
        }
        var state = IngestState()
        state.size = parked.size
        state.present = parked.present
        state.claimed = parked.present
        state.reserved = parked.reserved
        state.hasMap = true
        let catchUp = state.takeCatchUp()
        let ingest = Ingest(
            id: parked.id, file: file, expected: expected, state: state, observer: observer, parts: parts)
        parts.ingests.withLock { $0.running[parked.id] = IngestRegistry.Weak(ingest: ingest) }
        if let catchUp { ingest.hashFromDisk(catchUp) }
        return ingest
    }

    /// A partial that nobody fills at the moment.
    public struct Parked: Sendable, Equatable {
        public let expected: Digest
        /// Bytes that are there.
        public let present: Int64
        /// The paths of its files.
        package let files: [String]
    }

    /// The parked partials, in the order of their digests.
    public var parked: [Parked] {
        let parked = parts.ingests.withLock { Array($0.parked.values) }
        return parked.map { partial in
            Parked(
                expected: partial.expected, present: partial.present.count,
                files: [parts.layout.partial(partial.id), parts.layout.partialMap(partial.id)])
        }.sorted { $0.expected < $1.expected }
    }

    /// Drops a parked partial.
    public func dropParked(_ expected: Digest) async {
        let parts = parts
        guard let parked = parts.ingests.withLock({ $0.parked.removeValue(forKey: expected) }) else { return }
        try? await parts.pool.run { parts.discardPartial(parked.id, reserved: parked.reserved) }
    }
}
