/// Where the parts of a zip archive stand, read from its central directory and local headers without
/// inflating anything (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.4).
///
/// Only plain archives are described: one disk, no zip64, no encryption, entries that neither overlap nor
/// leave large gaps, directory at the end. Anything else is refused as odd.
package struct ZipStructure: Sendable {
    package struct Entry: Sendable {
        package var name: [UInt8]
        package var flags: UInt16
        package var method: UInt16
        package var crc32: UInt32
        package var uncompressedSize: UInt32
        /// The local header with name and extra field.
        package var header: Range<Int64>
        /// The compressed bytes.
        package var data: Range<Int64>
    }

    /// In the order in which they stand in the file; with the directory's order in `directoryOrder`.
    package var entries: [Entry]
    /// Whether the directory lists the entries in the order of the file.
    package var inOrder: Bool
    /// Central directory and end record.
    package var directory: Range<Int64>

    /// Bytes between one entry's data and the next local header: a descriptor and little else.
    static let maximumGap: Int64 = 64 << 10
    static let maximumDirectoryLength: Int64 = 32 << 20

    /// - Throws: `ChunkingRefusal.odd`, or what `source` throws.
    package init(_ source: some BlobSource, shouldStop: () -> Bool) throws {
        let end = try ZipEndRecord(source)
        directory = end.directoryOffset..<source.size
        var found = try Self.directoryEntries(end, try source.read(directory))
        inOrder = zip(found, found.dropFirst()).allSatisfy { $0.offset < $1.offset }
        if !inOrder { found.sort { $0.offset < $1.offset } }
        entries = []
        entries.reserveCapacity(found.count)
        for (index, entry) in found.enumerated() {
            if index % 64 == 0, shouldStop() { throw ChunkingRefusal.stopped }
            let next = index + 1 < found.count ? found[index + 1].offset : end.directoryOffset
            entries.append(try Self.entry(entry, before: next, source))
        }
        try refuseGaps()
    }

    private struct DirectoryEntry {
        var name: [UInt8]
        var flags: UInt16
        var method: UInt16
        var crc32: UInt32
        var compressedSize: UInt32
        var uncompressedSize: UInt32
        var offset: Int64
    }

    private static func directoryEntries(_ end: ZipEndRecord, _ bytes: [UInt8]) throws -> [DirectoryEntry] {
        var entries: [DirectoryEntry] = []
        var at = 0
        let length = Int(end.directoryLength)
        while at < length {
            guard length - at >= 46, bytes.uint32(at) == 0x0201_4b50 else {
                throw ChunkingRefusal.odd("the zip's central directory is broken at entry \(entries.count)")
            }
            let nameLength = Int(bytes.uint16(at + 28))
            let size = 46 + nameLength + Int(bytes.uint16(at + 30)) + Int(bytes.uint16(at + 32))
            guard size <= length - at else {
                throw ChunkingRefusal.odd("zip entry \(entries.count) reaches beyond the central directory")
            }
            guard (1...ZipEntryHeader.maximumNameLength).contains(nameLength) else {
                throw ChunkingRefusal.odd("zip entry \(entries.count) has a name of \(nameLength) bytes")
            }
            let entry = DirectoryEntry(
                name: Array(bytes[(at + 46)..<(at + 46 + nameLength)]), flags: bytes.uint16(at + 8),
                method: bytes.uint16(at + 10), crc32: bytes.uint32(at + 16),
                compressedSize: bytes.uint32(at + 20), uncompressedSize: bytes.uint32(at + 24),
                offset: Int64(bytes.uint32(at + 42)))
            guard entry.compressedSize != .max, entry.uncompressedSize != .max,
                entry.offset < end.directoryOffset
            else {
                throw ChunkingRefusal.odd("zip entry \(entries.count) needs zip64 or lies outside the file")
            }
            guard entry.flags & 0x2041 == 0, bytes.uint16(at + 34) == 0 else {
                throw ChunkingRefusal.odd("zip entry \(entries.count) is encrypted or on another disk")
            }
            entries.append(entry)
            at += size
        }
        guard entries.count == end.entryCount else {
            throw ChunkingRefusal.odd(
                "the zip announces \(end.entryCount) entries and lists \(entries.count)")
        }
        return entries
    }

    private static func entry(
        _ entry: DirectoryEntry, before next: Int64, _ source: some BlobSource
    ) throws -> Entry {
        guard next - entry.offset >= 30 else { throw ChunkingRefusal.odd("zip entries overlap") }
        let window = entry.offset..<min(next, entry.offset + 30 + Int64(entry.name.count))
        let header = try source.read(window)
        guard header.uint32(0) == 0x0403_4b50, header.uint16(6) == entry.flags,
            header.uint16(8) == entry.method, Int(header.uint16(26)) == entry.name.count,
            header.count == 30 + entry.name.count, header[30...].elementsEqual(entry.name)
        else { throw ChunkingRefusal.odd("a zip entry's local header does not match the central directory") }
        let start = window.upperBound + Int64(header.uint16(28))
        let end = start + Int64(entry.compressedSize)
        guard end <= next else { throw ChunkingRefusal.odd("zip entries overlap") }
        return Entry(
            name: entry.name, flags: entry.flags, method: entry.method, crc32: entry.crc32,
            uncompressedSize: entry.uncompressedSize, header: entry.offset..<start, data: start..<end)
    }

    private func refuseGaps() throws {
        var end: Int64 = 0
        for entry in entries {
            guard entry.header.lowerBound - end <= Self.maximumGap else {
                throw ChunkingRefusal.odd(
                    "\(entry.header.lowerBound - end) bytes of the zip belong to no entry")
            }
            end = entry.data.upperBound
        }
        guard directory.lowerBound - end <= Self.maximumGap else {
            throw ChunkingRefusal.odd("\(directory.lowerBound - end) bytes of the zip belong to no entry")
        }
    }
}

