/// A tar archive made by hand, right or wrong.
struct TestTar: Sendable {
    private(set) var blocks: [UInt8] = []

    /// The archive with its two empty blocks at the end.
    var bytes: [UInt8] { blocks + [UInt8](repeating: 0, count: 1024) }

    func file(
        _ name: String, _ body: String, size: String? = nil, binarySize: [UInt8]? = nil,
        checksum: String? = nil
    ) -> TestTar {
        entry(name, kind: "0", body: body, size: size, binarySize: binarySize, checksum: checksum)
    }

    func file(_ name: String, _ body: [UInt8]) -> TestTar {
        var other = entry(name, kind: "0", size: String(body.count, radix: 8))
        other.append(body)
        return other
    }

    func pax(_ records: [String: String]) -> TestTar {
        let body = records.sorted { $0.key < $1.key }.map { key, value in
            let rest = " \(key)=\(value)\n"
            var length = rest.utf8.count + 1
            while "\(length)".utf8.count + rest.utf8.count != length { length += 1 }
            return "\(length)\(rest)"
        }.joined()
        return entry("PaxHeader", kind: "x", body: body)
    }

    func long(_ kind: Character, _ name: String) -> TestTar {
        entry("././@LongLink", kind: kind, body: name + "\0")
    }

    func entry(
        _ name: String, kind: Character, body: String = "", link: String = "", size: String? = nil,
        binarySize: [UInt8]? = nil, checksum: String? = nil
    ) -> TestTar {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: [UInt8], at offset: Int) {
            for (index, byte) in text.enumerated() { header[offset + index] = byte }
        }
        put(Array(name.utf8), at: 0)
        put(Array("0000644\0".utf8), at: 100)
        put(Array((size ?? String(body.utf8.count, radix: 8)).utf8), at: 124)
        if let binarySize { put(binarySize, at: 124) }
        put(Array("        ".utf8), at: 148)
        header[156] = kind.asciiValue ?? 0
        put(Array(link.utf8), at: 157)
        put(Array("ustar\000".utf8), at: 257)
        let sum = header.reduce(0) { $0 + Int($1) }
        put(Array((checksum ?? String(sum, radix: 8)).utf8) + [0], at: 148)
        var other = self
        other.blocks += header
        other.append(Array(body.utf8))
        return other
    }

    private mutating func append(_ body: [UInt8]) {
        blocks += body + [UInt8](repeating: 0, count: (512 - body.count % 512) % 512)
    }
}
