import Content

/// Meeting over TCP: where records that do not fit datagrams are exchanged, and strangers become members
/// (docs/wire-formats.md, "Exchanges").
extension GossipCore {
    package enum Kind {
        package static let meet: UInt8 = 1
        package static let met: UInt8 = 2
        package static let snapshot: UInt8 = 3
        package static let page: UInt8 = 4
    }

    /// Cards of one exchange that are passed on by datagrams. More of them, as when many nodes start at once, travel by
    /// further exchanges, which cost those who know them already next to nothing.
    static let retoldLimit = 16
    /// Members that a new revocation list is handed to by each who gets it.
    static let revocationFanout = 4
    /// Ids in one page of a snapshot.
    static let pageLimit = 100_000
    /// Bytes of one answer's cards.
    static let cardsByteLimit = 768 << 10

    mutating func keepExchanging(_ step: inout Step, _ rng: inout GossipRandom) {
        for exchange in exchanges where step.now >= exchange.until {
            take(.failure(ExchangeFailure("no answer")), token: exchange.token, &step, &rng)
        }
        for position in seeds.indices where !seeds[position].isMet && step.now >= seeds[position].next {
            let (endpoint, node) = (seeds[position].seed.endpoint, seeds[position].seed.node)
            seeds[position].next = .distantFuture
            if configuration.endpoints.contains(endpoint) || node == id {
                seeds[position].isMet = true
            } else {
                meet(endpoint, node, &step)
            }
        }
        if step.now >= nextExchange {
            // With more members less often, so that what each one pays stays the same.
            let whole = configuration.exchangeInterval * max(1, Double(reached.count) / 1000)
            exchangeCount += 1
            let interval = min(whole, .seconds(2) * (1 << min(exchangeCount, 20)))
            nextExchange = step.now + interval * Double.random(in: 0.5..<1.5, using: &rng)
            let count = max(1, hurriedExchanges)
            hurriedExchanges = 0
            for position in pick(count, &rng, where: { _ in true }) {
                meet(roster[position].endpoint, roster[position].node, &step)
            }
        }
        if step.now >= nextRetry {
            nextRetry = step.now + configuration.retryInterval * Double.random(in: 0.5..<1.5, using: &rng)
            let away = roster.indices.filter { roster[$0].status == .dead }
            if let position = away.randomElement(using: &rng) {
                meet(roster[position].endpoint, roster[position].node, &step)
            }
        }
    }

    mutating func meet(_ endpoint: Endpoint, _ node: NodeID?, _ step: inout Step) {
        var writer = WireWriter()
        writer.write(Kind.meet)
        card.write(to: &writer)
        writer.writeBlock(trust.revocations?.encoded ?? [])
        writer.writeNumber(roster.count)
        for position in roster.indices {
            writer.write(roster[position].tag.rawValue)
            writer.write(roster[position].card.record.incarnation.rawValue)
        }
        begin(.meet(endpoint), writer.bytes, with: endpoint, expecting: node, &step)
    }

    mutating func begin(
        _ purpose: Exchange.Purpose, _ bytes: [UInt8], with endpoint: Endpoint, expecting: NodeID?,
        _ step: inout Step
    ) {
        let token = nextToken
        nextToken += 1
        exchanges.append(Exchange(token: token, purpose: purpose, until: step.now + .seconds(20)))
        step.effects.append(.exchange(token: token, with: endpoint, expecting: expecting, bytes))
    }

    // MARK: the asked side

    /// The answer to what another member asked over TCP; empty for what this version does not know.
    mutating func answer(_ bytes: [UInt8], from node: NodeID, _ step: inout Step) -> [UInt8] {
        var reader = WireReader(bytes)
        do throws(WireError) {
            switch try reader.read(UInt8.self) {
            case Kind.meet: return try met(&reader, from: node, &step)
            case Kind.snapshot where isMember(node, step): return try page(&reader)
            default: return []
            }
        } catch { return [] }
    }

    private mutating func met(
        _ reader: inout WireReader, from node: NodeID, _ step: inout Step
    ) throws(WireError) -> [UInt8] {
        let card = try MemberCard(from: &reader)
        guard card.record.node == node else { throw .malformed("another node's record") }
        let list = try reader.readBlock(limit: 1 << 20)
        if !list.isEmpty {
            var inner = WireReader(list)
            take(try RevocationList(from: &inner), &step)
        }
        var known: [NodeTag: UInt64] = [:]
        var isBehind = false
        for _ in 0..<(try reader.readCount(limit: configuration.memberLimit)) {
            let tag = try NodeTag(from: &reader)
            let incarnation: UInt64 = try reader.read()
            known[tag] = incarnation
            let own =
                tag == credentials.tag
                ? record.incarnation : index[tag].map { roster[$0].card.record.incarnation }
            isBehind = isBehind || own?.rawValue ?? 0 < incarnation
        }
        learned(card, &step)
        // Who is no member, or no longer one, is told nothing.
        guard isMember(node, step), let position = index[credentials.secret.tag(of: node)] else { return [] }
        roster[position].lastHeard = step.now
        // It has shown itself: a record that was known does not say so again.
        if card.record.incarnation == roster[position].card.record.incarnation, !card.record.isLeaving {
            revive(position, &step)
        }
        var writer = WireWriter()
        writer.write(Kind.met)
        self.card.write(to: &writer)
        writer.writeBlock(trust.revocations?.encoded ?? [])
        // The asker knows members, or later records, that this node does not, its own after a lost disk among them:
        // it is asked back, since its word without their signatures is worth nothing.
        if isBehind { meet(card.record.endpoints[0], node, &step) }
        var cards: [MemberCard] = []
        var size = 0
        for position in roster.indices where roster[position].node != node {
            let card = roster[position].card
            guard known[roster[position].tag] ?? 0 < card.record.incarnation.rawValue else { continue }
            size += card.encodedByteCount
            if size > Self.cardsByteLimit { break }
            cards.append(card)
        }
        // Its own record, if this node knows a later one: it lost its disk.
        if let position = index[credentials.secret.tag(of: node)],
            roster[position].card.record.incarnation > card.record.incarnation
        {
            cards.append(roster[position].card)
        }
        writer.writeNumber(cards.count)
        for card in cards { card.write(to: &writer) }
        return writer.bytes
    }

