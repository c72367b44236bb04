import Content

/// What is asked of the store on other nodes' behalf.
extension ChunkStore {
    /// Every name that points at a blob, in order; none when it is not held.
    package func references(to digest: Digest) async throws -> [Reference] {
        if parts.promises.isPending { try await parts.writer.transaction { _ in } }
        return try await parts.readers.read { connection in
            guard let row = try connection.blob(digest) else { return [] }
            return try connection.references(ofBlob: row.id)
        }
    }

    /// At most `limit` references whose name starts with `prefix` and comes after `name`, in the order of the names'
    /// bytes: a walk over many that never holds the index. Counts as no use.
    package func references(prefix: String, after name: String, limit: Int) async throws -> [Reference] {
        if parts.promises.isPending { try await parts.writer.transaction { _ in } }
        return try await parts.readers.read { try $0.references(prefix: prefix, after: name, limit: limit) }
    }

    /// How a held blob is put together, its chunks named by their hashes; a blob that stands whole is cut for it,
    /// which reads all of it.
    /// - Returns: nil when it is not held, or is of a kind that is not cut.
    /// - Throws: what disk or index report.
    package func travellingRecipe(of digest: Digest) async throws -> Recipe? {
        guard let object = try await object(digest) else { return nil }
        if case .recipe(let reader) = object.body { return try (reader as? PackRecipeReader)?.travelling() }
        guard case .file(let file) = object.body, try await holding(digest)?.staysWhole == false else {
            return nil
        }
        let source = FileBlobSource(digest: digest, size: object.size, file: file, files: parts.files)
        return try await parts.pool.run {
            do {
                let plan = try Chunkers.plan(source)
                let names = try plan.cuts.map { ChunkName.id(ChunkID(of: try source.read($0))) }
                return try plan.recipe(blob: digest, names: names)
            } catch is ChunkingRefusal {
                return nil
            }
        }
    }
}

extension Recipe {
    /// Where the blob has each of its chunks, for a recipe whose chunks are named by their hashes.
    package func places() throws(RecipeError) -> [ChunkID: Range<Int64>] {
        let layout = try RecipeLayout(chunks: chunks, entries: entries, segments: segments)
        var places: [ChunkID: Range<Int64>] = [:]
        for (index, part) in layout.parts.enumerated() {
            guard case .chunk(let number) = part, case .id(let id) = chunks[number].name else { continue }
            places[id] = layout.range(ofPart: index)
        }
        return places
    }
}
