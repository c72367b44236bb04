package import Gossip

/// Which piece is asked of whom next, as a value: what is known goes in with the time, questions come out
/// (architecture section 8).
///
/// First the window ahead of the lowest reader, in order; then the rarest piece (BitTorrent's rule: Cohen 2003), ties
/// broken at random, so that nodes which start together have different things to give each other. A piece that takes
/// much longer than most is asked of one more peer.
package struct FetchPlan: Sendable {
    package struct Limits: Sendable {
        /// Bytes ahead of the lowest reader that come first.
        package var window: Int64 = 8 << 20
        /// Pieces that one peer owes at most; one that is slow owes no more than it sends in a second.
        package var perPeer = 8
        /// Pieces under way in all: what memory they may take, in MiB.
        package var atOnce = 32
        /// Share of the body that may be asked for twice.
        package var hedge = 0.05
        /// A peer that failed so often in a row is not asked any more.
        package var failures = 3

        package init() {}
    }

    package let size: Int64
    private let limits: Limits
    private var pieces: [Piece]
    private var peers: [Peer] = []
    private var holders: [Int]
    private var missing: Int
    private var listed = 0
    private var underWay = 0
    private var hedged = 0
    private var times: [Duration] = []
    /// Everything before is done or asked for.
    private var firstOpen = 0

    package init(size: Int64, limits: Limits = Limits()) {
        self.size = size
        self.limits = limits
        let count = PieceList.pieceCount(of: size)
        pieces = [Piece](repeating: .missing, count: count)
        holders = [Int](repeating: 0, count: count)
        missing = count
    }

    package var isDone: Bool { missing == 0 }
    package var pieceCount: Int { pieces.count }
    /// Peers that may still be asked.
    package var nodes: [NodeID] { peers.filter { !$0.isDropped }.map(\.node) }
    package var isWaiting: Bool { underWay > 0 }
    /// A piece is lacking that a peer has, whether its digest is known yet or not.
    package var hasOpen: Bool {
        pieces.indices.contains { piece in
            if case .missing = pieces[piece] { holders[piece] > 0 } else { false }
        }
    }

    // MARK: what is known

    package mutating func add(_ node: NodeID) {
        guard !peers.contains(where: { $0.node == node }) else { return }
        peers.append(Peer(node: node, has: [Bool](repeating: false, count: pieces.count)))
    }

    /// The digests of so many pieces are known: only those can be checked, and are asked for.
    package mutating func list(_ count: Int) { listed = max(listed, min(count, pieces.count)) }

    /// The list is no one's word any more: nothing more is asked for until there is another one.
    package mutating func forgetList() { listed = 0 }

    /// A peer that was dropped may be asked again: the fault was another's.
    package mutating func forgive(_ node: NodeID) {
        guard let peer = peers.firstIndex(where: { $0.node == node }), peers[peer].isDropped else { return }
        peers[peer].isDropped = false
        for piece in pieces.indices where peers[peer].has[piece] { holders[piece] += 1 }
    }

    /// Bytes that a peer must have got for them to count before a piece of it is whole.
    private static let growth: Int64 = 16 << 10

    /// What a peer has; nil = all of it.
    /// - Returns: whether it has more than before of what is lacking here.
    @discardableResult
    package mutating func note(_ present: [Range<Int64>]?, at node: NodeID) -> Bool {
        guard let peer = peers.firstIndex(where: { $0.node == node }), !peers[peer].isWhole else {
            return false
        }
        let runs = present ?? [0..<size]
        peers[peer].isWhole = present == nil
        var grew = false
        for run in runs {
            var piece = Int((run.lowerBound + PeerExchange.pieceLength - 1) / PeerExchange.pieceLength)
            while piece < pieces.count, PieceList.range(of: piece, size: size).upperBound <= run.upperBound {
                if !peers[peer].has[piece] {
                    peers[peer].has[piece] = true
                    holders[piece] += peers[peer].isDropped ? 0 : 1
                    grew = grew || isLacking(piece)
                }
                piece += 1
            }
        }
        // On a thin link a piece takes long to become whole; its holder has more of it all the time.
        if lacking(in: runs) >= lacking(in: peers[peer].counted) + Self.growth {
            peers[peer].counted = runs
            grew = true
        }
        return grew && !peers[peer].isDropped
    }

    private func isLacking(_ piece: Int) -> Bool {
        if case .done = pieces[piece] { false } else { true }
    }

    /// Bytes of `runs` that are not here yet.
    private func lacking(in runs: [Range<Int64>]) -> Int64 {
        var bytes: Int64 = 0
        for run in runs {
            let first = Int(run.lowerBound / PeerExchange.pieceLength)
            for piece in first..<max(first, min(pieces.count, PieceList.pieceCount(of: run.upperBound)))
            where isLacking(piece) {
                bytes += Int64(PieceList.range(of: piece, size: size).clamped(to: run).count)
            }
        }
        return bytes
    }

    /// The piece is there, whoever brought it.
    package mutating func have(_ piece: Int) {
        if case .done = pieces[piece] { return }
        pieces[piece] = .done
        missing -= 1
    }

    package mutating func arrived(_ piece: Int, from node: NodeID, now: GossipTime) {
        let since = settle(piece, node)
        if let since {
            if times.count >= 64 { times.removeFirst() }
            times.append(now - since)
        }
        if let peer = peers.firstIndex(where: { $0.node == node }) {
            peers[peer].failures = 0
            if let since {
                // The pieces before it have had their share of the time since it was asked for.
                let took = (now - max(since, peers[peer].lastArrival)) / .seconds(1)
                peers[peer].window = max(1, min(limits.perPeer, Int((1 / max(took, 0.001)).rounded())))
            }
            peers[peer].lastArrival = now
        }
        have(piece)
    }

    /// The piece did not come.
    /// - Parameter pause: the peer asked not to be asked for so long.
    package mutating func failed(_ piece: Int, from node: NodeID, pause: Duration? = nil, now: GossipTime) {
        _ = settle(piece, node)
        guard let peer = peers.firstIndex(where: { $0.node == node }) else { return }
        if let pause {
            peers[peer].notBefore = now + pause
        } else {
            peers[peer].failures += 1
            peers[peer].notBefore = now + .milliseconds(100)
            if peers[peer].failures >= limits.failures { drop(node) }
        }
    }

    /// The peer is not asked any more: it lied, or it is gone.
    package mutating func drop(_ node: NodeID) {
        guard let peer = peers.firstIndex(where: { $0.node == node }), !peers[peer].isDropped else { return }
        peers[peer].isDropped = true
        for piece in pieces.indices where peers[peer].has[piece] { holders[piece] -= 1 }
    }

    /// Takes the question back.
    /// - Returns: when it was put.
    private mutating func settle(_ piece: Int, _ node: NodeID) -> GossipTime? {
        guard let peer = peers.firstIndex(where: { $0.node == node }) else { return nil }
        peers[peer].outstanding = max(0, peers[peer].outstanding - 1)
        underWay = max(0, underWay - 1)
        guard case .asked(var asked) = pieces[piece] else { return nil }
        let since = asked.first { $0.peer == peer }?.since
        asked.removeAll { $0.peer == peer }
        pieces[piece] = asked.isEmpty ? .missing : .asked(asked)
        firstOpen = min(firstOpen, piece)
        return since
    }

    // MARK: what to ask

    /// The next question; nil when there is none at present.
    /// - Parameter reader: the lowest offset that somebody waits at.
    package mutating func next(
        reader: Int64, now: GossipTime, rng: inout GossipRandom
    ) -> (piece: Int, node: NodeID)? {
        guard underWay < limits.atOnce else { return nil }
        let free = peers.indices.filter { peers[$0].isFree(limits, now: now) }
        guard !free.isEmpty else { return nil }
        let piece = inWindow(reader, free) ?? rarest(free, rng: &rng) ?? slow(free, now: now)
        guard let piece, let peer = bestPeer(for: piece, free) else { return nil }
        if case .asked(let asked) = pieces[piece] {
            hedged += 1
            pieces[piece] = .asked(asked + [Asked(peer: peer, since: now)])
        } else {
            pieces[piece] = .asked([Asked(peer: peer, since: now)])
        }
        peers[peer].outstanding += 1
        underWay += 1
        return (piece, peers[peer].node)
    }

    /// Nobody was asked for it, and one of those who are free has it.
    private func isOpen(_ piece: Int, _ free: [Int]) -> Bool {
        guard case .missing = pieces[piece], holders[piece] > 0 else { return false }
        return free.contains { peers[$0].has[piece] }
    }

    private func inWindow(_ reader: Int64, _ free: [Int]) -> Int? {
        let first = Int(min(reader, max(0, size - 1)) / PeerExchange.pieceLength)
        let last = min(listed, Int((reader + limits.window) / PeerExchange.pieceLength) + 1)
        guard first < last else { return nil }
        return (first..<last).first { isOpen($0, free) }
    }

    private mutating func rarest(_ free: [Int], rng: inout GossipRandom) -> Int? {
        while firstOpen < listed, case .done = pieces[firstOpen] { firstOpen += 1 }
        var rarest: [Int] = []
        var fewest = Int.max
        for piece in firstOpen..<max(firstOpen, listed) where holders[piece] <= fewest && isOpen(piece, free)
        {
            if holders[piece] < fewest { rarest.removeAll(keepingCapacity: true) }
            fewest = holders[piece]
            rarest.append(piece)
        }
        // Each of the equal ones with the same chance.
        return rarest.randomElement(using: &rng)
    }

    /// A piece that takes longer than nearly all did, and that another peer has.
    private func slow(_ free: [Int], now: GossipTime) -> Int? {
        guard times.count >= 8, Double(hedged) < Double(pieces.count) * limits.hedge else { return nil }
        let usual = times.sorted()[times.count * 95 / 100]
        let bound = max(usual * 2, .milliseconds(100))
        for piece in firstOpen..<max(firstOpen, listed) {
            guard case .asked(let asked) = pieces[piece], asked.count == 1, now - asked[0].since > bound,
                bestPeer(for: piece, free) != nil
            else { continue }
            return piece
        }
        return nil
    }

    /// Of those who are free the one with the least to do; of equal ones the one named first, which is the nearest.
    private func bestPeer(for piece: Int, _ free: [Int]) -> Int? {
        var asked: [Asked] = []
        if case .asked(let known) = pieces[piece] { asked = known }
        var best: Int?
        for peer in free where peers[peer].has[piece] && !asked.contains(where: { $0.peer == peer }) {
            if let best, peers[best].outstanding <= peers[peer].outstanding { continue }
            best = peer
        }
        return best
    }
}
