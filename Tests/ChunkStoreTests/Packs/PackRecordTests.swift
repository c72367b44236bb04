import ChunkStore
import Content
import Testing

@Suite struct PackRecordTests {
    @Test(arguments: [0, 1, 31, 32, 1000, 65536], [DigestAlgorithm.sha256, .sha512])
    func aRecordGivesItsObjectBack(count: Int, algorithm: DigestAlgorithm) {
        for bytes in [randomBytes(count, seed: 3), [UInt8](repeating: 65, count: count)] {
            let digest = Digest(algorithm, of: bytes)
            let record = PackRecord.encode(bytes, digest: digest)
            let found = PackRecord.decode(record)
            #expect(found?.digest == digest && found?.bytes == bytes)
            #expect(PackRecord.header(record[...])?.recordCount == record.count)
        }
    }

    @Test func itIsCompressedOnlyWhenThatSavesATenth() {
        let plain = randomBytes(10_000, seed: 4)
        #expect(
            PackRecord.header(PackRecord.encode(plain, digest: Digest(of: plain))[...])?.compressed == false)
        // 12 % of it compresses well, then 8 %.
        for (zeros, compressed) in [(1300, true), (800, false)] {
            let mixed = [UInt8](repeating: 0, count: zeros) + randomBytes(10_000 - zeros, seed: 5)
            let record = PackRecord.encode(mixed, digest: Digest(of: mixed))
            #expect(PackRecord.header(record[...])?.compressed == compressed)
        }
    }

    @Test func everyFlippedBitIsFound() {
        let bytes = Array("module example.com/m\n\ngo 1.25\n\nrequire golang.org/x/net v0.34.0\n".utf8)
        for object in [bytes, Array(repeating: bytes, count: 8).flatMap(\.self)] {
            let digest = Digest(of: object)
            let record = PackRecord.encode(object, digest: digest)
            for bit in 0..<record.count * 8 {
                var damaged = record
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                let found = PackRecord.decode(damaged)
                #expect(found == nil || found?.bytes == object && found?.digest == digest, "bit \(bit)")
            }
            for count in 0..<record.count { #expect(PackRecord.decode(Array(record[..<count])) == nil) }
        }
    }

    @Test func garbageIsNoRecord() {
        var chance = SplitMix(seed: 6)
        for _ in 0..<2000 {
            var garbage = randomBytes(Int.random(in: 0..<200, using: &chance), seed: chance.next())
            if garbage.count >= 6 { garbage.replaceSubrange(0..<6, with: [0x45, 0x4e, 0x52, 0x31, 1, 1]) }
            #expect(PackRecord.decode(garbage) == nil)
        }
    }
}
