import Gossip

/// Whether the nodes that run agree with each other and with the truth.
extension Simulation {
    /// What a node has wrong about another; nil when nothing.
    func error(of observer: SimulatedNode, about subject: SimulatedNode, seeing view: MemberView?) -> String?
    {
        let isRunning = subject.status == .running
        guard let view else { return isRunning ? "does not know" : nil }
        guard isRunning else { return view.state == .alive ? "believes in the life of" : nil }
        if view.state != .alive { return "holds \(view.state)" }
        // A start that others do not know of would keep them from hearing it; a refutation matters to accusers only.
        if view.incarnation.boot != subject.core?.ownRecord.incarnation.boot {
            return "knows an earlier start of"
        }
        if view.zone == observer.credentials.zone, view.inventoryCount != subject.held.count {
            return "knows \(view.inventoryCount) of \(subject.held.count) objects of"
        }
        return nil
    }

    /// The first things, `limit` at most, in which some running node is wrong.
    package func disagreements(limit: Int = 1) -> [String] {
        var found: [String] = []
        for observer in nodes where observer.status == .running {
            guard let core = observer.core else { continue }
            var views: [MemberView?] = Array(repeating: nil, count: population.members.count)
            for view in core.members(now: observer.time(now)) {
                if let member = population.numbers[view.node] { views[member] = view }
            }
            for subject in nodes where subject.number != observer.number {
                guard let error = error(of: observer, about: subject, seeing: views[subject.number]) else {
                    continue
                }
                found.append("\(observer.number) \(error) \(subject.number)")
                if found.count >= limit { return found }
            }
        }
        return found
    }

    package var isConverged: Bool { disagreements().isEmpty }

    /// How many running nodes, besides the holder itself, know that `holder` holds `id`.
    package func knowing(_ id: InventoryID, of holder: Int) -> Int {
        nodes.count { node in
            node.number != holder && node.status == .running
                && node.core?.holders(of: id, now: node.time(now)).contains(nodes[holder].id) == true
        }
    }

    package func knowing(_ subject: Int, in state: MemberView.State) -> Int {
        nodes.count { node in
            node.number != subject && node.status == .running
                && node.core?.view(of: nodes[subject].id, now: node.time(now))?.state == state
        }
    }

    package var running: Int { nodes.count { $0.status == .running } }
}
