import Crypto

/// Works out the h1 of a module zip while its bytes pass by, in order and in pieces of any size.
///
/// Entries are unpacked and hashed as they arrive; what comes out counts only if the central directory, which
/// comes last and is what clients read by, describes exactly those entries and nothing else is in the file.
/// A zip for which that does not hold may still be sound: `finish` then asks for the whole file, to be read
/// by `ZipDirectory`. Memory is bounded by `ZipLimits`, whatever the zip claims.
///
/// Not for use by several threads at once; unpacking is work for a thread that may be busy.
public struct ZipVerifier: ~Copyable, Sendable {
    private enum Progress: Sendable {
        case reading
        case undecidable(String)
        case refused(ZipRefusal)
    }

    /// What the next bytes are.
    private enum Expected: Sendable {
        case record
        case localHeader(ZipLocalHeader?)
        case stored(left: Int64)
        case deflated(left: Int64?)
        case descriptor
        case centralHeader
        case end
        case nothing
    }

    /// The entry whose contents are passing by.
    private struct Current: Sendable {
        let header: ZipLocalHeader
        let name: [UInt8]
        let offset: Int64
        let dataOffset: Int64
        var unpacked: Int64 = 0
        var crc: UInt32 = 0
        var hash = SHA256()

        mutating func absorb(_ contents: UnsafeRawBufferPointer) {
            unpacked += Int64(contents.count)
            hash.update(bufferPointer: contents)
            crc = CRC32.update(crc, contents)
        }
    }

    private let module: ModuleIdentity
    private let limits: ZipLimits
    private var progress = Progress.reading
    private var expected = Expected.record
    /// Made with the first entry that needs it.
    private var inflater: Inflater?
    private var table = ZipEntryTable()
    private var current: Current?

    /// Bytes understood so far, from the file's start.
    private var offset: Int64 = 0
    private var received: Int64 = 0
    private var unpacked: Int64 = 0
    /// The beginning of a record that is not complete yet, and how many bytes it takes to go on.
    private var pending: [UInt8] = []
    private var wanted = 4
    /// The last bytes given to the inflater, which may turn out to lie behind the entry's end.
    private var fed: [UInt8] = []
    private var directoryOffset: Int64 = 0
    private var directoryCount = 0

    public init(module: ModuleIdentity, limits: ZipLimits = .module) {
        self.module = module
        self.limits = limits
    }

    /// Why the zip will be refused, as soon as that is known; receiving more changes nothing.
    public var refusal: ZipRefusal? {
        if case .refused(let refusal) = progress { refusal } else { nil }
    }

    /// Takes the bytes that follow those received before.
    public mutating func receive(_ bytes: UnsafeRawBufferPointer) {
        received += Int64(bytes.count)
        guard received <= limits.packedByteCount else {
            return refuse(.packedTooLarge(limit: limits.packedByteCount))
        }
        var rest = bytes[...]
        while !rest.isEmpty, case .reading = progress {
            switch expected {
            case .stored(let left): passStored(&rest, left: left)
            case .deflated(let left): passDeflated(&rest, left: left)
            case .nothing: undecidable("bytes follow the end of the archive")
            case .record, .localHeader, .descriptor, .centralHeader, .end:
                let taken = rest.prefix(wanted - pending.count)
                pending += taken
                rest = rest.dropFirst(taken.count)
                if pending.count == wanted { takeRecord() }
            }
        }
    }

    public mutating func receive(_ bytes: [UInt8]) { bytes.withUnsafeBytes { receive($0) } }

    /// The verdict, once all bytes were received.
    public mutating func finish() -> ZipVerdict {
        switch progress {
        case .refused(let refusal): return .refused(refusal)
        case .undecidable(let reason): return .needsWholeFile(reason: reason)
        case .reading:
            guard case .nothing = expected else {
                return .needsWholeFile(reason: "the file ends within the archive")
            }
            return .read(
                ModuleZipReport(module: module, table: table, limits: limits, oddities: ZipOddities()))
        }
    }

    private mutating func refuse(_ refusal: ZipRefusal) {
        progress = .refused(refusal)
        release()
    }

    private mutating func undecidable(_ reason: String) {
        guard case .reading = progress else { return }
        progress = .undecidable(reason)
        release()
    }

    private mutating func release() {
        table = ZipEntryTable()
        pending = []
    }

