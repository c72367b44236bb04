import Content

/// Makes folded blobs whole again: rebuilt into a file, checked, synced, moved into place, then the recipe is
/// dropped.
struct Unfolder: Sendable {
    let parts: StoreParts
    let thread: BlockingPool

    /// - Returns: false when the blob is not folded, or `shouldStop` said so.
    /// - Throws: `StoreError.noSpace`, `.damaged`, what disk or index report. The blob is folded then.
    func unfold(_ digest: Digest, shouldStop: @escaping @Sendable () -> Bool) async throws -> Bool {
        let parts = parts
        let found = try await thread.run { () -> (BlobRow, PackRecipeReader)? in
            try parts.readers.readHere { connection in
                guard let row = try connection.blob(digest), row.place == .recipe,
                    let reader = try parts.recipeReader(for: row, with: connection)
                else { return nil }
                return (row, reader)
            }
        }
        guard let (row, reader) = found else { return false }
        let id = try parts.ingests.withLock { registry throws(StoreError) in try registry.takeID() }
        try await parts.space.reserve(row.size)
        let file: OpenFile
        do {
            guard let written = try await thread.run({ try write(reader, to: id, shouldStop) }) else {
                await discardUnlessMoved(id, row.size)
                return false
            }
            file = written
        } catch {
            // Nothing was moved: even if there is no file yet, what was reserved comes back.
            await Thread.run { parts.discardPartial(id, reserved: row.size) }
            throw error
        }
        do {
            if try await commit(row, id, file) { return true }
            await discardUnlessMoved(id, row.size)
            return false
        } catch {
            await discardUnlessMoved(id, row.size)
            throw error
        }
    }

    /// Blocks. Nil when stopped.
    private func write(_ reader: PackRecipeReader, to id: Int64, _ shouldStop: () -> Bool) throws -> OpenFile?
    {
        let file = try storing { () throws(FileError) in
            try parts.files.open(parts.layout.partial(id), .createNew)
        }
        var hasher = DigestHasher(reader.recipe.blob.algorithm)
        var offset: Int64 = 0
        while offset < reader.size {
            if shouldStop() { return nil }
            let bytes = try reader.readHere(offset..<min(offset + (1 << 20), reader.size))
            hasher.update(bytes)
            let at = offset
            try bytes.withUnsafeBytes { raw in
                try storing { () throws(FileError) in try parts.files.write(raw, to: file, at: at) }
            }
            offset += Int64(bytes.count)
        }
        guard hasher.finalize() == reader.recipe.blob else {
            throw StoreError.damaged(reader.recipe.blob, what: "its recipe rebuilds something else")
        }
        try storing { () throws(FileError) in try parts.files.synchronize(file) }
        return file
    }

    private func commit(_ row: BlobRow, _ id: Int64, _ file: OpenFile) async throws -> Bool {
        let parts = parts
        let isFolded: @Sendable (WriteStage) throws -> Bool = { stage in
            let now = try stage.connection.blob(row.digest)
            return now?.id == row.id && now?.place == .recipe
        }
        return try await parts.writer.perform(
            prepare: { stage in
                guard try isFolded(stage) else { return false }
                try stage.moveIntoPlace(stage.layout.partial(id), as: row.digest, size: row.size)
                return true
            },
            apply: { stage, moved in
                guard moved else { return false }
                // Removed by an operation of this very group: the moved file is looked at again and goes.
                guard try isFolded(stage) else { throw IndexWriter.StartOver() }
                try stage.connection.setPlace(.file, ofBlob: row.id)
                try stage.connection.deleteRecipe(blob: row.id)
                return true
            },
            visible: { unfolded in
                guard unfolded else { return }
                parts.openBlobs.note(row.digest, file)
                let object = StoredObject(digest: row.digest, size: row.size, body: .file(file))
                parts.cache.committed(object, [])
                parts.events.send(.unfolded(row.digest, size: row.size))
            })
    }

    /// Takes back what was reserved, unless the file was moved: then the writer's group does.
    private func discardUnlessMoved(_ id: Int64, _ size: Int64) async {
        let parts = parts
        await Thread.run {
            if case .some(.some) = try? parts.files.size(at: parts.layout.partial(id)) {
                parts.discardPartial(id, reserved: size)
            }
        }
    }
}
