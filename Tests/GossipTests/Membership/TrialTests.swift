import Gossip
import Testing

/// Trials of a member's reachability by datagrams.
@Suite struct TrialTests {
    private func met() throws -> CoreBench {
        var bench = try CoreBench(2)
        bench.run(for: .seconds(5))
        #expect(bench.state(of: 1, seenBy: 0) == .alive)
        return bench
    }

    @Test("A member that gets datagrams answers, whatever their size")
    func answered() throws {
        var bench = try met()
        bench.forgetTraffic()
        bench.give(.trial(bench.credentials[1].id, .usual, token: 1), to: 0)
        bench.give(.trial(bench.credentials[1].id, .largest, token: 2), to: 0)
        #expect(bench.trials[1] != nil && bench.trials[1] != .some(nil))
        #expect(bench.trials[2] != nil && bench.trials[2] != .some(nil))
        #expect(bench.sent.map(\.bytes.count).max() == DatagramHead.datagramLimit)
    }

    @Test("Where the largest do not get through, the usual ones still do")
    func narrow() throws {
        var bench = try met()
        bench.widest = 1000
        bench.give(.trial(bench.credentials[1].id, .usual, token: 1), to: 0)
        bench.give(.trial(bench.credentials[1].id, .largest, token: 2), to: 0)
        bench.run(for: .seconds(2))
        #expect(bench.trials[1] != nil && bench.trials[1] != .some(nil))
        #expect(bench.trials[2] == .some(nil))
    }

    @Test("Whoever does not answer is given up, and suspected no sooner for it")
    func silence() throws {
        var bench = try met()
        bench.silent = [1]
        bench.forgetTraffic()
        bench.give(.trial(bench.credentials[1].id, .usual, token: 1), to: 0)
        #expect(bench.trials[1] == nil)
        #expect(bench.state(of: 1, seenBy: 0) == .alive)
        bench.run(for: .milliseconds(1501))
        #expect(bench.trials[1] == .some(nil))
    }

    @Test("Nobody can be tried who is not known, and not too many at once")
    func bounds() throws {
        var bench = try met()
        bench.give(.trial(try bench.cluster.credentials().id, .usual, token: 1), to: 0)
        #expect(bench.trials[1] == .some(nil))
        bench.silent = [1]
        for token in UInt64(2)..<1000 {
            bench.give(.trial(bench.credentials[1].id, .usual, token: token), to: 0)
        }
        #expect(bench.trials.values.count > 700)
        bench.run(for: .seconds(2))
        #expect(bench.trials.count == 999)
    }

    @Test("what is heard over TCP is no sign that datagrams arrive")
    func overStreams() throws {
        var bench = try CoreBench(2)
        bench.run(for: .seconds(5))
        bench.widest = 0
        bench.forgetTraffic()
        bench.run(for: .seconds(60))
        #expect(bench.exchangeBytes > 0)
        let view = bench.cores[0].view(of: bench.credentials[1].id, now: bench.now)
        let silence = try #require(view?.silence)
        #expect(silence >= .seconds(60))
    }
}
