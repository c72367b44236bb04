import Content
import Gossip
import PeerExchange
import Testing

/// Whose fault a wrong piece is, without peers: four pieces, and what each node says and sends of them.
@Suite("Judging pieces") struct PieceJudgeTests {
    private static let count = 4
    private static let size = Int64(count) * PeerExchange.pieceLength
    private static let transfer = TransferKey.flight([UInt8](repeating: 4, count: 16))

    private let cluster: ClusterID
    /// The first one supplies the list at the start.
    private let keys: [NodeKey]
    private var nodes: [NodeID] { keys.map(\.id) }

    init() throws {
        keys = try (0..<5).map { _ in try NodeKey.generate() }
        cluster = ClusterID(root: keys[0].id)
    }

    /// The digest of a piece's right bytes, and of wrong ones of several kinds.
    private func digest(_ piece: Int, wrong: UInt8 = 0) -> [UInt8] {
        PieceShelf.digest([UInt8(piece), wrong])
    }

    /// A part of the list that a node signs, wrong at some pieces.
    private func part(
        of node: Int, _ range: Range<Int> = 0..<count, wrong: [Int: UInt8] = [:], size: Int64 = size
    ) -> PieceList.Part {
        var list = PieceList(transfer: Self.transfer, size: size, signer: nodes[node])
        for piece in 0..<Self.count { list.append(digest(piece, wrong: wrong[piece] ?? 0)) }
        return list.part(from: range.lowerBound, limit: range.count, in: cluster, key: keys[node])
    }

    private func judge() -> PieceJudge {
        PieceJudge(transfer: Self.transfer, size: Self.size, cluster: cluster, supplier: nodes[0])
    }

    /// One that has the whole list of node 0.
    private func informed(wrong: [Int: UInt8] = [:]) -> PieceJudge {
        var judge = judge()
        #expect(judge.read(part(of: 0, wrong: wrong), from: nodes[0]) == .taken(isNews: true))
        return judge
    }

    private func digests(_ judge: PieceJudge) -> [[UInt8]?] { (0..<Self.count).map(judge.digest) }

    /// A node sends other bytes than it was asked for by the digest that is known at present.
    private func sends(
        _ wrong: UInt8, of piece: Int, _ node: Int, _ judge: inout PieceJudge
    ) throws -> PieceJudge.Ruling {
        judge.differs(
            piece, from: nodes[node], by: try #require(judge.digest(of: piece)),
            actual: digest(piece, wrong: wrong))
    }

    private func withdrawn(_ liars: [Int], cleared: [Int]) -> PieceJudge.Ruling {
        .withdrawn(
            .init(
                liars: liars.map { nodes[$0] }, convicted: liars.map { nodes[$0] },
                cleared: cleared.map { nodes[$0] }))
    }

    // MARK: the list

    @Test("a list is read part by part, in order, of its supplier alone")
    func reading() {
        var judge = judge()
        #expect(digests(judge) == [nil, nil, nil, nil])
        #expect(judge.read(part(of: 1, 0..<2), from: nodes[1]) == .ignored)
        #expect(judge.read(part(of: 0, 2..<4), from: nodes[0]) == .ignored)
        #expect(judge.read(part(of: 0, 0..<2), from: nodes[0]) == .taken(isNews: true))
        #expect(judge.read(part(of: 0, 0..<2), from: nodes[0]) == .ignored)
        #expect(digests(judge) == [digest(0), digest(1), nil, nil])
        #expect(judge.read(part(of: 0, 2..<4), from: nodes[0]) == .taken(isNews: true))
        #expect(digests(judge) == (0..<4).map { digest($0) })
        #expect((judge.digestCount, judge.readCount) == (4, 4))
        #expect([-1, 4, .max].allSatisfy { judge.digest(of: $0) == nil })
    }

    @Test("a part that another one signed, of another body or with a changed signature is refused")
    func unsigned() {
        var begun = judge()
        #expect(begun.read(part(of: 0, 0..<2), from: nodes[0]) == .taken(isNews: true))
        for (judge, part) in [
            (begun, part(of: 1, 2..<4)), (begun, part(of: 0, 2..<4, wrong: [0: 1])),
            (judge(), part(of: 0, size: Self.size - 1)),
        ] {
            var judge = judge
            let before = digests(judge)
            #expect(judge.read(part, from: nodes[0]) == .refused)
            #expect(digests(judge) == before)
        }
    }

