/// The chunk table of an encoded recipe: all names, then all lengths.
///
/// Numbers are written as the distance from the number before plus one, so that the chunks which one fold
/// appended cost a zero byte each.
enum ChunkTableCodec {
    private enum Naming: UInt8 {
        case number = 1
        case id = 2
    }

    static func encode(_ chunks: [ChunkReference], into bytes: inout [UInt8]) {
        bytes.append(varint: Int64(chunks.count))
        guard let first = chunks.first else { return }
        switch first.name {
        case .number:
            bytes.append(Naming.number.rawValue)
            var expected: Int64 = 0
            for chunk in chunks {
                guard case .number(let number) = chunk.name else { preconditionFailure("mixed chunk names") }
                bytes.append(varint: zigzag(number - expected))
                expected = number + 1
            }
        case .id:
            bytes.append(Naming.id.rawValue)
            for chunk in chunks {
                guard case .id(let id) = chunk.name else { preconditionFailure("mixed chunk names") }
                bytes.append(contentsOf: id.bytes)
            }
        }
        for chunk in chunks { bytes.append(varint: Int64(chunk.length)) }
    }

    /// - Parameter allowsNumbers: chunk numbers mean something in the store that wrote them only.
    static func decode(
        from reader: inout BoundedReader, allowsNumbers: Bool = true
    ) throws(RecipeError) -> [ChunkReference] {
        let count = try reader.count(bytesEach: 2, of: "chunks")
        guard count > 0 else { return [] }
        let code = try reader.byte()
        guard let naming = Naming(rawValue: code) else { throw .unknownChunkNaming(code) }
        guard allowsNumbers || naming == .id else { throw .malformed("chunks of another store's numbers") }
        var chunks: [ChunkReference] = []
        chunks.reserveCapacity(count)
        var expected: Int64 = 0
        for _ in 0..<count {
            switch naming {
            case .number:
                let (number, overflow) = expected.addingReportingOverflow(unzigzag(try reader.varint()))
                guard !overflow, (1...(1 << 48)).contains(number) else { throw .malformed("a chunk number") }
                chunks.append(ChunkReference(name: .number(number), length: 0))
                expected = number + 1
            case .id:
                guard let id = ChunkID(try reader.take(ChunkID.byteCount)) else {
                    throw .malformed("a chunk id")
                }
                chunks.append(ChunkReference(name: .id(id), length: 0))
            }
        }
        for index in chunks.indices {
            let bounds = 1...Int64(Recipe.maximumChunkLength)
            chunks[index].length = Int(try reader.varint(in: bounds, "a chunk's length"))
        }
        return chunks
    }

    private static func zigzag(_ value: Int64) -> Int64 { value < 0 ? ~value << 1 | 1 : value << 1 }

    private static func unzigzag(_ value: Int64) -> Int64 { value & 1 == 0 ? value >> 1 : ~(value >> 1) }
}
