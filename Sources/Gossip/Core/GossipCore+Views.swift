import struct FoundationEssentials.Date

/// What gossip knows, for the data path and for people.
extension GossipCore {
    /// Members that hold an object, nearest first: by zone, then by what probes and transfers found, those that failed
    /// lately last. Suspects are among them, for they may live.
    public func holders(of id: InventoryID, now: GossipTime) -> [NodeID] {
        holders(of: id, now: now).map { roster[$0].node }
    }

    func holders(of id: InventoryID, now: GossipTime) -> [Int] {
        sorted(reached.filter { roster[$0].log.ids.contains(id.rawValue) }, now: now)
    }

    /// Members in the order in which they are to be asked.
    public func nearest(now: GossipTime) -> [NodeID] { sorted(reached, now: now).map { roster[$0].node } }

    private func sorted(_ positions: [Int], now: GossipTime) -> [Int] {
        let ranked: [Rank] = positions.map { rank($0, now: now) }
        return ranked.sorted().map(\.position)
    }

    private func rank(_ position: Int, now: GossipTime) -> Rank {
        let member = roster[position]
        var far = 0
        if member.admission.zone != credentials.zone {
            far = configuration.zoneOrder.firstIndex(of: member.admission.zone).map { $0 + 1 } ?? Int.max
        }
        let isBad = member.nearness.isDemoted(now: now) || member.status == .suspect
        return Rank(isBad: isBad, far: far, cost: member.nearness.cost, position: position)
    }

    private struct Rank: Comparable {
        let isBad: Bool
        let far: Int
        let cost: Double
        let position: Int

        static func < (left: Rank, right: Rank) -> Bool {
            if left.isBad != right.isBad { return right.isBad }
            if left.far != right.far { return left.far < right.far }
            if left.cost != right.cost { return left.cost < right.cost }
            return left.position < right.position
        }
    }

    mutating func observe(_ observation: PeerObservation, of node: NodeID, _ step: Step) {
        guard let position = index[credentials.secret.tag(of: node)] else { return }
        switch observation {
        case .roundTrip(let span): roster[position].nearness.sample(span)
        case .throughput(let rate): roster[position].nearness.sample(throughput: rate)
        case .failed: roster[position].nearness.failed(now: step.now)
        case .lied: roster[position].nearness.failed(now: step.now, isLie: true)
        }
    }

    /// Every member that is known, in the order in which they were met.
    public func members(now: GossipTime) -> [MemberView] { roster.map { view($0, now: now) } }

    package func view(of node: NodeID, now: GossipTime) -> MemberView? {
        index[credentials.secret.tag(of: node)].map { view(roster[$0], now: now) }
    }

    private func view(_ member: Member, now: GossipTime) -> MemberView {
        let state: MemberView.State =
            switch member.status {
            case .alive: .alive
            case .suspect: .suspect
            case .dead: .dead
            case .left: .left
            }
        return MemberView(
            node: member.node, endpoint: member.endpoint, zone: member.admission.zone,
            roles: member.admission.roles, state: state, incarnation: member.incarnation,
            software: member.card.record.software, protocols: member.card.record.protocols,
            expires: member.admission.expires, roundTrip: member.nearness.roundTrip,
            throughput: member.nearness.throughput, inventoryCount: member.log.ids.count,
            silence: member.lastDatagram.map { now - $0 })
    }

    package var memberCount: Int { roster.count }

    /// Objects that this node says it holds.
    public var inventoryCount: Int { log.ids.count }

    /// Whether a node that has proven its key may be spoken with.
    package mutating func admit(_ card: MemberCard, wall: Date) -> Result<Trust.Admission, TrustRefusal> {
        guard card.record.cluster == credentials.cluster else {
            return .failure(.otherCluster(card.record.cluster))
        }
        let result = trust.admit(card.certificate, key: card.record.node, now: clock.now(wall))
        if case .success = result, let refusal = refusal(ofProtocols: card.record) {
            return .failure(refusal)
        }
        return result
    }
}
