import Content

extension StoreParts {
    /// What looking for an object came to.
    enum Lookup: Sendable {
        case held(StoredObject)
        case absent
        /// It moved between the index and the disk: look again.
        case moved
        case damaged(String)
    }

    /// Finds and opens an object. Blocks.
    func load(_ digest: Digest, with connection: Connection) throws -> Lookup {
        guard let row = try connection.blob(digest) else { return .absent }
        switch row.place {
        case .file: return try loadFile(row, with: connection)
        case .record: return try loadRecord(row, with: connection)
        case .recipe: return try loadRecipe(row, with: connection)
        }
    }

    private func loadRecipe(_ row: BlobRow, with connection: Connection) throws -> Lookup {
        var what = "its recipe cannot be read"
        do {
            if let reader = try recipes.opener?.open(row, with: connection) {
                return .held(StoredObject(digest: row.digest, size: row.size, body: .recipe(reader)))
            }
        } catch StoreError.damaged(_, let reason) {
            what = reason
        }
        // Removed or made whole meanwhile: that is no damage.
        return try connection.blob(row.digest) == row ? .damaged(what) : .moved
    }

    private func loadFile(_ row: BlobRow, with connection: Connection) throws -> Lookup {
        guard let file = try openIfThere(layout.blob(row.digest)) else {
            return try connection.blob(row.digest) == row ? .damaged("the file is missing") : .moved
        }
        let size = try files.size(of: file)
        guard size == row.size else {
            return .damaged("the file has \(size) bytes instead of \(row.size)")
        }
        openBlobs.note(row.digest, file)
        return .held(StoredObject(digest: row.digest, size: size, body: .file(file)))
    }

    private func openIfThere(_ path: String) throws(StoreError) -> OpenFile? {
        do {
            return try files.open(path, .read)
        } catch {
            if error.isNotFound { return nil }
            throw StoreError(error)
        }
    }

    private func loadRecord(_ row: BlobRow, with connection: Connection) throws -> Lookup {
        guard let id = row.record, let place = try connection.record(id) else { return .moved }
        let record = try packFiles.bytesIfThere(place)
        if let record, let found = PackRecord.decode(record), found.digest == row.digest {
            let body = StoredObject.Body.bytes(found.bytes)
            return .held(StoredObject(digest: row.digest, size: Int64(found.bytes.count), body: body))
        }
        // A rewritten pack may have gone meanwhile; its number is never used again.
        guard try connection.record(id) == place else { return .moved }
        return .damaged(
            record == nil
                ? "pack \(place.pack) is missing" : "its record in pack \(place.pack) does not verify")
    }

    /// As `ChunkStore.remove`.
    @discardableResult
    func remove(_ digest: Digest, because reason: String) async throws -> Bool {
        return try await writer.transaction { stage -> (size: Int64, names: [ReferenceName])? in
            guard let row = try stage.connection.blob(digest) else { return nil }
            let names = try stage.connection.references(ofBlob: row.id).map(\.name)
            try stage.connection.deleteBlob(id: row.id)
            if row.place == .file { stage.dropFile(of: digest, size: row.size) }
            return (row.size, names)
        } visible: { removed in
            guard let removed else { return }
            self.cache.removed(digest, removed.names)
            self.events.unnamed(removed.names)
            self.events.send(.removed(digest, size: removed.size, because: reason))
        } != nil
    }

    /// Stores a small object durably.
    func putRecord(
        _ bytes: [UInt8], digest: Digest, references: [Reference]
    ) async throws -> StoredObject {
        let put = try await preparePut(bytes, digest: digest, references: references)
        return try await perform(put)
    }

    private func perform(_ put: SmallPut) async throws -> StoredObject {
        try await writer.perform(
            cost: put.record.count, prepare: { try put.prepare($0) }, apply: { try put.apply($0, $1) },
            visible: { put.visible($0) })
    }

    /// Stores a small object soon; it is visible when this returns.
    func putRecordLater(_ bytes: [UInt8], digest: Digest, references: [Reference]) async throws {
        let put = try await preparePut(bytes, digest: digest, references: references)
        guard promises.take(put.record.count) else {
            _ = try await perform(put)
            return
        }
        cache.promise(put.object, references)
        submitLater(put)
    }

    private func submitLater(_ put: SmallPut) {
        writer.enqueue(
            cost: put.record.count, delay: configuration.groupCommitDelay,
            prepare: { try put.prepare($0) }, apply: { try put.apply($0, $1) },
            visible: { put.visible($0) }, finish: { self.settle(put, $0) })
    }

    private func settle(_ put: SmallPut, _ result: Result<StoredObject, any Error>) {
        var failure: (any Error)?
        if case .failure(let error) = result { failure = error }
        if failure is IndexWriter.StartOver { return submitLater(put) }
        promises.give(put.record.count)
        cache.settle(put.object.digest, put.references.map(\.name))
        if let failure {
            logger.warning("a small object was not stored", metadata: ["reason": "\(failure)"])
        }
    }

    private func preparePut(
        _ bytes: [UInt8], digest: Digest, references: [Reference]
    ) async throws -> SmallPut {
        // What fits an ingest's memory is packed in less time than changing the thread takes.
        let record =
            bytes.count <= Ingest.inMemoryLimit
            ? PackRecord.encode(bytes, digest: digest)
            : try await pool.run { PackRecord.encode(bytes, digest: digest) }
        // Only asks whether there is room; the pack's growth is counted when it is committed.
        try await space.reserve(Int64(record.count))
        space.add(-Int64(record.count))
        return SmallPut(
            object: StoredObject(digest: digest, size: Int64(bytes.count), body: .bytes(bytes)),
            record: record, references: references, parts: self)
    }
}

/// One small object on its way into a pack.
struct SmallPut: Sendable {
    let object: StoredObject
    let record: [UInt8]
    let references: [Reference]
    let parts: StoreParts

    /// - Returns: where the record was appended, nil when the object is held already.
    func prepare(_ stage: WriteStage) throws -> RecordPlace? {
        if try stage.connection.blob(object.digest) != nil { return nil }
        return try stage.append(record)
    }

    func apply(_ stage: WriteStage, _ place: RecordPlace?) throws -> StoredObject {
        let row = try stage.connection.blob(object.digest)
        let blob: Int64
        if let row {
            blob = row.id
        } else if let place {
            blob = try stage.connection.insertBlob(
                object.digest, size: object.size, place: .record,
                record: try stage.connection.insertRecord(place), now: stage.now)
        } else {
            throw IndexWriter.StartOver()
        }
        for reference in references {
            try stage.connection.setReference(reference, blob: blob, now: stage.now)
        }
        return object
    }

    func visible(_ object: StoredObject) {
        parts.cache.committed(object, references)
        parts.events.named(references)
    }
}
