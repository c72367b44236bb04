import DequeModule

/// A bounded map whose entries die with their time, the oldest first when there are too many.
///
/// A value: the owner brings the lock and the clock.
struct ExpiringCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    typealias Instant = ContinuousClock.Instant

    private struct Entry {
        var value: Value
        var until: Instant
        /// Which insertion it is: a key that is set again has a later place in the order.
        var number: UInt64
    }

    /// The most entries that are kept.
    let limit: Int
    private var entries: [Key: Entry] = [:]
    private var order: Deque<(key: Key, number: UInt64)> = []
    private var next: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    var count: Int { entries.count }

    func value(for key: Key, now: Instant) -> Value? {
        guard let entry = entries[key], now < entry.until else { return nil }
        return entry.value
    }

    mutating func set(_ value: Value, for key: Key, until: Instant) {
        entries[key] = Entry(value: value, until: until, number: next)
        order.append((key, next))
        next += 1
        while entries.count > limit, let oldest = order.popFirst() {
            if isCurrent(oldest) { entries[oldest.key] = nil }
        }
        // Places of entries that were set again or removed are worth nothing, but pile up.
        if order.count > 2 * limit { order = Deque(order.filter { isCurrent($0) }) }
    }

    private func isCurrent(_ place: (key: Key, number: UInt64)) -> Bool {
        entries[place.key]?.number == place.number
    }

    mutating func remove(_ key: Key) { entries[key] = nil }
}
