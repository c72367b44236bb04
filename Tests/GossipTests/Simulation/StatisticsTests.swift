import GossipSimulation
import Testing

@Suite struct StatisticsTests {
    @Test func `percentiles are values of the sample`() {
        let sample = Sample((1...100).reversed().map(Double.init))
        #expect(sample.percentile(0.5) == 50)
        #expect(sample.percentile(0.99) == 99)
        #expect(sample.percentile(1) == 100)
        #expect(sample.mean == 50.5)
    }

    @Test func `none seen bounds a rate at three in the time, more seen raises it`() {
        // Exact Poisson bounds: 2.996, 4.744, 6.296 events.
        for (count, events) in [(0, 2.996), (1, 4.744), (2, 6.296)] {
            let bound = RareEvents.upperBound(count: count, hours: 1_000)
            #expect(abs(bound * 1_000 - events) < 0.01, "\(count) seen: \(bound * 1_000)")
        }
    }

    @Test func `a trace's hash tells another order, time or byte`() {
        func hash(_ deliveries: [(UInt64, [UInt8])]) -> UInt64 {
            var trace = TraceHash()
            for (time, bytes) in deliveries { trace.add(time: time, kind: 1, from: 2, to: 3, bytes) }
            return trace.value
        }
        let one = hash([(1, [1, 2]), (2, [3])])
        #expect(one == hash([(1, [1, 2]), (2, [3])]))
        #expect(one != hash([(2, [3]), (1, [1, 2])]))
        #expect(one != hash([(1, [1, 2]), (3, [3])]))
        #expect(one != hash([(1, [1, 2]), (2, [4])]))
    }
}
