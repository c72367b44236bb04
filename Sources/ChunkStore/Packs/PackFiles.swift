import Content
import Synchronization

/// Reads records, keeping the packs' files open.
package final class PackFiles: Sendable {
    private let files: any FileSystem
    private let layout: Layout
    private let open: Mutex<SieveCache<Int64, OpenFile>>

    init(files: any FileSystem, layout: Layout, openFiles: Int) {
        self.files = files
        self.layout = layout
        open = Mutex(SieveCache(limit: openFiles))
    }

    /// The pack's file; stays readable while held, even when the pack was rewritten and unlinked.
    package func file(_ pack: Int64) throws(FileError) -> OpenFile {
        if let file = open.withLock({ $0.value(for: pack) }) { return file }
        let file = try files.open(layout.pack(pack), .read)
        let dropped = open.withLock { $0.insert(file, for: pack, cost: 1) }
        withExtendedLifetime(dropped) {}
        return file
    }

    /// The bytes of a record as they stand on disk; shorter than its length when the pack was cut.
    package func bytes(_ place: RecordPlace) throws(FileError) -> [UInt8] {
        try bytes(place, of: try file(place.pack))
    }

    /// As `bytes`, nil when there is no such pack.
    package func bytesIfThere(_ place: RecordPlace) throws(StoreError) -> [UInt8]? {
        do {
            return try bytes(place)
        } catch {
            if error.isNotFound { return nil }
            throw StoreError(error)
        }
    }

    package func bytes(_ place: RecordPlace, of file: OpenFile) throws(FileError) -> [UInt8] {
        var failure: FileError?
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(place.length)) { buffer, count in
            do throws(FileError) {
                count = try files.read(
                    from: file, into: UnsafeMutableRawBufferPointer(buffer), at: place.offset)
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Forgets a pack's file after the pack was unlinked.
    func forget(_ pack: Int64) {
        let dropped = open.withLock { $0.remove(pack) }
        withExtendedLifetime(dropped) {}
    }
}
