import Content
public import Logging
public import NIOCore
import Synchronization

import struct FoundationEssentials.Date

/// Gossip in service: a `GossipCore` on one event loop, a UDP socket, and the way to TCP that it is given.
public final class GossipService: Sendable {
    private let state: NIOLoopBound<Running>
    private let loop: any EventLoop
    private let socket: DatagramSocket
    private let snapshot: Mutex<Snapshot>
    private let handlers = Mutex<[@Sendable (GossipEvent) -> Void]>([])
    private let refusals = Mutex(RefusalBook())
    private let file: StateFile
    private let logger: Logger
    public let credentials: ClusterCredentials
    public let endpoint: Endpoint

    /// What other threads see.
    private struct Snapshot: Sendable {
        var members: [MemberView] = []
        var counters = GossipCounters()
        var inventoryCount = 0
        var revocationNumber: UInt64 = 0
        /// When the newest revocation list was signed, and the trusted time of this look.
        var revocationsIssued: Date?
        var trusted = TrustedClock.build
        var card: MemberCard
    }

    /// What belongs to the loop.
    private final class Running {
        var core: GossipCore
        var rng: GossipRandom
        var transport: (any ExchangeTransport)?
        var timer: Scheduled<Void>?
        var timerAt = GossipTime.distantFuture
        var answers: [UInt64: CheckedContinuation<OwnerAnswer, Never>] = [:]
        var replies: [UInt64: CheckedContinuation<[UInt8], Never>] = [:]
        var trials: [UInt64: CheckedContinuation<Duration?, Never>] = [:]
        var nextToken: UInt64 = 1
        var publishedAt = GossipTime()
        /// What came before there was a way to others over TCP.
        var early: [GossipInput] = []
        /// What the log was told of late, so that it is not told every time.
        var warned: [GossipEvent: GossipTime] = [:]
        var isStopped = false

        /// Whether anything is sent and answered.
        var isRunning: Bool { transport != nil && !isStopped }

        init(core: GossipCore, rng: GossipRandom) {
            self.core = core
            self.rng = rng
        }
    }

    private init(
        core: GossipCore, rng: GossipRandom, socket: DatagramSocket, file: StateFile, endpoint: Endpoint,
        credentials: ClusterCredentials, logger: Logger
    ) {
        loop = socket.channel.eventLoop
        state = NIOLoopBound(Running(core: core, rng: rng), eventLoop: socket.channel.eventLoop)
        self.socket = socket
        self.file = file
        self.endpoint = endpoint
        self.credentials = credentials
        self.logger = logger
        snapshot = Mutex(Snapshot(card: core.card))
    }

    /// Binds the UDP socket and begins; the transport is given by `begin(with:)`.
    /// - Parameters:
    ///   - host: a numeric address to bind to.
    ///   - stateFile: where gossip keeps what must survive a restart; made when missing.
    /// - Throws: what the system says of the socket, or `NodeKeyError` of the state file.
    public static func bind(
        _ configuration: GossipConfiguration, credentials: ClusterCredentials, trust: Trust,
        host: String, port: Int, stateFile: String, group: any EventLoopGroup, logger: Logger
    ) async throws -> GossipService {
        let file = StateFile(path: stateFile, logger: logger)
        let kept = await file.read()
        let loop = group.next()
        let inbox = Inbox()
        let socket = try await DatagramSocket.bind(host: host, port: port, loop: loop, inbox: inbox)
        let (service, first) = try await loop.submit {
            var rng = GossipRandom()
            let core = GossipCore(
                configuration, credentials: credentials, trust: trust, state: kept, now: Self.now,
                wall: Date(), rng: &rng)
            let service = GossipService(
                core: core, rng: rng, socket: socket, file: file, endpoint: configuration.endpoints[0],
                credentials: credentials, logger: logger)
            inbox.receiver.withLock { $0 = Inbox.Receiver { [weak service] in service?.took($0, from: $1) } }
            return (service, core.stateToKeep)
        }.get()
        // The number of this start is on disk before anybody hears of it.
        file.write(first)
        await file.finish()
        return service
    }

    /// Begins to speak, once there is a way to others over TCP. Before, datagrams are dropped and questions answered
    /// as if nobody else were there.
    public func begin(with transport: any ExchangeTransport) {
        loop.execute {
            let running = self.state.value
            guard !running.isStopped else { return }
            running.transport = transport
            for input in running.early { self.input(input) }
            running.early = []
            self.input(.wake)
        }
    }

    /// The UDP port, for those who bound to 0.
    public var port: Int { socket.port }

    // MARK: what others ask

