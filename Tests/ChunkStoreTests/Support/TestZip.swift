/// Writes zip archives by hand, in the form of Go's module proxies unless told otherwise. The entries'
/// data is taken as it is: nothing here needs it to inflate.
struct TestZip {
    struct Entry {
        var name: String
        var data: [UInt8]
        var method: UInt16 = 8
        var flags: UInt16 = 8
        var date: UInt32 = 0
        var extra: [UInt8] = []
        var descriptor = true
        var crc32: UInt32 = 0x1234_5678
        /// Nil = three times the data.
        var uncompressedSize: UInt32?
        /// Claims of the central directory that differ from the truth.
        var claimedOffset: UInt32?
        var claimedSize: UInt32?
    }

    var entries: [Entry]
    var comment: [UInt8] = []
    var prefix: [UInt8] = []
    var claimedCount: UInt16?
    var reversedDirectory = false

    init(_ entries: [Entry]) { self.entries = entries }

    var bytes: [UInt8] {
        var out = prefix
        var directory: [[UInt8]] = []
        for entry in entries {
            let offset = UInt32(out.count)
            let size = UInt32(entry.data.count)
            let inHeader: UInt32 = entry.descriptor ? 0 : size
            put32(0x0403_4b50, &out)
            put16(20, &out)
            putShared(entry, crc: entry.descriptor ? 0 : entry.crc32, size: inHeader, &out)
            out += entry.name.utf8
            out += entry.extra
            out += entry.data
            if entry.descriptor {
                put32(0x0807_4b50, &out)
                put32(entry.crc32, &out)
                put32(size, &out)
                put32(entry.uncompressedSize ?? size * 3, &out)
            }
            var line: [UInt8] = []
            put32(0x0201_4b50, &line)
            put16(20, &line)
            put16(20, &line)
            putShared(entry, crc: entry.crc32, size: entry.claimedSize ?? size, &line)
            line += [UInt8](repeating: 0, count: 10)
            put32(entry.claimedOffset ?? offset, &line)
            line += entry.name.utf8
            line += entry.extra
            directory.append(line)
        }
        let start = UInt32(out.count)
        for line in reversedDirectory ? directory.reversed() : directory { out += line }
        let length = UInt32(out.count) - start
        put32(0x0605_4b50, &out)
        put32(0, &out)
        put16(claimedCount ?? UInt16(entries.count), &out)
        put16(claimedCount ?? UInt16(entries.count), &out)
        put32(length, &out)
        put32(start, &out)
        put16(UInt16(comment.count), &out)
        return out + comment
    }

    private func putShared(_ entry: Entry, crc: UInt32, size: UInt32, _ out: inout [UInt8]) {
        put16(entry.flags, &out)
        put16(entry.method, &out)
        put32(entry.date, &out)
        put32(crc, &out)
        put32(size, &out)
        put32(size == 0 ? 0 : entry.uncompressedSize ?? UInt32(entry.data.count) * 3, &out)
        put16(UInt16(entry.name.utf8.count), &out)
        put16(UInt16(entry.extra.count), &out)
    }

    private func put16(_ value: UInt16, _ out: inout [UInt8]) {
        out += [UInt8(value & 255), UInt8(value >> 8)]
    }

    private func put32(_ value: UInt32, _ out: inout [UInt8]) {
        put16(UInt16(value & 0xffff), &out)
        put16(UInt16(value >> 16), &out)
    }
}

extension TestZip {
    /// A module zip of random files; the same seed gives the same bytes.
    static func module(_ prefix: String, files: Int, size: ClosedRange<Int>, seed: UInt64) -> TestZip {
        var random = SplitMix(seed: seed)
        return TestZip(
            (0..<files).map { index in
                let count = Int.random(in: size, using: &random)
                let name = "\(prefix)/pkg\(index / 7)/file\(index).go"
                return Entry(name: name, data: random.bytes(count), crc32: UInt32(random.next() >> 32))
            })
    }
}

extension SplitMix {
    /// Random bytes, which nothing compresses.
    mutating func bytes(_ count: Int) -> [UInt8] { randomBytes(count, seed: next()) }
}
