/// Why peers could not bring a body to its end. What came stays.
package enum PeerTransferFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nobody of those who have it answers any more.
    case nobodyLeft(String)
    /// Nothing came for too long.
    case stalled
    /// Peers have no more of it, and none of them gets more from upstream.
    case orphaned
    case cancelled

    package var description: String {
        switch self {
        case .nobodyLeft(let reason): "no peer gives more of it: \(reason)"
        case .orphaned: "no peer gets more of it"
        case .stalled: "peers brought nothing for too long"
        case .cancelled: "it was given up"
        }
    }
}
