/// Asking the owners of an object who holds it, who fetches it, and whether one may; and answering as one
/// (docs/wire-formats.md, "Owners and leases"). Leases are advice: whoever gets no answer goes on alone.
extension GossipCore {
    /// The two owners of an object, this node among them where it is one.
    func owners(of id: InventoryID) -> [NodeTag] {
        var candidates = reached.filter {
            roster[$0].admission.zone == credentials.zone && roster[$0].status == .alive
        }.map { roster[$0].tag }
        candidates.append(credentials.tag)
        return Rendezvous.owners(of: id, among: candidates)
    }

    mutating func ask(
        _ id: InventoryID, wantsLease: Bool, doubting: NodeTag?, token: UInt64, _ step: inout Step,
        _ rng: inout GossipRandom
    ) {
        questionNumber &+= 1
        let question = Question(
            number: questionNumber, token: token, id: id, wantsLease: wantsLease, doubting: doubting,
            owners: owners(of: id), asked: step.now, timeout: step.now, again: step.now, pause: .zero)
        put(question, &step, &rng)
    }

    /// Asks the first of the owners that are left. A far one gets the time that its answers take; a datagram that may
    /// be lost is sent up to four times within it.
    private mutating func put(_ question: Question, _ step: inout Step, _ rng: inout GossipRandom) {
        guard let owner = question.owners.first else {
            return step.effects.append(
                .answer(
                    token: question.token,
                    OwnerAnswer(
                        lease: question.wantsLease ? .unreachable : .notAsked,
                        holders: holders(of: question.id, now: step.now).map { roster[$0].node }, fetchers: []
                    )))
        }
        if owner == credentials.tag {
            let message = decide(
                question.id, number: question.number, wantsLease: question.wantsLease,
                doubting: question.doubting, by: credentials.tag, &step, &rng)
            guard case .owner(_, let lease, let holders, let fetchers) = message else { return }
            return finish(question, lease: lease, holders: holders, fetchers: fetchers, &step)
        }
        guard let position = index[owner] else { return }
        var question = question
        let roundTrip = roster[position].nearness.roundTrip ?? .zero
        let patience = max(configuration.ownerTimeout, min(roundTrip * 3, .milliseconds(500)))
        question.pause = max(patience / 4, min(roundTrip * 3 / 2, patience / 2))
        question.asked = step.now
        question.timeout = step.now + patience
        question.again = step.now + question.pause
        questions.append(question)
        send([question.message], to: position, &step, &rng)
    }

    mutating func keepAsking(_ step: inout Step, _ rng: inout GossipRandom) {
        var late: [Question] = []
        for position in questions.indices {
            if step.now >= questions[position].timeout {
                late.append(questions[position])
            } else if step.now >= questions[position].again {
                questions[position].again = step.now + questions[position].pause
                if let owner = questions[position].owners.first.flatMap({ index[$0] }) {
                    send([questions[position].message], to: owner, &step, &rng)
                }
            }
        }
        guard !late.isEmpty else { return }
        questions.removeAll { step.now >= $0.timeout }
        for var question in late {
            question.owners.removeFirst()
            question.isFirstOwner = false
            put(question, &step, &rng)
        }
    }

    mutating func answered(
        _ number: UInt32, lease: GossipMessage.OwnerLease, holders: [NodeTag], fetchers: [NodeTag],
        by position: Int, _ step: inout Step
    ) {
        guard
            let found = questions.firstIndex(where: {
                $0.number == number && $0.owners.first == roster[position].tag
            })
        else { return }
        roster[position].nearness.sample(step.now - questions[found].asked)
        let question = questions.remove(at: found)
        finish(question, lease: lease, holders: holders, fetchers: fetchers, &step)
    }

