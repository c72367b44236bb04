import Content

/// The file beside a large partial that says which of its bytes are surely on disk
/// (docs/store-format.md, "Partials"): a header, then snapshots, the last whole one counts.
enum PartialMap {
    static let magic: [UInt8] = [0x45, 0x4e, 0x50, 0x4d]  // "ENPM"
    static let formatVersion: UInt8 = 1

    /// What a map says of its partial.
    struct Contents: Equatable {
        var expected: Digest
        var size: Int64?
        var present: PresenceMap
    }

    static func header(_ expected: Digest) -> [UInt8] {
        let body = magic + [formatVersion, expected.algorithm.code, 0, 0] + expected.bytes
        return body + CRC32C.of(body).littleEndianBytes
    }

    static func snapshot(size: Int64?, present: PresenceMap) -> [UInt8] {
        var body = UInt32(present.ranges.count).littleEndianBytes + (size ?? -1).littleEndianBytes
        for range in present.ranges {
            body += range.lowerBound.littleEndianBytes + range.upperBound.littleEndianBytes
        }
        return body + CRC32C.of(body).littleEndianBytes
    }

    /// - Returns: nil when there is no whole header and snapshot.
    static func decode(_ bytes: [UInt8]) -> Contents? {
        guard bytes.count >= 8, Array(bytes[..<4]) == magic, bytes[4] == formatVersion,
            let algorithm = DigestAlgorithm(code: bytes[5])
        else { return nil }
        let bodyEnd = 8 + algorithm.byteCount
        guard bytes.count >= bodyEnd + 4,
            UInt32(littleEndian: bytes[...], at: bodyEnd) == CRC32C.of(bytes[..<bodyEnd]),
            let expected = try? Digest(algorithm, bytes: Array(bytes[8..<bodyEnd]))
        else { return nil }
        var contents: Contents?
        var rest = bytes[(bodyEnd + 4)...]
        while let (snapshot, length) = decodeSnapshot(rest, expected: expected) {
            contents = snapshot
            rest = rest.dropFirst(length)
        }
        return contents
    }

    private static func decodeSnapshot(_ bytes: ArraySlice<UInt8>, expected: Digest) -> (Contents, Int)? {
        guard bytes.count >= 16 else { return nil }
        let count = Int(UInt32(littleEndian: bytes, at: 0))
        let length = 12 + 16 * count
        guard bytes.count >= length + 4,
            UInt32(littleEndian: bytes, at: length) == CRC32C.of(bytes.prefix(length))
        else { return nil }
        let size = Int64(littleEndian: bytes, at: 4)
        var present = PresenceMap()
        for index in 0..<count {
            let lower = Int64(littleEndian: bytes, at: 12 + 16 * index)
            let upper = Int64(littleEndian: bytes, at: 20 + 16 * index)
            guard 0 <= lower, lower < upper else { return nil }
            present.insert(lower..<upper)
        }
        return (Contents(expected: expected, size: size < 0 ? nil : size, present: present), length + 4)
    }
}
