/// A set of ids in about 8 bytes each: one sorted array, and what was added and removed since it was last made.
package struct IDSet: Sendable {
    /// Changes that are kept apart at most; then everything is merged.
    private static let overlayLimit = 2048

    private var base: [UInt64] = []
    private var added: Set<UInt64> = []
    private var removed: Set<UInt64> = []
    package private(set) var count = 0
    /// The sum of the shares of all ids.
    package private(set) var hash: UInt64 = 0

    package init() {}

    /// - Precondition: `sorted` rises strictly.
    package init(sorted: [UInt64]) {
        base = sorted
        count = sorted.count
        hash = sorted.reduce(0) { $0 &+ mixed($1) }
    }

    package func contains(_ id: UInt64) -> Bool {
        if added.contains(id) { return true }
        return !removed.contains(id) && isInBase(id)
    }

    /// - Returns: false when it was there already.
    @discardableResult
    package mutating func insert(_ id: UInt64) -> Bool {
        guard !contains(id) else { return false }
        if removed.remove(id) == nil { added.insert(id) }
        count += 1
        hash &+= mixed(id)
        mergeIfDue()
        return true
    }

    @discardableResult
    package mutating func remove(_ id: UInt64) -> Bool {
        guard contains(id) else { return false }
        if added.remove(id) == nil { removed.insert(id) }
        count -= 1
        hash &-= mixed(id)
        mergeIfDue()
        return true
    }

    /// Up to `limit` ids above `after`, rising; and whether more follow.
    package mutating func page(after: UInt64?, limit: Int) -> (ids: [UInt64], more: Bool) {
        merge()
        let start = after.map { base.partitioningIndex(above: $0) } ?? 0
        let end = min(base.count, start + limit)
        return (Array(base[start..<end]), end < base.count)
    }

    private func isInBase(_ id: UInt64) -> Bool {
        let index = base.partitioningIndex(above: id)
        return index > 0 && base[index - 1] == id
    }

    private mutating func mergeIfDue() {
        if added.count + removed.count >= max(Self.overlayLimit, base.count / 8) { merge() }
    }

    private mutating func merge() {
        guard !added.isEmpty || !removed.isEmpty else { return }
        var merged: [UInt64] = []
        merged.reserveCapacity(count)
        // Sorting takes the set's own order away.
        let fresh = added.sorted()
        var next = 0
        for id in base where !removed.contains(id) {
            while next < fresh.count, fresh[next] < id {
                merged.append(fresh[next])
                next += 1
            }
            merged.append(id)
        }
        merged += fresh[next...]
        (base, added, removed) = (merged, [], [])
    }
}

extension [UInt64] {
    /// The index of the first element above `value` in a rising array.
    fileprivate func partitioningIndex(above value: UInt64) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] <= value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
