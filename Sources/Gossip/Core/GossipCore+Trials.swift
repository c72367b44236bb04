/// Whether datagrams get to a member and back, when a person wants to know: pings beside the regular probes, which
/// change nothing in what is thought of the member.
extension GossipCore {
    static let trialsAtMost = 256
    /// After that a member has not answered.
    static let trialTime = Duration.milliseconds(1500)
    private static let trialPause = Duration.milliseconds(300)

    struct Trial: Sendable {
        let number: UInt32
        let token: UInt64
        let target: NodeTag
        let size: TrialSize
        let begun: GossipTime
        var again: GossipTime
    }

    mutating func beginTrial(
        of node: NodeID, _ size: TrialSize, token: UInt64, _ step: inout Step, _ rng: inout GossipRandom
    ) {
        let tag = credentials.secret.tag(of: node)
        guard let position = index[tag], trials.count < Self.trialsAtMost else {
            step.effects.append(.tried(token: token, nil))
            return
        }
        probeNumber &+= 1
        trials.append(
            Trial(
                number: probeNumber, token: token, target: tag, size: size, begun: step.now,
                again: step.now + Self.trialPause))
        ping(position, probeNumber, size, &step, &rng)
    }

    /// Sends what is unanswered once more, and gives up what was sent for long enough.
    mutating func keepTrying(_ step: inout Step, _ rng: inout GossipRandom) {
        for place in trials.indices where step.now >= trials[place].again {
            trials[place].again = step.now + Self.trialPause
            guard let position = index[trials[place].target] else { continue }
            ping(position, trials[place].number, trials[place].size, &step, &rng)
        }
        trials.removeAll { trial in
            guard step.now - trial.begun >= Self.trialTime else { return false }
            step.effects.append(.tried(token: trial.token, nil))
            return true
        }
    }

    /// - Returns: whether an ack belonged to a trial.
    mutating func tried(_ number: UInt32, by position: Int, _ step: inout Step) -> Bool {
        guard
            let place = trials.firstIndex(where: {
                $0.number == number && $0.target == roster[position].tag
            })
        else { return false }
        let trial = trials.remove(at: place)
        step.effects.append(.tried(token: trial.token, step.now - trial.begun))
        return true
    }

    private mutating func ping(
        _ position: Int, _ number: UInt32, _ size: TrialSize, _ step: inout Step, _ rng: inout GossipRandom
    ) {
        switch size {
        case .usual: send([.ping(number)], to: position, &step, &rng)
        case .largest: sendAlone(GossipMessage.paddedPing(number), to: position, &step, &rng)
        }
    }
}
