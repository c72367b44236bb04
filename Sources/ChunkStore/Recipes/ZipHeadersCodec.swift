/// The packed zip headers of an encoded recipe, column by column: names (each as what differs from the one
/// before), where the data is, sizes, checksums. Alike columns pack better than whole headers.
enum ZipHeadersCodec {
    static func encode(_ entries: [ZipEntryHeader], into bytes: inout [UInt8]) {
        bytes.append(varint: Int64(entries.count))
        var previous: [UInt8] = []
        for entry in entries {
            let shared = zip(previous, entry.name).prefix { $0 == $1 }.count
            bytes.append(varint: Int64(shared))
            bytes.append(varint: Int64(entry.name.count - shared))
            bytes.append(contentsOf: entry.name[shared...])
            previous = entry.name
        }
        for entry in entries {
            let mark: Int64 = entry.utf8 ? 1 : 0
            switch entry.data {
            case .stored(let data):
                bytes.append(varint: mark)
                bytes.append(varint: Int64(data.count))
                bytes.append(contentsOf: data)
            case .chunks(let count): bytes.append(varint: Int64(count) << 1 | mark)
            }
        }
        for entry in entries { bytes.append(varint: Int64(entry.uncompressedSize)) }
        for entry in entries { bytes.append(littleEndian: entry.crc32) }
    }

    static func decode(from reader: inout BoundedReader) throws(RecipeError) -> [ZipEntryHeader] {
        // Two bytes of name, one of data, one of size, four of checksum.
        let count = try reader.count(bytesEach: 8, of: "zip entries")
        var entries: [ZipEntryHeader] = []
        entries.reserveCapacity(count)
        var previous: [UInt8] = []
        // Front coding repeats bytes: the names' total is bounded as the body is.
        var total: Int64 = 0
        for _ in 0..<count {
            let shared = Int(try reader.varint(in: 0...Int64(previous.count), "a name's shared length"))
            let room = Int64(ZipEntryHeader.maximumNameLength - shared)
            let rest = Int(try reader.varint(in: 0...room, "a name's length"))
            var name = Array(previous[..<shared])
            name.append(contentsOf: try reader.take(rest))
            total += Int64(name.count)
            guard total <= Recipe.maximumBodyLength else { throw .malformed("its zip names are too long") }
            previous = name
            entries.append(
                ZipEntryHeader(name: name, crc32: 0, uncompressedSize: 0, utf8: false, data: .stored([])))
        }
        for index in entries.indices {
            let mark = try reader.varint()
            entries[index].utf8 = mark & 1 == 1
            if mark >> 1 == 0 {
                let length = try reader.count(bytesEach: 1, of: "stored bytes")
                entries[index].data = .stored(Array(try reader.take(length)))
            } else {
                guard mark >> 1 <= Int64(Int32.max) else {
                    throw .malformed("a zip entry of too many chunks")
                }
                entries[index].data = .chunks(count: Int(mark >> 1))
            }
        }
        for index in entries.indices {
            let size = try reader.varint(in: 0...Int64(UInt32.max), "a zip entry's size")
            entries[index].uncompressedSize = UInt32(size)
        }
        for index in entries.indices { entries[index].crc32 = try reader.uint32() }
        return entries
    }
}
