/// Numbers as they stand in zip files, least significant byte first.
enum LittleEndian {
    static func uint16(_ bytes: some RandomAccessCollection<UInt8>, at offset: Int) -> UInt16 {
        let start = bytes.index(bytes.startIndex, offsetBy: offset)
        return UInt16(bytes[start]) | UInt16(bytes[bytes.index(after: start)]) << 8
    }

    static func uint32(_ bytes: some RandomAccessCollection<UInt8>, at offset: Int) -> UInt32 {
        UInt32(uint16(bytes, at: offset)) | UInt32(uint16(bytes, at: offset + 2)) << 16
    }

    static func uint64(_ bytes: some RandomAccessCollection<UInt8>, at offset: Int) -> UInt64 {
        UInt64(uint32(bytes, at: offset)) | UInt64(uint32(bytes, at: offset + 4)) << 32
    }
}

/// The records that a zip is made of (PKWARE APPNOTE.TXT, section 4.3).
enum ZipSignature {
    static let localHeader: UInt32 = 0x0403_4b50
    static let centralHeader: UInt32 = 0x0201_4b50
    static let end: UInt32 = 0x0605_4b50
    static let zip64End: UInt32 = 0x0606_4b50
    static let zip64Locator: UInt32 = 0x0706_4b50
    static let dataDescriptor: UInt32 = 0x0807_4b50
}

/// How an entry's bytes are packed; no other methods occur in module zips.
enum ZipMethod {
    static let stored: UInt16 = 0
    static let deflated: UInt16 = 8
}

/// A local file header (APPNOTE 4.3.7).
struct ZipLocalHeader {
    static let byteCount = 30

    let flags: UInt16
    let method: UInt16
    let crc: UInt32
    let packed: UInt32
    let unpacked: UInt32
    let nameByteCount: Int
    let extraByteCount: Int

    /// - Precondition: `bytes` holds at least `byteCount` bytes and begins with the signature.
    init(_ bytes: some RandomAccessCollection<UInt8>) {
        flags = LittleEndian.uint16(bytes, at: 6)
        method = LittleEndian.uint16(bytes, at: 8)
        crc = LittleEndian.uint32(bytes, at: 14)
        packed = LittleEndian.uint32(bytes, at: 18)
        unpacked = LittleEndian.uint32(bytes, at: 22)
        nameByteCount = Int(LittleEndian.uint16(bytes, at: 26))
        extraByteCount = Int(LittleEndian.uint16(bytes, at: 28))
    }

    /// Whether crc and sizes follow the contents (general purpose bit 3).
    var hasDescriptor: Bool { flags & 8 != 0 }
    var isEncrypted: Bool { flags & 1 != 0 }

    var followingByteCount: Int { nameByteCount + extraByteCount }
}

/// A header of the central directory (APPNOTE 4.3.12).
struct ZipCentralHeader {
    static let byteCount = 46

    let flags: UInt16
    let method: UInt16
    let crc: UInt32
    let packed: UInt32
    let unpacked: UInt32
    let nameByteCount: Int
    let extraByteCount: Int
    let commentByteCount: Int
    let disk: UInt16
    let offset: UInt32

    /// - Precondition: `bytes` holds at least `byteCount` bytes and begins with the signature.
    init(_ bytes: some RandomAccessCollection<UInt8>) {
        flags = LittleEndian.uint16(bytes, at: 8)
        method = LittleEndian.uint16(bytes, at: 10)
        crc = LittleEndian.uint32(bytes, at: 16)
        packed = LittleEndian.uint32(bytes, at: 20)
        unpacked = LittleEndian.uint32(bytes, at: 24)
        nameByteCount = Int(LittleEndian.uint16(bytes, at: 28))
        extraByteCount = Int(LittleEndian.uint16(bytes, at: 30))
        commentByteCount = Int(LittleEndian.uint16(bytes, at: 32))
        disk = LittleEndian.uint16(bytes, at: 34)
        offset = LittleEndian.uint32(bytes, at: 42)
    }

    var followingByteCount: Int { nameByteCount + extraByteCount + commentByteCount }
}

/// The end of central directory record (APPNOTE 4.3.16).
struct ZipEnd {
    static let byteCount = 22

    let disk: UInt16
    let directoryDisk: UInt16
    let entriesOnDisk: UInt16
    let entries: UInt16
    let directoryByteCount: UInt32
    let directoryOffset: UInt32
    let commentByteCount: Int

    /// - Precondition: `bytes` holds at least `byteCount` bytes and begins with the signature.
    init(_ bytes: some RandomAccessCollection<UInt8>) {
        disk = LittleEndian.uint16(bytes, at: 4)
        directoryDisk = LittleEndian.uint16(bytes, at: 6)
        entriesOnDisk = LittleEndian.uint16(bytes, at: 8)
        entries = LittleEndian.uint16(bytes, at: 10)
        directoryByteCount = LittleEndian.uint32(bytes, at: 12)
        directoryOffset = LittleEndian.uint32(bytes, at: 16)
        commentByteCount = Int(LittleEndian.uint16(bytes, at: 20))
    }
}
