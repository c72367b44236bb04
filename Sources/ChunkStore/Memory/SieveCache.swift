/// A bounded cache with the SIEVE rule (Zhang et al., NSDI 2024): a hit sets a bit and moves nothing; the
/// hand walks from the oldest entry to the newest and takes the first that was not hit since it last passed.
struct SieveCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry: Sendable {
        let key: Key
        var cost: Int
        /// Towards the newest and the oldest entry; -1 = none.
        var newer: Int
        var older: Int
    }

    /// The sum of costs that is kept.
    let limit: Int
    private(set) var cost = 0
    private var places: [Key: Int] = [:]
    private var entries: [Entry?] = []
    /// Beside the entries, so that a hit copies the value alone.
    private var values: [Value?] = []
    private var visited: [Bool] = []
    private var free: [Int] = []
    private var newest = -1
    private var oldest = -1
    private var hand = -1

    init(limit: Int) {
        self.limit = limit
    }

    var count: Int { places.count }

    mutating func value(for key: Key) -> Value? {
        guard let place = places[key] else { return nil }
        visited[place] = true
        return values[place]
    }

    /// Looks without counting as a use.
    func peek(_ key: Key) -> Value? {
        places[key].flatMap { values[$0] }
    }

    /// Adds or replaces. A value that costs more than the whole limit is not taken.
    /// - Returns: what had to go, to be let go of outside of any lock.
    mutating func insert(_ value: Value, for key: Key, cost added: Int) -> [Value] {
        var dropped: [Value] = []
        if let old = remove(key) { dropped.append(old) }
        guard added <= limit else { return dropped }
        while cost + added > limit, let victim = evict() { dropped.append(victim) }
        let entry = Entry(key: key, cost: added, newer: -1, older: newest)
        let place: Int
        if let reused = free.popLast() {
            place = reused
            (entries[place], values[place], visited[place]) = (entry, value, false)
        } else {
            place = entries.count
            entries.append(entry)
            values.append(value)
            visited.append(false)
        }
        if newest >= 0 { entries[newest]?.newer = place } else { oldest = place }
        newest = place
        places[key] = place
        cost += added
        return dropped
    }

    mutating func remove(_ key: Key) -> Value? {
        guard let place = places[key] else { return nil }
        return take(place)
    }

    private mutating func evict() -> Value? {
        var place = hand >= 0 ? hand : oldest
        while place >= 0, visited[place] {
            visited[place] = false
            let next = entries[place]?.newer ?? -1
            place = next >= 0 ? next : oldest
        }
        guard place >= 0 else { return nil }
        hand = place
        return take(place)
    }

    private mutating func take(_ place: Int) -> Value? {
        guard let entry = entries[place] else { return nil }
        if hand == place { hand = entry.newer }
        if entry.newer >= 0 { entries[entry.newer]?.older = entry.older } else { newest = entry.older }
        if entry.older >= 0 { entries[entry.older]?.newer = entry.newer } else { oldest = entry.newer }
        entries[place] = nil
        free.append(place)
        places[entry.key] = nil
        cost -= entry.cost
        return values[place].take()
    }
}
