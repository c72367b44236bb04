import Content
import Synchronization

/// Rebuilds a folded blob from packs, as far as it is asked to.
///
/// Holds the packs' files open, so that it goes on reading after the blob was evicted or its packs were
/// rewritten. Every chunk is hashed each time it is read from disk; one part is kept, since readers ask for
/// neighbouring ranges.
final class PackRecipeReader: RecipeReader {
    private struct Place {
        let number: Int64
        let id: ChunkID
        let record: RecordPlace
        let file: OpenFile
    }

    let recipe: Recipe
    private let layout: RecipeLayout
    private let places: [Place]
    private let parts: StoreParts
    private let latest = Mutex<(part: Int, bytes: [UInt8])?>(nil)

    var size: Int64 { recipe.size }

    /// Looks the chunks up and opens their packs. Blocks.
    /// - Throws: `StoreError.damaged` when a chunk or a pack is missing.
    init(_ recipe: Recipe, with connection: Connection, _ parts: StoreParts) throws {
        self.recipe = recipe
        self.parts = parts
        layout = try RecipeLayout(chunks: recipe.chunks, entries: recipe.entries, segments: recipe.segments)
        places = try Self.places(of: recipe, with: connection, parts)
    }

    func read(_ range: Range<Int64>) async throws -> [UInt8] {
        try await parts.pool.run { try self.readHere(range) }
    }

    /// As `read`, on the calling thread, which must be one that may block.
    func readHere(_ range: Range<Int64>) throws -> [UInt8] {
        precondition(range.lowerBound >= 0 && range.upperBound <= size, "\(range) is outside the blob")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        guard !range.isEmpty else { return bytes }
        var part = layout.part(at: range.lowerBound)
        while part < layout.parts.count, layout.offsets[part] < range.upperBound {
            let whole = layout.range(ofPart: part)
            let wanted = whole.clamped(to: range)
            let from = Int(wanted.lowerBound - whole.lowerBound)
            bytes += try self.bytes(ofPart: part)[from..<from + wanted.count]
            part += 1
        }
        return bytes
    }

    /// The digest of the rebuilt blob; `false` from `pace`, which is told the bytes read, stops with nil.
    func digest(pace: (Int) -> Bool) throws -> Digest? {
        var hasher = DigestHasher(recipe.blob.algorithm)
        for part in layout.parts.indices {
            let bytes = try bytes(ofPart: part)
            hasher.update(bytes)
            guard pace(bytes.count) else { return nil }
        }
        return hasher.finalize()
    }

    /// The recipe as it travels: every chunk by the hash of its bytes.
    func travelling() throws(RecipeError) -> Recipe {
        try Recipe(
            blob: recipe.blob, size: recipe.size,
            chunks: zip(recipe.chunks, places).map { ChunkReference(name: .id($1.id), length: $0.length) },
            entries: recipe.entries, segments: recipe.segments)
    }

    private func bytes(ofPart index: Int) throws -> [UInt8] {
        if let bytes = latest.withLock({ $0?.part == index ? $0?.bytes : nil }) { return bytes }
        let bytes: [UInt8]
        if case .chunk(let chunk) = layout.parts[index] {
            bytes = try self.chunk(chunk)
        } else {
            bytes = recipe.bytes(of: layout.parts[index], layout)
        }
        guard bytes.count == layout.range(ofPart: index).count else {
            throw damaged("a part of its recipe has \(bytes.count) bytes")
        }
        latest.withLock { $0 = (index, bytes) }
        return bytes
    }

    private func chunk(_ index: Int) throws -> [UInt8] {
        let place = places[index]
        let record = try parts.packFiles.bytes(place.record, of: place.file)
        guard let (digest, bytes) = PackRecord.decode(record), digest.bytes == place.id.bytes else {
            parts.recipes.opener?.chunkIsDamaged(place.number)
            throw damaged("chunk \(place.id) in pack \(place.record.pack) does not verify")
        }
        return bytes
    }

    private func damaged(_ what: String) -> StoreError { .damaged(recipe.blob, what: what) }

    private static func places(
        of recipe: Recipe, with connection: Connection, _ parts: StoreParts
    ) throws -> [Place] {
        // A pack may be rewritten between the lookup of a chunk and the opening of its pack: look again then.
        for _ in 0..<8 {
            if let places = try placesOnce(of: recipe, with: connection, parts) { return places }
        }
        throw StoreError.damaged(recipe.blob, what: "a pack of its chunks is missing")
    }

    private static func placesOnce(
        of recipe: Recipe, with connection: Connection, _ parts: StoreParts
    ) throws -> [Place]? {
        var files: [Int64: OpenFile] = [:]
        var places: [Place] = []
        places.reserveCapacity(recipe.chunks.count)
        for chunk in recipe.chunks {
            guard case .number(let number) = chunk.name, let row = try connection.chunk(number: number) else {
                throw StoreError.damaged(recipe.blob, what: "a chunk of its recipe is not held")
            }
            let file: OpenFile
            if let open = files[row.record.pack] {
                file = open
            } else {
                do { file = try parts.packFiles.file(row.record.pack) } catch {
                    if error.isNotFound { return nil }
                    throw StoreError(error)
                }
                files[row.record.pack] = file
            }
            places.append(Place(number: number, id: row.id, record: row.record, file: file))
        }
        return places
    }
}

extension StoreParts {
    /// Reads and checks the recipe of a folded blob. Blocks.
    /// - Returns: nil when the blob is not folded any more.
    /// - Throws: `StoreError.damaged` when the recipe cannot be used.
    func recipeReader(for blob: BlobRow, with connection: Connection) throws -> PackRecipeReader? {
        for _ in 0..<8 {
            guard let place = try connection.recipeRecord(blob: blob.id) else { return nil }
            // A rewritten pack may be gone before it is opened: look again.
            guard let record = try packFiles.bytesIfThere(place) else { continue }
            guard let (_, bytes) = PackRecord.decode(record) else {
                throw StoreError.damaged(blob.digest, what: "its recipe does not verify")
            }
            let recipe: Recipe
            do { recipe = try Recipe(decoding: bytes) } catch {
                throw StoreError.damaged(blob.digest, what: "\(error)")
            }
            guard recipe.blob == blob.digest, recipe.size == blob.size else {
                throw StoreError.damaged(blob.digest, what: "its recipe is another blob's")
            }
            return try PackRecipeReader(recipe, with: connection, self)
        }
        throw StoreError.damaged(blob.digest, what: "the pack of its recipe is missing")
    }
}
