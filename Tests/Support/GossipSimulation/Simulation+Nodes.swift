import Gossip

/// What the process around a core does: it starts, holds content, asks owners.
extension Simulation {
    /// Starts a node's process with what its disk holds.
    package func start(_ number: Int) {
        let node = nodes[number]
        guard node.status == .down else { return }
        node.status = .running
        node.starts += 1
        // Every process's monotonic clock begins elsewhere.
        node.clockBase = 1_000_000_000 + random.next() % 3_600_000_000_000
        node.startTime = now
        node.busyUntil = now
        var configuration = GossipConfiguration(
            endpoints: [node.endpoint],
            seeds: (0..<settings.seedCount).filter { $0 != number }.map {
                .init(endpoint: Self.endpoint(of: $0), node: nodes[$0].id)
            })
        configuration.sealsDatagrams = settings.seals
        configuration.memo = memo
        node.running = RunningCore(
            GossipCore(
                configuration, credentials: node.credentials,
                trust: Trust(anchor: node.credentials.anchor, cluster: node.credentials.cluster),
                state: node.disk ?? [], now: node.time(now), wall: node.wall(now), rng: &node.random))
        step(node, .inventory(add: node.held, remove: []))
    }

    /// A node's disk is lost, its key excepted.
    package func loseDisk(_ number: Int) {
        nodes[number].disk = nil
        nodes[number].names = nodes[number].names.map { _ in nil }
        invariants.lostDisk(number)
        nodes[number].held = []
    }

    /// The operator revokes nodes, besides those that are revoked already, and gives the new list to one node.
    package func revoke(_ numbers: [Int], at number: Int) {
        let keys = Set(revocations?.keys ?? []).union(numbers.map { nodes[$0].id })
        let list = RevocationList(
            cluster: nodes[number].credentials.cluster, number: (revocations?.number ?? 0) + 1,
            issued: nodes[number].wall(now), serials: [], keys: keys, root: population.root)
        revocations = list
        issued.append(list)
        step(nodes[number], .revocations(list))
    }

    /// Somebody gives a node one of the earlier lists again.
    package func giveOldList(to number: Int) {
        guard issued.count > 1 else { return }
        step(nodes[number], .revocations(issued[random.below(issued.count - 1)]))
    }

    /// A node comes to hold objects.
    package func hold(_ ids: [InventoryID], at number: Int) {
        let node = nodes[number]
        node.held = Set(node.held).union(ids).sorted()
        step(node, .inventory(add: ids, remove: []))
    }

    package func drop(_ ids: [InventoryID], at number: Int) {
        let node = nodes[number]
        node.held = Set(node.held).subtracting(ids).sorted()
        step(node, .inventory(add: [], remove: ids))
    }

    /// A node asks an object's owner.
    /// - Returns: the token that its answer carries.
    @discardableResult
    package func ask(_ id: InventoryID, at number: Int, wantsLease: Bool = true) -> UInt64 {
        let token = nextToken
        nextToken += 1
        guard nodes[number].status == .running else { return token }
        if wantsLease { invariants.leases.ask(id, token: token, by: number, at: now) }
        step(nodes[number], .ask(id, wantsLease: wantsLease, token: token))
        return token
    }

    package func release(_ id: InventoryID, at number: Int) {
        invariants.leases.release(id, by: number)
        step(nodes[number], .release(id))
    }

    /// An object's id, by a number.
    package static func object(_ number: Int) -> InventoryID {
        var random = SimulationRandom(seed: UInt64(number) &* 7_919 &+ 1)
        return InventoryID(rawValue: random.next())
    }
}
