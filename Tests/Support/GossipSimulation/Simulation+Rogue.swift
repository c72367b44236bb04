import Content
import Gossip

/// A member that has turned against the others: it has its key and the cluster's secret, and says what it likes.
extension Simulation {
    /// From now on, `number` tells lies instead of running, until `end`.
    package func turnRogue(_ number: Int, until end: UInt64, every gap: UInt64 = 20_000_000) {
        guard let boot = nodes[number].core?.ownRecord.incarnation.boot else { return }
        stop(number)
        invariants.speaks(number)
        // Far above what it used, so that no window takes a lie for a replay.
        var counter: UInt64 = 1 << 40
        for time in stride(from: now, to: end, by: Int(gap)) {
            counter += 1
            let fixed = counter
            at(time) { $0.lie(from: number, boot: boot, counter: fixed) }
        }
    }

    private func lie(from number: Int, boot: UInt32, counter: UInt64) {
        let rogue = nodes[number]
        let victim = nodes[random.below(nodes.count)]
        guard victim.number != number, let core = victim.core,
            let shared = memo.shared(rogue.credentials.key, victim.id)
        else { return }
        let key = DatagramKey(
            shared: shared, secret: population.secret, cluster: rogue.credentials.cluster, sender: rogue.id,
            senderBoot: boot, receiver: victim.id, receiverBoot: core.ownRecord.incarnation.boot)
        var bytes: [UInt8] = []
        for _ in 0..<4 {
            let lie = self.lie(by: rogue, to: victim).encoded
            if bytes.count + lie.count <= DatagramHead.messageLimit { bytes += lie }
        }
        let tag = rogue.credentials.tag
        let datagram =
            settings.seals
            ? key.seal(bytes, sender: tag, boot: boot, counter: counter, random: random.bytes(16))
            : DatagramKey.plain(bytes, sender: tag, boot: boot, counter: counter, random: random.bytes(16))
        send(datagram, from: rogue.endpoint, to: victim.endpoint)
    }

    private func lie(by rogue: SimulatedNode, to victim: SimulatedNode) -> GossipMessage {
        let subject = nodes[random.below(nodes.count)]
        let tag = subject.credentials.tag
        let current = subject.core?.ownRecord.incarnation ?? Incarnation(boot: 1)
        let invented = Incarnation(
            rawValue: random.happens(0.3) ? .max : current.rawValue + random.next() % 1_000)
        switch random.below(10) {
        case 0: return .accusation(tag, current, accuser: rogue.credentials.tag)
        case 1: return .accusation(tag, invented, accuser: nodes[random.below(nodes.count)].credentials.tag)
        case 2: return .accusation(victim.credentials.tag, invented, accuser: rogue.credentials.tag)
        case 3, 4: return forged(subject, invented).map { .card($0) } ?? .nack(0)
        case 5: return forged(victim, invented).map { .card($0) } ?? .nack(0)
        case 6: return .headHint(tag, UInt32(truncatingIfNeeded: random.next()))
        case 7:
            return .operations(
                tag, epoch: subject.core?.ownRecord.inventoryEpoch ?? 0, after: random.next() % 4,
                (0..<5).map { _ in InventoryChange(id: random.next(), isAdd: random.happens(0.5)) })
        case 8: return .granted(Self.object(random.below(100)), tag)
        default:
            return .tooOld(tag, epoch: subject.core?.ownRecord.inventoryEpoch ?? 0, sequence: random.next())
        }
    }

    /// A node's own card with another incarnation, which its signature does not cover.
    private func forged(_ node: SimulatedNode, _ incarnation: Incarnation) -> MemberCard? {
        guard let card = node.core?.card else { return nil }
        var record = card.record.encoded
        // Behind version, kind, cluster and node.
        for index in 0..<8 {
            record[50 + index] = UInt8(truncatingIfNeeded: incarnation.rawValue >> UInt64(8 * index))
        }
        var writer = WireWriter()
        writer.writeBlock(record)
        writer.writeBlock(card.certificate?.encoded ?? [])
        var reader = WireReader(writer.bytes)
        return try? MemberCard(from: &reader)
    }

    /// A node with the cluster's secret, but a certificate that another root signed for this cluster, shows itself.
    package func knockAsStranger(at number: Int) throws {
        guard let key = try NodeKey(seedBytes: random.bytes(32)),
            let invitation = try NodeKey(seedBytes: random.bytes(32))
        else { return }
        let cluster = nodes[number].credentials.cluster
        let certificate = try Population.certificate(
            of: key.id, cluster: cluster, root: Population.forger, invitation: invitation,
            serial: random.bytes(16),
            zone: .standard)
        let record = MemberRecord(
            cluster: cluster, incarnation: Incarnation(boot: 1), isLeaving: false, protocols: 1...1,
            endpoints: [Self.endpoint(of: 9_000)], inventoryEpoch: 1, software: "stranger", key: key)
        var writer = WireWriter()
        writer.write(UInt8(1))
        MemberCard(record: record, certificate: certificate).write(to: &writer)
        writer.writeBlock([UInt8]())
        writer.writeNumber(0)
        let token = nextToken
        nextToken += 1
        step(nodes[number], .exchangeRequest(writer.bytes, from: key.id, token: token))
    }
}
