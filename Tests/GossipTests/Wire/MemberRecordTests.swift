import Content
import Gossip
import Testing

@Suite("Member records")
struct MemberRecordTests {
    @Test("a record comes out as it went in, signed, with what a later version added")
    func roundTrip() throws {
        let record = try Cards().record(extra: [9, 1, 7])
        var reader = WireReader(record.encoded)
        let read = try MemberRecord(from: &reader)
        #expect(reader.isAtEnd)
        #expect(read == record)
        #expect(read.extra == [9, 1, 7])
        #expect(read.isSigned)
        #expect(record.encoded.count <= MemberRecord.byteLimit)
    }

    @Test("no bit of a record can be changed")
    func bitFlips() throws {
        let record = try Cards().record()
        for bit in 0..<record.encoded.count * 8 {
            var changed = record.encoded
            changed[bit / 8] ^= 1 << (bit % 8)
            var reader = WireReader(changed)
            if let read = try? MemberRecord(from: &reader), reader.isAtEnd {
                #expect(!read.isSigned, "bit \(bit)")
            }
        }
    }

    @Test("an endpoint more than is allowed, or none, is refused")
    func endpoints() throws {
        let record = try Cards().record()
        // Behind version, kind, cluster, node, incarnation, flags, protocols and epoch.
        let place = 2 + 16 + 32 + 8 + 1 + 2 + 8
        #expect(record.encoded[place] == 1)
        for count: UInt8 in [0, 5] {
            var changed = record.encoded
            changed[place] = count
            var reader = WireReader(changed)
            #expect(throws: WireError.self) { try MemberRecord(from: &reader) }
        }
    }

    @Test("the last incarnation has none above it, and later starts are above all of earlier ones")
    func incarnations() {
        #expect(Incarnation(rawValue: .max).next == Incarnation(rawValue: .max))
        #expect(Incarnation(boot: 2) > Incarnation(boot: 1, refutations: .max))
        #expect(Incarnation(boot: 1, refutations: 3).next == Incarnation(boot: 1, refutations: 4))
    }
}
