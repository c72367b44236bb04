import Content

extension ChunkStore {
    /// The reference and, when it too is in memory, what it points at; never blocks, so that it may be called
    /// on an event loop. Counts as a use of both.
    public func hotReference(_ name: ReferenceName) -> (Reference, StoredObject?)? {
        parts.cache.reference(name)
    }

    /// The reference of that name, nil when there is none.
    public func reference(_ name: ReferenceName) async throws -> Reference? {
        if let (hot, _) = parts.cache.reference(name) { return hot }
        let version = parts.cache.version(of: name)
        guard let found = try await parts.readers.read({ try $0.reference(name) }) else { return nil }
        parts.cache.fill(found, version: version)
        parts.cache.touch(name)
        flushManyTouches()
        return found
    }

    /// All references whose name starts with `prefix`, in the order of the names' bytes. Commits first what
    /// was put without sync.
    public func references(prefix: String) async throws -> [Reference] {
        if parts.promises.isPending { try await parts.writer.transaction { _ in } }
        return try await parts.readers.read { try $0.references(prefix: prefix) }
    }

    /// References whose name starts with `prefix`, in the order of the names' bytes: the first one, then each
    /// time the first whose name is at or behind what `next` says, until there is none or `next` says nil. So
    /// that a few of very many can be picked without reading all. `next` runs on a thread of the store.
    public func references(
        prefix: String, next: @escaping @Sendable (Reference) -> String?
    ) async throws -> [Reference] {
        if parts.promises.isPending { try await parts.writer.transaction { _ in } }
        return try await parts.readers.read { connection in
            var found: [Reference] = []
            var from: String? = prefix
            while let start = from,
                let reference = try connection.firstReference(from: start),
                reference.name.text.utf8.starts(with: prefix.utf8)
            {
                found.append(reference)
                from = next(reference)
            }
            return found
        }
    }

    /// Points a name at a held blob, replacing what it pointed at; `reference.size` is taken from the blob.
    /// - Parameter sync: false = committed with others within `Configuration.groupCommitDelay`; for changes
    ///   that may be lost, such as a new time of validation.
    /// - Throws: `StoreError.unknownDigest` when the blob is not held; the old reference stands then.
    public func setReference(_ reference: Reference, sync: Bool = true) async throws {
        let parts = parts
        let apply: @Sendable (WriteStage) throws -> Reference = { stage in
            guard let row = try stage.connection.blob(reference.digest) else {
                throw StoreError.unknownDigest(reference.digest)
            }
            try stage.connection.setReference(reference, blob: row.id, now: stage.now)
            return reference.pointing(at: row.digest, size: row.size)
        }
        let visible: @Sendable (Reference) -> Void = {
            parts.cache.committed(nil, [$0])
            parts.events.named([$0])
        }
        if sync {
            _ = try await parts.writer.transaction(apply, visible: visible)
            return
        }
        parts.writer.enqueue(
            cost: 0, delay: parts.configuration.groupCommitDelay, prepare: { _ in },
            apply: { stage, _ in try apply(stage) }, visible: visible,
            finish: { result in
                if case .failure(let error) = result {
                    parts.logger.warning(
                        "a reference was not stored",
                        metadata: ["name": "\(reference.name)", "reason": "\(error)"])
                }
            })
    }

    /// Drops a name; the blob stays until it is evicted.
    /// - Returns: false when there was no such name.
    @discardableResult
    public func removeReference(_ name: ReferenceName) async throws -> Bool {
        let parts = parts
        return try await parts.writer.transaction {
            try $0.connection.removeReference(name)
        } visible: { _ in
            parts.cache.removed(nil, [name])
            parts.events.unnamed([name])
        }
    }

    /// Counts a use of a name or a blob that was served from elsewhere than this store's hot lookups. Memory only;
    /// written to the index together with others.
    public func touch(_ name: ReferenceName) { parts.cache.touch(name) }
    public func touch(_ digest: Digest) { parts.cache.touch(digest) }

    /// Writes the uses counted in memory to the index, for those who decide by them.
    package func flushTouches() async { _ = await parts.flushTouches() }

    /// Keeps what is counted in memory bounded when nobody calls `flushTouches`.
    func flushManyTouches() {
        guard parts.cache.touchCount >= HotCache.Touches.limit else { return }
        let (touches, logger) = (parts.cache.takeTouches(), parts.logger)
        parts.writer.enqueue(
            cost: 0, delay: .seconds(1), prepare: { _ in },
            apply: { stage, _ in try touches.write(to: stage.connection) }, visible: { _ in },
            finish: { result in
                guard case .failure(let error) = result else { return }
                logger.warning("uses were not recorded", metadata: ["reason": "\(error)"])
            })
    }

    /// Protects every reference whose name matches the glob, and what it points at, from eviction.
    public func pin(_ pattern: String) async throws {
        try await parts.writer.transaction {
            try $0.connection.run(
                "INSERT OR IGNORE INTO pins(pattern, made) VALUES (?, ?)", .text(pattern), .integer($0.now))
        }
    }

    /// What pinned names keep besides what they point at; nothing until this is called.
    public func setPinReach(_ reach: @escaping PinReach) { parts.pinReach.withLock { $0 = reach } }

    /// - Returns: false when there was no such pin.
    @discardableResult
    public func unpin(_ pattern: String) async throws -> Bool {
        try await parts.writer.transaction {
            try $0.connection.run("DELETE FROM pins WHERE pattern = ?", .text(pattern))
            return $0.connection.changedRows > 0
        }
    }

    /// Whether a pin protects this name.
    public func isPinned(_ name: ReferenceName) async throws -> Bool {
        try await pins().contains { NamePattern($0).matches(name.text) }
    }

    /// The patterns pinned, in order.
    public func pins() async throws -> [String] {
        try await parts.readers.read { connection in
            try connection.all("SELECT pattern FROM pins ORDER BY pattern") { $0.text(0) ?? "" }
        }
    }
}

extension StoreParts {
    /// Writes the uses counted in memory to the index.
    /// - Returns: the hits of each blob.
    func flushTouches() async -> [Digest: Int64] {
        let touches = cache.takeTouches()
        guard touches.count > 0 else { return [:] }
        do {
            try await writer.transaction { try touches.write(to: $0.connection) }
        } catch {
            logger.warning("uses were not recorded", metadata: ["reason": "\(error)"])
        }
        return touches.blobs.mapValues(\.hits)
    }
}
