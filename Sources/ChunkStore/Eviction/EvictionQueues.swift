/// Entries of the eviction queues, in one slab: doubly linked lists by index, so that ten thousands of
/// entries cost no allocation each.
struct EvictionSlab: Sendable {
    struct Entry: Sendable {
        var key: Int64
        var fingerprint: UInt64
        var size: Int64
        /// Neighbours in the list, -1 at its ends; `newer` also links free entries.
        var newer: Int32 = -1
        var older: Int32 = -1
        /// Hits since the last look, capped.
        var frequency: UInt8
        var inMain = false
    }

    private(set) var entries: [Entry] = []
    private var free: Int32 = -1

    subscript(index: Int32) -> Entry {
        get { entries[Int(index)] }
        set { entries[Int(index)] = newValue }
    }

    mutating func take(_ entry: Entry) -> Int32 {
        guard free >= 0 else {
            entries.append(entry)
            return Int32(entries.count - 1)
        }
        let index = free
        free = self[index].newer
        self[index] = entry
        return index
    }

    mutating func release(_ index: Int32) {
        self[index].newer = free
        free = index
    }
}

/// One first-in first-out queue over a slab, with its weight in bytes.
struct FIFOList: Sendable {
    private(set) var newest: Int32 = -1
    private(set) var oldest: Int32 = -1
    private(set) var count = 0
    private(set) var bytes: Int64 = 0

    mutating func push(_ index: Int32, in slab: inout EvictionSlab) {
        slab[index].newer = -1
        slab[index].older = newest
        if newest >= 0 { slab[newest].newer = index } else { oldest = index }
        newest = index
        count += 1
        bytes += slab[index].size
    }

    mutating func unlink(_ index: Int32, in slab: inout EvictionSlab) {
        let entry = slab[index]
        if entry.newer >= 0 { slab[entry.newer].older = entry.older } else { newest = entry.older }
        if entry.older >= 0 { slab[entry.older].newer = entry.newer } else { oldest = entry.newer }
        count -= 1
        bytes -= entry.size
    }

    /// Corrects the weight of an entry of this list.
    mutating func resize(_ index: Int32, to size: Int64, in slab: inout EvictionSlab) {
        bytes += size - slab[index].size
        slab[index].size = size
    }
}
