import Foundation
import Gossip
import Testing

@Suite("Membership")
struct MembershipTests {
    @Test("nodes that know one seed come to know each other and find each other alive")
    func meeting() throws {
        var bench = try CoreBench(5)
        bench.run(for: .seconds(5))
        for observer in 0..<5 {
            for subject in 0..<5 where subject != observer {
                #expect(bench.state(of: subject, seenBy: observer) == .alive, "\(subject) by \(observer)")
            }
        }
    }

    @Test(
        "a node that falls silent is suspected first, is away after a while, and is back when it is heard again"
    )
    func deathAndReturn() throws {
        var bench = try CoreBench(5)
        bench.run(for: .seconds(5))
        bench.silent = [4]
        bench.run(for: .seconds(3))
        #expect(
            bench.events[0].contains(.suspected(bench.credentials[4].id))
                || bench.state(of: 4, seenBy: 0) == .alive)
        bench.run(for: .seconds(30))
        for observer in 0..<4 {
            #expect(bench.state(of: 4, seenBy: observer) == .dead)
            let id = bench.credentials[4].id
            let (suspected, died) = (
                try #require(bench.events[observer].firstIndex(of: .suspected(id))),
                try #require(bench.events[observer].firstIndex(of: .died(id)))
            )
            #expect(suspected < died)
        }
        // The others are still whole among themselves.
        #expect(bench.state(of: 1, seenBy: 0) == .alive)
        bench.silent = []
        bench.run(for: .seconds(60))
        for observer in 0..<4 { #expect(bench.state(of: 4, seenBy: observer) == .alive) }
        #expect(bench.events[0].contains(.returned(bench.credentials[4].id)))
    }

    @Test("whoever is away is tried for ever, and no oftener after a day than in the first minute")
    func retries() throws {
        var bench = try CoreBench(2)
        bench.run(for: .seconds(5))
        bench.silent = [1]
        bench.run(for: .seconds(60))
        #expect(bench.state(of: 1, seenBy: 0) == .dead)
        bench.run(for: .seconds(86_400))
        bench.forgetTraffic()
        bench.run(for: .seconds(600))
        let tries = bench.exchangesTried[0] ?? 0
        #expect((20...120).contains(tries), "\(tries) tries in 10 min")
        bench.silent = []
        bench.run(for: .seconds(30))
        #expect(bench.state(of: 1, seenBy: 0) == .alive)
    }

    @Test("a seed that is not there yet is met once it is")
    func lateSeed() throws {
        var bench = try CoreBench(2)
        bench.silent = [0]
        bench.run(for: .seconds(3600))
        #expect(bench.cores[1].members(now: bench.now).isEmpty)
        #expect(bench.events[1].filter { if case .seedFailed = $0 { true } else { false } }.count == 1)
        bench.silent = []
        bench.run(for: .seconds(80))
        #expect(bench.state(of: 0, seenBy: 1) == .alive)
        #expect(bench.state(of: 1, seenBy: 0) == .alive)
    }

    @Test(
        "a member that is accused says that it lives, with a higher incarnation, and nobody takes it for away"
    )
    func refutation() throws {
        var bench = try CoreBench(4)
        bench.run(for: .seconds(5))
        let accused = bench.credentials[3]
        let before = bench.cores[3].ownRecord.incarnation
        var step = GossipCore.Step(now: bench.now, trusted: bench.wall, effects: [])
        let accuser = bench.credentials[1].tag
        bench.change(0) { $0.accused(accused.tag, before, by: accuser, isDirect: false, &step) }
        #expect(bench.state(of: 3, seenBy: 0) == .suspect)
        bench.run(for: .seconds(10))
        #expect(bench.cores[3].ownRecord.incarnation > before)
        for observer in 0..<3 {
            #expect(bench.state(of: 3, seenBy: observer) == .alive)
            #expect(!bench.events[observer].contains(.died(accused.id)))
        }
    }