    /// Ends a record: the next one begins here.
    private mutating func expect(_ next: Expected, wanting count: Int = 4) {
        offset += Int64(pending.count)
        pending.removeAll(keepingCapacity: true)
        expected = next
        wanted = count
    }

    private mutating func takeRecord() {
        switch expected {
        case .record: takeSignature()
        case .localHeader(nil):
            let header = ZipLocalHeader(pending)
            expected = .localHeader(header)
            wanted += header.followingByteCount
            if header.nameByteCount > limits.nameByteCount {
                refuse(.namesTooLong(limit: limits.nameByteCount))
            } else if header.followingByteCount == 0 {
                begin(header)
            }
        case .localHeader(let header?): begin(header)
        case .descriptor: takeDescriptor()
        case .centralHeader:
            let header = ZipCentralHeader(pending)
            if pending.count < ZipCentralHeader.byteCount + header.followingByteCount {
                wanted += header.followingByteCount
            } else {
                takeCentralHeader(header)
            }
        case .end: takeEnd()
        case .stored, .deflated, .nothing: undecidable("a record stands where contents were due")
        }
    }

    private mutating func takeSignature() {
        switch LittleEndian.uint32(pending, at: 0) {
        case ZipSignature.localHeader where directoryCount == 0:
            expected = .localHeader(nil)
            wanted = ZipLocalHeader.byteCount
        case ZipSignature.centralHeader:
            if directoryCount == 0 { directoryOffset = offset }
            expected = .centralHeader
            wanted = ZipCentralHeader.byteCount
        case ZipSignature.end:
            if directoryCount == 0 { directoryOffset = offset }
            expected = .end
            wanted = ZipEnd.byteCount
        default: undecidable("no record of a zip begins at byte \(offset)")
        }
    }

    private mutating func begin(_ header: ZipLocalHeader) {
        guard table.count < limits.entryCount else {
            return refuse(.tooManyEntries(limit: limits.entryCount))
        }
        guard table.nameByteCount + header.nameByteCount <= limits.namesByteCount else {
            return refuse(.namesTooLong(limit: limits.namesByteCount))
        }
        let name = Array(pending[ZipLocalHeader.byteCount...].prefix(header.nameByteCount))
        let start = offset
        current = Current(
            header: header, name: name, offset: start, dataOffset: start + Int64(pending.count))
        guard !header.isEncrypted, header.packed != .max, header.unpacked != .max, !name.contains(0x0a) else {
            return undecidable("an entry is encrypted, of the zip64 form, or has a line feed in its name")
        }
        switch header.method {
        case ZipMethod.stored:
            guard !header.hasDescriptor else {
                return undecidable("a stored entry does not say where it ends")
            }
            expect(.stored(left: Int64(header.packed)))
            if header.packed == 0 { end() }
        case ZipMethod.deflated:
            if inflater == nil { inflater = Inflater() } else { inflater?.restart() }
            fed.removeAll(keepingCapacity: true)
            expect(.deflated(left: header.hasDescriptor ? nil : Int64(header.packed)))
            if !header.hasDescriptor, header.packed == 0 { undecidable("a deflated entry has no bytes") }
        default: undecidable("an entry is packed by the unknown method \(header.method)")
        }
    }

    private mutating func passStored(_ rest: inout Slice<UnsafeRawBufferPointer>, left: Int64) {
        let taken = rest.prefix(Int(clamping: left))
        rest = rest.dropFirst(taken.count)
        offset += Int64(taken.count)
        expected = .stored(left: left - Int64(taken.count))
        absorb(UnsafeRawBufferPointer(rebasing: taken))
        if left == Int64(taken.count) { end() }
    }

    private mutating func passDeflated(_ rest: inout Slice<UnsafeRawBufferPointer>, left: Int64?) {
        let taken = rest.prefix(min(left.map { Int(clamping: $0) } ?? .max, 1 << 30))
        inflater?.feed(UnsafeRawBufferPointer(rebasing: taken))
        while case .reading = progress, let (output, status) = inflater?.next() {
            absorb(output)
            switch status {
            case .goesOn: continue
            case .invalid: return undecidable("an entry's compressed bytes are damaged")
            case .needsInput:
                rest = rest.dropFirst(taken.count)
                offset += Int64(taken.count)
                remember(taken)
                guard let left else { return }
                expected = .deflated(left: left - Int64(taken.count))
                if left == Int64(taken.count) { undecidable("an entry's compressed bytes end too early") }
                return
            case .finished(let unused): return endOfStream(&rest, taken: taken, unused: unused, left: left)
            }
        }
    }

