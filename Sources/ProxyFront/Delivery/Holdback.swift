/// How much of a body may go out before it is proven: all but its last bytes, so that no client ever takes
/// a bad body for a whole one (architecture section 5).
package struct Holdback: Sendable, Equatable {
    /// Bytes kept back. More than a socket's smallest buffer, so that a client notices that it waits; less
    /// than what would delay the end of a proven body noticeably.
    package static let limit: Int64 = 16 * 1024

    /// Bytes of the whole body, when announced.
    package let total: Int64?

    package init(total: Int64?) { self.total = total }

    /// The offset up to which bytes may be sent while the proof is out.
    /// - Parameter front: the end of the gapless bytes received so far.
    package func limit(front: Int64) -> Int64 {
        // Without a length the body ends where upstream says so: any byte may turn out to be the last.
        max(0, (total ?? front) - Self.limit)
    }
}
