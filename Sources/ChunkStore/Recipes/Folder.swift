import Content
import Logging

/// What became of a fold.
package enum FoldOutcome: Sendable, Equatable {
    /// `stored` bytes were added to packs for it.
    case folded(stored: Int64)
    /// It would free too little.
    case notWorthwhile
    /// The format cannot be cut; it stays whole.
    case refused(ChunkingRefusal)
    /// It is not held in a file of its own (any more).
    case notAFile
}

/// Turns blobs into recipes: the chunks that packs lack are copied there, a trial rebuild must give the exact
/// digest, then the recipe is committed and the file unlinked.
///
/// One fold runs at a time, on a thread that yields to everybody else. Chunks are committed in batches before
/// the recipe that uses them; what a fold leaves over when it fails is dropped by the next one.
final class Folder: Sendable {
    /// Chunks that are appended in one operation of the index writer, in bytes.
    private static let batchBytes = 4 << 20
    private static let batchCount = 512

    private let parts: StoreParts
    private let thread: BlockingPool
    private let faults: Faults
    private let gate = Gate()

    init(_ parts: StoreParts, thread: BlockingPool, faults: Faults) {
        self.parts = parts
        self.thread = thread
        self.faults = faults
    }

    /// - Parameters:
    ///   - leastSaving: the share of the blob's size that folding must free.
    ///   - shouldStop: asked between reads.
    /// - Throws: `StoreError.damaged` when the blob's file does not have its digest; what disk or index report.
    ///   The blob is whole then.
    func fold(
        _ digest: Digest, leastSaving: Double, shouldStop: @escaping @Sendable () -> Bool
    ) async throws -> FoldOutcome {
        try await gate.locked {
            for _ in 0..<3 {
                let attempt = try await foldOnce(digest, leastSaving, shouldStop)
                if let attempt { return attempt }
            }
            return .notWorthwhile
        }
    }

    /// Drops chunks that no recipe uses, once no fold runs.
    func dropUnused() async throws {
        try await gate.locked {
            try await parts.writer.transaction { try $0.connection.deleteUnusedChunks() }
        }
    }

    /// - Returns: nil when chunks were dropped while it went on: to be tried again.
    private func foldOnce(
        _ digest: Digest, _ leastSaving: Double, _ shouldStop: @escaping @Sendable () -> Bool
    ) async throws -> FoldOutcome? {
        let parts = parts
        let found = try await thread.run { () -> (BlobRow, FileBlobSource)? in
            guard let row = try parts.readers.readHere({ try $0.blob(digest) }), row.place == .file,
                let source = try parts.source(of: row)
            else { return nil }
            return (row, source)
        }
        guard let (row, source) = found else { return .notAFile }
        if row.staysWhole { return .refused(.told) }
        let plan: ChunkPlan
        do {
            plan = try await thread.run { try Chunkers.plan(source, shouldStop: shouldStop) }
        } catch let refusal as ChunkingRefusal {
            return .refused(refusal)
        }
        let cuts = faults.contains(.wrongChunkOffset) ? Self.displaced(plan.cuts) : plan.cuts
        let needed = try await thread.run { try self.lacking(cuts, of: source, shouldStop) }
        guard let needed else { return .refused(.stopped) }
        guard Double(row.size - needed) >= leastSaving * Double(row.size) else { return .notWorthwhile }
        return try await commit(row, source, plan, cuts, shouldStop)
    }

    private func commit(
        _ row: BlobRow, _ source: FileBlobSource, _ plan: ChunkPlan, _ cuts: [Range<Int64>],
        _ shouldStop: @escaping @Sendable () -> Bool
    ) async throws -> FoldOutcome? {
        let (numbers, stored) = try await copy(cuts, of: source, shouldStop)
        guard numbers.count == cuts.count else { return .refused(.stopped) }
        let recipe = try plan.recipe(blob: row.digest, names: numbers.map { .number($0) })
        let encoded = recipe.encoded()
        guard encoded.count <= PackRecord.maximumCount else { return .notWorthwhile }
        if !faults.contains(.skipTrialRebuild) {
            try await rebuild(recipe, source, shouldStop)
        }
        let record = PackRecord.encode(encoded, digest: Digest(of: encoded))
        guard try await commit(row, record, ChunkRuns(numbers)) else { return nil }
        return .folded(stored: stored + Int64(record.count))
    }

    /// Bytes of the distinct chunks that packs lack; nil when stopped. Blocks.
    private func lacking(
        _ cuts: [Range<Int64>], of source: FileBlobSource, _ shouldStop: () -> Bool
    ) throws -> Int64? {
        try parts.readers.readHere { connection in
            var seen: Set<ChunkID> = []
            var bytes: Int64 = 0
            for cut in cuts {
                if shouldStop() { return nil }
                let id = ChunkID(of: try source.read(cut))
                if seen.insert(id).inserted, try connection.chunk(id) == nil { bytes += Int64(cut.count) }
            }
            return bytes
        }
    }

