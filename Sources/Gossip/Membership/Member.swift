import struct FoundationEssentials.Date

/// What this node knows of another one.
package struct Member: Sendable {
    package enum Status: Hashable, Sendable {
        case alive
        case suspect
        case dead
        case left
    }

    let tag: NodeTag
    package var card: MemberCard
    var admission: Trust.Admission
    /// At least that of the record; a higher one was seen where the record is still to come.
    package var incarnation: Incarnation
    package var status = Status.alive
    var suspicion: Suspicion?
    /// It was declared dead by this start of this node, and has not been heard since.
    var isMourned = false

    // Datagrams.
    /// The X25519 secret of the pair; worked out when it is first needed.
    var shared: [UInt8]?
    /// The keys for the boots that they were made for.
    var keys: (own: UInt32, theirs: UInt32, send: DatagramKey, receive: DatagramKey)?
    /// The boot that its last authentic datagram had.
    var boot: UInt32
    package var replay = ReplayWindow()
    var budget = Budget()
    /// Cards of its whose signatures have to be checked.
    var cardBudget = Budget()

    // Proximity and liveness.
    var nearness = Nearness()
    /// By datagram or over TCP.
    var lastHeard: GossipTime?
    var lastDatagram: GossipTime?
    /// It was shown this node's record because it did not answer at first.
    var isIntroduced = false

    // Inventory.
    package var log: InventoryLog
    var pull = Pull()
    /// The number of this node's own log that the member was told last.
    var told: UInt64 = .max

    init(tag: NodeTag, card: MemberCard, admission: Trust.Admission) {
        self.tag = tag
        self.card = card
        self.admission = admission
        incarnation = card.record.incarnation
        boot = card.record.incarnation.boot
        log = InventoryLog(epoch: card.record.inventoryEpoch)
    }

    var node: NodeID { card.record.node }
    var endpoint: Endpoint { card.record.endpoints[0] }
    var isReached: Bool { status == .alive || status == .suspect }
    /// Whether its log is known to have moved further than what is kept of it.
    var isBehind: Bool { pull.hinted > log.sequence }
}

/// What is taken of one member: so much a second, as much at once.
package struct Budget: Sendable {
    private var tokens: Double?
    private var last = GossipTime()

    package init() {}

    /// Whether one more may be taken now. Nothing is used up.
    package mutating func hasRoom(rate: Int, now: GossipTime) -> Bool {
        let rate = Double(rate)
        let refilled = (tokens ?? rate) + (now - last) / .seconds(1) * rate
        last = now
        let available = min(rate, refilled)
        tokens = available
        return available >= 1
    }

    /// Takes one if there is room.
    package mutating func take(rate: Int, now: GossipTime) -> Bool {
        guard hasRoom(rate: rate, now: now) else { return false }
        tokens = tokens.map { $0 - 1 }
        return true
    }
}

/// A suspicion that runs (Lifeguard, section IV.B: it ends the sooner, the more members share it).
package struct Suspicion: Sendable {
    package var since: GossipTime
    /// The shortest and the longest it lasts.
    package var span: (least: Duration, most: Duration)
    /// Independent accusers that make it shortest.
    package var wanted: Int
    /// Who said so, this node included if it did.
    package var accusers: [NodeTag]
    /// This node's own probes, direct and indirect, failed since it began.
    package var ownProbeFailed: Bool
    /// Those whose own word came, not by others' mouths.
    package var direct: [NodeTag] = []

    package init(
        since: GossipTime, span: (least: Duration, most: Duration), wanted: Int, accusers: [NodeTag],
        ownProbeFailed: Bool
    ) {
        self.since = since
        self.span = span
        self.wanted = wanted
        self.accusers = accusers
        self.ownProbeFailed = ownProbeFailed
    }

    package var deadline: GossipTime {
        let confirmations = Double(max(0, accusers.count - 1))
        let share =
            wanted < 1 ? 1 : min(1, Suspicion.log(confirmations + 1) / Suspicion.log(Double(wanted) + 1))
        let span = self.span.most - (self.span.most - self.span.least) * share
        return since + max(self.span.least, span)
    }

    private static func log(_ value: Double) -> Double { value.logarithm }
}

/// What is under way to catch up with a log.
struct Pull: Sendable {
    /// The highest number that anybody spoke of.
    var hinted: UInt64 = 0
    /// The number that the writer itself gave last, with its hash.
    var confirmed: (sequence: UInt64, hash: UInt64)?
    var askedAt: GossipTime?
    var attempts = 0
    /// What others said of it did not fit the writer's word: until it does, nobody else is asked and believed.
    var isDoubtful = false
    /// Times that all of it was read of late, and when it was last.
    private var readings = 0
    private var readAt = GossipTime()
    /// Before that, nothing is asked.
    private(set) var pausedUntil = GossipTime()
    /// Whether the member stands among those whose changes are missing.
    var isListed = false
    /// A snapshot is being read: its token, and what came so far.
    var snapshot: Snapshot?

    /// Whether somebody spoke of the `count` changes that follow number `after`.
    func reaches(_ after: UInt64, and count: Int) -> Bool {
        after <= hinted && UInt64(count) <= hinted - after
    }

    /// When to ask next: at first at once, then the later, the oftener nothing came.
    func nextAsk(_ timeout: Duration) -> GossipTime {
        let asked = askedAt.map { $0 + timeout * min(16, 1 << min(4, attempts)) } ?? GossipTime()
        return max(asked, pausedUntil)
    }

    /// Notes that all of it is read, and puts the next reading off if this was not the first: whose own words never fit
    /// each other, or who writes faster than one can read, is not read without end.
    mutating func readAgain(now: GossipTime, pause: Duration) {
        if now - readAt > .seconds(30) { readings = 0 }
        pausedUntil = readings == 0 ? GossipTime() : now + pause * (1 << min(4, readings))
        (readings, readAt) = (readings + 1, now)
        (askedAt, attempts) = (nil, 0)
    }

    struct Snapshot: Sendable {
        var token: UInt64
        var ids: [UInt64] = []
    }
}
