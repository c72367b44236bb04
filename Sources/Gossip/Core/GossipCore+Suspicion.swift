/// From suspicion to death and back. Dead is a local view: this node's own probes failed, or enough others said so
/// themselves; a member that is heard again is alive again.
extension GossipCore {
    /// Somebody says that a member does not answer.
    package mutating func accused(
        _ tag: NodeTag, _ incarnation: Incarnation, by accuser: NodeTag, isDirect: Bool, _ step: inout Step
    ) {
        if tag == credentials.tag {
            // Nobody can know a later incarnation than the current one without a record of it.
            if incarnation == record.incarnation { sawOwnRecord(incarnation, &step) }
            return
        }
        guard let position = index[tag], roster[position].isReached, index[accuser] != nil,
            incarnation >= roster[position].incarnation
        else { return }
        suspect(position, by: accuser, isDirect: isDirect, &step)
    }

    /// Begins a suspicion, or adds an accuser to one.
    mutating func suspect(_ position: Int, by accuser: NodeTag, isDirect: Bool, _ step: inout Step) {
        if roster[position].suspicion == nil {
            set(.suspect, of: position)
            let least = shortestSuspicion
            roster[position].suspicion = Suspicion(
                since: step.now, span: (least, least * configuration.suspicionStretch),
                wanted: min(configuration.accusers, max(0, reached.count - 2)), accusers: [],
                ownProbeFailed: false)
            step.effects.append(.event(.suspected(roster[position].node)))
        }
        guard var suspicion = roster[position].suspicion else { return }
        if isDirect, !suspicion.direct.contains(accuser) { suspicion.direct.append(accuser) }
        let isNew = !suspicion.accusers.contains(accuser)
        if isNew, suspicion.accusers.count <= configuration.accusers {
            suspicion.accusers.append(accuser)
            queue.say(
                .accusation(roster[position].tag, roster[position].incarnation, accuser: accuser),
                .init(topic: .accusation, about: roster[position].tag, by: accuser), times: spreadTimes)
        }
        roster[position].suspicion = suspicion
    }

    /// Accusation and refutation each need a round trip and some rounds of gossip, which grow with the logarithm.
    private var shortestSuspicion: Duration {
        configuration.suspicion
            + configuration.suspicionGrowth * max(0, Double(reached.count + 1).decimalLogarithm - 1)
    }

    mutating func keepSuspecting(_ step: inout Step, _ rng: inout GossipRandom) {
        for position in suspects {
            guard let suspicion = roster[position].suspicion, step.now >= suspicion.deadline else { continue }
            let quorum = min(3, max(1, (reached.count + 1) / 2))
            if suspicion.ownProbeFailed || suspicion.direct.count >= quorum {
                declareDead(position, &step)
            } else {
                // Others' word alone is not enough: one more round, in which this node tries it itself.
                roster[position].suspicion?.since = step.now
                roster[position].suspicion?.span = (
                    configuration.probeInterval * 3, configuration.probeInterval * 3
                )
            }
        }
    }

    private mutating func declareDead(_ position: Int, _ step: inout Step) {
        set(.dead, of: position)
        roster[position].isMourned = true
        roster[position].suspicion = nil
        queue.forget(.accusation, about: roster[position].tag)
        leases.drop(roster[position].tag)
        step.effects.append(.event(.died(roster[position].node)))
    }

    mutating func clearSuspicion(_ position: Int) {
        guard roster[position].status == .suspect else { return }
        set(.alive, of: position)
        roster[position].suspicion = nil
        queue.forget(.accusation, about: roster[position].tag)
    }

    mutating func revive(_ position: Int, _ step: inout Step) {
        guard roster[position].status == .dead || roster[position].status == .left,
            trust.refusal(of: roster[position].node, roster[position].card.certificate, now: step.trusted)
                == nil
        else { return }
        set(.alive, of: position)
        roster[position].suspicion = nil
        roster[position].told = .max
        if roster[position].isMourned { mourned.append(position) }
        roster[position].isMourned = false
        enterRing(position)
        noteBehind(position)
        step.effects.append(.event(.returned(roster[position].node)))
    }

    /// Tells those who were held dead here. Their refutation brings them back everywhere at once; else each of many
    /// members that were parted would have to hear each of the others itself.
    mutating func keepWelcoming(_ step: inout Step, _ rng: inout GossipRandom) {
        guard !mourned.isEmpty else { return }
        let returned = mourned
        mourned = []
        for position in returned where roster[position].isReached {
            let accusation = GossipMessage.accusation(
                roster[position].tag, roster[position].incarnation, accuser: credentials.tag)
            send([accusation], to: position, &step, &rng)
        }
    }

    /// A record of this node that it does not remember, signed by itself: it lost its disk, or was copied.
    mutating func sawOwnCard(_ card: MemberCard, _ step: inout Step) {
        guard card.record.incarnation > record.incarnation, card.record.cluster == credentials.cluster,
            card.record.isSigned
        else { return }
        sawOwnRecord(card.record.incarnation, &step)
    }

    /// Somebody takes this node for dead, or knows a later start of it: it says that it lives, above that.
    private mutating func sawOwnRecord(_ incarnation: Incarnation, _ step: inout Step) {
        guard !isLeaving, incarnation >= record.incarnation else { return }
        if incarnation.boot > record.incarnation.boot {
            // Its disk was lost, or its data folder copied back: above everything that was seen.
            let boot = incarnation.boot
            sign(boot < .max ? Incarnation(boot: boot + 1) : incarnation.next, &step)
            sendCounter = 0
            for position in roster.indices { roster[position].keys = nil }
        } else if incarnation > record.incarnation {
            sign(incarnation.next, &step)
        } else {
            sign(record.incarnation.next, &step)
        }
        health = min(configuration.healthLimit, health + 1)
        // Whoever took it for dead may have missed how far its inventory has come.
        if log.sequence > 0 { sayHead(&step) }
    }

    /// Signs a record with a new incarnation and tells everybody.
    mutating func sign(_ incarnation: Incarnation, isLeaving: Bool = false, _ step: inout Step) {
        record = MemberRecord(
            cluster: credentials.cluster, incarnation: incarnation, isLeaving: isLeaving,
            protocols: configuration.protocols, endpoints: configuration.endpoints, inventoryEpoch: log.epoch,
            software: configuration.software, extra: configuration.recordExtra, key: credentials.key)
        isDirty = true
        queue.say(.card(card), .init(topic: .card, about: credentials.tag), times: spreadTimes)
    }
}
