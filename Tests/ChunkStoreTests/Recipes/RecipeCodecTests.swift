import ChunkStore
import Content
import Testing

@Suite("Recipe codec")
struct RecipeCodecTests {
    @Test(
        "A recipe of every segment kind comes back as it was, with numbers and with ids",
        arguments: [true, false])
    func roundTrip(byNumber: Bool) throws {
        let recipe = try Self.sample(byNumber: byNumber)
        #expect(try Recipe(decoding: recipe.encoded()) == recipe)
    }

    @Test("Chunks that were appended together cost three bytes each, whatever their numbers")
    func consecutiveNumbersAreCheap() throws {
        let chunks = (0..<1000).map { ChunkReference(name: .number(900_000 + Int64($0)), length: 20_000) }
        let recipe = try Recipe(
            blob: Digest(of: [1]), size: 20_000_000, chunks: chunks, entries: [],
            segments: [.chunks(count: 1000)])
        #expect(recipe.encoded().count < 200)
    }

    @Test("What a later program wrote is refused by name, not misread")
    func newerIsRefused() throws {
        var bytes = try Self.sample(byNumber: true).encoded()
        bytes[4] = 2
        #expect(throws: RecipeError.newerVersion(found: 2, supported: 1)) { try Recipe(decoding: bytes) }
        #expect(throws: RecipeError.notARecipe) { try Recipe(decoding: [1, 2, 3]) }
        #expect(throws: RecipeError.notARecipe) { try Recipe(decoding: []) }
        #expect(throws: RecipeError.truncated(at: 4)) { try Recipe(decoding: Array(bytes.prefix(4))) }
    }

    @Test("An unknown segment kind and an unknown way to name chunks are refused with their code")
    func unknownKinds() throws {
        // One chunk (naming, number, length), no entries, one segment.
        let good: [UInt8] = [1, 1, 2, 5, 0, 1, 2, 1]
        #expect(try Recipe(decoding: Self.envelope(good, size: 5)).chunks.count == 1)
        var segment = good
        segment[6] = 77
        #expect(throws: RecipeError.unknownSegment(kind: 77)) {
            try Recipe(decoding: Self.envelope(segment, size: 5))
        }
        var naming = good
        naming[1] = 9
        #expect(throws: RecipeError.unknownChunkNaming(9)) {
            try Recipe(decoding: Self.envelope(naming, size: 5))
        }
    }

    @Test(
        "Claims beyond what the bytes can hold are refused before anything is allocated",
        arguments: [
            [0xff, 0xff, 0xff, 0xff, 0x0f],  // 2^32 chunks
            [0x00, 0xff, 0xff, 0xff, 0xff, 0x0f],  // 2^32 zip entries
            [0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0x0f],  // 2^32 segments
            [0x00, 0x00, 0x01, 0x01, 0xff, 0xff, 0xff, 0xff, 0x0f],  // a stored extent of 2^32 bytes
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],  // a number of 70 bits
            [0x80, 0x00, 0x00],  // a number with a needless byte
            [0x01, 0x01, 0x02, 0x00, 0x00, 0x01, 0x02, 0x01],  // a chunk of no bytes
            [0x01, 0x01, 0x01, 0x05, 0x00, 0x01, 0x02, 0x01],  // a negative chunk number
            [0x01, 0x01, 0x02, 0x05, 0x00, 0x01, 0x02, 0x02],  // two chunks where there is one
            [0x01, 0x01, 0x02, 0x05, 0x00, 0x00],  // a chunk that no segment uses
        ] as [[UInt8]])
    func hostileBodies(body: [UInt8]) throws {
        #expect(throws: RecipeError.self) { try Recipe(decoding: Self.envelope(body, size: 5)) }
    }

    @Test("A packed body that claims more than LZ4 can make is refused")
    func packedBomb() {
        var bytes = Array("eRcp".utf8) + [1, 1] + Digest(of: [1]).bytes + [5]
        bytes += [0x80, 0x80, 0x80, 0x20, 3, 1, 2, 3]  // 64 MiB out of three bytes
        bytes += Digest(of: bytes).bytes.prefix(8)
        #expect(throws: RecipeError.self) { try Recipe(decoding: bytes) }
    }

    @Test("Any flipped bit is noticed by the checksum; behind a right checksum none crashes the decoder")
    func mutations() throws {
        let bytes = try Self.sample(byNumber: true).encoded()
        var random = SplitMix(seed: 7)
        for position in bytes.indices {
            var flipped = bytes
            flipped[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            #expect(throws: RecipeError.self) { try Recipe(decoding: flipped) }
        }
        let body = try Self.bodies()
        var accepted = 0
        for round in 0..<20_000 {
            var mutated = body[round % body.count]
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let at = Int.random(in: mutated.indices, using: &random)
                mutated[at] = UInt8.random(in: 0...255, using: &random)
            }
            if let recipe = try? Recipe(decoding: Self.envelope(mutated, size: 5)) {
                accepted += 1
                #expect(recipe.size == 5)
            }
        }
        #expect(accepted > 0, "the mutations never got past the envelope")
    }

    @Test("A recipe whose parts do not add up to the blob's size cannot be made")
    func sizesAddUp() {
        #expect(throws: RecipeError.self) {
            try Recipe(
                blob: Digest(of: [1]), size: 4, chunks: [], entries: [], segments: [.stored([1, 2, 3])])
        }
    }

    /// Bodies that decode for a blob of five bytes.
    private static func bodies() throws -> [[UInt8]] {
        [[1, 1, 2, 5, 0, 1, 2, 1], [0, 0, 1, 1, 5, 9, 8, 7, 6, 5], [2, 1, 2, 6, 2, 3, 0, 2, 2, 1, 2, 1]]
    }

    /// An encoded recipe around an unpacked body, with a right checksum.
    private static func envelope(_ body: [UInt8], size: UInt8) -> [UInt8] {
        var bytes = Array("eRcp".utf8) + [1, 1] + Digest(of: [1]).bytes + [size]
        bytes += [UInt8(body.count), 0] + body
        return bytes + Digest(of: bytes).bytes.prefix(8)
    }

    static func sample(byNumber: Bool) throws -> Recipe {
        func name(_ value: Int) -> ChunkName {
            byNumber ? .number(Int64(value)) : .id(ChunkID(of: [UInt8(value)]))
        }
        let chunks = [(9, 700), (10, 1 << 20), (3, 40), (11, 1)].map {
            ChunkReference(name: name($0.0), length: $0.1)
        }
        let entries = [
            ZipEntryHeader(
                name: Array("m@v1.0.0/a.go".utf8), crc32: 0xdead_beef, uncompressedSize: 5000, utf8: false,
                data: .chunks(count: 2)),
            ZipEntryHeader(
                name: Array("m@v1.0.0/ä.go".utf8), crc32: 7, uncompressedSize: 3, utf8: true,
                data: .stored([1, 0, 0, 0xff, 0xff])),
            ZipEntryHeader(
                name: Array("m@v1.0.0/b.go".utf8), crc32: 1, uncompressedSize: 9, utf8: false,
                data: .chunks(count: 1)),
        ]
        let segments: [Recipe.Segment] = [
            .zipEntries(count: 2), .stored([4, 5, 6]), .zipEntries(count: 1), .chunks(count: 1),
            .zipDirectory,
        ]
        let layout = try RecipeLayout(chunks: chunks, entries: entries, segments: segments)
        return try Recipe(
            blob: Digest(.sha512, of: [1, 2]), size: layout.size, chunks: chunks, entries: entries,
            segments: segments)
    }
}
