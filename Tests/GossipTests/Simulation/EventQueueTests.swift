import GossipSimulation
import Testing

@Suite struct EventQueueTests {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `events come out by time, and those of one time in the order they went in`(seed: UInt64) {
        var random = SimulationRandom(seed: seed)
        var queue = EventQueue<Int>()
        var times: [UInt64] = []
        for index in 0..<2_000 {
            times.append(random.next() % 50)
            queue.push(index, at: times[index])
        }
        var seen: [Int] = []
        while let event = queue.pop(until: .max) {
            #expect(queue.now == times[event], "seed \(seed)")
            seen.append(event)
        }
        #expect(seen == (0..<2_000).sorted { (times[$0], $0) < (times[$1], $1) }, "seed \(seed)")
    }

    @Test func `the clock stops at the limit, and what lies in the past happens now`() {
        var queue = EventQueue<String>()
        queue.push("late", at: 20)
        #expect(queue.pop(until: 10) == nil)
        #expect(queue.now == 10)
        queue.push("past", at: 3)
        #expect(queue.pop(until: 10) == "past")
        #expect(queue.now == 10)
        #expect(queue.pop(until: 30) == "late")
        #expect(queue.now == 20)
    }
}
