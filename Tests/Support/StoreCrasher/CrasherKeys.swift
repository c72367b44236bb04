import ChunkStore
import Content

/// What the crashing child and the test that kills it both know: which keys there are and which bytes they have.
///
/// The child prints a line before and after each change: `B <key> <value>` when it begins to give `key` the value
/// (`-` = not there), `E <key>` when that is done. What was begun and not ended at the kill may be either way.
package enum CrasherKeys {
    /// Blobs are numbered; each worker of the child has its own.
    package static let workers = 3
    private static let blobsPerWorker = 12
    package static let smallObjectLimit = 8 << 10

    package static var count: Int { workers * blobsPerWorker }

    package static func blobs(ofWorker worker: Int) -> Range<Int> {
        worker * blobsPerWorker..<(worker + 1) * blobsPerWorker
    }

    /// Sizes on both sides of the small object limit; one of each worker's is large enough to be parked.
    private static func size(_ number: Int) -> Int {
        switch number % blobsPerWorker {
        case 0: 1_500_000
        case 1...4: 20_000 + number * 1777
        default: 100 + number * 211
        }
    }

    /// The same bytes for the same number, in every process.
    package static func bytes(_ number: Int) -> [UInt8] {
        if (1...4).contains(number % blobsPerWorker) { return zip(number) }
        return noise(size(number), seed: number)
    }

    /// A module zip whose files but the first are the same for every number: folded, they share their chunks.
    private static func zip(_ number: Int) -> [UInt8] {
        var entries: [ZipEntryHeader] = []
        var bytes: [UInt8] = []
        for file in 0..<12 {
            let data = noise(1500 + file * 211, seed: file == 0 ? 5000 + number : 6000 + file)
            let entry = ZipEntryHeader(
                name: Array("crash@v1.0.\(number)/file\(file).go".utf8), crc32: UInt32(file),
                uncompressedSize: 9,
                utf8: false, data: .stored(data))
            bytes += entry.localHeader + data + entry.descriptor(compressedSize: UInt32(data.count))
            entries.append(entry)
        }
        return bytes + directory(entries, after: bytes.count)
    }

    private static func directory(_ entries: [ZipEntryHeader], after size: Int) -> [UInt8] {
        let segments: [Recipe.Segment] = [.zipEntries(count: entries.count), .zipDirectory]
        guard let layout = try? RecipeLayout(chunks: [], entries: entries, segments: segments),
            let recipe = try? Recipe(
                blob: Digest(of: []), size: layout.size, chunks: [], entries: entries, segments: segments)
        else { return [] }
        precondition(layout.size > size, "the entries made a zip")
        return recipe.bytes(of: .directory, layout)
    }

    private static func noise(_ count: Int, seed number: Int) -> [UInt8] {
        var state = UInt64(number &+ 1) &* 0x9e37_79b9_7f4a_7c15
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            withUnsafeBytes(of: state.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return Array(bytes.prefix(count))
    }

    /// The key of a blob: held or not.
    package static func blob(_ number: Int) -> String { "blob/\(number)" }
    /// The key, and the reference, of the blob's name.
    package static func name(_ number: Int) -> String { "crash/\(number)" }
}
