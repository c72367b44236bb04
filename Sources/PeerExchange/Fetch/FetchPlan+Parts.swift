internal import Gossip

extension FetchPlan {
    struct Peer: Sendable {
        let node: NodeID
        var has: [Bool]
        /// What it had when that last counted as more.
        var counted: [Range<Int64>] = []
        var isWhole = false
        var outstanding = 0
        /// Until its pace is known.
        var window = 2
        var lastArrival = GossipTime()
        var failures = 0
        var isDropped = false
        var notBefore = GossipTime()

        /// Whether it may be asked for one more piece.
        func isFree(_ limits: Limits, now: GossipTime) -> Bool {
            !isDropped && outstanding < min(window, limits.perPeer) && notBefore <= now
        }
    }

    struct Asked: Sendable {
        let peer: Int
        let since: GossipTime
    }

    enum Piece: Sendable {
        case missing
        case asked([Asked])
        case done
    }
}
