/// Whether something may be evicted now.
package enum Evictability: Sendable {
    case yes
    /// Only when nothing else is left.
    case last
    /// Pinned or in use.
    case no
}

/// The S3-FIFO eviction policy (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023,
/// algorithm 1), weighted by bytes: a small queue holds a tenth of them and filters what is read once, a
/// main queue gives read objects further rounds, and a ghost queue lets what comes back soon go to main.
///
/// Two things are added. An object whose refetch costs more per byte than the average starts with some hits
/// to its credit. An object that must not go now is passed over and joins main.
package struct S3FIFO: Sendable {
    package static let smallShare = 0.1
    package static let maximumFrequency: UInt8 = 3
    /// Bytes that the ghost queue remembers, as a share of the bytes held: main's share, as in the paper. A
    /// longer one wins loops of up to (1 + share) times the cache and loses on Zipf traces (4: three points).
    package static let ghostShare = 0.9

    private var slab = EvictionSlab()
    private var small = FIFOList()
    private var main = FIFOList()
    private var ghost = GhostQueue()
    private var places: [Int64: Int32] = [:]
    private var totalCost = 0.0

    package init() {}

    package var count: Int { places.count }
    /// Bytes of all objects held.
    package var bytes: Int64 { small.bytes + main.bytes }

    package func contains(_ key: Int64) -> Bool { places[key] != nil }

    /// An object was read: a few nanoseconds, nothing moves.
    package mutating func hit(_ key: Int64) {
        guard let index = places[key] else { return }
        slab[index].frequency = min(slab[index].frequency + 1, Self.maximumFrequency)
    }

    /// An object was stored.
    ///
    /// - Parameters:
    ///   - key: what it is called from now on; an object of the same key is replaced.
    ///   - fingerprint: what it would be recognised by, were it stored again.
    ///   - cost: what fetching it again costs, in the unit of bytes: `Double(size)` is ordinary.
    package mutating func insert(_ key: Int64, fingerprint: UInt64, size: Int64, cost: Double) {
        let entry = EvictionSlab.Entry(
            key: key, fingerprint: fingerprint, size: size, frequency: credit(cost: cost, size: size))
        add(entry, toMain: ghost.remove(fingerprint), cost: cost)
    }

    /// An object that was stored before a restart; to be called from the least to the most lately used.
    package mutating func restore(
        _ key: Int64, fingerprint: UInt64, size: Int64, hits: Int64, cost: Double
    ) {
        let known = UInt8(clamping: min(hits, Int64(Self.maximumFrequency)))
        let entry = EvictionSlab.Entry(
            key: key, fingerprint: fingerprint, size: size,
            frequency: max(known, credit(cost: cost, size: size)))
        add(entry, toMain: hits > 1, cost: cost)
    }

    /// An object's bytes on disk changed: it was folded or unfolded.
    package mutating func resize(_ key: Int64, to size: Int64) {
        guard let index = places[key] else { return }
        var list = slab[index].inMain ? main : small
        list.resize(index, to: size, in: &slab)
        if slab[index].inMain { main = list } else { small = list }
    }

    /// An object is gone for another reason than eviction.
    package mutating func remove(_ key: Int64) {
        guard let index = places.removeValue(forKey: key) else { return }
        unlink(index)
        slab.release(index)
    }

    /// Chooses what goes next and forgets it, remembering only its ghost.
    ///
    /// Every object is looked at a bounded number of times, so the call ends even when nothing may go.
    ///
    /// - Returns: the victim's key, nil when nothing may go now.
    package mutating func evict(_ evictability: (Int64) -> Evictability) -> Int64? {
        takeVictim { evictability($0) == .yes } ?? takeVictim { evictability($0) != .no }
    }

    private mutating func takeVictim(where mayGo: (Int64) -> Bool) -> Int64? {
        // An object in small is looked at once before it joins main; there each look costs it one hit.
        var looks = small.count + (small.count + main.count) * (Int(Self.maximumFrequency) + 1)
        while looks > 0, small.count + main.count > 0 {
            looks -= 1
            let fromSmall =
                main.count == 0
                || (small.count > 0 && Double(small.bytes) >= Self.smallShare * Double(bytes))
            let index = fromSmall ? small.oldest : main.oldest
            let entry = slab[index]
            if !mayGo(entry.key) {
                moveToMain(index, frequency: entry.frequency)
            } else if fromSmall && entry.frequency > 1 {
                moveToMain(index, frequency: 0)
            } else if !fromSmall && entry.frequency > 0 {
                moveToMain(index, frequency: entry.frequency - 1)
            } else {
                places[entry.key] = nil
                unlink(index)
                slab.release(index)
                // Only what small threw out unread may prove that a mistake: the paper's ghost.
                if fromSmall { ghost.insert(entry.fingerprint, size: entry.size, limit: ghostLimit) }
                return entry.key
            }
        }
        return nil
    }

    private var ghostLimit: Int64 { Int64(Double(bytes) * Self.ghostShare) }

    /// Hits given in advance: one for each doubling of cost per byte above the average.
    private func credit(cost: Double, size: Int64) -> UInt8 {
        guard cost > 0, size > 0, totalCost > 0, bytes > 0 else { return 0 }
        var ratio = (cost / Double(size)) / (totalCost / Double(bytes))
        var credit: UInt8 = 0
        while ratio >= 2, credit < Self.maximumFrequency {
            credit += 1
            ratio /= 2
        }
        return credit
    }

    private mutating func add(_ entry: EvictionSlab.Entry, toMain: Bool, cost: Double) {
        remove(entry.key)
        var entry = entry
        entry.inMain = toMain
        let index = slab.take(entry)
        places[entry.key] = index
        totalCost = (bytes == 0 ? 0 : totalCost) + max(cost, 0)
        if toMain { main.push(index, in: &slab) } else { small.push(index, in: &slab) }
    }

    private mutating func moveToMain(_ index: Int32, frequency: UInt8) {
        unlink(index, keepingCost: true)
        slab[index].frequency = frequency
        slab[index].inMain = true
        main.push(index, in: &slab)
    }

    private mutating func unlink(_ index: Int32, keepingCost: Bool = false) {
        if !keepingCost, bytes > 0 { totalCost *= 1 - Double(slab[index].size) / Double(bytes) }
        if slab[index].inMain { main.unlink(index, in: &slab) } else { small.unlink(index, in: &slab) }
    }
}