    /// Appends the chunks that packs lack and gives the number of each; fewer when stopped.
    private func copy(
        _ cuts: [Range<Int64>], of source: FileBlobSource, _ shouldStop: @escaping @Sendable () -> Bool
    ) async throws -> (numbers: [Int64], stored: Int64) {
        var numbers: [Int64] = []
        var stored: Int64 = 0
        while numbers.count < cuts.count {
            if shouldStop() { return (numbers, stored) }
            let start = numbers.count
            let batch = try await thread.run { try self.batch(cuts[start...], of: source) }
            let room = batch.bytes
            guard try await thread.run({ try self.parts.space.fits(Int64(room)) }) else {
                throw StoreError.noSpace
            }
            numbers += try await append(batch)
            stored += Int64(batch.bytes)
        }
        return (numbers, stored)
    }

    private struct Batch: Sendable {
        /// Of each chunk of the batch: its id, and its place among `records` when packs lack it.
        var chunks: [(id: ChunkID, known: Int64?, record: Int?)] = []
        var records: [[UInt8]] = []
        var bytes = 0
    }

    /// Reads the next chunks. Blocks.
    private func batch(_ cuts: ArraySlice<Range<Int64>>, of source: FileBlobSource) throws -> Batch {
        try parts.readers.readHere { connection in
            var batch = Batch()
            var fresh: [ChunkID: Int] = [:]
            for cut in cuts {
                guard batch.bytes < Self.batchBytes, batch.chunks.count < Self.batchCount else { break }
                let bytes = try source.read(cut)
                let id = ChunkID(of: bytes)
                if let place = fresh[id] {
                    batch.chunks.append((id, nil, place))
                } else if let row = try connection.chunk(id) {
                    batch.chunks.append((id, row.number, nil))
                } else {
                    let record = PackRecord.encode(bytes, digest: try Digest(.sha256, bytes: id.bytes))
                    fresh[id] = batch.records.count
                    batch.chunks.append((id, nil, batch.records.count))
                    batch.records.append(record)
                    batch.bytes += record.count
                }
            }
            return batch
        }
    }

    private func append(_ batch: Batch) async throws -> [Int64] {
        if batch.records.isEmpty { return batch.chunks.compactMap(\.known) }
        return try await parts.writer.perform(
            cost: batch.bytes,
            prepare: { stage in try batch.records.map { try stage.append($0) } },
            apply: { stage, places in
                try batch.chunks.map { chunk in
                    if let known = chunk.known { return known }
                    guard let record = chunk.record else { throw StoreError.closed }
                    return try stage.connection.insertChunk(chunk.id, at: places[record])
                }
            })
    }

    /// Reads the whole blob back through its recipe.
    private func rebuild(
        _ recipe: Recipe, _ source: FileBlobSource, _ shouldStop: @escaping @Sendable () -> Bool
    ) async throws {
        let parts = parts
        let rebuilt = try await thread.run { () -> Digest? in
            let reader = try parts.readers.readHere { try PackRecipeReader(recipe, with: $0, parts) }
            return try reader.digest { _ in !shouldStop() }
        }
        guard rebuilt != recipe.blob else { return }
        guard rebuilt != nil else { throw CancellationError() }
        let actual = try await thread.run { try source.actualDigest { _ in true } }
        if actual != recipe.blob {
            throw StoreError.damaged(recipe.blob, what: "its file does not have its digest")
        }
        parts.logger.error("a recipe does not rebuild its blob", metadata: ["blob": "\(recipe.blob)"])
        throw StoreError.digestMismatch(expected: recipe.blob, found: rebuilt ?? recipe.blob)
    }

    /// - Returns: false when a chunk was dropped meanwhile.
    private func commit(_ row: BlobRow, _ record: [UInt8], _ runs: ChunkRuns) async throws -> Bool {
        let (parts, faults) = (parts, faults)
        return try await parts.writer.perform(
            cost: record.count,
            prepare: { stage in
                if faults.contains(.unlinkBeforeCommit) {
                    try stage.files.unlink(stage.layout.blob(row.digest))
                }
                return try stage.append(record)
            },
            apply: { stage, place in
                guard let now = try stage.connection.blob(row.digest), now.id == row.id, now.place == .file,
                    try stage.connection.countChunks(in: runs) == runs.count
                else { return false }
                try stage.connection.setPlace(.recipe, ofBlob: row.id)
                try stage.connection.insertRecipe(blob: row.id, record: place, runs: runs)
                stage.dropFile(of: row.digest, size: row.size)
                return true
            },
            visible: { folded in
                guard folded else { return }
                parts.cache.removed(row.digest, [])
                parts.events.send(.folded(row.digest, size: row.size, stored: Int64(record.count)))
            })
    }

    private static func displaced(_ cuts: [Range<Int64>]) -> [Range<Int64>] {
        cuts.enumerated().map { index, cut in
            index == 1 && cut.lowerBound > 0 ? cut.lowerBound - 1..<cut.upperBound - 1 : cut
        }
    }
}
