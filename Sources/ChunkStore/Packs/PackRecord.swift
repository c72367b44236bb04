import CLZ4
import Content

/// One record of a pack: a header, then the object's bytes, compressed when that saves at least a tenth
/// (docs/store-format.md, "Packs").
package enum PackRecord {
    static let magic: [UInt8] = [0x45, 0x4e, 0x52, 0x31]  // "ENR1"
    /// Bytes before the digest.
    static let fixedHeaderCount = 20
    static let compressedFlag: UInt8 = 1
    /// The longest object that a record may hold, in bytes.
    package static let maximumCount = 16 << 20

    package static func headerCount(_ algorithm: DigestAlgorithm) -> Int {
        fixedHeaderCount + algorithm.byteCount
    }

    /// What a record's header says.
    package struct Header: Sendable, Equatable {
        package let digest: Digest
        package let compressed: Bool
        package let storedCount: Int
        package let count: Int
        package var recordCount: Int { PackRecord.headerCount(digest.algorithm) + storedCount }
    }

    /// The record for `bytes`, whose digest is `digest`.
    package static func encode(_ bytes: some ByteSource, digest: Digest) -> [UInt8] {
        bytes.withBytes { raw in
            precondition(raw.count <= maximumCount, "an object of \(raw.count) bytes does not fit a record")
            let header = headerCount(digest.algorithm)
            let limit = raw.count - raw.count / 10
            var record = [UInt8](repeating: 0, count: header + raw.count)
            let packed: Int = record.withUnsafeMutableBytes { target in
                guard raw.count >= 32, let source = raw.baseAddress, let base = target.baseAddress else {
                    return 0
                }
                return Int(
                    LZ4_compress_default(
                        source.assumingMemoryBound(to: CChar.self),
                        (base + header).assumingMemoryBound(to: CChar.self), Int32(raw.count), Int32(limit)))
            }
            if packed > 0 {
                record.removeLast(record.count - header - packed)
            } else {
                record.withUnsafeMutableBytes {
                    UnsafeMutableRawBufferPointer(rebasing: $0[header...]).copyMemory(from: raw)
                }
            }
            writeHeader(
                &record,
                Header(
                    digest: digest, compressed: packed > 0, storedCount: record.count - header,
                    count: raw.count))
            return record
        }
    }

    private static func writeHeader(_ record: inout [UInt8], _ header: Header) {
        record.replaceSubrange(0..<4, with: magic)
        record[4] = header.compressed ? compressedFlag : 0
        record[5] = header.digest.algorithm.code
        record.replaceSubrange(8..<12, with: UInt32(header.storedCount).littleEndianBytes)
        record.replaceSubrange(12..<16, with: UInt32(header.count).littleEndianBytes)
        let end = headerCount(header.digest.algorithm)
        record.replaceSubrange(fixedHeaderCount..<end, with: header.digest.bytes)
        record.replaceSubrange(16..<20, with: checksum(record[..<end]).littleEndianBytes)
    }

    /// CRC-32C of the header with its own four bytes taken as zero.
    private static func checksum(_ header: ArraySlice<UInt8>) -> UInt32 {
        var checksum = CRC32C()
        checksum.update(header[header.startIndex..<header.startIndex + 16])
        checksum.update([0, 0, 0, 0])
        checksum.update(header[(header.startIndex + fixedHeaderCount)...])
        return checksum.value
    }

    /// The header at the start of `bytes`; nil when there is none that is whole and right.
    package static func header(_ bytes: ArraySlice<UInt8>) -> Header? {
        let start = bytes.startIndex
        guard bytes.count >= fixedHeaderCount, Array(bytes.prefix(4)) == magic,
            let algorithm = DigestAlgorithm(code: bytes[start + 5]),
            bytes[start + 4] & ~compressedFlag == 0,
            bytes.count >= headerCount(algorithm)
        else { return nil }
        let header = bytes.prefix(headerCount(algorithm))
        guard UInt32(littleEndian: header, at: 16) == checksum(header),
            let digest = try? Digest(algorithm, bytes: Array(header.dropFirst(fixedHeaderCount)))
        else { return nil }
        let stored = Int(UInt32(littleEndian: header, at: 8))
        let count = Int(UInt32(littleEndian: header, at: 12))
        let compressed = bytes[start + 4] == compressedFlag
        guard count <= maximumCount, compressed ? stored < count : stored == count else { return nil }
        return Header(digest: digest, compressed: compressed, storedCount: stored, count: count)
    }

    /// The object in a whole record, its bytes checked against the record's digest.
    /// - Returns: nil when anything does not hold: the record is damaged.
    package static func decode(_ record: [UInt8]) -> (digest: Digest, bytes: [UInt8])? {
        guard let header = header(record[...]), record.count == header.recordCount else { return nil }
        let payload = record[headerCount(header.digest.algorithm)...]
        let bytes: [UInt8]
        if header.compressed {
            guard let inflated = decompress(payload, count: header.count) else { return nil }
            bytes = inflated
        } else {
            bytes = Array(payload)
        }
        guard Digest(header.digest.algorithm, of: bytes) == header.digest else { return nil }
        return (header.digest, bytes)
    }

    private static func decompress(_ payload: ArraySlice<UInt8>, count: Int) -> [UInt8]? {
        let bytes = payload.withUnsafeBytes { source in
            [UInt8](unsafeUninitializedCapacity: count) { target, written in
                guard let from = source.baseAddress, let to = target.baseAddress else { return }
                let got = LZ4_decompress_safe(
                    from.assumingMemoryBound(to: CChar.self),
                    UnsafeMutableRawPointer(to).assumingMemoryBound(to: CChar.self), Int32(source.count),
                    Int32(count))
                written = max(0, Int(got))
            }
        }
        return bytes.count == count ? bytes : nil
    }
}
