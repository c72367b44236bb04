import Gossip

/// The stories that every seed must live through.
extension Scenario {
    package static let all: [Scenario] = [
        calm, anyFaults, hourOfPartition, totalOutage, yearsApart, lostDisks, oneWayStreets,
        starving, pauses,
        badWire, smallPackets, churn, sites, strangers, knocking, rogue, revocations, names,
    ]

    /// Some nodes come to hold some objects at random until `end`.
    private static func publish(_ simulation: Simulation, until end: UInt64, every gap: UInt64) {
        var number = 0
        for time in stride(from: seconds(3), to: end, by: Int(gap)) {
            number += 1
            let (object, node) = (number, number * 7 % simulation.settings.count)
            simulation.at(time) { simulation in
                guard simulation.nodes[node].status == .running else { return }
                simulation.hold((0..<1 + object % 5).map { Simulation.object(object * 10 + $0) }, at: node)
                if object.isMultiple(of: 4), let dropped = simulation.nodes[node].held.first {
                    simulation.drop([dropped], at: node)
                }
            }
        }
    }

    /// Everybody asks for the same objects at once, again and again; the one who may fetches it for 2 s.
    private static func contend(_ simulation: Simulation, from start: UInt64, until end: UInt64) {
        var object = 1_000_000
        for time in stride(from: start, to: end, by: 700_000_000) {
            object += 1
            let id = Simulation.object(object)
            for node in 0..<simulation.settings.count {
                simulation.at(time + UInt64(node) * 3_000_000) { $0.ask(id, at: node) }
                simulation.at(time + 4_000_000_000) { $0.release(id, at: node) }
            }
        }
    }

    package static let calm = Scenario("calm", heals: seconds(18), settles: seconds(10)) { simulation in
        publish(simulation, until: seconds(5), every: 100_000_000)
        // Owners differ until everybody knows everybody.
        simulation.at(seconds(8)) { $0.checksLeases = true }
        contend(simulation, from: seconds(8), until: seconds(13))
    }

    package static let anyFaults = Scenario(
        "any faults", heals: seconds(120), settles: seconds(90)
    ) { simulation in
        publish(simulation, until: seconds(120), every: 500_000_000)
        simulation.schedule(
            FaultSchedule(
                seed: simulation.settings.seed, nodes: simulation.settings.count, begins: seconds(5),
                heals: seconds(120), count: 25))
    }

    package static let hourOfPartition = Scenario(
        "a partition of an hour", count: 10, heals: seconds(3_620), settles: seconds(60)
    ) { simulation in
        publish(simulation, until: seconds(3_600), every: 40_000_000_000)
        let sides = (0..<10).map { $0 % 2 }
        simulation.schedule(
            FaultSchedule(
                windows: [.init(fault: .partition(sides: sides), begins: seconds(20), ends: seconds(3_620))],
                heals: seconds(3_620)))
    }

    /// Everything stops; the seeds of the configuration stay away longer than the others.
    package static let totalOutage = Scenario(
        "a total outage", heals: seconds(120), settles: seconds(60)
    ) { simulation in
        publish(simulation, until: seconds(20), every: 300_000_000)
        simulation.at(seconds(30)) { simulation in
            for node in simulation.nodes.indices { simulation.stop(node) }
        }
        for node in 0..<simulation.settings.count where node >= 2 {
            simulation.at(seconds(90) + UInt64(node) * 1_000_000_000) { $0.start(node) }
        }
        for node in 0..<2 { simulation.at(seconds(300)) { $0.start(node) } }
    }

    package static let yearsApart = Scenario(
        "clocks a year apart", heals: seconds(20), settles: seconds(20)
    ) { simulation in
        let year = 365.0 * 86_400
        for node in simulation.nodes {
            node.clockError = [0, year, -year, -40 * year, 0.5 * year][node.number % 5]
        }
        publish(simulation, until: seconds(20), every: 200_000_000)
    }

    package static let lostDisks = Scenario(
        "disks lost", heals: seconds(80), settles: seconds(60)
    ) { simulation in
        publish(simulation, until: seconds(70), every: 300_000_000)
        let windows = (0..<6).map { index in
            FaultWindow(
                fault: .restart(node: index * 2, keepsDisk: false), begins: seconds(10 + 10 * Double(index)),
                ends: seconds(10.2 + 11.5 * Double(index)))
        }
        simulation.schedule(FaultSchedule(windows: windows, heals: seconds(80)))
    }