    @Test(
        "the list of another signer that agrees is taken from its beginning, and goes on where the first one ended"
    )
    func anotherSigner() {
        var judge = judge()
        #expect(judge.read(part(of: 0, 0..<3), from: nodes[0]) == .taken(isNews: true))
        judge.turn(to: nodes[1])
        #expect((judge.digestCount, judge.readCount) == (3, 0))
        #expect(judge.read(part(of: 0, 3..<4), from: nodes[0]) == .ignored)
        #expect(judge.read(part(of: 1, 0..<2), from: nodes[1]) == .taken(isNews: false))
        #expect((judge.digestCount, judge.readCount) == (3, 2))
        #expect(judge.read(part(of: 1, 2..<4), from: nodes[1]) == .taken(isNews: true))
        #expect((judge.digestCount, judge.readCount) == (4, 4))
    }

    @Test("the list of another signer that differs is refused, and what the first one said stands")
    func anotherThatDiffers() {
        var judge = informed()
        judge.turn(to: nodes[1])
        #expect(judge.read(part(of: 1, 0..<2), from: nodes[1]) == .taken(isNews: false))
        #expect(judge.read(part(of: 1, 2..<4, wrong: [2: 1]), from: nodes[1]) == .refused)
        #expect(digests(judge) == (0..<4).map { digest($0) })
    }

    // MARK: pieces

    @Test("the supplier's own bytes are not those of its list: it is convicted, and the list withdrawn")
    func suppliersOwn() throws {
        var judge = informed()
        #expect(try sends(1, of: 2, 0, &judge) == withdrawn([0], cleared: []))
        #expect((judge.digestCount, judge.readCount) == (0, 0))
    }

    @Test("one other's bytes are wrong, then a third's are right: the one is convicted, once")
    func otherIsWrong() throws {
        var judge = informed()
        #expect(try sends(1, of: 1, 2, &judge) == .accused)
        #expect(try sends(1, of: 3, 2, &judge) == .accused)
        #expect(judge.wrote(0, by: digest(0)).isEmpty)
        #expect(judge.wrote(1, by: digest(1)) == [nodes[2]])
        #expect(judge.wrote(3, by: digest(3)).isEmpty)
        #expect(judge.digestCount == 4)
    }

    @Test("the supplier's bytes may be the right ones, too")
    func supplierDecides() throws {
        var judge = informed()
        #expect(try sends(1, of: 1, 2, &judge) == .accused)
        #expect(judge.wrote(1, by: digest(1)) == [nodes[2]])
    }

