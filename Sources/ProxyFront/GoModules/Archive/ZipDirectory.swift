/// A zip's central directory, read from the end of the file as clients read it: by the rules of Go's
/// `archive/zip`, so that what is odd to us is no odder than to them.
///
/// Reads only what it needs. Meant for whole files for which reading them in passing came to no verdict.
public struct ZipDirectory: Sendable {
    /// Fills the buffer with the file's bytes from `offset` on; called only within the file.
    public typealias Read = (_ offset: Int64, _ buffer: UnsafeMutableRawBufferPointer) throws -> Void

    let table: ZipEntryTable
    /// Where the directory begins, and where the record behind it begins.
    let directoryRange: Range<Int64>
    let byteCount: Int64
    let hasTrailingBytes: Bool

    /// - Parameters:
    ///   - byteCount: the size of the file.
    ///   - read: gives access to it.
    /// - Throws: `ZipRefusal` when clients could not read the directory either, or a limit is exceeded; and
    ///   whatever `read` throws.
    public init(byteCount: Int64, limits: ZipLimits = .module, read: @escaping Read) throws {
        guard byteCount <= limits.packedByteCount else {
            throw ZipRefusal.packedTooLarge(limit: limits.packedByteCount)
        }
        self.byteCount = byteCount
        let end = try ZipDirectoryEnd(byteCount: byteCount, read: read)
        let base = try Self.base(of: end, byteCount: byteCount, read: read)
        var window = FileWindow(byteCount: byteCount, position: base + end.directoryOffset, read: read)
        let start = window.position
        var table = ZipEntryTable()
        while let header = try Self.nextHeader(&window) {
            guard table.count < limits.entryCount else {
                throw ZipRefusal.tooManyEntries(limit: limits.entryCount)
            }
            guard header.name.count <= limits.nameByteCount else {
                throw ZipRefusal.namesTooLong(limit: limits.nameByteCount)
            }
            guard table.nameByteCount + header.name.count <= limits.namesByteCount else {
                throw ZipRefusal.namesTooLong(limit: limits.namesByteCount)
            }
            table.append(
                name: header.name, flags: header.fields.flags, method: header.fields.method,
                crc: header.fields.crc, packed: header.packed, unpacked: header.unpacked,
                offset: header.offset &+ base)
        }
        guard UInt16(truncatingIfNeeded: table.count) == UInt16(truncatingIfNeeded: end.entryCount) else {
            throw ZipRefusal.unreadable(
                "its end announces \(end.entryCount) entries, its central directory has \(table.count)")
        }
        self.table = table
        directoryRange = start..<max(start, window.position)
        hasTrailingBytes = end.endOffset != byteCount
    }

    /// Bytes that precede the zip's own first byte: offsets in it count from there.
    private static func base(of end: ZipDirectoryEnd, byteCount: Int64, read: @escaping Read) throws -> Int64
    {
        let base = end.recordOffset - end.directoryByteCount - end.directoryOffset
        let (start, overflow) = base.addingReportingOverflow(end.directoryOffset)
        guard !overflow, start >= 0, start < byteCount else {
            throw ZipRefusal.unreadable("its central directory lies outside the file")
        }
        guard base > 0 else { return base }
        // Some writers give a wrong size: where a directory begins at the offset as it stands, that counts.
        var window = FileWindow(byteCount: byteCount, position: end.directoryOffset, read: read)
        return try nextHeader(&window) == nil ? base : 0
    }

    private struct Header {
        let fields: ZipCentralHeader
        let name: ArraySlice<UInt8>
        var packed: Int64
        var unpacked: Int64
        var offset: Int64
    }

    /// The header at the window's position, or nil where none stands; the position moves behind it.
    private static func nextHeader(_ window: inout FileWindow) throws -> Header? {
        let start = window.position
        guard let fixed = try window.take(ZipCentralHeader.byteCount),
            LittleEndian.uint32(fixed, at: 0) == ZipSignature.centralHeader
        else {
            window.position = start
            return nil
        }
        let fields = ZipCentralHeader(fixed)
        guard let rest = try window.take(fields.followingByteCount) else {
            window.position = start
            return nil
        }
        var header = Header(
            fields: fields, name: rest.prefix(fields.nameByteCount), packed: Int64(fields.packed),
            unpacked: Int64(fields.unpacked), offset: Int64(fields.offset))
        let extra = rest.dropFirst(fields.nameByteCount).prefix(fields.extraByteCount)
        guard widen(&header, by: extra) else {
            throw ZipRefusal.unreadable("an entry's zip64 sizes are cut short or out of range")
        }
        return header
    }

    /// Takes sizes that do not fit their fields from the zip64 extra field (APPNOTE 4.5.3).
    private static func widen(_ header: inout Header, by extra: ArraySlice<UInt8>) -> Bool {
        var extra = extra
        while extra.count >= 4 {
            let tag = LittleEndian.uint16(extra, at: 0)
            let count = Int(LittleEndian.uint16(extra, at: 2))
            guard extra.count - 4 >= count else { break }
            var field = extra.dropFirst(4).prefix(count)
            extra = extra.dropFirst(4 + count)
            guard tag == 1 else { continue }
            func takeNumber() -> Int64? {
                guard field.count >= 8 else { return nil }
                defer { field = field.dropFirst(8) }
                return Int64(exactly: LittleEndian.uint64(field, at: 0))
            }
            if header.fields.unpacked == .max {
                guard let number = takeNumber() else { return false }
                header.unpacked = number
            }
            if header.fields.packed == .max {
                guard let number = takeNumber() else { return false }
                header.packed = number
            }
            if header.fields.offset == .max {
                guard let number = takeNumber() else { return false }
                header.offset = number
            }
        }
        return true
    }
}

