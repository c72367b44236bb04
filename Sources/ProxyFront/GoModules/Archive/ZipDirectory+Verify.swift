import Crypto

extension ZipDirectory {
    private static let bufferByteCount = 256 << 10

    /// Unpacks every entry as a client would and works out the sums.
    ///
    /// - Parameter reason: why passing the bytes by came to no verdict, for the report.
    /// - Throws: `ZipRefusal` when clients could not read an entry either, or a limit is exceeded; and
    ///   whatever `read` throws.
    public func verify(
        as module: ModuleIdentity, limits: ZipLimits = .module, because reason: String, read: @escaping Read
    ) throws -> ModuleZipReport {
        try checkTotals(limits)
        var table = table
        var oddities = ZipOddities()
        oddities.add(ZipOddity(.readByDirectory(reason: reason)))
        if hasTrailingBytes { oddities.add(ZipOddity(.trailingBytes)) }
        var inflater = Inflater()
        var extents: [(range: Range<Int64>, entry: Int)] = []
        for index in 0..<table.count {
            let result = try digest(of: index, &inflater, read: read)
            table.append(digest: result.digest)
            extents.append((result.extent, index))
            if let oddity = result.oddity { oddities.add(ZipOddity(oddity, entry: table.name(index))) }
        }
        reportLayout(extents, into: &oddities)
        return ModuleZipReport(module: module, table: table, limits: limits, oddities: oddities)
    }

    private func checkTotals(_ limits: ZipLimits) throws(ZipRefusal) {
        var packed: Int64 = 0
        var unpacked: Int64 = 0
        for (index, entry) in table.entries.enumerated() {
            guard !table.name(index).contains(0x0a) else {
                throw refusal(index, "its name holds a line feed, which sums cannot stand for")
            }
            guard entry.unpacked <= limits.unpackedByteCount - unpacked else {
                throw .unpackedTooLarge(limit: limits.unpackedByteCount)
            }
            unpacked += entry.unpacked
            guard entry.packed <= byteCount - packed else {
                throw .unreadable("its entries claim more bytes than it has, so they overlap")
            }
            packed += entry.packed
        }
    }

    private func refusal(_ index: Int, _ reason: String) -> ZipRefusal {
        .unreadableEntry(name: String(decoding: table.name(index).prefix(512), as: UTF8.self), reason: reason)
    }

    private struct Reading {
        var digest: SHA256Digest
        /// From the local header to the end of the descriptor.
        var extent: Range<Int64>
        var oddity: ZipOddity.Kind?
    }

    private func digest(of index: Int, _ inflater: inout Inflater, read: @escaping Read) throws -> Reading {
        let entry = table.entries[index]
        guard entry.offset >= 0, entry.offset <= byteCount - Int64(ZipLocalHeader.byteCount) else {
            throw refusal(index, "it lies outside the file")
        }
        let headerBytes = try FileWindow.bytes(at: entry.offset, count: ZipLocalHeader.byteCount, read: read)
        guard LittleEndian.uint32(headerBytes, at: 0) == ZipSignature.localHeader else {
            throw refusal(index, "no header stands where it should begin")
        }
        let header = ZipLocalHeader(headerBytes)
        let data = entry.offset + Int64(ZipLocalHeader.byteCount + header.followingByteCount)
        let isFolder = table.name(index).last == UInt8(ascii: "/")
        if isFolder {
            guard entry.unpacked == 0 else { throw refusal(index, "it is a folder with contents") }
        }
        guard data <= byteCount, entry.packed <= byteCount - data else {
            throw refusal(index, "it runs out of the file")
        }
        var reading = Reading(
            digest: SHA256().finalize(), extent: entry.offset..<(data + entry.packed), oddity: nil)
        let descriptor = try descriptor(of: entry, at: data + entry.packed, read: read)
        if let descriptor { reading.extent = entry.offset..<descriptor.end }
        if isFolder { return reading }

        let contents = try unpack(index, at: data, &inflater, read: read)
        reading.digest = contents.digest
        if contents.hasUnusedBytes { reading.oddity = .unusedBytes }
        if entry.flags & 8 != 0 {
            guard let descriptor, descriptor.crc == entry.crc, contents.crc == entry.crc else {
                throw refusal(index, "its checksum is wrong")
            }
        } else if entry.crc != 0, contents.crc != entry.crc {
            throw refusal(index, "its checksum is wrong")
        }
        let name = try FileWindow.bytes(
            at: entry.offset + Int64(ZipLocalHeader.byteCount), count: header.nameByteCount, read: read)
        let sizesAgree =
            header.hasDescriptor
            || header.crc == entry.crc && agrees(header.packed, entry.packed)
                && agrees(header.unpacked, entry.unpacked)
        if !name.elementsEqual(table.name(index)) || header.method != entry.method
            || header.flags != entry.flags || !sizesAgree
        {
            reading.oddity = .headersDisagree
        }
        return reading
    }

