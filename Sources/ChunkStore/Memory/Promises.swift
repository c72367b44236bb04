import Synchronization

/// Bounds what is visible but not yet committed.
final class Promises: Sendable {
    /// Bytes of records.
    static let limit = 8 << 20
    private let bytes = Mutex(0)

    /// False when that would be too much.
    func take(_ count: Int) -> Bool {
        bytes.withLock { bytes in
            guard bytes + count <= Self.limit else { return false }
            bytes += count
            return true
        }
    }

    func give(_ count: Int) {
        bytes.withLock { $0 -= count }
    }

    var isPending: Bool { bytes.withLock { $0 > 0 } }
}
