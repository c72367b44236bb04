import GossipSimulation

/// Runs one scenario under one seed and prints its trace's hash, so that two processes can be compared; or measures
/// a cluster of some size, or its false deaths (docs/measurements/gossip.md).
@main
struct GossipTrace {
    static func main() throws {
        let words = Array(CommandLine.arguments.dropFirst())
        if words.count == 4, words[0] == "measure", let count = Int(words[1]), let rounds = Int(words[2]) {
            return print(
                try Measurement(count: count, seed: 1, rounds: rounds, seals: words[3] == "sealed"))
        }
        if words.count == 5, words[0] == "deaths", let nodes = Int(words[1]), let hours = Double(words[2]),
            let seed = UInt64(words[3])
        {
            return print(
                try FalseDeaths(
                    nodes: nodes, hours: hours, loss: 0.05, seed: seed, seals: words[4] == "sealed"))
        }
        guard words.count == 2, let seed = UInt64(words[1]),
            let scenario = Scenario.all.first(where: { $0.name == words[0] })
        else { return usage() }
        let outcome = try scenario.run(seed: seed)
        print(outcome.simulation.trace)
        for failure in outcome.failures { print(failure) }
    }

    private static func usage() {
        print(
            """
            usage: GossipTrace SCENARIO SEED
                   GossipTrace measure NODES ROUNDS sealed|open
                   GossipTrace deaths NODES HOURS SEED sealed|open
            """)
        for scenario in Scenario.all { print("  \(scenario.name)") }
    }
}
