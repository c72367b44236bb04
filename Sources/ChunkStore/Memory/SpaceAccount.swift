import Synchronization

/// Makes room when the store is full; the evictor is one.
package protocol RoomMaker: Sendable {
    /// Tries to free at least `bytes` and says whether that worked.
    func makeRoom(for bytes: Int64) async -> Bool
}

/// Counts the bytes that the store has on disk against its cap and the disk's free space.
package final class SpaceAccount: Sendable {
    private struct State {
        var used: Int64 = 0
        /// Bytes that may still be taken before the file system is asked again.
        var allowance: Int64 = 0
        var maker: (any RoomMaker)?
    }
    private let capacity: Int64
    private let reservedFree: Int64
    private let directory: String
    private let files: any FileSystem
    private let state = Mutex(State())

    /// The file system is asked for its free space once for so many bytes.
    private static let allowance: Int64 = 64 << 20

    init(capacity: Int64, reservedFree: Int64, directory: String, files: any FileSystem) {
        self.capacity = capacity
        self.reservedFree = reservedFree
        self.directory = directory
        self.files = files
    }

    /// Bytes of blob files, packs and ingests.
    package var used: Int64 { state.withLock { $0.used } }

    package func add(_ bytes: Int64) { state.withLock { $0.used += bytes } }

    package func setMaker(_ maker: (any RoomMaker)?) { state.withLock { $0.maker = maker } }

    /// Counts `bytes` as used before they are written, making room if there is none and room can help.
    /// - Throws: `StoreError.noSpace`, nothing counted.
    package func reserve(_ bytes: Int64) async throws(StoreError) {
        if try take(bytes) { return }
        let maker = state.withLock { $0.maker }
        if let maker, try couldFit(bytes), await maker.makeRoom(for: bytes), try take(bytes) { return }
        throw .noSpace
    }

    /// Whether `bytes` more fit without making room; nothing is counted. Blocks.
    func fits(_ bytes: Int64) throws(StoreError) -> Bool {
        let free = try storing { () throws(FileError) in try files.freeSpace(at: directory) }
        let used = used
        return (capacity == 0 || used + bytes <= capacity) && free - bytes >= reservedFree
    }

    /// Whether `bytes` could ever fit, if everything the store holds made way. Blocks.
    func couldFit(_ bytes: Int64) throws(StoreError) -> Bool {
        let free = try storing { () throws(FileError) in try files.freeSpace(at: directory) }
        return (capacity == 0 || bytes <= capacity) && free + used - bytes >= reservedFree
    }

    /// Asks the room maker after the disk itself was full.
    func makeRoom(for bytes: Int64) async -> Bool {
        let maker = state.withLock { $0.maker }
        return await maker?.makeRoom(for: bytes) ?? false
    }

    private func take(_ bytes: Int64) throws(StoreError) -> Bool {
        let free: Int64?
        if state.withLock({ $0.allowance < bytes }) {
            free = try storing { () throws(FileError) in try files.freeSpace(at: directory) }
        } else {
            free = nil
        }
        return state.withLock { state in
            if let free { state.allowance = min(max(0, free - reservedFree), max(bytes, Self.allowance)) }
            guard state.allowance >= bytes, capacity == 0 || state.used + bytes <= capacity else {
                return false
            }
            state.allowance -= bytes
            state.used += bytes
            return true
        }
    }
}
