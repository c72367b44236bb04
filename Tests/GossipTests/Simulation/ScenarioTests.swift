import GossipSimulation
import Testing

@Suite struct ScenarioTests {
    /// Each run checks the invariants at every step of every node: incarnations only grow and are never invented, no
    /// stranger is a member, a refuted death is undone, one lease an object, no name moves back on others' word; and in
    /// its end that every running node knows every other, its start and all that it holds, within the scenario's time.
    @Test(arguments: Scenario.all, [1] as [UInt64])
    func `a cluster lives through it and settles`(scenario: Scenario, seed: UInt64) throws {
        let outcome = try scenario.run(seed: seed)
        #expect(outcome.failures.isEmpty)
        #expect(outcome.simulation.invariants.checks > 1_000)
        if scenario.name == Scenario.calm.name { #expect(outcome.simulation.invariants.leases.count >= 7) }
        if scenario.name == Scenario.names.name {
            #expect(outcome.simulation.invariants.names.believed >= 50)
        }
    }
}
