/// What must be known of one zip entry to write its local header, its data descriptor and its line of the
/// central directory again, when all three have the form in which Go's module proxies write them: deflated,
/// bit 3 (sizes follow in a descriptor), version 20 by 20, no date, no extra fields, no attributes
/// (PKWARE APPNOTE 4.3.7, 4.3.9, 4.3.12).
package struct ZipEntryHeader: Hashable, Sendable {
    /// The longest name, in bytes.
    package static let maximumNameLength = 4096

    /// Where the entry's compressed bytes are.
    package enum Data: Hashable, Sendable {
        /// In the recipe itself: too short to be worth a chunk.
        case stored([UInt8])
        /// In the next `count` chunks.
        case chunks(count: Int)
    }

    package var name: [UInt8]
    package var crc32: UInt32
    /// Bytes of the entry once inflated.
    package var uncompressedSize: UInt32
    /// Whether general purpose bit 11 (the name is UTF-8) is set.
    package var utf8: Bool
    package var data: Data

    package init(name: [UInt8], crc32: UInt32, uncompressedSize: UInt32, utf8: Bool, data: Data) {
        self.name = name
        self.crc32 = crc32
        self.uncompressedSize = uncompressedSize
        self.utf8 = utf8
        self.data = data
    }

    private var flags: UInt16 { utf8 ? 0x0808 : 0x0008 }

    package static let localHeaderFixedLength = 30
    package static let descriptorLength = 16
    static let directoryEntryFixedLength = 46
    static let endRecordLength = 22

    package var localHeaderLength: Int { Self.localHeaderFixedLength + name.count }

    package var localHeader: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(localHeaderLength)
        bytes.append(littleEndian: 0x0403_4b50 as UInt32)
        appendShared(to: &bytes, crc32: 0, compressed: 0, uncompressed: 0)
        bytes.append(contentsOf: name)
        return bytes
    }

    package func descriptor(compressedSize: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.descriptorLength)
        bytes.append(littleEndian: 0x0807_4b50 as UInt32)
        bytes.append(littleEndian: crc32)
        bytes.append(littleEndian: compressedSize)
        bytes.append(littleEndian: uncompressedSize)
        return bytes
    }

    var directoryEntryLength: Int { Self.directoryEntryFixedLength + name.count }

    func appendDirectoryEntry(to bytes: inout [UInt8], compressedSize: UInt32, offset: UInt32) {
        bytes.append(littleEndian: 0x0201_4b50 as UInt32)
        bytes.append(littleEndian: 20 as UInt16)
        appendShared(to: &bytes, crc32: crc32, compressed: compressedSize, uncompressed: uncompressedSize)
        // Comment length, disk number, internal and external attributes: none.
        bytes.append(contentsOf: repeatElement(0, count: 10))
        bytes.append(littleEndian: offset)
        bytes.append(contentsOf: name)
    }

    /// The run of fields that local header and central directory have in common: version needed to extra length.
    private func appendShared(
        to bytes: inout [UInt8], crc32: UInt32, compressed: UInt32, uncompressed: UInt32
    ) {
        bytes.append(littleEndian: 20 as UInt16)
        bytes.append(littleEndian: flags)
        bytes.append(littleEndian: 8 as UInt16)
        bytes.append(littleEndian: 0 as UInt32)
        bytes.append(littleEndian: crc32)
        bytes.append(littleEndian: compressed)
        bytes.append(littleEndian: uncompressed)
        bytes.append(littleEndian: UInt16(name.count))
        bytes.append(littleEndian: 0 as UInt16)
    }

    static func appendEndRecord(to bytes: inout [UInt8], entries: Int, directorySize: Int, offset: Int64) {
        bytes.append(littleEndian: 0x0605_4b50 as UInt32)
        bytes.append(littleEndian: 0 as UInt32)
        bytes.append(littleEndian: UInt16(entries))
        bytes.append(littleEndian: UInt16(entries))
        bytes.append(littleEndian: UInt32(directorySize))
        bytes.append(littleEndian: UInt32(offset))
        bytes.append(littleEndian: 0 as UInt16)
    }
}
