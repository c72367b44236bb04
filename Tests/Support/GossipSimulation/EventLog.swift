import Gossip

/// What nodes said of each other, in the order in which they did.
package struct EventLog: Sendable {
    package struct Death: Sendable {
        package let time: UInt64
        package let observer: Int
        package let subject: Int
        /// The subject's process was running all the same.
        package let isFalse: Bool
    }

    package struct Answer: Sendable {
        package let time: UInt64
        package let node: Int
        package let token: UInt64
        package let answer: OwnerAnswer
    }

    package private(set) var deaths: [Death] = []
    package private(set) var answers: [Answer] = []
    package private(set) var alarms: [String] = []
    package private(set) var refusals = 0

    init() {}

    mutating func note(_ event: GossipEvent, at node: SimulatedNode, in simulation: Simulation) {
        switch event {
        case .died(let id):
            guard let subject = simulation.population.numbers[id] else { return }
            deaths.append(
                Death(
                    time: simulation.now, observer: node.number, subject: subject,
                    isFalse: simulation.nodes[subject].status == .running))
        case .alarm(let text): alarms.append("\(node.number): \(text)")
        case .refused: refusals += 1
        default: break
        }
    }

    mutating func note(_ answer: OwnerAnswer, token: UInt64, at node: Int, time: UInt64) {
        answers.append(Answer(time: time, node: node, token: token, answer: answer))
    }

    package var falseDeaths: Int { deaths.count { $0.isFalse } }
}
