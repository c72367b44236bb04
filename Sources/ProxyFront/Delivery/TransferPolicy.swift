/// When a transfer goes on without readers, and how much of a cold body a range pulls in
/// (architecture section 5).
public struct TransferPolicy: Sendable {
    /// With less than this many bytes missing a transfer goes on when its last reader has left.
    public var finishLimit: Int64 = 64 << 20
    /// A body up to this size is fetched whole when a range of it is asked for.
    public var fillLimit: Int64 = 64 << 20
    /// Bytes ahead of the front that are waited for whatever its pace: a request would hardly be faster.
    package static let nearby: Int64 = 256 * 1024

    /// A range within this time of the running front waits for it.
    public var nearFront: Duration = .seconds(1)
    /// How long a parked transfer waits for a new reader until its bytes are given up.
    public var parkedFor: Duration = .seconds(600)
    /// Transfers parked at once; the oldest is given up for a new one.
    public var parkedAtMost = 16

    /// How long a body that is named by its digest waits, each time, before every source is asked once more
    /// after all of them failed. An answer that has begun waits so again after every byte gained, and so does one
    /// that is not named by its digest, for the same source under its strong validator.
    public var retryPauses: [Duration] = [.milliseconds(300), .seconds(1), .seconds(3)]

    public init() {}

    /// Whether a transfer without readers goes on: less than half or less than `finishLimit` is missing.
    package func goesOnAlone(received: Int64, total: Int64?) -> Bool {
        guard let total else { return true }
        let missing = total - received
        return missing < finishLimit || missing * 2 < total
    }

    /// Whether the rest of a body is fetched, `asked` of its bytes having been asked for by ranges.
    package func fillsWhole(asked: Int64, total: Int64) -> Bool {
        total <= fillLimit || asked >= total / 4
    }

    /// Whether the front, moving at `rate` bytes a second, reaches `offset` soon enough to wait for it.
    package func reachesSoon(_ offset: Int64, front: Int64, rate: Double) -> Bool {
        offset <= front
            || Double(offset - front) <= max(rate * (nearFront / .seconds(1)), Double(Self.nearby))
    }
}
