/// How many wrong guesses an address has: a few at once, then one from time to time (a token bucket).
///
/// A value: the owner brings the lock and the clock.
struct AttemptLimiter: Sendable {
    typealias Instant = ContinuousClock.Instant

    private struct Bucket {
        var left: Double
        var at: Instant
    }

    /// Guesses that may fail one after the other.
    let burst: Int
    /// How long it takes until one more may.
    let refill: Duration
    private var buckets: ExpiringCache<AddressBlock, Bucket>

    /// - Parameter addresses: how many are kept count of; beyond that, the one seen first is forgotten.
    init(burst: Int = 10, refill: Duration = .seconds(6), addresses: Int = 4096) {
        self.burst = burst
        self.refill = refill
        buckets = ExpiringCache(limit: addresses)
    }

    /// Takes one guess of the address.
    /// - Returns: nil, or how long it has to wait for its next.
    mutating func take(_ address: AddressBlock, now: Instant) -> Duration? {
        var bucket = current(address, now)
        guard bucket.left >= 1 else { return refill * (1 - bucket.left) }
        bucket.left -= 1
        store(bucket, address, now)
        return nil
    }

    /// Gives a guess back that turned out to be right.
    mutating func giveBack(_ address: AddressBlock, now: Instant) {
        var bucket = current(address, now)
        bucket.left = min(Double(burst), bucket.left + 1)
        store(bucket, address, now)
    }

    private func current(_ address: AddressBlock, _ now: Instant) -> Bucket {
        guard var bucket = buckets.value(for: address, now: now) else {
            return Bucket(left: Double(burst), at: now)
        }
        bucket.left = min(Double(burst), bucket.left + max(0, (now - bucket.at) / refill))
        bucket.at = now
        return bucket
    }

    private mutating func store(_ bucket: Bucket, _ address: AddressBlock, _ now: Instant) {
        buckets.set(bucket, for: address, until: now + refill * burst)
    }
}

/// Who guesses: an IPv4 address, or the /64 of an IPv6 address, which one site has to itself.
struct AddressBlock: Hashable, Sendable {
    private let bytes: [UInt8]

    /// - Parameter address: as a text; everything that is none is one block.
    init(_ address: String?) {
        let parsed = address.flatMap { NetworkAddress($0) }?.bytes ?? []
        bytes = parsed.count == 16 ? Array(parsed[..<8]) : parsed
    }
}