    /// Goes on behind a deflate stream that ended `unused` bytes before the end of `taken`.
    private mutating func endOfStream(
        _ rest: inout Slice<UnsafeRawBufferPointer>, taken: Slice<UnsafeRawBufferPointer>, unused: Int,
        left: Int64?
    ) {
        let used = taken.count - unused
        offset += Int64(used)
        rest = rest.dropFirst(max(0, used))
        if let left {
            guard Int64(used) == left else {
                return undecidable("bytes follow an entry's compressed contents")
            }
            return end()
        }
        guard used >= -fed.count else { return undecidable("an entry ends before it began") }
        let early = fed.suffix(max(0, -used))
        expected = .descriptor
        wanted = 12
        pending = Array(early)
        if pending.count >= wanted { undecidable("an entry ends before it began") }
    }

    private mutating func remember(_ bytes: Slice<UnsafeRawBufferPointer>) {
        fed += bytes.suffix(8)
        if fed.count > 8 { fed.removeFirst(fed.count - 8) }
    }

    private mutating func absorb(_ contents: UnsafeRawBufferPointer) {
        guard !contents.isEmpty else { return }
        unpacked += Int64(contents.count)
        guard unpacked <= limits.unpackedByteCount else {
            return refuse(.unpackedTooLarge(limit: limits.unpackedByteCount))
        }
        current?.absorb(contents)
    }

    private mutating func takeDescriptor() {
        guard let current else { return }
        let isSigned = LittleEndian.uint32(pending, at: 0) == ZipSignature.dataDescriptor
        if isSigned, wanted == 12 {
            wanted = 16
            return
        }
        let fields = pending.dropFirst(isSigned ? 4 : 0)
        guard LittleEndian.uint32(fields, at: 0) == current.crc,
            Int64(LittleEndian.uint32(fields, at: 4)) == offset - current.dataOffset,
            Int64(LittleEndian.uint32(fields, at: 8)) == current.unpacked
        else { return undecidable("an entry's data descriptor does not describe it") }
        end()
    }

    /// The current entry is complete, its descriptor included.
    private mutating func end() {
        guard case .reading = progress, let entry = current else { return }
        current = nil
        let packed = offset - entry.dataOffset
        let header = entry.header
        if !header.hasDescriptor {
            guard header.crc == entry.crc, Int64(header.unpacked) == entry.unpacked else {
                return undecidable("an entry's header does not describe it")
            }
        }
        if entry.name.last == UInt8(ascii: "/"), entry.unpacked > 0 {
            return undecidable("a folder has contents")
        }
        table.append(
            name: entry.name, flags: header.flags, method: header.method, crc: entry.crc, packed: packed,
            unpacked: entry.unpacked, offset: entry.offset)
        table.append(digest: entry.hash.finalize())
        expect(.record)
    }

    private mutating func takeCentralHeader(_ header: ZipCentralHeader) {
        guard directoryCount < table.count else {
            return undecidable("the central directory names more entries than there are")
        }
        let entry = table.entries[directoryCount]
        let name = pending[ZipCentralHeader.byteCount...].prefix(header.nameByteCount)
        guard header.flags == entry.flags, header.method == entry.method, header.crc == entry.crc,
            Int64(header.packed) == entry.packed, Int64(header.unpacked) == entry.unpacked,
            Int64(header.offset) == entry.offset, header.disk == 0, header.offset != .max,
            name.elementsEqual(table.name(directoryCount))
        else { return undecidable("the central directory and an entry disagree") }
        directoryCount += 1
        expect(.record)
    }

    private mutating func takeEnd() {
        let end = ZipEnd(pending)
        guard end.disk == 0, end.directoryDisk == 0, end.entriesOnDisk == end.entries, end.entries != .max,
            Int(end.entries) == table.count, directoryCount == table.count,
            Int64(end.directoryOffset) == directoryOffset,
            Int64(end.directoryByteCount) == offset - directoryOffset
        else { return undecidable("the end of the archive does not describe its central directory") }
        guard end.commentByteCount == 0 else { return undecidable("the archive has a comment") }
        expect(.nothing)
    }
}
