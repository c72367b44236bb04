import Foundation
import GossipSimulation
import Testing

/// The figures of docs/measurements/gossip.md, of one seed each: the same in every run.
@Suite("Figures of gossip") struct FigureTests {
    @Test("A small cluster hears, meets and buries its members in time, and is quiet otherwise")
    func small() throws {
        let found = try Measurement(count: 20, seed: 1, rounds: 5)
        #expect(found.formation < 10)
        #expect(found.idleBytes < 300, "bytes a second, headers included")
        #expect(found.busyBytes < 1500)
        #expect(found.rumor.percentile(0.5) < 0.3)
        #expect(found.rumorToAll.maximum < 1)
        #expect(found.join.maximum < 2)
        #expect(found.lastDeath.maximum < 10)
        #expect(found.falseDeaths == 0)
    }

    @Test("A hundred nodes meet, and bury one of them, in time")
    func hundred() throws {
        let found = try Measurement(count: 100, seed: 1, rounds: 5)
        #expect(found.formation < 20)
        #expect(found.idleBytes < 300, "bytes a second, headers included")
        #expect(found.rumorToAll.maximum < 2)
        #expect(found.join.maximum < 2)
        #expect(found.lastDeath.maximum < 10)
        #expect(found.falseDeaths == 0)
    }

    /// About six minutes.
    @Test("A thousand nodes do, with open datagrams", .enabled(if: isLongRun))
    func thousand() throws {
        let found = try Measurement(count: 1_000, seed: 1, rounds: 3, seals: false)
        #expect(found.formation < 60)
        #expect(found.idleBytes < 2_500, "20 kbit/s")
        #expect(found.rumorToAll.maximum < 3)
        #expect(found.join.maximum < 3)
        #expect(found.lastDeath.maximum < 15)
        #expect(found.falseDeaths == 0)
    }

    @Test("Nobody who runs is declared dead although every twentieth datagram is lost")
    func loss() throws {
        let found = try FalseDeaths(nodes: 20, hours: 0.5, loss: 0.05, seed: 2, seals: false)
        #expect(found.count == 0)
        #expect(found.violations == [])
    }

    /// Hours of one processor.
    @Test("Nobody who runs is in 100,000 hours of a node", .enabled(if: isLongRun))
    func longLoss() async throws {
        let runs = try await withThrowingTaskGroup(of: FalseDeaths.self) { group in
            for seed in 1...10 as ClosedRange<UInt64> {
                group.addTask {
                    try FalseDeaths(nodes: 20, hours: 500, loss: 0.05, seed: seed, seals: false)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let (hours, count) = (runs.reduce(0) { $0 + $1.nodeHours }, runs.reduce(0) { $0 + $1.count })
        print("false deaths: \(count) in \(hours) node-hours")
        #expect(RareEvents.upperBound(count: count, hours: hours) < 1e-4)
        #expect(runs.flatMap(\.violations) == [])
    }
}

private let isLongRun = ProcessInfo.processInfo.environment["EDGENODE_SOAK"] == "1"