/// The end of central directory record (APPNOTE 4.3.16).
struct ZipEndRecord {
    var entryCount: Int
    var directoryOffset: Int64
    var directoryLength: Int64

    init(_ source: some BlobSource) throws {
        let length = min(source.size, 22 + 0xffff)
        guard length >= 22 else { throw ChunkingRefusal.odd("too short for a zip") }
        let tail = try source.read((source.size - length)..<source.size)
        guard
            let at = stride(from: tail.count - 22, through: 0, by: -1).first(where: {
                tail.uint32($0) == 0x0605_4b50 && Int(tail.uint16($0 + 20)) == tail.count - $0 - 22
            })
        else { throw ChunkingRefusal.odd("the zip has no end record") }
        entryCount = Int(tail.uint16(at + 10))
        directoryLength = Int64(tail.uint32(at + 12))
        directoryOffset = Int64(tail.uint32(at + 16))
        guard tail.uint32(at + 4) == 0, tail.uint16(at + 8) == tail.uint16(at + 10) else {
            throw ChunkingRefusal.odd("the zip spans several disks")
        }
        let zip64Locator = at >= 20 && tail.uint32(at - 20) == 0x0706_4b50
        guard entryCount < 0xffff, !zip64Locator else { throw ChunkingRefusal.odd("the zip needs zip64") }
        let endOffset = source.size - length + Int64(at)
        guard directoryOffset + directoryLength == endOffset,
            directoryLength <= ZipStructure.maximumDirectoryLength
        else { throw ChunkingRefusal.odd("the zip's central directory is not where its end record says") }
        guard entryCount > 0, Int64(entryCount) * 46 <= directoryLength else {
            throw ChunkingRefusal.odd("the zip announces \(entryCount) entries in \(directoryLength) bytes")
        }
    }
}

extension [UInt8] {
    func uint16(_ at: Int) -> UInt16 { UInt16(self[at]) | UInt16(self[at + 1]) << 8 }

    func uint32(_ at: Int) -> UInt32 { UInt32(uint16(at)) | UInt32(uint16(at + 2)) << 16 }
}
