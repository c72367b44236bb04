import Gossip
import PeerExchange
import Testing

/// Which piece is asked of whom, without peers.
@Suite("Planning what to ask") struct FetchPlanTests {
    private static let piece = PeerExchange.pieceLength
    private let nodes: [NodeID]

    init() throws {
        nodes = try (0..<10).map { number in
            try #require(NodeID(bytes: [UInt8](repeating: UInt8(number), count: 32)))
        }
    }

    /// A plan of so many pieces whose digests are all known, and peers that have nothing yet.
    private func plan(_ pieces: Int, peers: Int = 3, limits: FetchPlan.Limits = .init()) -> FetchPlan {
        var plan = FetchPlan(size: Int64(pieces) * Self.piece, limits: limits)
        for node in nodes.prefix(peers) { plan.add(node) }
        plan.list(pieces)
        return plan
    }

    private func bytes(_ range: Range<Int>) -> Range<Int64> {
        Int64(range.lowerBound) * Self.piece..<Int64(range.upperBound) * Self.piece
    }

    private func rng(_ seed: Int) -> GossipRandom {
        GossipRandom(seed: [UInt8](repeating: UInt8(truncatingIfNeeded: seed), count: 32))
    }

    private func at(_ milliseconds: Int) -> GossipTime { GossipTime() + .milliseconds(milliseconds) }

    /// Every question that can be put now.
    private func questions(
        _ plan: inout FetchPlan, reader: Int64 = 0, at time: Int = 0, _ rng: inout GossipRandom
    ) -> [(piece: Int, node: NodeID)] {
        var asked: [(piece: Int, node: NodeID)] = []
        while let next = plan.next(reader: reader, now: at(time), rng: &rng) { asked.append(next) }
        return asked
    }

    // MARK: what counts as growth

    @Test("a peer that gets pieces counts as growing only while they are lacking here")
    func growth() {
        var plan = plan(8)
        for piece in 0..<4 { plan.have(piece) }
        #expect(plan.note([bytes(0..<4)], at: nodes[0]) == false)
        #expect(plan.note([bytes(0..<5)], at: nodes[0]) == true)
        #expect(plan.note([bytes(0..<5)], at: nodes[0]) == false)
        plan.have(5)
        #expect(plan.note([bytes(0..<6)], at: nodes[0]) == false)
        #expect(plan.note(nil, at: nodes[0]) == true)
        #expect(plan.note(nil, at: nodes[0]) == false)
        for piece in 0..<8 { plan.have(piece) }
        #expect(plan.note(nil, at: nodes[1]) == false)
    }

    @Test("part of a piece counts from 16 KiB on, and only while the piece is lacking here")
    func thinLink() {
        var plan = plan(4)
        let growth: Int64 = 16 << 10
        func first(_ bytes: Int64) -> [Range<Int64>] { [0..<bytes] }
        #expect(plan.note(first(growth - 1), at: nodes[0]) == false)
        #expect(plan.note(first(growth), at: nodes[0]) == true)
        #expect(plan.note(first(2 * growth - 1), at: nodes[0]) == false)
        #expect(plan.note(first(2 * growth), at: nodes[0]) == true)
        plan.have(0)
        #expect(plan.note(first(10 * growth), at: nodes[0]) == false)
        // What it got of a piece that came since does not hide what it gets now.
        #expect(plan.note(first(Self.piece + growth - 1), at: nodes[0]) == false)
        #expect(plan.note(first(Self.piece + growth), at: nodes[0]) == true)
        // Bytes behind the body's end are none.
        let end = 4 * Self.piece
        #expect(plan.note([end..<end + 64 * growth], at: nodes[1]) == false)
    }

    @Test("nothing of a peer that is set aside counts, but what it got meanwhile is known when it is cleared")
    func setAside() {
        var (plan, rng) = (plan(4, peers: 2), rng(1))
        plan.drop(nodes[0])
        #expect(plan.note([bytes(0..<2)], at: nodes[0]) == false)
        #expect(!plan.hasOpen)
        #expect(questions(&plan, &rng).isEmpty)
        plan.forgive(nodes[0])
        #expect(plan.hasOpen)
        #expect(questions(&plan, &rng).map(\.piece) == [0, 1])
    }

    @Test("a peer that nobody named is no holder")
    func stranger() {
        var (plan, rng) = (plan(4, peers: 1), rng(1))
        #expect(plan.note(nil, at: nodes[5]) == false)
        #expect(questions(&plan, &rng).isEmpty)
    }

    // MARK: what is asked

    @Test("what a reader waits for is asked first and in order, of those who have the least to do")
    func window() {
        var (plan, rng) = (plan(64, peers: 3), rng(1))
        for node in nodes.prefix(3) { plan.note(nil, at: node) }
        let asked = questions(&plan, reader: 20 * Self.piece, &rng)
        #expect(asked.map(\.piece) == Array(20..<26))
        #expect(asked.map(\.node) == [0, 1, 2, 0, 1, 2].map { nodes[$0] })
    }

