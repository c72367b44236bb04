import Content

extension Ingest {
    /// Waits until everything is written and hashed and checks length and digest. Nothing is visible yet.
    /// - Returns: the blob's digest and size.
    /// - Throws: `StoreError.incomplete` when bytes or the size are lacking (the ingest goes on);
    ///   `.digestMismatch` (the ingest has failed and nothing of it stays on disk); the ingest's failure.
    public func seal() async throws -> (Digest, Int64) {
        await writing.drained()
        await hashing.drained()
        let (size, done) = try state.withLock { state -> (Int64, (Digest, Int64)?) in
            if let failure = state.failure { throw failure }
            if case .sealed(let digest, let size) = state.phase { return (size, (digest, size)) }
            guard state.phase == .open else { throw StoreError.released }
            if state.isFull { throw StoreError.noSpace }
            guard let size = state.size, state.present.contains(0..<size), state.hashed == size else {
                throw StoreError.incomplete(present: state.present.count, size: state.size)
            }
            return (size, nil)
        }
        if let done { return done }
        let digest = currentDigest()
        if let expected, expected != digest {
            let error = StoreError.digestMismatch(expected: expected, found: digest)
            fail(error)
            throw error
        }
        state.withLock { $0.phase = .sealed(digest, size) }
        return (digest, size)
    }

    /// Makes the sealed blob durable and visible, with references to it; their digest and size are the blob's.
    ///
    /// - Parameter staysWhole: the bytes are not to be trusted with their own structure, so that they are never cut
    ///   into chunks (an archive that different readers read differently).
    ///
    /// The order is: bytes synced, renamed, directory synced, index rows committed, then visible.
    /// - Throws: `StoreError.released` unless sealed. After any other error nothing was published, nothing
    ///   stays on disk, and readers of the ingest keep its bytes.
    public func publish(
        _ references: [Reference] = [], staysWhole: Bool = false
    ) async throws -> StoredObject {
        let (digest, size, reserved) = try state.withLock { state -> (Digest, Int64, Int64) in
            if let failure = state.failure { throw failure }
            guard case .sealed(let digest, let size) = state.phase else { throw StoreError.released }
            state.phase = .released
            return (digest, size, state.reserved)
        }
        let references = references.map { $0.pointing(at: digest, size: size) }
        do {
            let object: StoredObject
            if size <= Int64(parts.configuration.smallObjectLimit) {
                object = try await publishSmall(digest, size: size, reserved: reserved, references)
            } else {
                object = try await publishFile(
                    digest, size: size, reserved: reserved, staysWhole: staysWhole, references)
            }
            parts.forget(self)
            return object
        } catch {
            await discard(reserved)
            throw error
        }
    }

    private func publishSmall(
        _ digest: Digest, size: Int64, reserved: Int64, _ references: [Reference]
    ) async throws -> StoredObject {
        let bytes = try await read(0..<size)
        let object = try await parts.putRecord(bytes, digest: digest, references: references)
        await discard(reserved)
        return object
    }

    private func publishFile(
        _ digest: Digest, size: Int64, reserved: Int64, staysWhole: Bool, _ references: [Reference]
    ) async throws -> StoredObject {
        let (parts, file, id) = (parts, file, id)
        await keeping.drained()
        let hasMap = state.withLock { $0.hasMap }
        try await parts.pool.run { try storing { () throws(FileError) in try parts.files.synchronize(file) } }
        parts.openBlobs.note(digest, file)
        let object = StoredObject(digest: digest, size: size, body: .file(file))
        return try await parts.writer.perform(
            prepare: { stage -> Bool in
                if try stage.connection.blob(digest) != nil { return true }
                try stage.moveIntoPlace(stage.layout.partial(id), as: digest, size: size)
                return false
            },
            apply: { stage, wasHeld in
                let row = try stage.connection.blob(digest)
                if wasHeld {
                    // Removed by an operation of this very group: start over, now with a file to move.
                    guard row != nil else { throw IndexWriter.StartOver() }
                    stage.unlinkAfterCommit(stage.layout.partial(id), size: reserved)
                } else if let row {
                    // Published by another ingest of this group: its file was replaced by this equal one.
                    stage.spaceFreed(row.place == .file ? size : 0)
                    if row.place != .file { stage.dropFile(of: digest, size: size) }
                }
                let blob =
                    try row?.id
                    ?? stage.connection.insertBlob(
                        digest, size: size, place: .file, record: nil, now: stage.now)
                if staysWhole { try stage.connection.keepWhole(blob: blob) }
                for reference in references {
                    try stage.connection.setReference(reference, blob: blob, now: stage.now)
                }
                if hasMap { stage.unlinkAfterCommit(stage.layout.partialMap(id), size: 0) }
                return object
            },
            visible: { object in
                parts.cache.committed(object, references)
                parts.events.send(.published(digest, size: size))
                parts.events.named(references)
            })
    }

    /// Keeps a digest-named partial of at least `smallestKept` bytes on disk, where
    /// `ChunkStore.parkedIngest` finds it, and lets this ingest go. Any other is abandoned.
    public func park() async {
        guard let (present, size, reserved) = release(StoreError.released) else { return }
        await writing.drained()
        await hashing.drained()
        guard !isInMemory, let expected, present.count >= Self.smallestKept, await save(present, size: size)
        else {
            return await discard(reserved)
        }
        parts.park(
            ParkedPartial(id: id, expected: expected, size: size, present: present, reserved: reserved))
        parts.forget(self)
    }

    /// Drops the ingest and its bytes; readers that wait get `StoreError.released`.
    public func abandon() async {
        guard let (_, _, reserved) = release(StoreError.released) else { return }
        await discard(reserved)
    }

    /// Fails the ingest: every reader, now and later, gets `error`; nothing stays on disk.
    public func fail(_ error: any Error) {
        guard let (_, _, reserved) = release(error) else { return }
        writing.submit { self.keeping.submit { self.drop(reserved) } }
        parts.forget(self)
    }

    private func release(_ error: any Error) -> (PresenceMap, Int64?, Int64)? {
        let released = state.withLock { state -> Released? in
            guard state.phase != .released else { return nil }
            state.phase = .released
            state.failure = error
            return Released(
                present: state.present, size: state.size, reserved: state.reserved, ready: state.takeReady(),
                hashers: state.takeHashWaiters())
        }
        guard let released else { return nil }
        Self.resume(released.ready)
        for continuation in released.hashers { continuation.resume() }
        return (released.present, released.size, released.reserved)
    }

    private struct Released {
        let present: PresenceMap
        let size: Int64?
        let reserved: Int64
        let ready: [(IngestState.Waiter, Result<Range<Int64>, any Error>)]
        let hashers: [CheckedContinuation<Void, Never>]
    }

    /// Takes the partial off the disk after what is still being written.
    private func discard(_ reserved: Int64) async {
        await writing.drained()
        keeping.submit { self.drop(reserved) }
        await keeping.drained()
        parts.forget(self)
    }

    private func drop(_ reserved: Int64) {
        if isInMemory {
            parts.space.add(-reserved)
        } else {
            parts.discardPartial(id, reserved: reserved)
        }
    }
}

extension Reference {
    func pointing(at digest: Digest, size: Int64) -> Reference {
        var reference = self
        reference.digest = digest
        reference.size = size
        return reference
    }
}
