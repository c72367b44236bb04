import Content
import Gossip
import PeerExchange

import struct ChunkStore.Reference
import struct FoundationEssentials.Date

/// A node that asks others about a name.
private final class NameQuestion {
    let name: Int
    /// Which start of the node asks.
    let start: Int
    /// What the node held when it asked.
    let held: StatementRules.Held?
    var statements: [Statement] = []

    init(name: Int, at node: SimulatedNode) {
        (self.name, start, held) = (name, node.starts, node.names[name]?.held)
    }
}

/// Names that may change: upstream moves them, nodes look them up, and ask each other while their upstream is away.
extension Simulation {
    private static let questionPatience: UInt64 = 1_000_000_000
    private static let questionByteCount = 300

    /// A name that every upstream knows from now on.
    package func addName() {
        let number = names.count
        guard let name = try? ReferenceName("oci/registry.example/app:\(number)") else {
            preconditionFailure("a number makes a tag")
        }
        names.append(name)
        contents.append(0)
        for node in nodes { node.names.append(nil) }
    }

    /// Upstream gives a name other content, now and then what it had before.
    package func moveName(_ name: Int) {
        contents[name] = random.happens(0.2) ? max(0, contents[name] - 1) : contents[name] + 1
    }

    private func content(_ number: Int, of name: Int) -> Digest {
        Digest(.sha256, of: Array("\(name) \(number)".utf8))
    }

    /// A client asks a node for a name.
    package func lookUp(_ name: Int, at number: Int) {
        let node = nodes[number]
        guard node.status == .running, let core = node.core else { return }
        guard withoutUpstream.contains(number) else {
            let kept = KeptName(
                content: content(contents[name], of: name), checked: Date(seconds: node.wall(now).seconds),
                isPeersWord: false)
            node.names[name] = kept
            return invariants.names.own(kept, of: name, at: number)
        }
        let question = NameQuestion(name: name, at: node)
        for peer in core.nearest(now: node.time(now)).prefix(8) {
            guard let peer = population.numbers[peer], nodes.indices.contains(peer) else { continue }
            send(from: number, to: peer) { simulation in
                guard let answer = simulation.word(of: peer, about: name) else { return }
                simulation.send(from: peer, to: number) { $0.heard(answer, from: peer, question) }
            }
        }
        at(now + Self.questionPatience) { $0.settle(question, at: number) }
    }

    /// A call's way to another node, or its answer's way back.
    private func send(from: Int, to: Int, _ arrive: @escaping (Simulation) -> Void) {
        guard
            let delay = network.stream(
                from: from, to: to, byteCount: Self.questionByteCount, turns: 0)
        else { return }
        at(now + delay, arrive)
    }

    private func heard(_ answer: [UInt8], from peer: Int, _ question: NameQuestion) {
        guard
            let statement = Statement(
                answer, by: nodes[peer].id, about: names[question.name],
                in: nodes[peer].credentials.cluster)
        else { return }
        question.statements.append(statement)
    }

    private func settle(_ question: NameQuestion, at number: Int) {
        let (node, name) = (nodes[number], question.name)
        guard node.status == .running, node.starts == question.start, let core = node.core else { return }
        let wall = node.wall(now)
        let resolvers = core.members(now: node.time(now)).filter { $0.roles.contains(.resolver) }
        guard
            let verdict = nameBug.rule(
                question.statements, Set(resolvers.map(\.node)), question.held,
                wall < TrustedClock.build ? nil : wall)
        else { return }
        let statement = verdict.statement
        guard nameBug.overwrites || node.names[name]?.held.yields(to: statement.checked) ?? true else {
            return
        }
        let kept = KeptName(content: statement.digest, checked: statement.checked, isPeersWord: true)
        node.names[name] = kept
        let honest = verdict.signers.compactMap { population.numbers[$0] }.filter { $0 != liarAboutNames }
        if let wrong = invariants.names.told(kept, of: name, at: number, by: honest, wall: wall) {
            invariants.violate(wrong, at: now)
        }
    }

    /// What a node answers when another asks it about a name.
    private func word(of number: Int, about name: Int) -> [UInt8]? {
        let node = nodes[number]
        guard node.status == .running else { return nil }
        if number == liarAboutNames { return lie(of: node, about: name) }
        guard let kept = node.names[name], nameBug.handsOn || !kept.isPeersWord else { return nil }
        return statement(by: node, about: name, kept.content, checked: kept.checked)
    }

    private func statement(
        by node: SimulatedNode, about name: Int, _ content: Digest, checked: Date
    ) -> [UInt8] {
        Statement(
            Reference(
                name: names[name], digest: content, size: 1, learned: checked, checked: checked,
                origin: "upstream"), credentials: node.credentials
        ).encoded
    }

    private func lie(of node: SimulatedNode, about name: Int) -> [UInt8]? {
        let wall = Population.start.addingTimeInterval(Double(now) / 1e9)
        let outdated = content(max(0, contents[name] - 1 - random.below(3)), of: name)
        let invented = content(1_000_000 + random.below(2), of: name)
        switch random.below(8) {
        case 0: return statement(by: node, about: name, outdated, checked: wall)
        case 1: return statement(by: node, about: name, outdated, checked: wall.addingTimeInterval(299))
        case 2: return statement(by: node, about: name, invented, checked: wall)
        case 3:
            let current = content(contents[name], of: name)
            return statement(by: node, about: name, current, checked: wall.addingTimeInterval(299))
        case 4:
            return statement(by: node, about: name, invented, checked: wall.addingTimeInterval(5 * 3.15e7))
        case 5:
            // Another's word, as if it were its own.
            return word(of: (node.number + 1 + random.below(nodes.count - 1)) % nodes.count, about: name)
        case 6: return statement(by: node, about: random.below(names.count), invented, checked: wall)
        default:
            var bytes = statement(by: node, about: name, invented, checked: wall)
            bytes[random.below(bytes.count)] ^= 1
            return bytes
        }
    }
}