    package static let oneWayStreets = Scenario(
        "paths cut one way", heals: seconds(90), settles: seconds(60)
    ) { simulation in
        publish(simulation, until: seconds(90), every: 400_000_000)
        let windows = (0..<12).map { index in
            FaultWindow(
                fault: .cut(from: index, to: (index + 5) % 12), begins: seconds(10 + Double(index)),
                ends: seconds(90))
        }
        simulation.schedule(FaultSchedule(windows: windows, heals: seconds(90)))
    }

    package static let starving = Scenario(
        "nodes without processor", heals: seconds(60), settles: seconds(60)
    ) { simulation in
        publish(simulation, until: seconds(60), every: 500_000_000)
        let windows = [1, 4, 7].map { node in
            FaultWindow(
                fault: .starve(node: node, cost: 40_000_000), begins: seconds(10), ends: seconds(60))
        }
        simulation.schedule(FaultSchedule(windows: windows, heals: seconds(60)))
    }

    package static let pauses = Scenario("pauses", heals: seconds(90), settles: seconds(60)) { simulation in
        publish(simulation, until: seconds(90), every: 500_000_000)
        let windows = (0..<6).map { index in
            FaultWindow(
                fault: .pause(node: index), begins: seconds(10 + 5 * Double(index)),
                ends: seconds(11 + 5 * Double(index) + 7 * Double(index)))
        }
        simulation.schedule(FaultSchedule(windows: windows, heals: seconds(90)))
    }

    package static let badWire = Scenario(
        "loss, duplicates and disorder", heals: seconds(60), settles: seconds(30)
    ) { simulation in
        publish(simulation, until: seconds(60), every: 200_000_000)
        var quality = VirtualNetwork.Quality()
        (quality.loss, quality.duplication, quality.reordering) = (0.1, 0.2, 0.3)
        simulation.schedule(
            FaultSchedule(
                windows: [.init(fault: .quality(quality), begins: 0, ends: seconds(60))], heals: seconds(60)))
    }

    package static let smallPackets = Scenario(
        "large datagrams vanish", heals: seconds(60), settles: seconds(90)
    ) { simulation in
        publish(simulation, until: seconds(60), every: 100_000_000)
        var quality = VirtualNetwork.Quality()
        quality.payloadLimit = 512
        simulation.schedule(
            FaultSchedule(
                windows: [.init(fault: .quality(quality), begins: 0, ends: seconds(60))], heals: seconds(60)))
    }

    package static let churn = Scenario(
        "restarts without pause", heals: seconds(100), settles: seconds(60)
    ) { simulation in
        publish(simulation, until: seconds(100), every: 500_000_000)
        let windows = (0..<40).map { index in
            FaultWindow(
                fault: .restart(node: index * 5 % 12, keepsDisk: true),
                begins: seconds(5 + 2 * Double(index)),
                ends: seconds(5 + 2 * Double(index) + [0.1, 2, 15][index % 3]))
        }
        simulation.schedule(FaultSchedule(windows: windows, heals: seconds(100)))
    }
}

extension Scenario {
    /// Nodes at two sites, far from each other: ids travel inside each, members everywhere.
    package static let sites: Scenario = {
        var scenario = Scenario("two sites", heals: seconds(60), settles: seconds(60)) { simulation in
            (simulation.network.siteCount, simulation.network.siteDelay) = (2, 40_000_000)
            publish(simulation, until: seconds(60), every: 300_000_000)
            let sides = (0..<12).map { $0 % 2 }
            simulation.schedule(
                FaultSchedule(
                    windows: [.init(fault: .partition(sides: sides), begins: seconds(20), ends: seconds(60))],
                    heals: seconds(60)))
        }
        scenario.zones = ["north", "south"].compactMap { try? Zone($0) }
        return scenario
    }()

    /// A stranger replays, changes and makes up datagrams, while some members are away for good or for a while.
    package static let strangers = Scenario(
        "a stranger who replays and forges", heals: seconds(150), settles: seconds(30)
    ) { simulation in
        simulation.adversary = Stranger(place: 9_999, share: 0.5)
        publish(simulation, until: seconds(150), every: 500_000_000)
        simulation.at(seconds(20)) { $0.stop(5) }
        let windows = [
            FaultWindow(fault: .restart(node: 7, keepsDisk: true), begins: seconds(30), ends: seconds(100)),
            FaultWindow(fault: .restart(node: 3, keepsDisk: true), begins: seconds(40), ends: seconds(41)),
        ]
        simulation.schedule(FaultSchedule(windows: windows, heals: seconds(150)))
    }

