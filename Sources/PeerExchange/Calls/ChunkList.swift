internal import ChunkStore
internal import Content

/// Chunks as they travel: in the order in which they were asked for, empty where one is not given.
package enum ChunkList {
    /// Bytes of chunks in one reply.
    package static let byteLimit = 1 << 20

    static func encode(_ chunks: [[UInt8]?]) -> [UInt8] {
        var writer = WireWriter()
        var left = byteLimit
        for chunk in chunks {
            let chunk = chunk ?? []
            left -= chunk.count
            writer.writeBlock(left >= 0 ? chunk : [])
        }
        return writer.bytes
    }

    static func decode(_ bytes: [UInt8], count: Int) throws(WireError) -> [[UInt8]] {
        var reader = WireReader(bytes)
        var chunks: [[UInt8]] = []
        for _ in 0..<count {
            chunks.append(Array(try reader.readBlock(limit: Recipe.maximumChunkLength)))
        }
        return chunks
    }
}
