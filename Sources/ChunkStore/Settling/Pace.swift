/// Keeps work at a rate: a token bucket that holds one second's worth.
///
/// A value; time comes from outside.
struct Pace: Sendable {
    /// Bytes a second.
    let rate: Int64
    /// When the bytes so far are paid for, in nanoseconds of the caller's clock.
    private var paid: UInt64

    init(rate: Int64, now: UInt64) {
        self.rate = max(1, rate)
        paid = now
    }

    /// Counts work that was done.
    /// - Returns: nanoseconds to wait before more is done.
    mutating func spend(_ bytes: Int, now: UInt64) -> UInt64 {
        let second: UInt64 = 1_000_000_000
        if paid + second < now { paid = now - second }
        paid += UInt64(Double(bytes) / Double(rate) * Double(second))
        return paid > now ? paid - now : 0
    }
}