    /// Strangers show certificates that another root signed.
    package static let knocking = Scenario(
        "strangers who knock", heals: seconds(30), settles: seconds(30)
    ) { simulation in
        publish(simulation, until: seconds(30), every: 300_000_000)
        for time in stride(from: seconds(5), to: seconds(30), by: 1_000_000_000) {
            simulation.at(time) { try? $0.knockAsStranger(at: Int(time / 1_000_000_000) % 12) }
        }
    }

    /// Members are revoked in one half of a cluster that is parted, while nodes start again, some without their disk,
    /// and old lists are handed in once more. The revoked go on running.
    package static let revocations = Scenario(
        "members revoked while the network is parted", heals: seconds(100), settles: seconds(60)
    ) { simulation in
        publish(simulation, until: seconds(90), every: 500_000_000)
        simulation.at(seconds(12)) { $0.revoke([11], at: 3) }
        simulation.at(seconds(30)) { $0.revoke([10], at: 0) }
        simulation.at(seconds(50)) { $0.revoke([9], at: 4) }
        for time in stride(from: seconds(20), to: seconds(100), by: 3_000_000_000) {
            simulation.at(time) { $0.giveOldList(to: Int(time / 3_000_000_000) % 9) }
        }
        var windows = [
            FaultWindow(
                fault: .partition(sides: (0..<12).map { $0 % 2 }), begins: seconds(25), ends: seconds(80)),
            FaultWindow(fault: .restart(node: 5, keepsDisk: false), begins: seconds(40), ends: seconds(60)),
        ]
        for index in 0..<20 {
            let begin = 12.1 + 4 * Double(index)
            windows.append(
                FaultWindow(
                    fault: .restart(node: [3, 0, 4, 7, 2, 10, 1][index % 7], keepsDisk: true),
                    begins: seconds(begin), ends: seconds(begin + [0.2, 3, 8][index % 3])))
        }
        simulation.schedule(FaultSchedule(windows: windows, heals: seconds(100)))
    }

    /// A member accuses everybody, makes up records, changes and leases, and strangers show certificates of another
    /// root.
    package static let rogue = Scenario(
        "a member who lies, strangers who knock", heals: seconds(90), settles: seconds(60)
    ) { simulation in
        publish(simulation, until: seconds(90), every: 300_000_000)
        simulation.at(seconds(15)) { $0.turnRogue(6, until: seconds(90)) }
        for time in stride(from: seconds(10), to: seconds(80), by: 5_000_000_000) {
            simulation.at(time) { try? $0.knockAsStranger(at: Int(time / 1_000_000_000) % 5) }
        }
    }

    /// Names move while upstreams come and go, processes start again and clocks are wrong, and a member lies about
    /// names.
    package static let names = Scenario(
        "names that move", heals: seconds(120), settles: seconds(90)
    ) { simulation in
        let (names, count) = (6, simulation.settings.count)
        for _ in 0..<names { simulation.addName() }
        simulation.liarAboutNames = 6
        for time in stride(from: seconds(3), to: seconds(120), by: 100_000_000) {
            simulation.at(time) { simulation in
                simulation.lookUp(simulation.random.below(names), at: simulation.random.below(count))
            }
        }
        for time in stride(from: seconds(4), to: seconds(120), by: 1_500_000_000) {
            simulation.at(time) { simulation in
                simulation.moveName(simulation.random.below(names))
                // More are without than with.
                let node = simulation.random.below(count)
                if simulation.random.happens(0.6) {
                    simulation.withoutUpstream.insert(node)
                } else {
                    simulation.withoutUpstream.remove(node)
                }
            }
        }
        let year = 365.0 * 86_400
        var windows = [
            FaultWindow(
                fault: .clock(node: Population.resolver, seconds: year), begins: seconds(40),
                ends: seconds(60)),
            FaultWindow(fault: .clock(node: 3, seconds: -year), begins: seconds(50), ends: seconds(70)),
            FaultWindow(
                fault: .partition(sides: (0..<count).map { $0 % 2 }), begins: seconds(80), ends: seconds(90)),
        ]
        for index in 0..<16 {
            let begin = 10 + 6 * Double(index)
            windows.append(
                FaultWindow(
                    fault: .restart(node: index * 5 % count, keepsDisk: index % 4 != 0),
                    begins: seconds(begin), ends: seconds(begin + [0.1, 2, 5][index % 3])))
        }
        simulation.schedule(FaultSchedule(windows: windows, heals: seconds(120)))
    }
}
