import Gossip
import Testing

@Suite("Nearness of a member") struct NearnessTests {
    private func at(_ milliseconds: Int) -> GossipTime { GossipTime() + .milliseconds(milliseconds) }

    @Test("the first round trip counts whole, each later one an eighth")
    func roundTrip() {
        var nearness = Nearness()
        #expect(nearness.roundTrip == nil)
        nearness.sample(.milliseconds(80))
        #expect(nearness.roundTrip == .milliseconds(80))
        nearness.sample(.milliseconds(160))
        #expect(nearness.roundTrip == .milliseconds(90))
        for _ in 0..<200 { nearness.sample(.milliseconds(5)) }
        #expect(nearness.roundTrip.map { abs($0 / .milliseconds(1) - 5) < 0.01 } == true)
    }

    @Test("the first throughput counts whole, each later one a quarter")
    func throughput() {
        var nearness = Nearness()
        nearness.sample(throughput: 1000)
        #expect(nearness.throughput == 1000)
        nearness.sample(throughput: 5000)
        #expect(nearness.throughput == 2000)
    }

    @Test("each failure in a row doubles the time for which a member is asked last, up to a minute")
    func failures() {
        var nearness = Nearness()
        var now = 0
        for seconds in [2, 4, 8, 16, 32, 60, 60, 60] {
            #expect(!nearness.isDemoted(now: at(now)))
            nearness.failed(now: at(now))
            #expect(nearness.isDemoted(now: at(now + seconds * 1000 - 1)), "\(seconds)")
            #expect(!nearness.isDemoted(now: at(now + seconds * 1000)), "\(seconds)")
            now += seconds * 1000
        }
        // What comes through ends the row; a round trip, which says nothing of the data path, does not.
        nearness.sample(.milliseconds(1))
        nearness.failed(now: at(now))
        #expect(nearness.demotedUntil == at(now + 60_000))
        nearness.sample(throughput: 1)
        nearness.failed(now: at(now + 60_000))
        #expect(nearness.demotedUntil == at(now + 62_000))
    }

    @Test("a lie costs ten minutes, which nothing makes shorter")
    func lies() {
        var nearness = Nearness()
        nearness.failed(now: at(0), isLie: true)
        nearness.failed(now: at(1000))
        nearness.sample(throughput: 1e9)
        nearness.failed(now: at(2000))
        #expect(nearness.isDemoted(now: at(599_999)) && !nearness.isDemoted(now: at(600_000)))
    }

    @Test("who is nearer or faster costs less, and a stranger is tried like a fast neighbour")
    func cost() {
        func nearness(_ roundTrip: Duration?, _ throughput: Double?) -> Nearness {
            var nearness = Nearness()
            if let roundTrip { nearness.sample(roundTrip) }
            if let throughput { nearness.sample(throughput: throughput) }
            return nearness
        }
        let order = [
            nearness(.microseconds(200), 1e9), nearness(.milliseconds(1), 1e8), nearness(nil, nil),
            nearness(.milliseconds(20), 1e8), nearness(.milliseconds(1), 1e7),
            nearness(.milliseconds(300), 1e7),
            nearness(.milliseconds(1), 1000), nearness(.milliseconds(1), 0),
        ]
        for (near, far) in zip(order, order.dropFirst()) { #expect(near.cost < far.cost) }
        #expect(order.allSatisfy { $0.cost.isFinite })
    }
}
