/// Where every part of a recipe stands in the blob: what random access needs.
package struct RecipeLayout: Sendable {
    /// The smallest part that is made in one go.
    package enum Part: Hashable, Sendable {
        /// The bytes of segment `index`, which is a stored one.
        case stored(segment: Int)
        case chunk(Int)
        case localHeader(entry: Int)
        case entryData(entry: Int)
        case descriptor(entry: Int)
        case directory
    }

    /// In the order of the blob; none is empty.
    package private(set) var parts: [Part] = []
    /// Where each part starts, in bytes from the blob's start.
    package private(set) var offsets: [Int64] = []
    /// Bytes of all parts.
    package private(set) var size: Int64 = 0
    /// Of each zip entry: where its local header starts.
    package private(set) var entryOffsets: [Int64] = []
    package private(set) var entryCompressedSizes: [Int64] = []
    /// Where the zip directory starts, when there is one.
    package private(set) var directoryOffset: Int64 = 0

    private var nextChunk = 0
    private var nextEntry = 0

    /// - Throws: `RecipeError.malformed` when a chunk or an entry is left over or lacking, a length is out
    ///   of bounds, or the blob would be larger than `Recipe.maximumSize`.
    package init(
        chunks: [ChunkReference], entries: [ZipEntryHeader], segments: [Recipe.Segment]
    ) throws(RecipeError) {
        var hasDirectory = false
        for (index, segment) in segments.enumerated() {
            switch segment {
            case .stored(let bytes): try append(.stored(segment: index), Int64(bytes.count))
            case .chunks(let count): try appendChunks(count, of: chunks)
            case .zipEntries(let count): try appendEntries(count, of: entries, chunks)
            case .zipDirectory:
                guard !hasDirectory, nextEntry == entries.count else {
                    throw .malformed("its zip directory does not follow all of its entries")
                }
                hasDirectory = true
                try appendDirectory(of: entries)
            }
        }
        guard nextChunk == chunks.count else {
            throw .malformed("it uses \(nextChunk) of \(chunks.count) chunks")
        }
        guard nextEntry == entries.count else {
            throw .malformed("it uses \(nextEntry) of \(entries.count) zip entries")
        }
    }

    /// The index of the part that holds the byte at `offset`, which must lie within the blob.
    package func part(at offset: Int64) -> Int {
        precondition(offset >= 0 && offset < size, "offset \(offset) is outside a blob of \(size) bytes")
        var low = 0
        var high = offsets.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if offsets[middle] <= offset { low = middle } else { high = middle }
        }
        return low
    }

    /// The bytes of the blob that part `index` makes.
    package func range(ofPart index: Int) -> Range<Int64> {
        offsets[index]..<(index + 1 < offsets.count ? offsets[index + 1] : size)
    }

    private mutating func append(_ part: Part, _ length: Int64) throws(RecipeError) {
        guard length > 0 else { throw .malformed("a part is empty") }
        parts.append(part)
        offsets.append(size)
        size += length
        guard size <= Recipe.maximumSize else { throw .malformed("the blob is larger than a store can hold") }
    }

    private mutating func appendChunks(_ count: Int, of chunks: [ChunkReference]) throws(RecipeError) {
        guard count > 0, count <= chunks.count - nextChunk else {
            throw .malformed("it asks for \(count) chunks where \(chunks.count - nextChunk) are left")
        }
        for _ in 0..<count {
            let length = chunks[nextChunk].length
            guard (1...Recipe.maximumChunkLength).contains(length) else {
                throw .malformed("a chunk of \(length) bytes")
            }
            try append(.chunk(nextChunk), Int64(length))
            nextChunk += 1
        }
    }

    private mutating func appendEntries(
        _ count: Int, of entries: [ZipEntryHeader], _ chunks: [ChunkReference]
    ) throws(RecipeError) {
        guard count > 0, count <= entries.count - nextEntry else {
            throw .malformed("it asks for \(count) zip entries where \(entries.count - nextEntry) are left")
        }
        for _ in 0..<count {
            let entry = entries[nextEntry]
            guard (1...ZipEntryHeader.maximumNameLength).contains(entry.name.count) else {
                throw .malformed("a zip entry's name of \(entry.name.count) bytes")
            }
            entryOffsets.append(size)
            try append(.localHeader(entry: nextEntry), Int64(entry.localHeaderLength))
            let start = size
            switch entry.data {
            case .stored(let bytes):
                if !bytes.isEmpty { try append(.entryData(entry: nextEntry), Int64(bytes.count)) }
            case .chunks(let count): try appendChunks(count, of: chunks)
            }
            guard size - start <= Int64(UInt32.max) else { throw .malformed("a zip entry needs zip64") }
            entryCompressedSizes.append(size - start)
            try append(.descriptor(entry: nextEntry), Int64(ZipEntryHeader.descriptorLength))
            nextEntry += 1
        }
    }

    private mutating func appendDirectory(of entries: [ZipEntryHeader]) throws(RecipeError) {
        let length = entries.reduce(Int64(0)) { $0 + Int64($1.directoryEntryLength) }
        // 0xffff and 0xffffffff are zip64's marks, so they are out of bounds too.
        guard entries.count < 0xffff, size < Int64(UInt32.max), length < Int64(UInt32.max) else {
            throw .malformed("its zip directory needs zip64")
        }
        directoryOffset = size
        try append(.directory, length + Int64(ZipEntryHeader.endRecordLength))
    }
}

extension Recipe {
    /// The bytes of a part that needs no chunk.
    ///
    /// - Precondition: `part` is one of `layout`, the layout of this recipe, and not a chunk.
    package func bytes(of part: RecipeLayout.Part, _ layout: RecipeLayout) -> [UInt8] {
        switch part {
        case .stored(let index):
            guard case .stored(let bytes) = segments[index] else {
                preconditionFailure("not a stored segment")
            }
            return bytes
        case .chunk: preconditionFailure("a chunk's bytes are in a pack")
        case .localHeader(let entry): return entries[entry].localHeader
        case .entryData(let entry):
            guard case .stored(let bytes) = entries[entry].data else {
                preconditionFailure("not stored data")
            }
            return bytes
        case .descriptor(let entry):
            return entries[entry].descriptor(compressedSize: UInt32(layout.entryCompressedSizes[entry]))
        case .directory: return directory(layout)
        }
    }

    private func directory(_ layout: RecipeLayout) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, entry) in entries.enumerated() {
            entry.appendDirectoryEntry(
                to: &bytes, compressedSize: UInt32(layout.entryCompressedSizes[index]),
                offset: UInt32(layout.entryOffsets[index]))
        }
        ZipEntryHeader.appendEndRecord(
            to: &bytes, entries: entries.count, directorySize: bytes.count, offset: layout.directoryOffset)
        return bytes
    }
}