    private func finish(
        _ question: Question, lease: GossipMessage.OwnerLease, holders: [NodeTag], fetchers: [NodeTag],
        _ step: inout Step
    ) {
        func nodes(_ tags: [NodeTag]) -> [NodeID] {
            tags.filter { $0 != credentials.tag }.compactMap { index[$0].map { roster[$0].node } }
        }
        let others = nodes(fetchers)
        let verdict: OwnerAnswer.Lease =
            switch lease {
            case .granted: .granted(configuration.leaseTime)
            case .held: others.first.map { .held(by: $0) } ?? .unreachable
            case .none: .notAsked
            }
        var known = self.holders(of: question.id, now: step.now).map { roster[$0].node }
        for node in nodes(holders) where !known.contains(node) { known.append(node) }
        step.effects.append(
            .answer(
                token: question.token,
                OwnerAnswer(
                    lease: verdict, holders: known, fetchers: others, isFirstOwner: question.isFirstOwner)))
    }

    // MARK: as an owner

    mutating func owned(
        _ id: InventoryID, number: UInt32, wantsLease: Bool, doubting: NodeTag?, by position: Int,
        _ step: inout Step, _ rng: inout GossipRandom
    ) -> GossipMessage {
        decide(
            id, number: number, wantsLease: wantsLease, doubting: doubting, by: roster[position].tag, &step,
            &rng)
    }

    /// What one owner grants is told to the other, so that the two do not grant it twice when one of them cannot be
    /// reached for a while.
    private mutating func tellOtherOwner(
        _ id: InventoryID, of holder: NodeTag, _ step: inout Step, _ rng: inout GossipRandom
    ) {
        for owner in owners(of: id) where owner != credentials.tag && owner != holder {
            guard let position = index[owner] else { continue }
            send([.granted(id, holder)], to: position, &step, &rng)
        }
    }

    /// Looks whether the holder of a lease still lives when somebody, or this node's own data path, got nothing from
    /// it. Without a sign of life its lease ends early.
    private mutating func examine(
        _ id: InventoryID, doubting: NodeTag?, by asker: NodeTag, _ step: inout Step,
        _ rng: inout GossipRandom
    ) {
        guard let holder = leases.holder(of: id, now: step.now), holder != asker, holder != credentials.tag,
            let position = index[holder]
        else { return }
        let isDoubted = doubting == holder || roster[position].nearness.isDemoted(now: step.now)
        switch leases.examine(
            id, isDoubted: isDoubted, lastHeard: roster[position].lastHeard, now: step.now)
        {
        case .stands: break
        case .probe:
            // Any answer will do.
            probeNumber &+= 1
            send([.ping(probeNumber)], to: position, &step, &rng)
        case .ends: leases.release(id, by: holder)
        }
    }

    private mutating func decide(
        _ id: InventoryID, number: UInt32, wantsLease: Bool, doubting: NodeTag?, by asker: NodeTag,
        _ step: inout Step, _ rng: inout GossipRandom
    ) -> GossipMessage {
        var lease = GossipMessage.OwnerLease.none
        if wantsLease {
            examine(id, doubting: doubting, by: asker, &step, &rng)
            let holder = leases.ask(id, by: asker, for: configuration.leaseTime, now: step.now)
            lease = holder == asker ? .granted : .held
            if lease == .granted { tellOtherOwner(id, of: asker, &step, &rng) }
        }
        var holding = holders(of: id, now: step.now).map { roster[$0].tag }.filter { $0 != asker }
        if log.ids.contains(id.rawValue), asker != credentials.tag { holding.insert(credentials.tag, at: 0) }
        return .owner(
            number, lease: lease, holders: Array(holding.prefix(GossipMessage.tagLimit)),
            fetchers: Array(
                leases.fetchers(of: id, now: step.now).filter { $0 != asker }.prefix(GossipMessage.tagLimit)))
    }

    mutating func release(_ id: InventoryID, _ step: inout Step, _ rng: inout GossipRandom) {
        for owner in owners(of: id) {
            if owner == credentials.tag {
                leases.release(id, by: credentials.tag)
            } else if let position = index[owner] {
                send([.release(id)], to: position, &step, &rng)
            }
        }
    }
}
