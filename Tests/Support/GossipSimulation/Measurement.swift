import Gossip

/// Figures of a cluster of one size, from one run.
package struct Measurement: Sendable, CustomStringConvertible {
    package let count: Int
    /// Seconds until each of `count` nodes that start within a second of each other knows all others.
    package private(set) var formation = 0.0
    /// Bytes per node and second of a cluster in which nothing happens, with IP and UDP headers.
    package private(set) var idleBytes = 0.0
    /// The same of the node that sends most.
    package private(set) var idleBytesMost = 0.0
    /// Bytes per node and second over streams.
    package private(set) var idleStreamBytes = 0.0
    /// Bytes per node and second while some node comes to hold an object every second.
    package private(set) var busyBytes = 0.0
    /// Seconds from coming to hold an object until each other node knows.
    package private(set) var rumor = Sample()
    /// Seconds until all of them know.
    package private(set) var rumorToAll = Sample()
    /// Seconds from a new node's start until all others know it.
    package private(set) var join = Sample()
    /// Seconds from a crash until the first, and until the last node declares it.
    package private(set) var firstDeath = Sample()
    package private(set) var lastDeath = Sample()
    package private(set) var falseDeaths = 0

    /// - Parameters:
    ///   - rounds: joins, crashes and rumors that are measured.
    ///   - seals: false to spare the cipher.
    package init(count: Int, seed: UInt64, rounds: Int, seals: Bool = true) throws {
        self.count = count
        var settings = Simulation.Settings(seed: seed, count: count + rounds)
        settings.seals = seals
        settings.checkEvery = 100_000
        settings.keepsDisks = false
        let simulation = Simulation(
            settings, population: try Populations.shared.population(count: count + rounds))
        measureFormation(simulation)
        simulation.run(for: seconds(60))
        measureTraffic(simulation, seconds: 60)
        for round in 0..<rounds { measureRumor(simulation, Simulation.object(round), at: round * 7 % count) }
        for round in 0..<rounds { measureJoin(simulation, count + round) }
        for round in 0..<rounds { measureCrash(simulation, count + round) }
        falseDeaths = simulation.log.falseDeaths
    }

    private mutating func measureFormation(_ simulation: Simulation) {
        for number in 0..<count {
            simulation.at(UInt64(number) * 1_000_000_000 / UInt64(count)) { $0.start(number) }
        }
        formation =
            simulation.run(atMost: seconds(300)) { [count] in $0.running == count && $0.isConverged }
            .map { Double($0) / 1e9 } ?? .infinity
    }

    private mutating func measureTraffic(_ simulation: Simulation, seconds span: Int) {
        func perNode(_ before: [Traffic], _ value: (Traffic) -> Int) -> [Double] {
            (0..<count).map { Double(value(simulation.nodes[$0].traffic) - value(before[$0])) / Double(span) }
        }
        var before = simulation.nodes.map(\.traffic)
        simulation.run(for: seconds(Double(span)))
        let idle = Sample(perNode(before) { $0.datagramBytes })
        (idleBytes, idleBytesMost) = (idle.mean, idle.maximum)
        idleStreamBytes = Sample(perNode(before) { $0.streamBytes }).mean
        before = simulation.nodes.map(\.traffic)
        for number in 0..<span {
            simulation.hold([Simulation.object(10_000 + number)], at: number * 13 % count)
            simulation.run(for: seconds(1))
        }
        busyBytes = Sample(perNode(before) { $0.datagramBytes }).mean
    }

    private mutating func measureRumor(_ simulation: Simulation, _ id: InventoryID, at holder: Int) {
        simulation.hold([id], at: holder)
        let start = simulation.now
        var known = 0
        while simulation.now - start < seconds(60) {
            simulation.run(for: 20_000_000)
            let knowing = simulation.knowing(id, of: holder)
            let elapsed = Double(simulation.now - start) / 1e9
            for _ in known..<max(known, knowing) { rumor.add(elapsed) }
            known = max(known, knowing)
            if knowing >= simulation.running - 1 { break }
        }
        rumorToAll.add(Double(simulation.now - start) / 1e9)
        simulation.run(for: seconds(1))
    }

    private mutating func measureJoin(_ simulation: Simulation, _ number: Int) {
        simulation.start(number)
        let span = simulation.run(atMost: seconds(120)) { simulation in
            simulation.knowing(number, in: .alive) == simulation.running - 1
        }
        join.add(span.map { Double($0) / 1e9 } ?? .infinity)
        simulation.run(for: seconds(5))
    }

    private mutating func measureCrash(_ simulation: Simulation, _ number: Int) {
        // Those who learned of the crash before are themselves again.
        simulation.run(for: seconds(20))
        let start = simulation.now
        simulation.stop(number)
        let first = simulation.run(atMost: seconds(120)) { $0.knowing(number, in: .dead) > 0 }
        let rest = simulation.run(atMost: seconds(120)) { $0.knowing(number, in: .dead) == $0.running }
        firstDeath.add(first.map { Double($0) / 1e9 } ?? .infinity)
        lastDeath.add(rest == nil ? .infinity : Double(simulation.now - start) / 1e9)
    }

    package var description: String {
        """
        nodes: \(count)
        from nothing to everybody knows everybody: \(formation) s
        idle: \(Int(idleBytes)) bytes/s a node, the busiest \(Int(idleBytesMost)), over streams \(Int(idleStreamBytes))
        an object a second: \(Int(busyBytes)) bytes/s a node
        rumor: median \(rumor.percentile(0.5)) s, 99 % \(rumor.percentile(0.99)) s, all \(rumorToAll.maximum) s
        join known to all: median \(join.percentile(0.5)) s, worst \(join.maximum) s
        crash declared: first \(firstDeath.percentile(0.5)) s, by all median \(lastDeath.percentile(0.5)) s, worst \
        \(lastDeath.maximum) s
        false deaths: \(falseDeaths)
        """
    }
}

/// Deaths that were declared of nodes that ran, over many node-hours on a lossy network.
package struct FalseDeaths: Sendable, CustomStringConvertible {
    package let nodeHours: Double
    package let count: Int
    package let violations: [String]

    /// - Parameter loss: of each datagram, 0 to 1.
    package init(nodes: Int, hours: Double, loss: Double, seed: UInt64, seals: Bool) throws {
        var settings = Simulation.Settings(seed: seed, count: nodes)
        settings.seals = seals
        settings.checkEvery = 1_000
        let simulation = Simulation(settings, population: try Populations.shared.population(count: nodes))
        simulation.network.quality.loss = loss
        simulation.startAll()
        simulation.run(for: seconds(hours * 3_600))
        nodeHours = Double(nodes) * hours
        count = simulation.log.falseDeaths
        violations = simulation.invariants.violations
    }

    /// False deaths per node-hour that, with 95 % confidence, are not exceeded.
    package var bound: Double { RareEvents.upperBound(count: count, hours: nodeHours) }

    package var description: String {
        "\(count) false deaths in \(nodeHours) node-hours, at most \(bound) an hour and node (95 %)"
    }
}
