import Content

/// Says when a folded blob is hot: at its second read within a window.
///
/// A value; bounded to the blobs read last.
struct UnfoldPolicy: Sendable {
    static let capacity = 1024
    /// Milliseconds.
    let window: Int64
    private var reads: [Digest: Int64] = [:]

    init(window: Duration) { self.window = Int64(clamping: window.nanoseconds / 1_000_000) }

    /// Notes a read at `now`, in milliseconds.
    /// - Returns: true when the blob is to become whole again.
    mutating func read(_ digest: Digest, now: Int64) -> Bool {
        if let last = reads.removeValue(forKey: digest), now - last <= window { return true }
        if reads.count >= Self.capacity {
            reads = reads.filter { now - $0.value <= window }
            // All of them recent: start over rather than grow.
            if reads.count >= Self.capacity { reads.removeAll() }
        }
        reads[digest] = now
        return false
    }
}