    @Test("behind the window the rarest piece is asked, of equal ones any")
    func rarest() {
        var limits = FetchPlan.Limits()
        limits.window = 0
        var seen: Set<Int> = []
        for seed in 0..<64 {
            var (plan, rng) = (plan(8, limits: limits), rng(seed))
            plan.have(0)
            plan.have(1)
            plan.note(nil, at: nodes[0])
            plan.note([bytes(0..<4)], at: nodes[1])
            let first = plan.next(reader: 0, now: at(0), rng: &rng)
            #expect(first.map { (4..<8).contains($0.piece) && $0.node == nodes[0] } == true, "seed \(seed)")
            if let first { seen.insert(first.piece) }
        }
        #expect(seen == [4, 5, 6, 7])
    }

    @Test("only pieces whose digests are known are asked for, and none once the list is withdrawn")
    func listed() {
        var plan = FetchPlan(size: 6 * Self.piece)
        var rng = rng(1)
        for node in nodes { plan.add(node) }
        for node in nodes { plan.note(nil, at: node) }
        #expect(questions(&plan, &rng).isEmpty)
        plan.list(2)
        #expect(questions(&plan, &rng).map(\.piece) == [0, 1])
        plan.forgetList()
        plan.failed(0, from: nodes[0], now: at(0))
        #expect(questions(&plan, at: 1000, &rng).isEmpty)
        plan.list(1)
        #expect(questions(&plan, at: 1000, &rng).map(\.piece) == [0])
    }

    @Test(
        "a peer that is busy is left alone as long as it says, one that fails three times in a row for ever")
    func pauses() {
        var (plan, rng) = (plan(1, peers: 1), rng(1))
        plan.note(nil, at: nodes[0])
        #expect(questions(&plan, &rng).count == 1)
        plan.failed(0, from: nodes[0], pause: .milliseconds(500), now: at(0))
        #expect(questions(&plan, at: 499, &rng).isEmpty)
        for round in 1...3 {
            #expect(questions(&plan, at: 500 * round, &rng).count == 1)
            plan.failed(0, from: nodes[0], now: at(500 * round))
            #expect(plan.nodes.isEmpty == (round == 3))
        }
        #expect(questions(&plan, at: 1_000_000, &rng).isEmpty)
    }

    @Test("a piece that takes much longer than others did is asked of one more peer, and of no third")
    func hedge() {
        var (plan, rng) = (plan(100, peers: 3), rng(1))
        plan.note(nil, at: nodes[0])
        for round in 0..<10 {
            for (piece, node) in questions(&plan, reader: 0, at: round, &rng) {
                plan.arrived(piece, from: node, now: at(round + 1))
            }
        }
        let slow = questions(&plan, at: 20, &rng)
        #expect(slow.allSatisfy { $0.node == nodes[0] } && slow.count == 8)
        for node in nodes[1...2] { plan.note([bytes(slow[0].piece..<slow[0].piece + 1)], at: node) }
        #expect(questions(&plan, at: 100, &rng).isEmpty)
        let again = questions(&plan, at: 200, &rng)
        #expect(again.map(\.piece) == [slow[0].piece] && again.map(\.node) == [nodes[1]])
        #expect(questions(&plan, at: 2000, &rng).isEmpty)
    }

    @Test(
        "whatever comes and fails, a body comes whole, and no more is under way than may be",
        arguments: 0..<40)
    func anyCourse(seed: Int) throws {
        var rng = rng(seed)
        let count = Int.random(in: 1...60, using: &rng)
        let peers = Int.random(in: 1...6, using: &rng)
        var limits = FetchPlan.Limits()
        limits.atOnce = Int.random(in: 1...12, using: &rng)
        limits.failures = .max
        var plan = plan(count, peers: peers, limits: limits)
        var held: [NodeID: Set<Int>] = [:]
        var owed: [(piece: Int, node: NodeID)] = []
        var here: Set<Int> = []
        for step in 0... {
            try #require(step < 100_000, "seed \(seed)")
            if plan.isDone { break }
            let node = nodes[Int.random(in: 0..<peers, using: &rng)]
            let upTo = node == nodes[0] ? count : Int.random(in: 0...count, using: &rng)
            if upTo >= held[node]?.count ?? 0 {
                held[node] = Set(0..<upTo)
                plan.note(upTo == count ? nil : [bytes(0..<upTo)], at: node)
            }
            let reader = Int64.random(in: 0...Int64(count) * Self.piece, using: &rng)
            for question in questions(&plan, reader: reader, at: step * 10, &rng) {
                #expect(held[question.node]?.contains(question.piece) == true, "seed \(seed)")
                #expect(!here.contains(question.piece), "seed \(seed)")
                #expect(!owed.contains { $0 == question }, "seed \(seed)")
                owed.append(question)
            }
            #expect(owed.count <= limits.atOnce, "seed \(seed)")
            #expect(plan.isWaiting == !owed.isEmpty, "seed \(seed)")
            guard !owed.isEmpty else { continue }
            let (piece, from) = owed.remove(at: Int.random(in: 0..<owed.count, using: &rng))
            switch Int.random(in: 0..<4, using: &rng) {
            case 0: plan.failed(piece, from: from, now: at(step * 10))
            case 1: plan.failed(piece, from: from, pause: .milliseconds(30), now: at(step * 10))
            default:
                plan.arrived(piece, from: from, now: at(step * 10))
                here.insert(piece)
            }
        }
        #expect(here == Set(0..<count), "seed \(seed)")
    }
}
