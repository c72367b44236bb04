import GossipSimulation

/// Runs one scenario under one seed and prints its trace's hash, so that two processes can be compared.
@main
struct GossipTrace {
    static func main() throws {
        let words = CommandLine.arguments.dropFirst()
        guard words.count == 2, let seed = UInt64(words.last ?? ""),
            let scenario = Scenario.all.first(where: { $0.name == words.first })
        else {
            print("usage: GossipTrace <scenario> <seed>")
            for scenario in Scenario.all { print("  \(scenario.name)") }
            return
        }
        let outcome = try scenario.run(seed: seed)
        print(outcome.simulation.trace)
        for failure in outcome.failures { print(failure) }
    }
}
