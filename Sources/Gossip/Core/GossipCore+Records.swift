import struct FoundationEssentials.Date

/// Who is a member: records and certificates that come, from whomever.
extension GossipCore {
    /// Takes a card over and, unless everybody knows it, passes it on.
    /// - Returns: whether it said anything new.
    @discardableResult
    mutating func learned(_ card: MemberCard, spreads: Bool = true, _ step: inout Step) -> Bool {
        switch learn(card, trusted: step.trusted, now: step.now) {
        case .known: return false
        case .new(let position):
            step.effects.append(.event(.joined(card.record.node)))
            warnOfExpiry(position, &step)
            if spreads { spread(position) }
        case .newer(let position, let wasAway):
            if wasAway { step.effects.append(.event(.returned(card.record.node))) }
            if spreads { spread(position) }
        case .left(let position):
            step.effects.append(.event(.left(card.record.node)))
            if spreads { spread(position) }
        case .refused(let refusal):
            refused(card, refusal, &step)
            return false
        }
        return true
    }

    private mutating func refused(_ card: MemberCard, _ refusal: TrustRefusal, _ step: inout Step) {
        if isAboutItsNode(card, refusal, step) {
            step.effects.append(.event(.refused(card.record.node, refusal)))
        }
        guard case .invitationUsed(let serial) = refusal, let certificate = card.certificate,
            trust.conflict(certificate)
        else { return }
        isDirty = true
        for member in roster where member.card.certificate?.serial == serial {
            step.effects.append(.event(.refused(member.node, .heldBack(serial))))
        }
        step.effects.append(
            .event(
                .alarm(
                    "two nodes have joined with the invitation \(serial), \(card.record.node) and another: "
                        + "both are held back until it is revoked")))
    }

    /// A card that its node has not signed, or that shows a member without its papers, is somebody else's work: whoever
    /// brings it must not part that member from this node.
    private func isAboutItsNode(_ card: MemberCard, _ refusal: TrustRefusal, _ step: Step) -> Bool {
        guard card.record.isSigned else { return false }
        if case .otherProtocols = refusal { return true }
        return !isMember(card.record.node, step)
    }

    private mutating func spread(_ position: Int) {
        queue.say(
            .card(roster[position].card), .init(topic: .card, about: roster[position].tag), times: spreadTimes
        )
    }

    private func warnOfExpiry(_ position: Int, _ step: inout Step) {
        guard let expires = roster[position].admission.expires,
            step.trusted.addingTimeInterval(30 * 86_400) > expires
        else { return }
        step.effects.append(.event(.expires(roster[position].node, expires)))
    }

    enum Learned {
        case known
        case new(Int)
        case newer(Int, wasAway: Bool)
        case left(Int)
        case refused(TrustRefusal)
    }

    /// Notes what a card says, if it is genuine and newer than what is known.
    mutating func learn(_ card: MemberCard, trusted: Date, now: GossipTime) -> Learned {
        let record = card.record
        guard record.node != id else { return .known }
        guard record.cluster == credentials.cluster else { return .refused(.otherCluster(record.cluster)) }
        let tag = credentials.secret.tag(of: record.node)
        if let position = index[tag], record.incarnation <= roster[position].card.record.incarnation {
            return .known
        }
        guard index[tag] != nil || roster.count < configuration.memberLimit else {
            return .refused(.malformed("the cluster has \(roster.count) members, more are not taken"))
        }
        let admission: Trust.Admission
        switch trust.admit(card.certificate, key: record.node, now: trusted) {
        case .success(let admitted): admission = admitted
        case .failure(let refusal): return .refused(refusal)
        }
        let isGenuine =
            configuration.memo?.isGood(record.encoded) { record.isSigned } ?? record.isSigned
        guard isGenuine else { return .refused(.malformed("its record's signature is wrong")) }
        if let refusal = refusal(ofProtocols: record) {
            // What it spoke before counts no more.
            if let position = index[tag], roster[position].status != .left {
                takeOut(position)
                isDirty = true
            }
            return .refused(refusal)
        }
        isDirty = true
        let card = configuration.memo?.shared(card) ?? card
        guard let position = index[tag] else {
            var member = Member(tag: tag, card: card, admission: admission)
            if record.isLeaving { member.status = .left }
            roster.append(member)
            index[tag] = roster.count - 1
            if !record.isLeaving { reached.append(roster.count - 1) }
            enterRing(roster.count - 1)
            return record.isLeaving ? .known : .new(roster.count - 1)
        }
        return renew(position, card, admission)
    }

    private mutating func renew(_ position: Int, _ card: MemberCard, _ admission: Trust.Admission) -> Learned
    {
        let before = roster[position].status
        roster[position].card = card
        roster[position].admission = admission
        roster[position].incarnation = max(roster[position].incarnation, card.record.incarnation)
        if card.record.incarnation.boot > roster[position].boot {
            roster[position].boot = card.record.incarnation.boot
            roster[position].replay = ReplayWindow()
            roster[position].told = .max
        }
        if card.record.inventoryEpoch != roster[position].log.epoch {
            forgetLog(of: position, epoch: card.record.inventoryEpoch)
        }
        roster[position].suspicion = nil
        queue.forget(.accusation, about: roster[position].tag)
        set(card.record.isLeaving ? .left : .alive, of: position)
        roster[position].isMourned = false
        if before == .dead || before == .left {
            enterRing(position)
            noteBehind(position)
        }
        if card.record.isLeaving { return before == .left ? .known : .left(position) }
        return .newer(position, wasAway: before == .dead || before == .left)
    }

    // MARK: revocation

    mutating func take(_ list: RevocationList, _ step: inout Step) {
        do throws(TrustRefusal) {
            guard try trust.merge(list) else { return }
        } catch {
            step.effects.append(.event(.alarm("a revocation list is not taken: \(error)")))
            return
        }
        // On disk before anything else: who starts again must not let them in once more.
        isDirty = true
        nextPersist = step.now
        step.effects.append(.event(.revoked(number: list.number)))
        for position in roster.indices where roster[position].status != .left {
            guard
                let refusal = trust.refusal(
                    of: roster[position].node, roster[position].card.certificate, now: step.trusted)
            else { continue }
            takeOut(position)
            step.effects.append(.event(.refused(roster[position].node, refusal)))
        }
        // It travels first: whoever gets it hands it on at once, to as many as reach all but a few in a few rounds.
        nextExchange = step.now
        hurriedExchanges = Self.revocationFanout
    }

    /// It is no member any more: nothing of it counts.
    private mutating func takeOut(_ position: Int) {
        set(.left, of: position)
        roster[position].suspicion = nil
        queue.forget(.accusation, about: roster[position].tag)
        roster[position].log = InventoryLog(epoch: 0)
        leases.drop(roster[position].tag)
    }

    /// Why the two cannot understand each other; nil when they share a version.
    func refusal(ofProtocols record: MemberRecord) -> TrustRefusal? {
        guard !record.protocols.overlaps(configuration.protocols) else { return nil }
        return .otherProtocols(record.protocols, own: configuration.protocols)
    }

    mutating func leave(_ step: inout Step, _ rng: inout GossipRandom) {
        guard !isLeaving else { return }
        sign(record.incarnation.next, isLeaving: true, &step)
        isLeaving = true
        for position in pick(max(8, configuration.fanout), &rng, where: { _ in true }) {
            send([.card(card)], to: position, &step, &rng)
        }
        step.effects.append(.persist(stateToKeep))
    }
}
