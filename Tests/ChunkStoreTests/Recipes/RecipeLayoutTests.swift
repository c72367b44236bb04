import ChunkStore
import Content
import Testing

@Suite("Recipe layout")
struct RecipeLayoutTests {
    @Test("The parts cover the blob without gaps, and every offset is found in its part")
    func covers() throws {
        let recipe = try RecipeCodecTests.sample(byNumber: true)
        let layout = try RecipeLayout(
            chunks: recipe.chunks, entries: recipe.entries, segments: recipe.segments)
        var end: Int64 = 0
        for index in layout.parts.indices {
            let range = layout.range(ofPart: index)
            #expect(range.lowerBound == end)
            #expect(!range.isEmpty)
            #expect(layout.part(at: range.lowerBound) == index)
            #expect(layout.part(at: range.upperBound - 1) == index)
            end = range.upperBound
        }
        #expect(end == recipe.size)
    }

    @Test("A directory before its entries, twice, or an entry left over is malformed")
    func malformed() {
        let entry = ZipEntryHeader(
            name: [65], crc32: 0, uncompressedSize: 0, utf8: false, data: .stored([3, 0]))
        let cases: [[Recipe.Segment]] = [
            [.zipDirectory, .zipEntries(count: 1)], [.zipEntries(count: 1), .zipDirectory, .zipDirectory],
            [.zipEntries(count: 2)], [.stored([1])], [.stored([]), .zipEntries(count: 1)],
        ]
        for segments in cases {
            #expect(throws: RecipeError.self) {
                try RecipeLayout(chunks: [], entries: [entry], segments: segments)
            }
        }
    }
}
