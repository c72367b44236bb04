import Gossip

extension Simulation {
    func begin(_ fault: Fault) {
        trace.add(time: now, kind: 4, from: 0, to: 0, Array("\(fault)".utf8))
        switch fault {
        case .quality(let quality): network.quality = quality
        case .cut(let from, let to): network.cuts.insert(.init(from: from, to: to))
        case .partition(let sides): network.sides = sides
        case .pause(let node): pause(node)
        case .restart(let node, _): stop(node)
        case .starve(let node, let cost): nodes[node].inputCost = cost
        case .clock(let node, let seconds): nodes[node].clockError = seconds
        }
    }

    func end(_ fault: Fault) {
        trace.add(time: now, kind: 5, from: 0, to: 0, Array("\(fault)".utf8))
        switch fault {
        case .quality: network.quality = .init()
        case .cut(let from, let to): network.cuts.remove(.init(from: from, to: to))
        case .partition: network.sides = []
        case .pause(let node): goOn(node)
        case .restart(let node, let keepsDisk):
            if !keepsDisk, nodes[node].status == .down { loseDisk(node) }
            start(node)
        case .starve(let node, _):
            nodes[node].inputCost = 0
            resume(nodes[node])
        case .clock(let node, _): nodes[node].clockError = 0
        }
    }

    /// Ends a process without a word.
    package func stop(_ number: Int) {
        let node = nodes[number]
        guard node.status != .down else { return }
        node.status = .down
        node.running = nil
        node.missed = []
        node.backlog = 0
        node.wakeAt = nil
        pending[number] = nil
        invariants.stopped(number, at: now)
    }

    package func pause(_ number: Int) {
        if nodes[number].status == .running { nodes[number].status = .paused }
    }

    package func goOn(_ number: Int) {
        guard nodes[number].status == .paused else { return }
        nodes[number].status = .running
        resume(nodes[number])
    }
}
