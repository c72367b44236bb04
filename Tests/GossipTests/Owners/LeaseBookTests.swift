import Gossip
import Testing

/// Who may fetch what, as one owner keeps it.
@Suite("Leases in an owner's book") struct LeaseBookTests {
    private let id = InventoryID(rawValue: 7)
    private let one = NodeTag(rawValue: 1)
    private let two = NodeTag(rawValue: 2)
    private let three = NodeTag(rawValue: 3)
    private let span = Duration.seconds(5)

    private func at(_ milliseconds: Int) -> GossipTime { GossipTime() + .milliseconds(milliseconds) }

    // MARK: asking

    @Test("the first who asks may fetch, others are told who does, until its time is over")
    func first() {
        var book = LeaseBook()
        #expect(book.ask(id, by: one, for: span, now: at(0)) == one)
        #expect(book.ask(id, by: two, for: span, now: at(0)) == one)
        #expect(book.ask(id, by: three, for: span, now: at(4999)) == one)
        #expect(book.holder(of: id, now: at(4999)) == one)
        #expect(book.holder(of: id, now: at(5000)) == nil)
        #expect(book.ask(id, by: two, for: span, now: at(5000)) == two)
        #expect(book.ask(id, by: one, for: span, now: at(5000)) == two)
        #expect(book.ask(InventoryID(rawValue: 8), by: one, for: span, now: at(5000)) == one)
    }

    @Test("the holder renews by asking again, from then on for the whole time")
    func renewal() {
        var book = LeaseBook()
        for second in stride(from: 0, to: 30_000, by: 1500) {
            #expect(book.ask(id, by: one, for: span, now: at(second)) == one)
        }
        #expect(book.holder(of: id, now: at(28_500 + 4999)) == one)
        #expect(book.holder(of: id, now: at(28_500 + 5000)) == nil)
    }

    @Test(
        "what another owner granted stands as if it had been granted here, and is prolonged for its holder alone"
    )
    func noted() {
        var book = LeaseBook()
        book.note(id, holder: one, for: span, now: at(0))
        #expect(book.ask(id, by: two, for: span, now: at(1000)) == one)
        book.note(id, holder: two, for: span, now: at(2000))
        #expect(book.holder(of: id, now: at(4999)) == one)
        book.note(id, holder: one, for: span, now: at(4000))
        #expect(book.holder(of: id, now: at(8999)) == one)
        book.note(id, holder: two, for: span, now: at(9000))
        #expect(book.holder(of: id, now: at(9000)) == two)
    }

    // MARK: who follows

    @Test("those who were told of the holder are named behind it, in order, for twice the time")
    func followers() {
        var book = LeaseBook()
        #expect(book.fetchers(of: id, now: at(0)).isEmpty)
        _ = book.ask(id, by: one, for: .seconds(60), now: at(0))
        _ = book.ask(id, by: two, for: span, now: at(0))
        _ = book.ask(id, by: three, for: span, now: at(1000))
        #expect(book.fetchers(of: id, now: at(9999)) == [one, two, three])
        #expect(book.fetchers(of: id, now: at(10_000)) == [one, three])
        // Who asks again is named once, and longer.
        _ = book.ask(id, by: three, for: span, now: at(10_500))
        #expect(book.fetchers(of: id, now: at(20_499)) == [one, three])
        #expect(book.fetchers(of: id, now: at(20_500)) == [one])
        #expect(book.fetchers(of: id, now: at(60_000)).isEmpty)
    }

    @Test("a follower that is granted it next leads those who followed with it")
    func takeover() {
        var book = LeaseBook()
        _ = book.ask(id, by: one, for: span, now: at(0))
        _ = book.ask(id, by: two, for: span, now: at(100))
        _ = book.ask(id, by: three, for: span, now: at(200))
        #expect(book.ask(id, by: three, for: span, now: at(5000)) == three)
        #expect(book.fetchers(of: id, now: at(5000)) == [three, two])
    }

