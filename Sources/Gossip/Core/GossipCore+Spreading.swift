/// Saying what is unsaid: to a few members at a time, and only while there is something (SWIM, section 4.1).
extension GossipCore {
    mutating func keepGossiping(_ step: inout Step, _ rng: inout GossipRandom) {
        guard step.now >= nextGossip else { return }
        nextGossip = step.now + configuration.gossipInterval
        guard !queue.isEmpty else { return }
        guard !reached.isEmpty else { return }
        for position in pick(configuration.fanout, &rng, where: { _ in true }) {
            guard !queue.isEmpty else { return }
            send([], to: position, &step, &rng)
        }
    }

    /// This node's inventory has moved: heads travel at the next gossip, many changes under one.
    mutating func sayHead(_ step: inout Step) {
        queue.say(
            .headHint(credentials.tag, UInt32(truncatingIfNeeded: log.sequence)),
            .init(topic: .head, about: credentials.tag), times: spreadTimes)
    }
}