    @Test(
        "two others agree against the list: who supplied it is convicted, and all whom it accused are cleared"
    )
    func othersAgree() throws {
        // The list is wrong at piece 1, and what the others send is right.
        var judge = informed(wrong: [1: 7])
        #expect(try sends(9, of: 3, 4, &judge) == .accused)
        #expect(try sends(0, of: 1, 1, &judge) == .accused)
        #expect(try sends(0, of: 1, 2, &judge) == withdrawn([0], cleared: [4, 1, 2]))
        #expect(judge.digestCount == 0)
        // Nobody is convicted by what comes now.
        judge.turn(to: nodes[1])
        #expect(judge.read(part(of: 1), from: nodes[1]) == .taken(isNews: true))
        for piece in 0..<Self.count { #expect(judge.wrote(piece, by: digest(piece)).isEmpty) }
    }

    @Test("two others whose bytes differ from each other's, too, do not outweigh the list")
    func othersDisagree() throws {
        var judge = informed()
        #expect(try sends(1, of: 1, 2, &judge) == .accused)
        #expect(try sends(2, of: 1, 3, &judge) == .accused)
        #expect(judge.digestCount == 4)
        var third = judge
        #expect(try sends(2, of: 1, 4, &third) == withdrawn([0], cleared: [2, 3, 4]))
        #expect(judge.wrote(1, by: digest(1)) == [nodes[2], nodes[3]])
    }

    @Test("one node alone does not outweigh the list, however often it says the same")
    func sameTwice() throws {
        var judge = informed()
        for _ in 0..<3 { #expect(try sends(1, of: 1, 2, &judge) == .accused) }
        #expect(judge.digestCount == 4)
    }

    @Test("those whom a list accused at other pieces are cleared when its supplier does not keep to it")
    func clearedBySupplier() throws {
        var judge = informed()
        #expect(try sends(1, of: 1, 2, &judge) == .accused)
        #expect(try sends(1, of: 3, 3, &judge) == .accused)
        #expect(try sends(1, of: 0, 0, &judge) == withdrawn([0], cleared: [2, 3]))
    }

    @Test("bytes that were asked for by a list that was withdrawn since say nothing of their sender")
    func withdrawnMeanwhile() throws {
        var judge = informed(wrong: [1: 7])
        #expect(try sends(1, of: 2, 0, &judge) == withdrawn([0], cleared: []))
        #expect(judge.differs(1, from: nodes[2], by: digest(1, wrong: 7), actual: digest(1)) == .moot)
        judge.turn(to: nodes[1])
        #expect(judge.read(part(of: 1), from: nodes[1]) == .taken(isNews: true))
        // Nor when the new list is there; the new supplier's own bytes neither.
        #expect(judge.differs(1, from: nodes[2], by: digest(1, wrong: 7), actual: digest(1)) == .moot)
        #expect(judge.differs(1, from: nodes[1], by: digest(1, wrong: 7), actual: digest(1)) == .moot)
        // Where both lists say the same it counts.
        #expect(judge.differs(3, from: nodes[2], by: digest(3), actual: digest(3, wrong: 1)) == .accused)
        // What was written by the old digest convicts nobody by the new one.
        #expect(try sends(3, of: 1, 3, &judge) == .accused)
        #expect(judge.wrote(1, by: digest(1, wrong: 7)).isEmpty)
    }

    @Test("a list that contradicts what was written by another's is no list of the same body")
    func contradiction() throws {
        var judge = informed(wrong: [1: 7])
        #expect(judge.wrote(1, by: digest(1, wrong: 7)).isEmpty)
        #expect(try sends(1, of: 2, 0, &judge) == withdrawn([0], cleared: []))
        judge.turn(to: nodes[1])
        // Its beginning does not say yet.
        #expect(judge.read(part(of: 1, 0..<1), from: nodes[1]) == .taken(isNews: true))
        #expect(judge.read(part(of: 1, 1..<4), from: nodes[1]) == .contradicts)
        #expect(judge.digestCount == 1)
        judge.turn(to: nodes[2])
        #expect(judge.read(part(of: 2, wrong: [1: 7]), from: nodes[2]) == .taken(isNews: true))
    }

    @Test("a new supplier does not answer for digests that only the one before it gave")
    func inheritedDigest() throws {
        var judge = informed(wrong: [3: 7])
        judge.turn(to: nodes[1])
        #expect(judge.read(part(of: 1, 0..<2), from: nodes[1]) == .taken(isNews: false))
        #expect(try sends(0, of: 3, 1, &judge) == .accused)
        #expect(try sends(0, of: 3, 2, &judge) == withdrawn([0], cleared: [1, 2]))
    }

    @Test("a new supplier that gave the same digest as the one before it answers for it with that one")
    func repeatedDigest() throws {
        var judge = informed(wrong: [1: 7])
        judge.turn(to: nodes[1])
        #expect(judge.read(part(of: 1, 0..<2, wrong: [1: 7]), from: nodes[1]) == .taken(isNews: false))
        #expect(try sends(0, of: 1, 2, &judge) == .accused)
        #expect(try sends(0, of: 1, 3, &judge) == withdrawn([0, 1], cleared: [2, 3]))
    }

    @Test("who was convicted once is not convicted again, though it is dropped again")
    func convictedOnce() throws {
        var judge = informed()
        #expect(try sends(1, of: 1, 2, &judge) == .accused)
        #expect(judge.wrote(1, by: digest(1)) == [nodes[2]])
        judge.turn(to: nodes[2])
        #expect(judge.read(part(of: 2), from: nodes[2]) == .taken(isNews: false))
        #expect(
            try sends(1, of: 3, 2, &judge)
                == .withdrawn(.init(liars: [nodes[2]], convicted: [], cleared: [])))
    }
}
