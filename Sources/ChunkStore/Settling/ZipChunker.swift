/// Cuts a zip archive at its entries: an unchanged file is an unchanged deflate stream, so versions of a
/// module share their chunks without any inflating.
///
/// Headers, descriptors and directory of the usual form (`ZipEntryHeader`) are packed and written again on
/// reading; all others are stored as they are.
package struct ZipChunker: Chunker {
    /// Data of fewer bytes stays in the recipe: a chunk's row in the index would cost more.
    static let smallestChunk = 96
    /// Uncompressed entries above this size are cut by content.
    static let wholeEntryLimit: Int64 = 128 << 10

    package init() {}

    package func plan(_ source: some BlobSource, shouldStop: () -> Bool) throws -> ChunkPlan {
        let zip = try ZipStructure(source, shouldStop: shouldStop)
        var builder = ChunkPlanBuilder()
        var end: Int64 = 0
        for (index, entry) in zip.entries.enumerated() {
            if shouldStop() { throw ChunkingRefusal.stopped }
            let next =
                index + 1 < zip.entries.count
                ? zip.entries[index + 1].header.lowerBound : zip.directory.lowerBound
            builder.store(try source.read(end..<entry.header.lowerBound))
            end = try add(entry, before: next, source, &builder, shouldStop)
        }
        builder.store(try source.read(end..<zip.directory.lowerBound))
        try addDirectory(zip, source, &builder)
        return builder.plan(.zip, size: source.size)
    }

    /// Adds one entry; gives the offset up to which the blob is covered.
    private func add(
        _ entry: ZipStructure.Entry, before next: Int64, _ source: some BlobSource,
        _ builder: inout ChunkPlanBuilder, _ shouldStop: () -> Bool
    ) throws -> Int64 {
        let cuts = try cuts(of: entry, source, shouldStop)
        let data: ZipEntryHeader.Data =
            cuts.isEmpty ? .stored(try source.read(entry.data)) : .chunks(count: cuts.count)
        let header = ZipEntryHeader(
            name: entry.name, crc32: entry.crc32, uncompressedSize: entry.uncompressedSize,
            utf8: entry.flags & 0x0800 != 0, data: data)
        let descriptorEnd = entry.data.upperBound + Int64(ZipEntryHeader.descriptorLength)
        if descriptorEnd <= next, try source.read(entry.header) == header.localHeader,
            try source.read(entry.data.upperBound..<descriptorEnd)
                == header.descriptor(compressedSize: UInt32(entry.data.count))
        {
            builder.entry(header, cuts: cuts)
            return descriptorEnd
        }
        builder.store(try source.read(entry.header))
        if case .stored(let bytes) = data { builder.store(bytes) } else { builder.cut(cuts) }
        return entry.data.upperBound
    }

    /// The chunks of an entry's data; none when it is to be stored.
    private func cuts(
        of entry: ZipStructure.Entry, _ source: some BlobSource, _ shouldStop: () -> Bool
    ) throws -> [Range<Int64>] {
        if entry.data.count < Self.smallestChunk { return [] }
        if entry.method == 0, Int64(entry.data.count) > Self.wholeEntryLimit {
            return try ContentChunker().cuts(source, in: entry.data, shouldStop)
        }
        // Cutting a compressed stream by content finds nothing; cutting at fixed steps keeps what a reader
        // must hold bounded, and an unchanged stream is still cut into unchanged chunks.
        return stride(
            from: entry.data.lowerBound, to: entry.data.upperBound, by: Recipe.maximumChunkLength
        ).map { $0..<min($0 + Int64(Recipe.maximumChunkLength), entry.data.upperBound) }
    }

    private func addDirectory(
        _ zip: ZipStructure, _ source: some BlobSource, _ builder: inout ChunkPlanBuilder
    ) throws {
        let bytes = try source.read(zip.directory)
        if zip.inOrder, builder.entries.count == zip.entries.count,
            Self.directory(of: builder.entries, zip) == bytes
        {
            builder.directory()
        } else {
            builder.store(bytes)
        }
    }

    private static func directory(of entries: [ZipEntryHeader], _ zip: ZipStructure) -> [UInt8] {
        var bytes: [UInt8] = []
        for (entry, place) in Swift.zip(entries, zip.entries) {
            entry.appendDirectoryEntry(
                to: &bytes, compressedSize: UInt32(place.data.count),
                offset: UInt32(place.header.lowerBound))
        }
        ZipEntryHeader.appendEndRecord(
            to: &bytes, entries: entries.count, directorySize: bytes.count,
            offset: zip.directory.lowerBound)
        return bytes
    }
}