    /// Every member as it was known at most a second ago.
    public var members: [MemberView] { snapshot.withLock { $0.members } }
    public var counters: GossipCounters { snapshot.withLock { $0.counters } }
    /// Objects that this node says it holds.
    public var inventoryCount: Int { snapshot.withLock { $0.inventoryCount } }
    public var revocationNumber: UInt64 { snapshot.withLock { $0.revocationNumber } }
    /// Since the newest revocation list was signed, by the trusted time; nil = there is none.
    public var revocationAge: Duration? {
        snapshot.withLock { snapshot in
            snapshot.revocationsIssued.map {
                .seconds(max(Date(), snapshot.trusted).timeIntervalSince($0))
            }
        }
    }
    /// Who was refused of late, the latest last.
    public var refused: [RefusedNode] { refusals.withLock { $0.refused } }
    /// What this node shows others in a handshake.
    public var card: MemberCard { snapshot.withLock { $0.card } }

    /// Calls `handler` at every event from now on, on the loop: it must be quick.
    public func observe(_ handler: @escaping @Sendable (GossipEvent) -> Void) {
        handlers.withLock { $0.append(handler) }
    }

    /// Members that hold an object, nearest first.
    public func holders(of id: InventoryID) async -> [NodeID] {
        await onLoop { $0.core.holders(of: id, now: Self.now) }
    }

    /// Members in the order in which they are to be asked.
    public func nearest() async -> [NodeID] { await onLoop { $0.core.nearest(now: Self.now) } }

    /// Asks the owners of an object; answered within two owners' patience, about 100 ms on a near network.
    /// - Parameter doubting: whom the last answer named as fetching it, when nothing could be had from it.
    public func ask(_ id: InventoryID, wantsLease: Bool, doubting: NodeID? = nil) async -> OwnerAnswer {
        await withCheckedContinuation { continuation in
            loop.execute {
                let running = self.state.value
                guard running.isRunning else {
                    continuation.resume(
                        returning: OwnerAnswer(
                            lease: wantsLease ? .unreachable : .notAsked, holders: [], fetchers: []))
                    return
                }
                let token = running.nextToken
                running.nextToken += 1
                running.answers[token] = continuation
                self.input(.ask(id, wantsLease: wantsLease, doubting: doubting, token: token))
            }
        }
    }

    public func release(_ id: InventoryID) { loop.execute { self.input(.release(id)) } }

    /// What this node holds from now on, or no more.
    public func hold(add: [InventoryID] = [], remove: [InventoryID] = []) {
        loop.execute { self.input(.inventory(add: add, remove: remove)) }
    }

    public func observed(_ node: NodeID, _ observation: PeerObservation) {
        loop.execute { self.input(.observed(node, observation)) }
    }

    public func take(_ list: RevocationList) { loop.execute { self.input(.revocations(list)) } }

    /// Answers what another member asked over TCP.
    public func answerExchange(_ bytes: [UInt8], from node: NodeID) async -> [UInt8] {
        await withCheckedContinuation { continuation in
            loop.execute {
                let running = self.state.value
                guard running.isRunning else { return continuation.resume(returning: []) }
                let token = running.nextToken
                running.nextToken += 1
                running.replies[token] = continuation
                self.input(.exchangeRequest(bytes, from: node, token: token))
            }
        }
    }

    /// Since the last datagram of a member, as of now; nil when none came yet.
    public func silence(of node: NodeID) async -> Duration? {
        await onLoop { $0.core.view(of: node, now: Self.now)?.silence }
    }

    /// Until the answer of a member to a datagram of its own; nil when none came within 1.5 s.
    public func tryDatagram(to node: NodeID, _ size: TrialSize) async -> Duration? {
        await withCheckedContinuation { continuation in
            loop.execute {
                let running = self.state.value
                guard running.isRunning else { return continuation.resume(returning: nil) }
                let token = running.nextToken
                running.nextToken += 1
                running.trials[token] = continuation
                self.input(.trial(node, size, token: token))
            }
        }
    }

    /// Whether a node that has proven its key over TCP is a member.
    public func admit(_ card: MemberCard) async -> Result<Trust.Admission, TrustRefusal> {
        await onLoop { running in
            let result = running.core.admit(card, wall: Date())
            if case .failure(let refusal) = result { self.tell(.refused(card.record.node, refusal)) }
            return result
        }
    }

    /// Says goodbye and closes the socket.
    public func stop() async {
        await onLoop { running in
            self.input(.leave)
            running.isStopped = true
            running.timer?.cancel()
            for (_, continuation) in running.answers {
                continuation.resume(returning: OwnerAnswer(lease: .unreachable, holders: [], fetchers: []))
            }
            for (_, continuation) in running.replies { continuation.resume(returning: []) }
            for (_, continuation) in running.trials { continuation.resume(returning: nil) }
            running.trials = [:]
            running.answers = [:]
            running.replies = [:]
            running.transport = nil
        }
        try? await socket.channel.close()
        await file.finish()
    }

