/// What a blob's bytes are, as far as chunking needs to know.
package enum BlobFormat: Int, Sendable, CaseIterable {
    /// A zip archive: cut at its entries.
    case zip = 1
    /// Bytes that are not compressed: cut by content.
    case plain = 2
    /// Compressed bytes of another kind: cutting them finds nothing to share.
    case compressed = 3

    /// The most leading bytes that detection looks at.
    package static let probeLength = 64 << 10

    /// The format that a blob's leading bytes show.
    ///
    /// - Parameter head: the first `probeLength` bytes, or all of a shorter blob.
    package init(head: [UInt8]) {
        if head.starts(with: [0x50, 0x4b, 0x03, 0x04]) {
            self = .zip
        } else if Self.compressedMagics.contains(where: { head.starts(with: $0) }) || !Self.packs(head) {
            self = .compressed
        } else {
            self = .plain
        }
    }

    private static let compressedMagics: [[UInt8]] = [
        [0x1f, 0x8b],  // gzip (RFC 1952)
        [0x28, 0xb5, 0x2f, 0xfd],  // zstd (RFC 8878)
        [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],  // xz
        Array("BZh".utf8),  // bzip2
        [0x04, 0x22, 0x4d, 0x18],  // LZ4 frame
        [0x89, 0x50, 0x4e, 0x47],  // PNG
        [0xff, 0xd8, 0xff],  // JPEG
    ]

    /// Whether LZ4 saves a tenth: what it cannot pack is taken for compressed, whatever its name.
    private static func packs(_ head: [UInt8]) -> Bool { LZ4Block.pack(head) != nil }
}
