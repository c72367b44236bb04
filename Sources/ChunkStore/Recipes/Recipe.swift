import Content

/// How a recipe names one chunk.
package enum ChunkName: Hashable, Sendable {
    /// The chunk's row in this store's own index: what recipes at rest use, because consecutive chunks have
    /// consecutive numbers and so cost a byte each.
    case number(Int64)
    /// The hash of its bytes: what travels between nodes.
    case id(ChunkID)
}

/// A chunk as a recipe uses it.
package struct ChunkReference: Hashable, Sendable {
    package var name: ChunkName
    /// Bytes, `1...Recipe.maximumChunkLength`.
    package var length: Int

    package init(name: ChunkName, length: Int) {
        self.name = name
        self.length = length
    }
}

/// The ordered list of segments from which a blob is rebuilt byte for byte.
///
/// A recipe is a value: what it promises (the lengths add up to `size`, every chunk and every zip entry is
/// used exactly once and in order) is checked when it is made, so readers need not check again. Whether the
/// rebuilt bytes have the right digest only a trial rebuild can tell.
package struct Recipe: Hashable, Sendable {
    /// The longest chunk, in bytes: what a reader must hold in memory to verify one.
    package static let maximumChunkLength = 1 << 20
    /// The largest blob, in bytes.
    package static let maximumSize: Int64 = 1 << 48

    /// One run of the blob.
    package enum Segment: Hashable, Sendable {
        /// Bytes that stand in the recipe itself.
        case stored([UInt8])
        /// The next `count` chunks.
        case chunks(count: Int)
        /// The next `count` zip entries: local header, data, descriptor.
        case zipEntries(count: Int)
        /// The central directory of all zip entries with its end record.
        case zipDirectory
    }

    package let blob: Digest
    /// Bytes of the blob.
    package let size: Int64
    /// In the order in which the segments use them.
    package let chunks: [ChunkReference]
    package let entries: [ZipEntryHeader]
    package let segments: [Segment]

    /// - Throws: `RecipeError.malformed` when the parts do not add up to `size`.
    package init(
        blob: Digest, size: Int64, chunks: [ChunkReference], entries: [ZipEntryHeader], segments: [Segment]
    ) throws(RecipeError) {
        self.blob = blob
        self.size = size
        self.chunks = chunks
        self.entries = entries
        self.segments = segments
        let layout = try RecipeLayout(chunks: chunks, entries: entries, segments: segments)
        guard layout.size == size else {
            throw .malformed("its segments make \(layout.size) bytes, the blob has \(size)")
        }
    }
}