    @Test("no more followers are kept than there is room for; one that is over makes room")
    func followerLimit() {
        var book = LeaseBook()
        _ = book.ask(id, by: one, for: .seconds(60), now: at(0))
        let crowd = (0..<LeaseBook.followerLimit + 5).map { NodeTag(rawValue: 100 + UInt64($0)) }
        for (number, tag) in crowd.enumerated() {
            #expect(book.ask(id, by: tag, for: span, now: at(number)) == one)
        }
        #expect(book.fetchers(of: id, now: at(100)) == [one] + crowd.prefix(LeaseBook.followerLimit))
        _ = book.ask(id, by: two, for: span, now: at(10_000))
        #expect(
            book.fetchers(of: id, now: at(10_000)) == [one] + crowd[1..<LeaseBook.followerLimit] + [two])
    }

    // MARK: the end of a lease

    @Test("a lease is given back by its holder alone, and what followed it is forgotten")
    func release() {
        var book = LeaseBook()
        _ = book.ask(id, by: one, for: span, now: at(0))
        _ = book.ask(id, by: two, for: span, now: at(0))
        book.release(id, by: two)
        #expect(book.holder(of: id, now: at(0)) == one)
        book.release(id, by: one)
        book.release(id, by: one)
        #expect(book.holder(of: id, now: at(0)) == nil)
        #expect(book.ask(id, by: three, for: span, now: at(0)) == three)
        #expect(book.fetchers(of: id, now: at(0)) == [three])
    }

    @Test("a member that is away loses every lease, and nobody else one")
    func drop() {
        var book = LeaseBook()
        for number in 0..<30 {
            let holder = [one, two, three][number % 3]
            _ = book.ask(InventoryID(rawValue: UInt64(number)), by: holder, for: span, now: at(0))
        }
        book.drop(two)
        book.drop(NodeTag(rawValue: 99))
        for number in 0..<30 {
            let holder = [one, nil, three][number % 3]
            #expect(book.holder(of: InventoryID(rawValue: UInt64(number)), now: at(0)) == holder)
        }
    }

    // MARK: how much is kept

    /// Asks for so many objects that nobody asked for before.
    private func fill(
        _ book: inout LeaseBook, _ count: Int, from start: Int, by tag: NodeTag, for span: Duration,
        now: GossipTime
    ) {
        for number in start..<start + count {
            #expect(book.ask(InventoryID(rawValue: UInt64(number)), by: tag, for: span, now: now) == tag)
        }
    }

    @Test("who asks for everything is always granted it, but beyond its share that is not kept")
    func holderLimit() {
        var book = LeaseBook()
        let beyond = InventoryID(rawValue: UInt64(LeaseBook.holderLimit))
        fill(&book, LeaseBook.holderLimit + 1, from: 0, by: one, for: span, now: at(0))
        #expect(book.holder(of: beyond, now: at(0)) == nil)
        book.note(beyond, holder: one, for: span, now: at(0))
        #expect(book.holder(of: beyond, now: at(0)) == nil)
        #expect(book.ask(beyond, by: two, for: span, now: at(0)) == two)
        #expect(book.holder(of: beyond, now: at(0)) == two)
        // Another's lease that is over makes no room either.
        let over = InventoryID(rawValue: 1 << 41)
        _ = book.ask(over, by: two, for: .milliseconds(1), now: at(0))
        #expect(book.ask(over, by: one, for: span, now: at(2)) == one)
        book.note(over, holder: one, for: span, now: at(2))
        #expect(book.holder(of: over, now: at(2)) == nil)
        // What it has it can renew; what it gives back makes room.
        #expect(book.ask(id, by: one, for: .seconds(9), now: at(0)) == one)
        #expect(book.holder(of: id, now: at(8999)) == one)
        let other = InventoryID(rawValue: 1 << 40)
        book.release(id, by: one)
        _ = book.ask(other, by: one, for: span, now: at(0))
        #expect(book.holder(of: other, now: at(0)) == one)
    }

    @Test("what is over is swept away for new ones, at most once a second")
    func sweep() {
        var book = LeaseBook()
        fill(&book, LeaseBook.holderLimit, from: 0, by: one, for: .milliseconds(500), now: at(0))
        let base = 1 << 20
        fill(&book, 1, from: base, by: one, for: span, now: at(500))
        #expect(book.holder(of: InventoryID(rawValue: UInt64(base)), now: at(500)) == one)
        fill(&book, LeaseBook.holderLimit - 1, from: base + 1, by: one, for: .milliseconds(500), now: at(500))
        let next = InventoryID(rawValue: 1 << 40)
        for (time, holder) in [(1000, nil), (1499, nil), (1500, one)] as [(Int, NodeTag?)] {
            #expect(book.ask(next, by: one, for: span, now: at(time)) == one)
            #expect(book.holder(of: next, now: at(time)) == holder, "\(time)")
        }
    }

    @Test("in all no more is kept than there is room for")
    func limit() {
        var book = LeaseBook()
        let holders = LeaseBook.limit / LeaseBook.holderLimit
        for holder in 0..<holders {
            fill(
                &book, LeaseBook.holderLimit, from: holder * LeaseBook.holderLimit,
                by: NodeTag(rawValue: 1000 + UInt64(holder)), for: span, now: at(0))
        }
        let late = InventoryID(rawValue: 1 << 40)
        #expect(book.ask(late, by: one, for: span, now: at(0)) == one)
        #expect(book.holder(of: late, now: at(0)) == nil)
        book.drop(NodeTag(rawValue: 1000))
        #expect(book.ask(late, by: one, for: span, now: at(0)) == one)
        #expect(book.holder(of: late, now: at(0)) == one)
    }

    // MARK: doubt

    @Test(
        "a holder that is doubted is asked for a sign of life every 100 ms, and has lost its lease after 400 ms"
    )
    func doubt() {
        var book = LeaseBook()
        #expect(book.examine(id, isDoubted: true, lastHeard: nil, now: at(0)) == .stands)
        _ = book.ask(id, by: one, for: span, now: at(0))
        let heard = at(900)
        #expect(book.examine(id, isDoubted: false, lastHeard: heard, now: at(900)) == .stands)
        let course: [(Int, LeaseBook.Examination)] = [
            (1000, .probe), (1050, .stands), (1100, .probe), (1199, .stands), (1250, .probe), (1399, .probe),
            (1400, .ends), (1500, .ends),
        ]
        for (time, expected) in course {
            // Once somebody doubts, whoever asks next need not.
            let examination = book.examine(id, isDoubted: time == 1000, lastHeard: heard, now: at(time))
            #expect(examination == expected, "\(time)")
        }
    }

    @Test("a sign of life ends the doubt; it is heard again a second after it began")
    func signOfLife() {
        var book = LeaseBook()
        _ = book.ask(id, by: one, for: .seconds(60), now: at(0))
        #expect(book.examine(id, isDoubted: true, lastHeard: nil, now: at(1000)) == .probe)
        for time in [1200, 1400, 1900, 2000] {
            #expect(book.examine(id, isDoubted: true, lastHeard: at(1100), now: at(time)) == .stands)
        }
        #expect(book.examine(id, isDoubted: true, lastHeard: at(1100), now: at(2001)) == .stands)
        #expect(book.examine(id, isDoubted: false, lastHeard: at(1100), now: at(2002)) == .stands)
        #expect(book.examine(id, isDoubted: true, lastHeard: at(1100), now: at(2003)) == .probe)
        #expect(book.examine(id, isDoubted: true, lastHeard: at(1100), now: at(2403)) == .ends)
    }

    @Test("a holder that asks again, and the next holder, are not doubted")
    func doubtEnds() {
        for asker in [one, two] {
            var book = LeaseBook()
            _ = book.ask(id, by: one, for: .milliseconds(500), now: at(0))
            #expect(book.examine(id, isDoubted: true, lastHeard: nil, now: at(100)) == .probe)
            #expect(book.ask(id, by: asker, for: span, now: at(500)) == asker)
            #expect(book.examine(id, isDoubted: false, lastHeard: nil, now: at(1000)) == .stands)
        }
    }

    // MARK: any course

    /// The same in the plainest way, without limits.
    private struct Plain {
        var leases: [InventoryID: (holder: NodeTag, expires: GossipTime)] = [:]

        func holder(_ id: InventoryID, _ now: GossipTime) -> NodeTag? {
            leases[id].flatMap { $0.expires > now ? $0.holder : nil }
        }

        mutating func grant(_ id: InventoryID, _ tag: NodeTag, _ span: Duration, _ now: GossipTime) {
            if holder(id, now) ?? tag == tag { leases[id] = (tag, now + span) }
        }
    }

    @Test(
        "whatever is asked, noted, given back and lost, one member at most holds an object", arguments: 0..<20
    )
    func anyCourse(seed: Int) {
        var rng = GossipRandom(seed: [UInt8](repeating: UInt8(seed), count: 32))
        var (book, plain) = (LeaseBook(), Plain())
        var time = 0
        for step in 0..<2000 {
            time += Int.random(in: 0...40, using: &rng)
            let id = InventoryID(rawValue: UInt64.random(in: 0..<12, using: &rng))
            let tag = NodeTag(rawValue: UInt64.random(in: 0..<6, using: &rng))
            let span = Duration.milliseconds(Int.random(in: 1...600, using: &rng))
            switch Int.random(in: 0..<10, using: &rng) {
            case 0..<6:
                plain.grant(id, tag, span, at(time))
                let holder = book.ask(id, by: tag, for: span, now: at(time))
                #expect(holder == plain.holder(id, at(time)), "seed \(seed), step \(step)")
                #expect(book.fetchers(of: id, now: at(time)).contains(tag), "seed \(seed), step \(step)")
            case 6, 7:
                plain.grant(id, tag, span, at(time))
                book.note(id, holder: tag, for: span, now: at(time))
            case 8:
                if plain.leases[id]?.holder == tag { plain.leases[id] = nil }
                book.release(id, by: tag)
            default:
                plain.leases = plain.leases.filter { $0.value.holder != tag }
                book.drop(tag)
            }
            for number in 0..<12 as Range<UInt64> {
                let id = InventoryID(rawValue: number)
                let fetchers = book.fetchers(of: id, now: at(time))
                #expect(book.holder(of: id, now: at(time)) == plain.holder(id, at(time)), "seed \(seed)")
                #expect(fetchers.first == plain.holder(id, at(time)), "seed \(seed)")
                #expect(Set(fetchers).count == fetchers.count, "seed \(seed)")
            }
        }
    }
}