    func isMember(_ node: NodeID, _ step: Step) -> Bool {
        guard let position = index[credentials.secret.tag(of: node)] else { return false }
        return trust.refusal(of: node, roster[position].card.certificate, now: step.trusted) == nil
    }

    private mutating func page(_ reader: inout WireReader) throws(WireError) -> [UInt8] {
        let tag = try NodeTag(from: &reader)
        let after: UInt64 = try reader.read()
        let isFirst = try reader.read(UInt8.self) & 1 != 0
        var writer = WireWriter()
        writer.write(Kind.page)
        writer.write(tag.rawValue)
        func write(_ log: inout InventoryLog) {
            let (ids, more) = log.page(after: isFirst ? nil : after, limit: Self.pageLimit)
            writer.write(log.epoch)
            writer.write(log.sequence)
            writer.write(log.ids.hash)
            writer.write(UInt8(more ? 1 : 0))
            writer.writeNumber(ids.count)
            for id in ids { writer.write(id) }
        }
        if tag == credentials.tag {
            write(&log)
        } else if let position = index[tag] {
            write(&roster[position].log)
        } else {
            throw .malformed("an unknown member")
        }
        return writer.bytes
    }

    // MARK: the asking side

    mutating func take(
        _ result: Result<(NodeID, [UInt8]), ExchangeFailure>, token: UInt64, _ step: inout Step,
        _ rng: inout GossipRandom
    ) {
        guard let position = exchanges.firstIndex(where: { $0.token == token }) else { return }
        let exchange = exchanges.remove(at: position)
        switch exchange.purpose {
        case .meet(let endpoint):
            do {
                let (node, bytes) = try result.get()
                try tookMet(bytes, from: node, &step)
                noteSeed(endpoint, nil, &step, &rng)
            } catch {
                let reason = (error as? ExchangeFailure)?.reason ?? "its answer makes no sense: \(error)"
                noteSeed(endpoint, reason, &step, &rng)
            }
        case .snapshot(let tag):
            do {
                let (_, bytes) = try result.get()
                try tookPage(bytes, of: tag, &step)
            } catch {
                snapshotFailed(tag, &step)
            }
        }
    }

    private mutating func noteSeed(
        _ endpoint: Endpoint, _ failure: String?, _ step: inout Step, _ rng: inout GossipRandom
    ) {
        for position in seeds.indices
        where seeds[position].seed.endpoint == endpoint && !seeds[position].isMet {
            guard let failure else {
                seeds[position].isMet = true
                continue
            }
            seeds[position].failures += 1
            let pause = min(60, 1 << min(6, seeds[position].failures - 1))
            seeds[position].next =
                step.now + .seconds(pause) * Double.random(in: 0.75..<1.25, using: &rng)
            // Once a failure is enough for the log; the retries go on.
            if seeds[position].failures == 1 {
                step.effects.append(.event(.seedFailed(endpoint, failure)))
            }
        }
    }

    private mutating func tookMet(_ bytes: [UInt8], from node: NodeID, _ step: inout Step) throws {
        var reader = WireReader(bytes)
        guard try reader.read(UInt8.self) == Kind.met else {
            throw WireError.malformed("no answer to a meeting")
        }
        let card = try MemberCard(from: &reader)
        guard card.record.node == node else { throw WireError.malformed("another node's record") }
        let list = try reader.readBlock(limit: 1 << 20)
        if !list.isEmpty {
            var inner = WireReader(list)
            take(try RevocationList(from: &inner), &step)
        }
        learned(card, &step)
        if let position = index[credentials.secret.tag(of: node)] {
            roster[position].lastHeard = step.now
            if !card.record.isLeaving { revive(position, &step) }
        }
        let count = try reader.readCount(limit: configuration.memberLimit)
        let spreads = count <= Self.retoldLimit
        var isNews = false
        for _ in 0..<count {
            guard let card = try MemberCard.readable(from: &reader) else { continue }
            if card.record.node == id {
                sawOwnCard(card, &step)
            } else {
                isNews = learned(card, spreads: spreads, &step) || isNews
            }
        }
        // Who was behind asks the next one soon.
        if isNews { nextExchange = min(nextExchange, step.now + .seconds(1)) }
    }
}
