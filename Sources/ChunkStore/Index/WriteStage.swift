import Content

/// What the operations of one group share on the index writer's thread: first every operation prepares files,
/// then all that was prepared is synced, then every operation changes rows in one transaction, then files that
/// nothing needs any more are unlinked.
package final class WriteStage {
    package let connection: Connection
    package let files: any FileSystem
    package let layout: Layout
    package let clock: StoreClock
    private let space: SpaceAccount
    private let packFiles: PackFiles
    private var packs: PackWriter
    private var knownFanOuts: Set<String> = []
    private var directories: Set<String> = []
    private var moved: [(digest: Digest, size: Int64)] = []
    /// Blob files to unlink once a commit went through and unless the index wants them then.
    private var suspects: [(digest: Digest, size: Int64)] = []
    private var droppedPacks: [PackRow] = []
    private var unlinks: [(path: String, size: Int64)] = []
    private var freed: Int64 = 0
    /// Directories whose unlinked names may come back after a power failure.
    private var unsyncedUnlinks: Set<String> = []

    init(
        connection: Connection, files: any FileSystem, layout: Layout, clock: StoreClock,
        space: SpaceAccount, packFiles: PackFiles, packs: PackWriter
    ) {
        self.connection = connection
        self.files = files
        self.layout = layout
        self.clock = clock
        self.space = space
        self.packFiles = packFiles
        self.packs = packs
    }

    package var now: Int64 { clock.milliseconds() }

    // MARK: While preparing

    /// Appends a record (`PackRecord.encode`) to the open pack.
    package func append(_ record: [UInt8]) throws -> RecordPlace {
        try packs.append(record)
    }

    /// Seals the open pack, so that it can be rewritten.
    package func sealPack() { packs.seal() }

    /// Moves a synced file to the name of its blob.
    package func moveIntoPlace(_ path: String, as digest: Digest, size: Int64) throws {
        let fanOut = layout.fanOut(of: digest)
        if !knownFanOuts.contains(fanOut) {
            try files.makeDirectory(layout.blobs(of: digest.algorithm))
            try files.makeDirectory(fanOut)
            directories.formUnion([layout.blobs, layout.blobs(of: digest.algorithm)])
        }
        try files.rename(path, to: layout.blob(digest))
        directories.insert(fanOut)
        moved.append((digest, size))
    }

    // MARK: While applying

    /// The blob's file is to go once the transaction that no longer needs it is synced.
    package func dropFile(of digest: Digest, size: Int64) {
        suspects.append((digest, size))
    }

    /// The pack is to go once the transaction that moved its records away is synced.
    package func dropPack(_ pack: PackRow) throws {
        try connection.deletePack(pack.id)
        droppedPacks.append(pack)
    }

    /// A partial's file is to go after the commit; `size` bytes of the account with it.
    func unlinkAfterCommit(_ path: String, size: Int64) {
        unlinks.append((path, size))
    }

    /// Bytes that come back to the account with the commit, besides those of unlinked files.
    func spaceFreed(_ bytes: Int64) {
        freed += bytes
    }

    /// What the operations so far want after the commit; for taking back what a failed one wanted.
    struct Mark {
        fileprivate let suspects, droppedPacks, unlinks: Int
        fileprivate let freed: Int64
    }

    func mark() -> Mark {
        Mark(suspects: suspects.count, droppedPacks: droppedPacks.count, unlinks: unlinks.count, freed: freed)
    }

    func rewind(to mark: Mark) {
        suspects.removeLast(suspects.count - mark.suspects)
        droppedPacks.removeLast(droppedPacks.count - mark.droppedPacks)
        unlinks.removeLast(unlinks.count - mark.unlinks)
        freed = mark.freed
    }

    // MARK: The group's steps, called by the index writer

    func synchronize() throws(StoreError) {
        try storing { () throws(FileError) in
            try packs.flush()
            for directory in directories.sorted() { try files.synchronizeDirectory(directory) }
        }
        for (digest, _) in moved { knownFanOuts.insert(layout.fanOut(of: digest)) }
    }

    func recordPacks() throws(StoreError) {
        for pack in packs.changed {
            let old = try connection.first("SELECT length FROM packs WHERE id = ?", .integer(pack.id)) {
                $0.integer(0)
            }
            try connection.setPack(pack.id, length: pack.length, sealed: pack.sealed)
            space.add(pack.length - (old ?? 0))
        }
    }

    /// Ends the group. What a failed operation left in place is looked at again, too.
    func finish(committed: Bool, anyFailed: Bool) {
        packs.finish(committed: committed)
        directories.removeAll()
        if anyFailed || !committed { suspects += moved }
        moved.removeAll()
        guard committed else {
            droppedPacks.removeAll()
            unlinks.removeAll()
            freed = 0
            return
        }
        for (digest, size) in suspects { unlinkUnlessWanted(digest, size: size) }
        suspects.removeAll()
        for pack in droppedPacks {
            packFiles.forget(pack.id)
            if unlink(layout.pack(pack.id), in: layout.packs) { space.add(-pack.length) }
        }
        droppedPacks.removeAll()
        for (path, size) in unlinks where unlink(path, in: layout.ingest) { space.add(-size) }
        unlinks.removeAll()
        space.add(-freed)
        freed = 0
    }

    /// Unlinks the blob's file unless the index says that the blob stands there.
    package func unlinkUnlessWanted(_ digest: Digest, size: Int64) {
        guard let row = try? connection.blob(digest), row.place == .file else {
            if unlink(layout.blob(digest), in: layout.fanOut(of: digest)) { space.add(-size) }
            return
        }
    }

    private func unlink(_ path: String, in directory: String) -> Bool {
        unsyncedUnlinks.insert(directory)
        // A file that cannot be unlinked now is an orphan that the next sweep finds.
        return (try? files.unlink(path)) != nil
    }

    /// Makes the unlinks durable, so that a clean mark in the index is true.
    func settleUnlinks() throws(StoreError) {
        try storing { () throws(FileError) in
            for directory in unsyncedUnlinks.sorted() { try files.synchronizeDirectory(directory) }
        }
        unsyncedUnlinks.removeAll()
    }
}
