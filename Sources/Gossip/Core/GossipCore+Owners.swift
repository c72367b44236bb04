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
        _ id: InventoryID, wantsLease: Bool, token: UInt64, _ step: inout Step, _ rng: inout GossipRandom
    ) {
        questionNumber &+= 1
        let question = Question(
            number: questionNumber, token: token, id: id, wantsLease: wantsLease, owners: owners(of: id),
            asked: step.now, timeout: step.now + configuration.ownerTimeout,
            again: step.now + configuration.ownerTimeout * 2 / 5)
        put(question, &step, &rng)
    }

    /// Asks the first of the owners that are left.
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
                question.id, number: question.number, wantsLease: question.wantsLease, by: credentials.tag,
                &step)
            guard case .owner(_, let lease, let holders, let fetchers) = message else { return }
            noteSecondGrant(question.id, to: credentials.tag, lease: lease, &step, &rng)
            return finish(question, lease: lease, holders: holders, fetchers: fetchers, &step)
        }
        guard let position = index[owner] else { return }
        questions.append(question)
        send([.ask(question.number, question.id, wantsLease: question.wantsLease)], to: position, &step, &rng)
    }

    mutating func keepAsking(_ step: inout Step, _ rng: inout GossipRandom) {
        var late: [Question] = []
        for position in questions.indices {
            if step.now >= questions[position].timeout {
                late.append(questions[position])
            } else if let again = questions[position].again, step.now >= again {
                questions[position].again = nil
                let question = questions[position]
                if let owner = question.owners.first.flatMap({ index[$0] }) {
                    send(
                        [.ask(question.number, question.id, wantsLease: question.wantsLease)], to: owner,
                        &step,
                        &rng)
                }
            }
        }
        guard !late.isEmpty else { return }
        questions.removeAll { step.now >= $0.timeout }
        for var question in late {
            question.owners.removeFirst()
            question.timeout = step.now + configuration.ownerTimeout
            question.again = step.now + configuration.ownerTimeout * 2 / 5
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
            .answer(token: question.token, OwnerAnswer(lease: verdict, holders: known, fetchers: others)))
    }

    // MARK: as an owner

    mutating func owned(
        _ id: InventoryID, number: UInt32, wantsLease: Bool, by position: Int, _ step: inout Step,
        _ rng: inout GossipRandom
    ) -> GossipMessage {
        let asker = roster[position].tag
        let answer = decide(id, number: number, wantsLease: wantsLease, by: asker, &step)
        if case .owner(_, let lease, _, _) = answer {
            noteSecondGrant(id, to: asker, lease: lease, &step, &rng)
        }
        return answer
    }

    /// A grant of the second owner is told to the first.
    private mutating func noteSecondGrant(
        _ id: InventoryID, to holder: NodeTag, lease: GossipMessage.OwnerLease, _ step: inout Step,
        _ rng: inout GossipRandom
    ) {
        guard lease == .granted, let first = owners(of: id).first, first != credentials.tag, first != holder,
            let position = index[first]
        else { return }
        send([.granted(id, holder)], to: position, &step, &rng)
    }

    private mutating func decide(
        _ id: InventoryID, number: UInt32, wantsLease: Bool, by asker: NodeTag, _ step: inout Step
    ) -> GossipMessage {
        var lease = GossipMessage.OwnerLease.none
        if wantsLease {
            let holder = leases.ask(id, by: asker, for: configuration.leaseTime, now: step.now)
            lease = holder == asker ? .granted : .held
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