    @Test("who says goodbye has left and is not mourned")
    func leaving() throws {
        var bench = try CoreBench(4)
        bench.run(for: .seconds(5))
        bench.give(.leave, to: 3)
        bench.silent = [3]
        bench.run(for: .seconds(60))
        for observer in 0..<3 {
            #expect(bench.state(of: 3, seenBy: observer) == .left)
            #expect(!bench.events[observer].contains(.died(bench.credentials[3].id)))
        }
        #expect(bench.cores[3].nextWake == .distantFuture)
    }

    @Test("a node that starts again counts its start, remembers whom it knew, and needs no seed")
    func restart() throws {
        var bench = try CoreBench(3)
        bench.run(for: .seconds(20))
        let boot = bench.cores[2].ownRecord.incarnation.boot
        bench.restart(2, state: bench.kept[2])
        #expect(bench.cores[2].ownRecord.incarnation.boot == boot + 1)
        #expect(bench.cores[2].members(now: bench.now).count == 2)
        bench.run(for: .seconds(5))
        for other in 0..<2 {
            #expect(bench.state(of: other, seenBy: 2) == .alive)
            #expect(
                bench.cores[other].view(of: bench.credentials[2].id, now: bench.now)?.incarnation.boot == boot
                    + 1)
        }
    }

    @Test("a node that lost its disk jumps above its earlier starts and is a member again")
    func lostDisk() throws {
        var bench = try CoreBench(3)
        bench.run(for: .seconds(5))
        for _ in 0..<3 {
            bench.restart(2, seeds: [CoreBench.endpoint(0)], state: bench.kept[2])
            bench.run(for: .seconds(6))
        }
        let before = bench.cores[2].ownRecord.incarnation
        bench.restart(2, seeds: [CoreBench.endpoint(0)], state: [])
        bench.run(for: .seconds(90))
        #expect(
            bench.cores[2].ownRecord.incarnation > before
                || bench.cores[2].ownRecord.incarnation.boot != before.boot)
        for other in 0..<2 {
            #expect(bench.state(of: 2, seenBy: other) == .alive)
            #expect(
                bench.cores[other].view(of: bench.credentials[2].id, now: bench.now)?.incarnation.boot
                    == bench.cores[2].ownRecord.incarnation.boot)
        }
    }

    @Test("a node of another cluster, and one with another root's certificate, become no members")
    func strangers() throws {
        var bench = try CoreBench(2)
        let other = try TestCluster()
        bench.add(try other.credentials(), seeds: [CoreBench.endpoint(0)])
        bench.run(for: .seconds(30))
        #expect(bench.cores[0].members(now: bench.now).map(\.node) == [bench.credentials[1].id])
        #expect(
            bench.events[0].contains {
                if case .refused(bench.credentials[2].id, _) = $0 { true } else { false }
            })
    }

    @Test("ten idle nodes send at most 4 kbit/s each, with the headers of IP and UDP and what exchanges cost")
    func idleBudget() throws {
        var bench = try CoreBench(10)
        bench.run(for: .seconds(60))
        bench.forgetTraffic()
        bench.run(for: .seconds(300))
        let bytes = bench.sent.reduce(0) { $0 + $1.bytes.count + 28 } + bench.exchangeBytes
        let rate = Double(bytes * 8) / 300 / 10
        print(
            "idle: \(Int(rate)) bit/s sent by each of 10 nodes, \(bench.exchangeBytes / 300 * 8 / 10) of it over TCP"
        )
        #expect(rate < 4000)
        #expect(rate > 500)
    }

    @Test(
        "more accusers make a suspicion shorter, never shorter than the least, and one alone has the longest")
    func suspicionTime() {
        var suspicion = Suspicion(
            since: GossipTime(), span: (.seconds(3), .seconds(18)), wanted: 3, accusers: [],
            ownProbeFailed: false)
        var last = Duration.seconds(1000)
        for count in 1...6 {
            suspicion.accusers.append(NodeTag(rawValue: UInt64(count)))
            let span = suspicion.deadline - GossipTime()
            if count == 1 { #expect(span == .seconds(18)) }
            #expect(span <= last)
            #expect(span >= .seconds(3))
            last = span
        }
        #expect(last == .seconds(3))
    }
}
