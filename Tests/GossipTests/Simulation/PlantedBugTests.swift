import GossipSimulation
import Testing

@Suite struct PlantedBugTests {
    @Test(arguments: Mutation.all.indices)
    func `a planted bug is caught`(index: Int) throws {
        let (mutation, scenario) = Mutation.all[index]
        let caught = try (1...3 as ClosedRange<UInt64>).contains { seed in
            try !scenario.run(seed: seed, mutation: mutation).simulation.invariants.violations.isEmpty
        }
        #expect(caught, "\(mutation) went unnoticed in \(scenario)")
    }
}
