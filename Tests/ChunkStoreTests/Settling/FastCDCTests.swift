import ChunkStore
import Content
import Testing

@Suite("Content-defined chunking")
struct FastCDCTests {
    @Test("The gear table never changes: nodes must cut alike")
    func gearTable() {
        let bytes = FastCDC.gear.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
        }
        #expect(FastCDC.gear.count == 256)
        #expect(FastCDC.gear[0] == 0xe220_a839_7b1d_cdaf)
        #expect(Digest(of: bytes).hex == Self.gearDigest)
    }

    @Test("Chunks cover the bytes, keep to their bounds and average near the middle")
    func bounds() throws {
        var random = SplitMix(seed: 1)
        let bytes = random.bytes(8 << 20)
        let cuts = try Self.cuts(bytes)
        #expect(cuts.first?.lowerBound == 0 && cuts.last?.upperBound == Int64(bytes.count))
        #expect(zip(cuts, cuts.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(cuts.dropLast().allSatisfy { (8 << 10...128 << 10).contains($0.count) })
        let mean = bytes.count / cuts.count
        #expect((24 << 10...44 << 10).contains(mean), "mean \(mean)")
    }

    @Test("An insertion near the front changes few chunks")
    func resynchronises() throws {
        var random = SplitMix(seed: 2)
        let bytes = random.bytes(4 << 20)
        let changed = Array(bytes[..<1000]) + [1, 2, 3] + bytes[1000...]
        let before = Set(try Self.cuts(bytes).map { Self.id(bytes, $0) })
        let after = try Self.cuts(changed).map { Self.id(changed, $0) }
        let new = after.filter { !before.contains($0) }
        #expect(new.count <= 3, "\(new.count) of \(after.count) chunks are new")
    }

    @Test("Where the reading window ends makes no difference")
    func windows() throws {
        var random = SplitMix(seed: 3)
        let bytes = random.bytes((1 << 20) + 70_000)
        let whole = bytes.withUnsafeBytes { buffer in
            var at = 0
            var cuts: [Range<Int64>] = []
            while at < buffer.count {
                let length = FastCDC().cut(UnsafeRawBufferPointer(rebasing: buffer[at...]))
                cuts.append(Int64(at)..<Int64(at + length))
                at += length
            }
            return cuts
        }
        #expect(try Self.cuts(bytes) == whole)
    }

    @Test(
        "Formats are told by their first bytes",
        arguments: [
            ([0x50, 0x4b, 3, 4, 0], BlobFormat.zip), ([0x1f, 0x8b, 8], .compressed),
            ([0x28, 0xb5, 0x2f, 0xfd], .compressed), (Array("BZh9".utf8), .compressed), ([], .compressed),
            ([UInt8](repeating: 97, count: 4096), .plain),
        ] as [([UInt8], BlobFormat)])
    func formats(head: [UInt8], format: BlobFormat) {
        #expect(BlobFormat(head: head) == format)
    }

    @Test("Bytes that nothing compresses are taken for compressed")
    func randomBytes() {
        var random = SplitMix(seed: 4)
        #expect(BlobFormat(head: random.bytes(65536)) == .compressed)
    }

    private static let gearDigest = "3843faf2c6540306294b486fda136f53cc592319b024ecb30987d6340908063b"

    private static func cuts(_ bytes: [UInt8]) throws -> [Range<Int64>] {
        try ContentChunker().plan(MemoryBlobSource(bytes), shouldStop: { false }).cuts
    }

    private static func id(_ bytes: [UInt8], _ range: Range<Int64>) -> ChunkID {
        ChunkID(of: Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
    }
}
