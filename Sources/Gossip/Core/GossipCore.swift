import Content

import struct FoundationEssentials.Date

/// A node's part in gossip, as a value: inputs and the time go in, effects come out (docs/wire-formats.md, architecture
/// section 6). It has no socket, clock, task or logger, and draws its random numbers from the generator it is given.
///
/// Members stand in an array in the order in which they were met; nothing is walked in a hash table's order, so that
/// one seed gives one run.
public struct GossipCore: Sendable {
    public static let protocols: ClosedRange<UInt8> = 1...1

    let configuration: GossipConfiguration
    let credentials: ClusterCredentials
    package var trust: Trust
    var clock: TrustedClock
    var record: MemberRecord
    var isLeaving = false

    package var roster: [Member] = []
    package var index: [NodeTag: Int] = [:]
    /// Indices of those reached, and of those suspected among them, rising.
    var reached: [Int] = []
    var suspects: [Int] = []
    /// Indices of those who were declared dead here and live: they are told, so that they tell everybody.
    var mourned: [Int] = []
    /// Indices of those of whose inventory something is missing, in the order in which that became known.
    var behind: [Int] = []

    // Probing.
    var ring: [Int] = []
    var nextProbe: GossipTime
    var probe: Probe?
    var relays: [Relay] = []
    var trials: [Trial] = []
    var probeNumber: UInt32
    /// Lifeguard's local health: 0 is well.
    var health = 0

    // Spreading.
    var queue = SpreadQueue()
    var nextGossip: GossipTime
    var sendCounter: UInt64 = 0
    /// Datagrams that were not taken.
    package internal(set) var drops = DatagramDrops()

    // Exchanges over TCP.
    var exchanges: [Exchange] = []
    var nextExchange: GossipTime
    /// Comparisons since the start: the first follow each other faster, while the node is new.
    var exchangeCount = 0
    /// Comparisons that are begun at once with the next one.
    var hurriedExchanges = 0
    var nextRetry: GossipTime
    var seeds: [SeedState]
    var nextToken: UInt64 = 1
    var isDirty = false
    var nextPersist: GossipTime

    // Inventory and owners.
    package var log: InventoryLog
    package var leases = LeaseBook()
    var questions: [Question] = []
    var questionNumber: UInt32

    struct Probe: Sendable {
        let target: NodeTag
        let number: UInt32
        let sent: GossipTime
        var timeout: GossipTime
        var deadline: GossipTime
        var isIndirect = false
        var nacksMissing = 0
    }

    /// A probe that is made for somebody else.
    struct Relay: Sendable {
        let number: UInt32
        let asker: NodeTag
        let askerNumber: UInt32
        let nackAt: GossipTime
        let until: GossipTime
        var isNacked = false
    }

    struct SeedState: Sendable {
        let seed: GossipConfiguration.Seed
        var next: GossipTime
        var failures = 0
        var isMet = false
    }

    struct Exchange: Sendable {
        enum Purpose: Sendable {
            case meet(Endpoint)
            case snapshot(of: NodeTag)
        }
        let token: UInt64
        let purpose: Purpose
        let until: GossipTime
    }

    /// A question that an owner has not answered yet.
    struct Question: Sendable {
        let number: UInt32
        let token: UInt64
        let id: InventoryID
        let wantsLease: Bool
        let doubting: NodeTag?
        /// Those that are left to ask, the first of them at present.
        var owners: [NodeTag]
        var isFirstOwner = true
        var asked: GossipTime
        var timeout: GossipTime
        /// When it is sent once more.
        var again: GossipTime
        /// Between two sends.
        var pause: Duration

        var message: GossipMessage { .ask(number, id, wantsLease: wantsLease, doubting: doubting) }
    }

    /// - Parameters:
    ///   - trust: empty, or with what was kept; what `state` holds is added.
    ///   - state: what the last `GossipEffect.persist` said; empty for a node that never ran.
    ///   - wall: the machine's clock.
    public init(
        _ configuration: GossipConfiguration, credentials: ClusterCredentials, trust: Trust, state: [UInt8],
        now: GossipTime, wall: Date, rng: inout GossipRandom
    ) {
        self.configuration = configuration
        self.credentials = credentials
        self.trust = trust
        self.trust.memo = configuration.memo
        let kept = KeptState(state)
        clock = TrustedClock(kept: kept.time)
        log = InventoryLog(epoch: rng.next())
        // A node that lost its disk must not come back under a number that others remember with another record.
        let boot =
            kept.boot == 0
            ? UInt32.random(in: 1...0xffff, using: &rng) : kept.boot < .max ? kept.boot + 1 : .max
        record = MemberRecord(
            cluster: credentials.cluster, incarnation: Incarnation(boot: boot), isLeaving: false,
            protocols: configuration.protocols, endpoints: configuration.endpoints, inventoryEpoch: log.epoch,
            software: configuration.software, extra: configuration.recordExtra, key: credentials.key)
        probeNumber = UInt32(truncatingIfNeeded: rng.next())
        questionNumber = UInt32(truncatingIfNeeded: rng.next())
        nextProbe = now + .seconds(Double.random(in: 0..<1, using: &rng))
        nextGossip = now + configuration.gossipInterval
        nextExchange = now + .seconds(2)
        nextRetry = now + configuration.retryInterval
        nextPersist = now
        seeds = configuration.seeds.map { SeedState(seed: $0, next: now) }
        isDirty = true
        kept.restoreTrust(into: &self.trust)
        let trusted = clock.now(wall)
        for card in kept.cards { _ = learn(card, trusted: trusted, now: now) }
        // Whom it knew, it asks first: seeds may be long gone.
        let known = Set(seeds.map(\.seed.endpoint))
        for member in roster where !known.contains(member.endpoint) && seeds.count < 64 {
            seeds.append(SeedState(seed: .init(endpoint: member.endpoint, node: member.node), next: now))
        }
        // They are known, but nobody knows yet whether they live.
        for position in roster.indices { roster[position].status = .dead }
        (reached, suspects, ring) = ([], [], [])
    }