    private func onLoop<Value: Sendable>(_ work: @escaping @Sendable (Running) -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            loop.execute { continuation.resume(returning: work(self.state.value)) }
        }
    }

    // MARK: on the loop

    private static var now: GossipTime { GossipTime(nanoseconds: NIODeadline.now().uptimeNanoseconds) }

    private func took(_ bytes: [UInt8], from source: Endpoint) {
        let running = state.value
        guard running.isRunning else { return }
        input(.datagram(bytes, from: source))
        snapshot.withLock {
            $0.counters.datagramsIn += 1
            $0.counters.bytesIn += UInt64(bytes.count)
            $0.counters.drops = running.core.drops
        }
    }

    private func input(_ input: GossipInput) {
        let running = state.value
        guard !running.isStopped else { return }
        guard running.transport != nil else { return running.early.append(input) }
        var effects: [GossipEffect] = []
        running.core.receive(input, now: Self.now, wall: Date(), rng: &running.rng, into: &effects)
        // Whoever is told of an event finds what it led to.
        publish(running, changed: effects.contains { if case .event = $0 { true } else { false } })
        for effect in effects { perform(effect, running) }
        schedule(running)
    }

    /// Shows others what is known: once a second, and soon after something has happened.
    private func publish(_ running: Running, changed: Bool) {
        let now = Self.now
        let age = now - running.publishedAt
        guard age >= .seconds(1) || changed && (running.core.memberCount <= 100 || age >= .milliseconds(100))
        else { return }
        running.publishedAt = now
        let members = running.core.members(now: now)
        snapshot.withLock {
            $0.members = members
            $0.inventoryCount = running.core.inventoryCount
            $0.revocationNumber = running.core.trust.revocations?.number ?? 0
            $0.revocationsIssued = running.core.trust.revocations?.issued
            $0.trusted = running.core.clock.floor
            $0.card = running.core.card
        }
    }

    private func perform(_ effect: GossipEffect, _ running: Running) {
        switch effect {
        case .send(let bytes, let endpoint): send(bytes, to: endpoint)
        case .exchange(let token, let endpoint, let expecting, let bytes):
            guard let transport = running.transport else { return }
            Task {
                let result: Result<(NodeID, [UInt8]), ExchangeFailure>
                do throws(ExchangeFailure) {
                    result = .success(
                        try await transport.exchange(bytes, with: endpoint, expecting: expecting))
                } catch {
                    result = .failure(error)
                }
                self.loop.execute { self.input(.exchangeAnswer(token: token, result)) }
            }
        case .reply(let token, let bytes):
            running.replies.removeValue(forKey: token)?.resume(returning: bytes)
        case .answer(let token, let answer):
            running.answers.removeValue(forKey: token)?.resume(returning: answer)
        case .tried(let token, let span): running.trials.removeValue(forKey: token)?.resume(returning: span)
        case .event(let event): tell(event)
        case .persist(let bytes): file.write(bytes)
        }
    }

    private func send(_ bytes: [UInt8], to endpoint: Endpoint) {
        let isTaken = socket.send(bytes, to: endpoint)
        snapshot.withLock {
            if isTaken {
                $0.counters.datagramsOut += 1
                $0.counters.bytesOut += UInt64(bytes.count)
            } else {
                $0.counters.sendFailures += 1
            }
        }
    }

    private func tell(_ event: GossipEvent) {
        refusals.withLock { $0.note(event) }
        switch event {
        case .alarm: logger.critical("\(event)")
        case .refused, .expires: warn(of: event)
        case .seedFailed: logger.warning("\(event)")
        case .died, .joined, .left, .returned, .revoked: logger.notice("\(event)")
        case .suspected, .inventoryChanged: logger.debug("\(event)")
        }
        for handler in handlers.withLock({ $0 }) { handler(event) }
    }

    /// Once an hour is enough for what is true all day.
    private func warn(of event: GossipEvent) {
        let (running, now) = (state.value, Self.now)
        if let last = running.warned[event], now - last < .seconds(3600) { return }
        if running.warned.count >= 256 { running.warned.removeAll() }
        running.warned[event] = now
        logger.warning("\(event)")
    }

    private func schedule(_ running: Running) {
        let wake = running.core.nextWake
        // A timer that fires too early costs less than a new one for every datagram.
        guard running.timer == nil || wake < running.timerAt else { return }
        running.timer?.cancel()
        running.timerAt = wake
        running.timer = loop.scheduleTask(
            deadline: .uptimeNanoseconds(min(wake.nanoseconds, UInt64(Int64.max)))
        ) { [weak self] in
            guard let self else { return }
            self.state.value.timer = nil
            self.input(.wake)
        }
    }
}
