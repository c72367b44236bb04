import Content

/// How a blob is to be cut: a recipe whose chunks are still ranges of the blob itself.
package struct ChunkPlan: Sendable {
    package var format: BlobFormat
    package var size: Int64
    /// The chunks in the blob's order, each of at most `Recipe.maximumChunkLength` bytes.
    package var cuts: [Range<Int64>]
    package var entries: [ZipEntryHeader]
    package var segments: [Recipe.Segment]

    /// The recipe, once each cut has a name.
    ///
    /// - Precondition: there is one name per cut.
    package func recipe(blob: Digest, names: [ChunkName]) throws(RecipeError) -> Recipe {
        precondition(names.count == cuts.count, "one name for each cut")
        let chunks = zip(names, cuts).map { ChunkReference(name: $0, length: $1.count) }
        return try Recipe(blob: blob, size: size, chunks: chunks, entries: entries, segments: segments)
    }
}

/// Why a blob is not cut; it then simply stays whole.
package enum ChunkingRefusal: Error, Equatable, CustomStringConvertible {
    /// Compressed bytes, or nothing to cut.
    case notWorthwhile(BlobFormat)
    /// The bytes claim a format that they do not keep to.
    case odd(String)
    /// The work was asked to stop.
    case stopped

    /// Of a blob that was published to stay whole.
    static let told = ChunkingRefusal.odd("its structure is not to be trusted")

    package var description: String {
        switch self {
        case .notWorthwhile(let format): "\(format) bytes are not worth cutting"
        case .odd(let what): "not cut: \(what)"
        case .stopped: "stopped before it was done"
        }
    }
}

/// Cuts blobs of one format.
package protocol Chunker: Sendable {
    /// - Parameter shouldStop: asked between reads; true ends the work with `ChunkingRefusal.stopped`.
    /// - Throws: `ChunkingRefusal`, or what `source` throws.
    func plan(_ source: some BlobSource, shouldStop: () -> Bool) throws -> ChunkPlan
}

/// The chunkers by format.
package enum Chunkers {
    /// The chunker for `format`, nil where cutting finds nothing.
    package static func chunker(for format: BlobFormat) -> (any Chunker)? {
        switch format {
        case .zip: ZipChunker()
        case .plain: ContentChunker()
        case .compressed: nil
        }
    }

    /// Detects the format and plans.
    ///
    /// - Throws: `ChunkingRefusal`, or what `source` throws.
    package static func plan(
        _ source: some BlobSource, shouldStop: () -> Bool = { false }
    ) throws -> ChunkPlan {
        let head = try source.read(0..<min(source.size, Int64(BlobFormat.probeLength)))
        let format = BlobFormat(head: head)
        guard let chunker = chunker(for: format) else { throw ChunkingRefusal.notWorthwhile(format) }
        return try chunker.plan(source, shouldStop: shouldStop)
    }
}

/// Builds a plan front to back.
struct ChunkPlanBuilder {
    private(set) var cuts: [Range<Int64>] = []
    private(set) var entries: [ZipEntryHeader] = []
    private(set) var segments: [Recipe.Segment] = []

    mutating func store(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        if case .stored(let before)? = segments.last {
            segments[segments.count - 1] = .stored(before + bytes)
        } else {
            segments.append(.stored(bytes))
        }
    }

    mutating func cut(_ ranges: [Range<Int64>]) {
        guard !ranges.isEmpty else { return }
        cuts.append(contentsOf: ranges)
        if case .chunks(let before)? = segments.last {
            segments[segments.count - 1] = .chunks(count: before + ranges.count)
        } else {
            segments.append(.chunks(count: ranges.count))
        }
    }

    mutating func entry(_ entry: ZipEntryHeader, cuts ranges: [Range<Int64>]) {
        cuts.append(contentsOf: ranges)
        entries.append(entry)
        if case .zipEntries(let before)? = segments.last {
            segments[segments.count - 1] = .zipEntries(count: before + 1)
        } else {
            segments.append(.zipEntries(count: 1))
        }
    }

    mutating func directory() { segments.append(.zipDirectory) }

    func plan(_ format: BlobFormat, size: Int64) -> ChunkPlan {
        ChunkPlan(format: format, size: size, cuts: cuts, entries: entries, segments: segments)
    }
}
