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

    @Test("Nobody who runs is declared dead although every twentieth datagram is lost")
    func loss() throws {
        let found = try FalseDeaths(nodes: 20, hours: 0.5, loss: 0.05, seed: 2, seals: false)
        #expect(found.count == 0)
        #expect(found.violations == [])
    }
}
