import struct FoundationEssentials.Date

/// Failure detection by probes, direct and through others (SWIM, section 3.1; Lifeguard, section IV.A).
extension GossipCore {
    /// The node's own health stretches its clocks: who is slow himself must not accuse others.
    private func stretched(_ span: Duration) -> Duration { span * (health + 1) }

    mutating func keepProbing(_ step: inout Step, _ rng: inout GossipRandom) {
        expireRelays(&step, &rng)
        if let probe, !probe.isIndirect, step.now >= probe.timeout { probeThroughOthers(probe, &step, &rng) }
        if let probe, step.now >= probe.deadline {
            self.probe = nil
            failed(probe, &step, &rng)
        }
        guard step.now >= nextProbe else { return }
        // A clock that stood still is made up for by one round, not by many.
        nextProbe = max(nextProbe + configuration.probeInterval, step.now + configuration.probeInterval / 2)
        guard probe == nil, let target = nextTarget(step) else { return }
        begin(target, &step, &rng)
    }

    private mutating func begin(_ position: Int, _ step: inout Step, _ rng: inout GossipRandom) {
        probeNumber &+= 1
        probe = Probe(
            target: roster[position].tag, number: probeNumber, sent: step.now,
            timeout: step.now + stretched(configuration.probeTimeout),
            deadline: step.now + stretched(configuration.probeInterval))
        roster[position].told = .max
        var messages: [GossipMessage] = [.ping(probeNumber)]
        if roster[position].status == .suspect {
            messages.append(
                .accusation(roster[position].tag, roster[position].incarnation, accuser: credentials.tag))
        }
        send(messages, to: position, &step, &rng)
    }

    /// Has a member that is reached anew probed in the round that runs, at a place that differs from observer to
    /// observer (SWIM, section 4.3).
    mutating func enterRing(_ position: Int) {
        guard roster[position].isReached, !ring.contains(position) else { return }
        let place = mixed(roster[position].tag.rawValue ^ credentials.tag.rawValue) % UInt64(ring.count + 1)
        ring.insert(position, at: Int(place))
    }

    /// Round robin over a ring, so that each is probed within two rounds (SWIM, section 4.3); a suspect that this node
    /// has not tried itself comes first.
    private mutating func nextTarget(_ step: Step) -> Int? {
        if let untried = suspects.first(where: { roster[$0].suspicion?.ownProbeFailed == false }) {
            return untried
        }
        while true {
            if ring.isEmpty { ring = newRing(at: step.trusted) }
            guard let next = ring.popLast() else { return nil }
            if roster[next].isReached { return next }
        }
    }

    /// A round, the last to be probed leading. In second s of the day's time, the node of rank r begins at rank r + 1 + s
    /// of all tags: where clocks agree, each member is probed by another one every second, and none has to wait for
    /// chance, which lets one in a hundred wait five times as long. Where they do not, a ring is as good as a shuffled one.
    private func newRing(at time: Date) -> [Int] {
        guard !reached.isEmpty else { return [] }
        let order = reached.sorted { roster[$0].tag < roster[$1].tag }
        let above = order.firstIndex { credentials.tag < roster[$0].tag } ?? 0
        let start = (above + Int(time.seconds % UInt64(order.count))) % order.count
        return (order[start...] + order[..<start]).reversed()
    }

    mutating func acknowledged(
        _ number: UInt32, by position: Int, _ step: inout Step, _ rng: inout GossipRandom
    ) {
        if tried(number, by: position, &step) { return }
        if let relay = relays.first(where: { $0.number == number }) {
            relays.removeAll { $0.number == number }
            if let asker = index[relay.asker] { send([.ack(relay.askerNumber)], to: asker, &step, &rng) }
            return
        }
        guard let probe, probe.number == number, let target = index[probe.target] else { return }
        self.probe = nil
        health = max(0, health - 1)
        if roster[position].tag == probe.target, !probe.isIndirect {
            roster[target].nearness.sample(step.now - probe.sent)
        }
        if roster[target].status == .suspect, roster[position].tag == probe.target {
            // Seen alive by this node itself: its own suspicion is over. The others have the refutation to wait for.
            clearSuspicion(target)
        }
    }

    private mutating func probeThroughOthers(_ probe: Probe, _ step: inout Step, _ rng: inout GossipRandom) {
        self.probe?.isIndirect = true
        guard let target = index[probe.target] else { return }
        let helpers = pick(configuration.indirectProbes, &rng) { $0 != target && roster[$0].status == .alive }
        self.probe?.nacksMissing = helpers.count
        for helper in helpers {
            send([.pingRequest(probe.number, target: probe.target)], to: helper, &step, &rng)
        }
    }

    private mutating func failed(_ probe: Probe, _ step: inout Step, _ rng: inout GossipRandom) {
        if let position = index[probe.target], roster[position].isReached,
            roster[position].lastHeard == nil, !roster[position].isIntroduced
        {
            // It may not know this node yet, and strangers are not answered: it gets this node's record first.
            roster[position].isIntroduced = true
            return meet(roster[position].endpoint, roster[position].node, &step)
        }
        // Helpers that did not even say that they failed: the fault may be this node's own.
        health = min(configuration.healthLimit, health + 1 + (probe.nacksMissing > 0 ? 1 : 0))
        guard let position = index[probe.target], roster[position].isReached else { return }
        suspect(position, by: credentials.tag, isDirect: true, &step)
        roster[position].suspicion?.ownProbeFailed = true
    }

    // MARK: probes for others

    mutating func relay(
        _ number: UInt32, to target: NodeTag, for asker: NodeTag, _ step: inout Step,
        _ rng: inout GossipRandom
    ) {
        guard let position = index[target], roster[position].status != .left, relays.count < 256 else {
            return
        }
        probeNumber &+= 1
        relays.append(
            Relay(
                number: probeNumber, asker: asker, askerNumber: number,
                nackAt: step.now + configuration.probeTimeout * 4 / 5,
                until: step.now + configuration.probeInterval * (configuration.healthLimit + 1)))
        send([.ping(probeNumber)], to: position, &step, &rng)
    }

    private mutating func expireRelays(_ step: inout Step, _ rng: inout GossipRandom) {
        for index in relays.indices where !relays[index].isNacked && step.now >= relays[index].nackAt {
            relays[index].isNacked = true
            if let asker = self.index[relays[index].asker] {
                send([.nack(relays[index].askerNumber)], to: asker, &step, &rng)
            }
        }
        relays.removeAll { step.now >= $0.until }
    }

    /// At most `count` different members that are reached and fit.
    func pick(_ count: Int, _ rng: inout GossipRandom, where fits: (Int) -> Bool) -> [Int] {
        guard !reached.isEmpty else { return [] }
        var picked: [Int] = []
        // Drawing beats shuffling where there are many; a few members are all looked at.
        if reached.count > count * 4 {
            for _ in 0..<count * 8 where picked.count < count {
                let candidate = reached[Int.random(in: reached.indices, using: &rng)]
                if fits(candidate), !picked.contains(candidate) { picked.append(candidate) }
            }
            return picked
        }
        return Array(reached.filter(fits).shuffled(using: &rng).prefix(count))
    }
}
