import GossipSimulation
import Testing

@Suite struct VirtualNetworkTests {
    private func arrivals(_ network: VirtualNetwork, count: Int = 10_000, bytes: Int = 100) -> [[UInt64]] {
        var network = network
        return (0..<count).map { _ in network.route(from: 0, to: 1, byteCount: bytes) }
    }

    @Test func `loss and duplication happen as often as they should`() {
        var network = VirtualNetwork(seed: 7)
        network.quality.loss = 0.05
        network.quality.duplication = 0.2
        let counts = arrivals(network).map(\.count)
        #expect((400...600).contains(counts.filter { $0 == 0 }.count))
        #expect((1_700...2_100).contains(counts.filter { $0 == 2 }.count))
    }

    @Test func `every datagram takes its delay, and some are overtaken`() {
        var network = VirtualNetwork(seed: 8)
        (network.quality.delay, network.quality.jitter) = (1_000, 500)
        #expect(arrivals(network).allSatisfy { $0.count == 1 && (1_000...1_500).contains($0[0]) })
        network.quality.reordering = 0.5
        #expect(arrivals(network).contains { $0[0] > 1_000_000 })
    }

    @Test func `a cut has a direction, a partition has two`() {
        var network = VirtualNetwork(seed: 9)
        network.cuts.insert(.init(from: 0, to: 1))
        #expect(network.route(from: 0, to: 1, byteCount: 1).isEmpty)
        #expect(!network.route(from: 1, to: 0, byteCount: 1).isEmpty)
        #expect(network.stream(from: 1, to: 0, byteCount: 1, turns: 0) == nil)
        network.cuts = []
        network.sides = [0, 1]
        #expect(network.route(from: 0, to: 1, byteCount: 1).isEmpty)
        #expect(network.route(from: 1, to: 0, byteCount: 1).isEmpty)
        #expect(!network.route(from: 0, to: 2, byteCount: 1).isEmpty)
    }

    @Test func `datagrams above the limit vanish, smaller ones pass`() {
        var network = VirtualNetwork(seed: 10)
        network.quality.payloadLimit = 500
        #expect(arrivals(network, bytes: 501).allSatisfy { $0.isEmpty })
        #expect(arrivals(network, bytes: 500).allSatisfy { $0.count == 1 })
    }

    @Test func `a seed gives the same faults, all of them over when it heals`() {
        for seed in 1...20 as ClosedRange<UInt64> {
            let schedule = FaultSchedule(seed: seed, nodes: 9, begins: 100, heals: 10_000, count: 30)
            let again = FaultSchedule(seed: seed, nodes: 9, begins: 100, heals: 10_000, count: 30)
            #expect(schedule.windows == again.windows)
            #expect(
                schedule.windows.allSatisfy { $0.begins >= 100 && $0.begins < $0.ends && $0.ends <= 10_000 })
        }
    }
}
