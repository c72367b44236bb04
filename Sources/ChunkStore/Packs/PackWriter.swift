import Content

/// Appends records to the one pack that is not yet sealed. Lives on the index writer's thread.
///
/// Nothing is written before `flush`: the records of a whole group go out in one write and one sync per pack.
struct PackWriter {
    static let magic: [UInt8] = [0x45, 0x4e, 0x50, 0x4b]  // "ENPK"
    static let formatVersion: UInt8 = 1
    static let headerCount = 16

    private struct Open {
        let id: Int64
        let file: OpenFile
        /// Bytes that are on disk.
        var length: Int64
        var pending: [UInt8] = []
        var end: Int64 { length + Int64(pending.count) }
    }

    private let files: any FileSystem
    private let layout: Layout
    private let sizeLimit: Int64
    private var current: Open?
    /// Packs that were filled within this group and wait for their flush.
    private var filled: [Open] = []
    private var nextID: Int64
    /// Lengths that the index must be told in the group's transaction.
    private(set) var changed: [(id: Int64, length: Int64, sealed: Bool)] = []

    /// - Parameter unsealed: the pack to go on with, as the index knows it; its file was cut to its length.
    init(
        files: any FileSystem, layout: Layout, nextID: Int64, unsealed: PackRow?, sizeLimit: Int64
    ) throws(FileError) {
        self.files = files
        self.layout = layout
        self.sizeLimit = sizeLimit
        self.nextID = nextID
        if let unsealed {
            let file = try files.open(layout.pack(unsealed.id), .readWrite)
            current = Open(id: unsealed.id, file: file, length: unsealed.length)
        }
    }

    /// True when a new pack's name waits to be made durable.
    private(set) var directoryChanged = false

    mutating func append(_ record: [UInt8]) throws(FileError) -> RecordPlace {
        if let open = current, open.end + Int64(record.count) > sizeLimit, open.end > Int64(Self.headerCount)
        {
            filled.append(open)
            current = nil
        }
        var open: Open
        if let current { open = current } else { open = try begin() }
        current = nil
        let place = RecordPlace(pack: open.id, offset: open.end, length: Int64(record.count))
        open.pending.append(contentsOf: record)
        current = open
        return place
    }

    /// Ends the open pack: what comes next goes to a new one.
    mutating func seal() {
        if let open = current, open.end > 0 { filled.append(open) }
        current = nil
    }

    private mutating func begin() throws(FileError) -> Open {
        let id = nextID
        let file = try files.open(layout.pack(id), .createNew)
        nextID += 1
        directoryChanged = true
        let header = Self.magic + [Self.formatVersion, 0, 0, 0] + id.littleEndianBytes
        return Open(id: id, file: file, length: 0, pending: header)
    }

    /// Writes and syncs what was appended. When it throws, the group's records are void; the next group
    /// writes over them.
    mutating func flush() throws(FileError) {
        changed.removeAll()
        for index in filled.indices {
            try flush(&filled[index])
            changed.append((filled[index].id, filled[index].length, true))
        }
        if var open = current, !open.pending.isEmpty {
            current = nil
            defer { current = open }
            try flush(&open)
            changed.append((open.id, open.length, false))
        }
        if directoryChanged {
            try files.synchronizeDirectory(layout.packs)
            directoryChanged = false
        }
    }

    private func flush(_ open: inout Open) throws(FileError) {
        guard !open.pending.isEmpty else { return }
        var failure: FileError?
        open.pending.withUnsafeBytes { bytes in
            do throws(FileError) { try files.write(bytes, to: open.file, at: open.length) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        try files.synchronize(open.file)
        open.length = open.end
        open.pending.removeAll(keepingCapacity: open.pending.count < 1 << 20)
    }

    /// Ends a group: after a commit the filled packs are let go; after a failure what was appended is dropped.
    mutating func finish(committed: Bool) {
        changed.removeAll()
        if committed {
            filled.removeAll()
            return
        }
        current?.pending.removeAll()
        for index in filled.indices { filled[index].pending.removeAll() }
        // A pack whose header never reached the disk is begun anew under a later number; no row knows it. Filled packs
        // stay to be sealed by the next group that commits.
        for empty in (filled + [current].compactMap(\.self)) where empty.length == 0 {
            // If even that fails, the next opening unlinks it.
            try? files.unlink(layout.pack(empty.id))
        }
        if current?.length == 0 { current = nil }
        filled.removeAll { $0.length == 0 }
    }
}
