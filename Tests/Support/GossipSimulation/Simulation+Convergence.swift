import Gossip

/// Whether the nodes that run agree with each other and with the truth.
extension Simulation {
    /// What a node has wrong about another; nil when nothing.
    func error(of observer: SimulatedNode, about subject: SimulatedNode, seeing view: MemberView?) -> String?
    {
        if isRevoked(subject) {
            return view.map { $0.state != .left } ?? false ? "has not put out" : nil
        }
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
        for offset in nodes.indices {
            let observer = nodes[(wrongLast + offset) % nodes.count]
            guard observer.status == .running, !isRevoked(observer), let core = observer.core else {
                continue
            }
            let list = core.trust.revocations?.number ?? 0
            if list != revocations?.number ?? 0 {
                found.append("\(observer.number) has revocation list \(list)")
            }
            var views: [MemberView?] = Array(repeating: nil, count: population.members.count)
            for view in core.members(now: observer.time(now)) {
                if let member = population.numbers[view.node] { views[member] = view }
            }
            for subject in nodes where subject.number != observer.number {
                guard let error = error(of: observer, about: subject, seeing: views[subject.number]) else {
                    continue
                }
                found.append("\(observer.number) \(error) \(subject.number)")
                if found.count >= limit { break }
            }
            guard found.count < limit else {
                wrongLast = observer.number
                return found
            }
        }
        return found
    }

    package var isConverged: Bool { disagreements().isEmpty }

    /// How many running nodes, besides the holder itself, know that `holder` holds `id`.
    package func knowing(_ id: InventoryID, of holder: Int) -> Int {
        let tag = nodes[holder].credentials.tag
        return nodes.count { node in
            guard node.number != holder, node.status == .running, let position = node.core?.index[tag] else {
                return false
            }
            return node.core?.roster[position].log.ids.contains(id.rawValue) == true
        }
    }

    package func knowing(_ subject: Int, in state: MemberView.State) -> Int {
        nodes.count { node in
            node.number != subject && node.status == .running
                && node.core?.view(of: nodes[subject].id, now: node.time(now))?.state == state
        }
    }

    func isRevoked(_ node: SimulatedNode) -> Bool { revocations?.keys.contains(node.id) == true }

    package var running: Int { nodes.count { $0.status == .running } }
}