    /// What the data descriptor behind the contents says, nil when the entry has none or the file ends.
    /// It may have a signature or none, and sizes of four or of eight bytes.
    private func descriptor(
        of entry: ZipEntryTable.Entry, at offset: Int64, read: Read
    ) throws -> (crc: UInt32, end: Int64)? {
        guard entry.flags & 8 != 0, byteCount - offset >= 12 else { return nil }
        let bytes = try FileWindow.bytes(at: offset, count: Int(min(24, byteCount - offset)), read: read)
        let isSigned =
            bytes.count >= 16 && LittleEndian.uint32(bytes, at: 0) == ZipSignature.dataDescriptor
        let fields = bytes.dropFirst(isSigned ? 4 : 0)
        let isWide =
            fields.count >= 20 && LittleEndian.uint64(fields, at: 4) == UInt64(entry.packed)
            && LittleEndian.uint64(fields, at: 12) == UInt64(entry.unpacked)
        let end = offset + (isSigned ? 4 : 0) + (isWide ? 20 : 12)
        return (LittleEndian.uint32(fields, at: 0), end)
    }

    private func agrees(_ field: UInt32, _ value: Int64) -> Bool { field == .max || Int64(field) == value }

    private struct Contents {
        var digest: SHA256Digest
        var crc: UInt32
        var hasUnusedBytes: Bool
    }

    private func unpack(
        _ index: Int, at data: Int64, _ inflater: inout Inflater, read: Read
    ) throws -> Contents {
        let entry = table.entries[index]
        guard entry.method == ZipMethod.stored || entry.method == ZipMethod.deflated else {
            throw refusal(index, "it is packed by the unknown method \(entry.method)")
        }
        var hash = SHA256()
        var crc: UInt32 = 0
        var unpacked: Int64 = 0
        func absorb(_ bytes: UnsafeRawBufferPointer) throws(ZipRefusal) {
            unpacked += Int64(bytes.count)
            guard unpacked <= entry.unpacked else { throw refusal(index, "it is longer than it says") }
            hash.update(bufferPointer: bytes)
            crc = CRC32.update(crc, bytes)
        }
        var position = data
        let end = data + entry.packed
        var isFinished = entry.method == ZipMethod.stored
        var unused = 0
        inflater.restart()
        while position < end, entry.method == ZipMethod.stored || !isFinished {
            let count = Int(min(Int64(Self.bufferByteCount), end - position))
            var buffer = try FileWindow.bytes(at: position, count: count, read: read)
            position += Int64(count)
            try buffer.withUnsafeMutableBytes { buffer in
                guard entry.method == ZipMethod.deflated else {
                    return try absorb(UnsafeRawBufferPointer(buffer))
                }
                inflater.feed(UnsafeRawBufferPointer(buffer))
                while true {
                    let (output, status) = inflater.next()
                    try absorb(output)
                    switch status {
                    case .goesOn: continue
                    case .needsInput: return
                    case .finished(let left):
                        isFinished = true
                        unused = left
                        return
                    case .invalid: throw refusal(index, "its compressed bytes are damaged")
                    }
                }
            }
        }
        guard isFinished, unpacked == entry.unpacked else {
            throw refusal(index, "it is shorter than it says")
        }
        return Contents(
            digest: hash.finalize(), crc: crc, hasUnusedBytes: position - Int64(unused) != end)
    }

    /// Reports entries that share bytes, and bytes that belong to none.
    private func reportLayout(
        _ extents: [(range: Range<Int64>, entry: Int)], into oddities: inout ZipOddities
    ) {
        var end: Int64 = 0
        let sorted = extents.sorted { ($0.range.lowerBound, $0.entry) < ($1.range.lowerBound, $1.entry) }
        for extent in sorted {
            let start = extent.range.lowerBound
            if start > end { oddities.add(ZipOddity(.gap, entry: table.name(extent.entry))) }
            if start < end { oddities.add(ZipOddity(.overlap, entry: table.name(extent.entry))) }
            end = max(end, extent.range.upperBound)
        }
        if directoryRange.lowerBound > end { oddities.add(ZipOddity(.gap)) }
        if directoryRange.lowerBound < end { oddities.add(ZipOddity(.overlap)) }
    }
}