/// The end of a zip's central directory, with the zip64 form of it taken into account.
struct ZipDirectoryEnd {
    let entryCount: UInt64
    let directoryByteCount: Int64
    let directoryOffset: Int64
    /// Where the record that gave these numbers begins; the directory should end there.
    let recordOffset: Int64
    /// Where the archive ends.
    let endOffset: Int64

    init(byteCount: Int64, read: ZipDirectory.Read) throws {
        guard let (bytes, offset) = try Self.find(byteCount: byteCount, read: read) else {
            throw ZipRefusal.unreadable("it has no end of central directory record")
        }
        let end = ZipEnd(bytes)
        endOffset = offset + Int64(ZipEnd.byteCount + end.commentByteCount)
        let isNarrow = end.entries != .max && end.directoryByteCount != .max && end.directoryOffset != .max
        if !isNarrow, let wide = try Self.zip64(before: offset, byteCount: byteCount, read: read) {
            entryCount = LittleEndian.uint64(wide.bytes, at: 32)
            guard let size = Int64(exactly: LittleEndian.uint64(wide.bytes, at: 40)),
                let start = Int64(exactly: LittleEndian.uint64(wide.bytes, at: 48)), size <= byteCount,
                start <= byteCount
            else { throw ZipRefusal.unreadable("its zip64 record points outside the file") }
            directoryByteCount = size
            directoryOffset = start
            recordOffset = wide.offset
        } else {
            entryCount = UInt64(end.entries)
            directoryByteCount = Int64(end.directoryByteCount)
            directoryOffset = Int64(end.directoryOffset)
            recordOffset = offset
        }
    }

    /// The last record of the kind in the file's last 65 KiB whose comment does not run out of the file.
    private static func find(byteCount: Int64, read: ZipDirectory.Read) throws -> ([UInt8], Int64)? {
        for window in [1024, 65 * 1024] as [Int64] {
            let length = min(window, byteCount)
            let start = byteCount - length
            let tail = try FileWindow.bytes(at: start, count: Int(length), read: read)
            var position = tail.count - ZipEnd.byteCount
            while position >= 0 {
                if LittleEndian.uint32(tail[position...], at: 0) == ZipSignature.end {
                    let comment = ZipEnd(tail[position...]).commentByteCount
                    guard position + ZipEnd.byteCount + comment <= tail.count else { break }
                    return (Array(tail[position...]), start + Int64(position))
                }
                position -= 1
            }
            if length == byteCount { return nil }
        }
        return nil
    }

    private static func zip64(
        before end: Int64, byteCount: Int64, read: ZipDirectory.Read
    ) throws -> (bytes: [UInt8], offset: Int64)? {
        let locatorOffset = end - 20
        guard locatorOffset >= 0 else { return nil }
        let locator = try FileWindow.bytes(at: locatorOffset, count: 20, read: read)
        guard LittleEndian.uint32(locator, at: 0) == ZipSignature.zip64Locator,
            LittleEndian.uint32(locator, at: 4) == 0, LittleEndian.uint32(locator, at: 16) == 1
        else { return nil }
        guard let offset = Int64(exactly: LittleEndian.uint64(locator, at: 8)), offset <= byteCount - 56
        else {
            throw ZipRefusal.unreadable("its zip64 record lies outside the file")
        }
        let record = try FileWindow.bytes(at: offset, count: 56, read: read)
        guard LittleEndian.uint32(record, at: 0) == ZipSignature.zip64End else {
            throw ZipRefusal.unreadable("its zip64 record is missing")
        }
        return (record, offset)
    }
}

/// A file read forwards through a buffer.
struct FileWindow {
    private static let capacity = 64 << 10

    let byteCount: Int64
    private let read: ZipDirectory.Read
    private var buffer: [UInt8] = []
    private var bufferOffset: Int64 = 0
    /// Where the next byte is taken; may be set.
    var position: Int64

    init(byteCount: Int64, position: Int64, read: @escaping ZipDirectory.Read) {
        self.byteCount = byteCount
        self.position = position
        self.read = read
    }

    /// The next bytes, or nil when the file ends before.
    mutating func take(_ count: Int) throws -> ArraySlice<UInt8>? {
        guard position >= 0, Int64(count) <= byteCount - position else { return nil }
        let end = bufferOffset + Int64(buffer.count)
        if position < bufferOffset || position + Int64(count) > end {
            let length = min(max(Int64(Self.capacity), Int64(count)), byteCount - position)
            buffer = try Self.bytes(at: position, count: Int(length), read: read)
            bufferOffset = position
        }
        let start = Int(position - bufferOffset)
        position += Int64(count)
        return buffer[start..<(start + count)]
    }

    static func bytes(at offset: Int64, count: Int, read: ZipDirectory.Read) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        if count > 0 { try bytes.withUnsafeMutableBytes { try read(offset, $0) } }
        return bytes
    }
}
