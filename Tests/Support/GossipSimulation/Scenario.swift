import Gossip

/// A story that a cluster lives through, and by when it must be whole again.
package struct Scenario: Sendable, CustomStringConvertible {
    package let name: String
    package var count = 12
    package var zones: [Zone] = [.standard]
    package var adjust: @Sendable (inout Simulation.Settings) -> Void = { _ in }
    /// What happens besides the nodes' start; times in nanoseconds.
    package var script: @Sendable (Simulation) -> Void
    /// When nothing is wrong with the network any more.
    package var heals: UInt64
    /// Nanoseconds after that within which every running node must know the truth.
    package var settles: UInt64
    /// Datagrams a second that no node may send more of, taken over the whole run.
    package var datagramLimit = 60

    package init(
        _ name: String, count: Int = 12, heals: UInt64, settles: UInt64,
        script: @escaping @Sendable (Simulation) -> Void
    ) {
        (self.name, self.count, self.heals, self.settles, self.script) = (name, count, heals, settles, script)
    }

    package var description: String { name }

    package struct Outcome {
        package let seed: UInt64
        package let failures: [String]
        /// Nanoseconds from healing to agreement.
        package let settled: UInt64?
        package let simulation: Simulation
    }

    /// One run. Everything that failed is named in its outcome, with what is needed to run it again.
    package func run(seed: UInt64, mutation: Mutation? = nil) throws -> Outcome {
        var settings = Simulation.Settings(seed: seed, count: count)
        settings.zones = zones
        settings.mutation = mutation
        adjust(&settings)
        let simulation = Simulation(
            settings, population: try Populations.shared.population(count: count, zones: zones))
        simulation.startAll()
        script(simulation)
        simulation.run(until: heals)
        let settled = simulation.run(atMost: settles) { $0.isConverged }
        var failures = simulation.invariants.violations
        if settled == nil {
            failures.append(
                "not settled \(settles / 1_000_000_000) s after healing: \(simulation.disagreements(limit: 5))"
            )
        }
        for node in simulation.nodes {
            let rate = node.traffic.datagrams / max(1, Int(simulation.now / 1_000_000_000))
            if rate > datagramLimit { failures.append("\(node.number) sent \(rate) datagrams a second") }
        }
        return Outcome(
            seed: seed, failures: failures.map { "\(name), seed \(seed): \($0)" }, settled: settled,
            simulation: simulation)
    }
}

package func seconds(_ count: Double) -> UInt64 { UInt64(count * 1e9) }
