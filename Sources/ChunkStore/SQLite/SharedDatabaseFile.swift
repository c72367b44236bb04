import CSQLite
import Synchronization

/// What the connections to one database file share: its locks and the memory of its write-ahead log's index.
// Unchecked: everything mutable is in `state`; the regions' bytes are SQLite's, which orders its accesses by the
// locks kept here and by barriers.
final class SharedDatabaseFile: @unchecked Sendable {
    private struct State: @unchecked Sendable {
        /// The strongest lock that anybody holds, and how many hold at least a shared one.
        var level = SQLITE_LOCK_NONE
        var sharing = 0
        /// Per slot of the log's index: holders of a shared lock, -1 = one exclusive holder.
        var slots = [Int](repeating: 0, count: Int(SQLITE_SHM_NLOCK))
        var regions: [UnsafeMutableRawPointer] = []
        var mappings = 0
    }
    private let state = Mutex(State())

    deinit {
        state.withLock { state in
            for region in state.regions { region.deallocate() }
        }
    }

    /// Raises `held` to `level` (https://www.sqlite.org/lockingv3.html) or says SQLITE_BUSY.
    func lock(_ level: Int32, held: inout Int32) -> Int32 {
        state.withLock { state in
            guard held < level else { return SQLITE_OK }
            switch level {
            case SQLITE_LOCK_SHARED:
                guard state.level < SQLITE_LOCK_PENDING else { return SQLITE_BUSY }
                state.sharing += 1
                state.level = max(state.level, SQLITE_LOCK_SHARED)
            case SQLITE_LOCK_RESERVED:
                guard state.level < SQLITE_LOCK_RESERVED else { return SQLITE_BUSY }
                state.level = SQLITE_LOCK_RESERVED
            default:
                guard held >= SQLITE_LOCK_RESERVED || state.level < SQLITE_LOCK_RESERVED else {
                    return SQLITE_BUSY
                }
                guard state.sharing == 1 else {
                    state.level = SQLITE_LOCK_PENDING
                    held = SQLITE_LOCK_PENDING
                    return SQLITE_BUSY
                }
                state.level = SQLITE_LOCK_EXCLUSIVE
            }
            held = level
            return SQLITE_OK
        }
    }

    /// Lowers `held` to `level`, shared or none.
    func unlock(to level: Int32, held: inout Int32) {
        state.withLock { state in
            guard held > level else { return }
            if held > SQLITE_LOCK_SHARED { state.level = SQLITE_LOCK_SHARED }
            if level == SQLITE_LOCK_NONE {
                state.sharing -= 1
                if state.sharing == 0 { state.level = SQLITE_LOCK_NONE }
            }
            held = level
        }
    }

    var isReserved: Bool { state.withLock { $0.level >= SQLITE_LOCK_RESERVED } }

    // MARK: The log's index

    func mapped() { state.withLock { $0.mappings += 1 } }

    /// Frees the regions with the last mapping: the next connection builds the index anew from the log.
    func unmapped() {
        let freed = state.withLock { state -> [UInt] in
            state.mappings -= 1
            guard state.mappings == 0 else { return [] }
            defer { state.regions.removeAll() }
            return state.regions.map { UInt(bitPattern: $0) }
        }
        for region in freed { UnsafeMutableRawPointer(bitPattern: region)?.deallocate() }
    }

    func region(_ index: Int, size: Int, extend: Bool) -> UInt {
        state.withLock { state in
            if index >= state.regions.count && !extend { return 0 }
            while state.regions.count <= index {
                let region = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
                region.initializeMemory(as: UInt8.self, repeating: 0, count: size)
                state.regions.append(region)
            }
            return UInt(bitPattern: state.regions[index])
        }
    }

    /// Locks or unlocks slots as `sqlite3_io_methods.xShmLock` asks; `shared` and `exclusive` are the caller's own
    /// holdings, one bit per slot.
    func lockSlots(_ slots: Range<Int>, flags: Int32, shared: inout UInt16, exclusive: inout UInt16) -> Int32
    {
        let mask = slots.reduce(UInt16(0)) { $0 | 1 << UInt16($1) }
        return state.withLock { state in
            if flags & SQLITE_SHM_UNLOCK != 0 {
                for slot in slots {
                    if exclusive & 1 << UInt16(slot) != 0 {
                        state.slots[slot] = 0
                    } else if shared & 1 << UInt16(slot) != 0 {
                        state.slots[slot] -= 1
                    }
                }
                exclusive &= ~mask
                shared &= ~mask
                return SQLITE_OK
            }
            if flags & SQLITE_SHM_SHARED != 0 {
                guard shared & mask == 0 else { return SQLITE_OK }
                guard slots.allSatisfy({ state.slots[$0] >= 0 }) else { return SQLITE_BUSY }
                for slot in slots { state.slots[slot] += 1 }
                shared |= mask
                return SQLITE_OK
            }
            guard exclusive & mask != mask else { return SQLITE_OK }
            guard slots.allSatisfy({ state.slots[$0] == 0 }) else { return SQLITE_BUSY }
            for slot in slots { state.slots[slot] = -1 }
            exclusive |= mask
            return SQLITE_OK
        }
    }
}
