import Gossip

extension Simulation {
    func deliver(_ event: SimulationEvent) {
        switch event {
        case .wake(let number, let start):
            let node = nodes[number]
            guard node.starts == start, node.wakeAt == now else { return }
            node.wakeAt = nil
            hand(event, to: node)
        case .datagram(_, let number, _): hand(event, to: nodes[number])
        case .request(let call, _): hand(event, to: nodes[call.callee])
        case .answer(let call, _):
            guard nodes[call.caller].starts == call.callerStart else { return }
            hand(event, to: nodes[call.caller])
        case .begin(let window): begin(windows[window].fault)
        case .end(let window): end(windows[window].fault)
        case .resume(let number): resume(nodes[number])
        case .script(let index): scripts[index](self)
        }
    }

    /// Gives an input to a node's process, or to the machine that keeps it until the process has time.
    private func hand(_ event: SimulationEvent, to node: SimulatedNode) {
        switch node.status {
        case .down:
            if case .request(let call, _) = event { fail(call, after: 1_000_000) }
            return
        case .paused:
            if case .datagram = event, node.missed.count >= SimulatedNode.socketLimit { return }
            node.missed.append(event)
            return
        case .running: break
        }
        guard node.inputCost > 0 else { return process(event, at: node) }
        if node.busyUntil > now || node.backlog > 0 {
            if case .datagram = event, node.missed.count >= SimulatedNode.socketLimit { return }
            node.missed.append(event)
            if node.backlog == 0 { queue.push(.resume(node.number), at: node.busyUntil) }
            node.backlog = node.missed.count
        } else {
            node.busyUntil = now + node.inputCost
            process(event, at: node)
        }
    }

    /// A process that had no time goes on: with one input if it starves, else with all that wait.
    func resume(_ node: SimulatedNode) {
        guard node.status == .running else { return }
        while !node.missed.isEmpty {
            if node.inputCost > 0, node.busyUntil > now {
                queue.push(.resume(node.number), at: node.busyUntil)
                return
            }
            let event = node.missed.removeFirst()
            node.backlog = node.missed.count
            node.busyUntil = now + node.inputCost
            process(event, at: node)
        }
        node.backlog = 0
    }

    private func process(_ event: SimulationEvent, at node: SimulatedNode) {
        switch event {
        case .wake:
            trace.add(time: now, kind: 0, from: node.number, to: node.number, [])
            step(node, .wake)
        case .datagram(let endpoint, _, let bytes):
            trace.add(time: now, kind: 1, from: Self.place(of: endpoint) ?? -1, to: node.number, bytes)
            step(node, .datagram(bytes, from: endpoint))
        case .request(let call, let bytes):
            trace.add(time: now, kind: 2, from: call.caller, to: call.callee, bytes)
            serve(call, bytes)
        case .answer(let call, let bytes):
            trace.add(time: now, kind: 3, from: call.callee, to: call.caller, bytes ?? [])
            finish(call, bytes)
        case .begin, .end, .resume, .script: preconditionFailure("no node takes such an event")
        }
    }

    /// One input, its effects, and a look at what it did.
    package func step(_ node: SimulatedNode, _ input: GossipInput) {
        guard node.status == .running else { return }
        var effects: [GossipEffect] = []
        if let mutation = settings.mutation {
            stepWrongly(node, input, mutation, into: &effects)
        } else {
            node.running?.core.receive(
                input, now: node.time(now), wall: node.wall(now), rng: &node.random, into: &effects)
        }
        for effect in effects { carryOut(effect, of: node) }
        rearm(node)
        invariants.stepped(node, in: self)
    }

    /// One input at a core with a bug.
    private func stepWrongly(
        _ node: SimulatedNode, _ input: GossipInput, _ mutation: Mutation, into effects: inout [GossipEffect]
    ) {
        guard let running = node.running else { return }
        let members = running.core.roster
        mutation.before(&running.core)
        running.core.receive(
            input, now: node.time(now), wall: node.wall(now), rng: &node.random, into: &effects)
        mutation.after(&running.core, members)
    }

    /// Has the node wake when its core wants to.
    private func rearm(_ node: SimulatedNode) {
        guard let wake = node.running?.core.nextWake, wake != .distantFuture else { return }
        let time = max(node.simulated(wake), now + 1)
        guard node.wakeAt.map({ time < $0 }) ?? true else { return }
        node.wakeAt = time
        queue.push(.wake(node: node.number, start: node.starts), at: time)
    }

    private func carryOut(_ effect: GossipEffect, of node: SimulatedNode) {
        switch effect {
        case .send(let bytes, let endpoint):
            node.traffic.addDatagram(bytes.count)
            send(bytes, from: node.endpoint, to: endpoint)
            guard let adversary else { return }
            for extra in adversary.saw(bytes, from: node.endpoint, to: endpoint, random: &random) {
                send(extra.bytes, from: extra.from, to: extra.to)
            }
        case .exchange(let token, let endpoint, let expecting, let bytes):
            node.traffic.addStream(bytes.count)
            call(node, token: token, at: endpoint, expecting: expecting, bytes)
        case .reply(let token, let bytes): reply(node, token: token, bytes)
        case .answer(let token, let answer):
            log.note(answer, token: token, at: node.number, time: now)
            if let wrong = invariants.leases.answered(answer, token: token, at: now), checksLeases {
                invariants.violate(wrong, at: now)
            }
        case .tried: break
        case .event(let event):
            log.note(event, at: node, in: self)
            invariants.happened(event, at: node, in: self)
        case .persist(let state): if settings.keepsDisks { node.disk = state }
        }
    }

    /// Puts a datagram on its way.
    package func send(_ bytes: [UInt8], from: Endpoint, to: Endpoint) {
        guard let target = Self.place(of: to), target < nodes.count else { return }
        let source = Self.place(of: from) ?? target
        for delay in network.route(from: source, to: target, byteCount: bytes.count) {
            queue.push(.datagram(from: from, to: target, bytes), at: now + delay)
        }
    }
}
