import Gossip

/// What must hold at every step of every run, whatever happens to the network.
package struct Invariants {
    /// What was found broken, the first hundred.
    package private(set) var violations: [String] = []
    /// Looks that were taken at a node's whole view.
    package private(set) var checks = 0

    private let numbers: [NodeID: Int]
    /// By which incarnation, and in which state, an observer last knew each member; nil = not at all.
    private var known: [[(incarnation: Incarnation, state: MemberView.State)?]]
    /// The highest incarnation that each node has used itself.
    private var used: [Incarnation?]
    private var steps: [Int]
    /// When a node's process ended, while it is away.
    private var stoppedAt: [UInt64?]
    /// The number of the last revocation list that each node is known to have had, as long as its disk is kept.
    private var lists: [UInt64]
    package internal(set) var leases = LeaseInvariant()
    package internal(set) var names = NameInvariant()

    init(population: Population, count: Int) {
        numbers = population.numbers
        known = Array(repeating: Array(repeating: nil, count: numbers.count), count: count)
        used = Array(repeating: nil, count: numbers.count)
        steps = Array(repeating: 0, count: count)
        stoppedAt = Array(repeating: nil, count: numbers.count)
        lists = Array(repeating: 0, count: count)
    }

    mutating func violate(_ what: String, at time: UInt64) {
        guard violations.count < 100 else { return }
        violations.append("at \(Double(time) / 1e9) s: \(what)")
    }

    /// A process has ended; the next one begins with what it kept, or with nothing.
    mutating func stopped(_ number: Int, at time: UInt64) {
        stoppedAt[number] = time
        for member in known[number].indices { known[number][member] = nil }
        leases.forget(number)
    }

    /// A node's disk is gone, and its list of those who are revoked with it.
    mutating func lostDisk(_ number: Int) {
        lists[number] = 0
        names.lostDisk(number)
    }

    /// Somebody else speaks with its key now.
    mutating func speaks(_ number: Int) { stoppedAt[number] = nil }

    mutating func stepped(_ node: SimulatedNode, in simulation: Simulation) {
        guard let running = node.running else { return }
        stoppedAt[node.number] = nil
        own(running.core.ownRecord.incarnation, of: node, at: simulation.now)
        noteList(running.core.trust.revocations?.number ?? 0, of: node, at: simulation.now)
        steps[node.number] += 1
        guard steps[node.number] % simulation.settings.checkEvery == 0 else { return }
        checks += 1
        for view in running.core.members(now: node.time(simulation.now)) {
            look(at: view, from: node, at: simulation.now)
            guard view.state == .alive || view.state == .suspect,
                running.core.trust.revocations?.keys.contains(view.node) == true
            else { continue }
            violate("\(node.number) counts a member as reached that it knows is revoked", at: simulation.now)
        }
    }

    private mutating func noteList(_ number: UInt64, of node: SimulatedNode, at time: UInt64) {
        if number < lists[node.number] {
            let before = lists[node.number]
            violate("\(node.number) went from revocation list \(before) back to \(number)", at: time)
        }
        lists[node.number] = number
    }

    private mutating func own(_ incarnation: Incarnation, of node: SimulatedNode, at time: UInt64) {
        // Who lost its disk begins again, and jumps above what others remember once it hears of it.
        used[node.number] = max(used[node.number] ?? incarnation, incarnation)
        if let before = known[node.number][node.number]?.incarnation, incarnation < before {
            violate("\(node.number) went from its incarnation \(before) back to \(incarnation)", at: time)
        }
        known[node.number][node.number] = (incarnation, .alive)
    }

    private mutating func look(at view: MemberView, from node: SimulatedNode, at time: UInt64) {
        guard let member = numbers[view.node] else {
            return violate("\(node.number) takes a stranger for a member", at: time)
        }
        guard member != node.number else { return }
        if let (before, state) = known[node.number][member] {
            if view.incarnation < before {
                violate(
                    "\(node.number) knew \(member) by \(before) and now by \(view.incarnation)", at: time)
            }
            if view.incarnation > before, view.state == .dead, state == .dead {
                violate("\(node.number) keeps \(member) dead although it has refuted that", at: time)
            }
        }
        if let highest = used[member] {
            if view.incarnation > highest {
                violate(
                    "\(node.number) knows \(member) by \(view.incarnation), which it never used", at: time)
            }
        } else {
            violate("\(node.number) knows \(member), which never ran", at: time)
        }
        // What was under way, in a socket or in a starving process, is heard within half a minute.
        if let stop = stoppedAt[member], let silence = view.silence, time > stop + 30_000_000_000,
            UInt64(max(0, silence.nanoseconds)) + 30_000_000_000 < time - stop
        {
            violate("\(node.number) hears \(member), which has stopped long ago", at: time)
        }
        known[node.number][member] = (view.incarnation, view.state)
    }

    mutating func happened(_ event: GossipEvent, at node: SimulatedNode, in simulation: Simulation) {
        if case .joined(let id) = event, numbers[id] == nil {
            violate("\(node.number) let a stranger join", at: simulation.now)
        }
    }
}

/// At most one member has the lease of an object while nothing keeps members from its owners.
package struct LeaseInvariant: Sendable {
    private struct Grant: Sendable {
        var node: Int
        var expires: UInt64
    }

    private var grants: [InventoryID: [Grant]] = [:]
    private var asked: [UInt64: (id: InventoryID, node: Int, time: UInt64)] = [:]
    /// Grants seen.
    package private(set) var count = 0

    mutating func ask(_ id: InventoryID, token: UInt64, by node: Int, at time: UInt64) {
        asked[token] = (id, node, time)
    }

    /// - Returns: what is wrong, if anything is.
    mutating func answered(_ answer: OwnerAnswer, token: UInt64, at time: UInt64) -> String? {
        guard let question = asked.removeValue(forKey: token), case .granted(let span) = answer.lease else {
            return nil
        }
        count += 1
        var valid = grants[question.id, default: []].filter { $0.expires > time && $0.node != question.node }
        let other = valid.first
        // The owner counts from when it answered, which is later than the question.
        valid.append(Grant(node: question.node, expires: question.time + UInt64(max(0, span.nanoseconds))))
        grants[question.id] = valid
        return other.map { "\(question.node) was granted what \($0.node) has a lease on" }
    }

    mutating func release(_ id: InventoryID, by node: Int) {
        grants[id]?.removeAll { $0.node == node }
    }

    mutating func forget(_ node: Int) {
        for id in grants.keys.sorted() { release(id, by: node) }
    }
}
