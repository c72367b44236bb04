import Content
import Testing

@Suite struct WireTests {
    @Test("Every value is read as it was written") func roundTrip() throws {
        var writer = WireWriter()
        for value in [0, 1, 127, 128, 16_383, 16_384, UInt64(Int64.max), .max] { writer.writeNumber(value) }
        writer.write(UInt32(0xdead_beef))
        writer.write(Int64(-2))
        writer.writeText("größer")
        writer.writeBlock([1, 2, 3])
        var reader = WireReader(writer.bytes)
        for value in [0, 1, 127, 128, 16_383, 16_384, UInt64(Int64.max), .max] {
            #expect(try reader.readNumber() == value)
        }
        #expect(try reader.read(UInt32.self) == 0xdead_beef)
        #expect(try reader.read(Int64.self) == -2)
        #expect(try reader.readText(limit: 8) == "größer")
        #expect(try Array(reader.readBlock(limit: 3)) == [1, 2, 3])
        try reader.expectEnd()
    }

    @Test(
        "What is no shortest number of 64 bits is refused",
        arguments: [
            [0x80, 0x00], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
            [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], [0x80],
        ] as [[UInt8]])
    func badNumbers(_ bytes: [UInt8]) {
        var reader = WireReader(bytes)
        #expect(throws: WireError.self) { try reader.readNumber() }
    }

    @Test("A length above its limit, or above what is there, is refused") func lengths() {
        var long = WireReader([5, 1, 2, 3, 4, 5])
        #expect(throws: WireError.tooLarge(5, limit: 4)) { try long.readBlock(limit: 4) }
        var short = WireReader([5, 1, 2])
        #expect(throws: WireError.truncated) { try short.readBlock(limit: 8) }
        var text = WireReader([2, 0xc3, 0x28])
        #expect(throws: WireError.malformed("a text that is not UTF-8")) { try text.readText(limit: 8) }
        #expect(throws: WireError.trailing(1)) { try WireReader([1]).expectEnd() }
    }
}