    public var id: NodeID { credentials.id }
    package var ownRecord: MemberRecord { record }
    package var card: MemberCard { MemberCard(record: record, certificate: credentials.certificate) }

    /// When it wants to be woken, if nothing comes before.
    public var nextWake: GossipTime {
        if isLeaving { return .distantFuture }
        var wake = min(nextProbe, nextExchange, nextRetry)
        if !queue.isEmpty { wake = min(wake, nextGossip) }
        if isDirty { wake = min(wake, nextPersist) }
        if let probe { wake = min(wake, probe.isIndirect ? probe.deadline : probe.timeout) }
        for relay in relays { wake = min(wake, relay.isNacked ? relay.until : relay.nackAt) }
        for trial in trials { wake = min(wake, trial.again, trial.begun + Self.trialTime) }
        for position in suspects {
            if let suspicion = roster[position].suspicion { wake = min(wake, suspicion.deadline) }
        }
        for exchange in exchanges { wake = min(wake, exchange.until) }
        for seed in seeds where !seed.isMet { wake = min(wake, seed.next) }
        for question in questions { wake = min(wake, question.again, question.timeout) }
        return wake
    }

    /// Takes one input. Effects are appended in the order in which they are to happen.
    /// - Parameters:
    ///   - now: never earlier than at the call before.
    ///   - wall: the machine's clock, which may be wrong by years.
    public mutating func receive(
        _ input: GossipInput, now: GossipTime, wall: Date, rng: inout GossipRandom,
        into effects: inout [GossipEffect]
    ) {
        let trusted = clock.now(wall)
        var step = Step(now: now, trusted: trusted, effects: [])
        switch input {
        case .wake: break
        case .datagram(let bytes, let endpoint):
            // What is dropped costs nothing more; what is due has its own wake.
            guard take(bytes, from: endpoint, &step, &rng) else { return }
        case .inventory(let add, let remove):
            if log.change(add: add, remove: remove) { sayHead(&step) }
        case .exchangeRequest(let bytes, let node, let token):
            step.effects.append(.reply(token: token, answer(bytes, from: node, &step)))
        case .exchangeAnswer(let token, let result): take(result, token: token, &step, &rng)
        case .ask(let id, let wantsLease, let doubting, let token):
            ask(
                id, wantsLease: wantsLease, doubting: doubting.map { credentials.secret.tag(of: $0) },
                token: token, &step, &rng)
        case .release(let id): release(id, &step, &rng)
        case .observed(let node, let observation): observe(observation, of: node, step)
        case .revocations(let list): take(list, &step)
        case .trial(let node, let size, let token): beginTrial(of: node, size, token: token, &step, &rng)
        case .leave: leave(&step, &rng)
        }
        keepTime(&step, &rng)
        effects += step.effects
    }

    /// One call's time and effects.
    package struct Step {
        package let now: GossipTime
        /// The time of day as far as it can be trusted.
        package let trusted: Date
        package var effects: [GossipEffect]

        package init(now: GossipTime, trusted: Date, effects: [GossipEffect]) {
            self.now = now
            self.trusted = trusted
            self.effects = effects
        }
    }

    /// Everything that is due.
    private mutating func keepTime(_ step: inout Step, _ rng: inout GossipRandom) {
        guard !isLeaving else { return }
        keepProbing(&step, &rng)
        keepTrying(&step, &rng)
        keepSuspecting(&step, &rng)
        keepWelcoming(&step, &rng)
        keepExchanging(&step, &rng)
        keepAsking(&step, &rng)
        keepPulling(&step, &rng)
        keepGossiping(&step, &rng)
        if isDirty, step.now >= nextPersist {
            isDirty = false
            nextPersist = step.now + .seconds(5)
            step.effects.append(.persist(stateToKeep))
        }
    }

    /// Gives a member another status, and keeps the lists of those who are reached and suspected.
    mutating func set(_ status: Member.Status, of position: Int) {
        roster[position].status = status
        suspects.set(position, isIn: status == .suspect)
        let isReached = roster[position].isReached
        if reached.set(position, isIn: isReached), !isReached { ring.removeAll { $0 == position } }
    }

    /// Times that a thing is said until all have heard it with great certainty.
    var spreadTimes: Int { 4 * Int(Double(reached.count + 2).decimalLogarithm.rounded(.up)) }
}
