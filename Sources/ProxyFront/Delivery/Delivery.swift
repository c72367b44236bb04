public import ChunkStore
public import Content
public import Logging
import Synchronization

/// One answer to "give me this" (architecture section 5): held here, in flight, or from the sources in
/// order. Every body is fetched once however many ask for it.
public final class Delivery: Sendable {
    public let store: ChunkStore
    public let policy: TransferPolicy
    let clock: StoreClock
    let metrics: Metrics
    let audit: any AuditLog
    let logger: Logger
    /// The other nodes; nil = this one is alone.
    let peers: (any PeerReach)?
    let wrongAnswers = WrongAnswers()
    private let flights = Mutex<[FlightKey: Flight]>([:])
    /// What flights brought whose bytes peers knew by no digest.
    private let publishedFlights = Mutex(ExpiringCache<[UInt8], Digest>(limit: 256))
    private let parkedFlights = Mutex<[OneShot<Bool>]>([])

    public convenience init(
        store: ChunkStore, policy: TransferPolicy = TransferPolicy(), clock: StoreClock = .system,
        metrics: Metrics, audit: any AuditLog = NoAuditLog(), logger: Logger
    ) {
        self.init(
            store: store, policy: policy, clock: clock, metrics: metrics, audit: audit, peers: nil,
            logger: logger)
    }

    /// - Parameter peers: who is asked before upstream.
    package init(
        store: ChunkStore, policy: TransferPolicy = TransferPolicy(), clock: StoreClock = .system,
        metrics: Metrics, audit: any AuditLog = NoAuditLog(), peers: (any PeerReach)?, logger: Logger
    ) {
        self.peers = peers
        self.store = store
        self.policy = policy
        self.clock = clock
        self.metrics = metrics
        self.audit = audit
        self.logger = logger
    }

    /// What a request gets.
    enum Opened: Sendable {
        case held(Reference, StoredObject)
        /// `joined`: another request had started it.
        case streaming(BodyHead, Flight.Seat, joined: Bool)
    }

    /// The names in flight, parked ones included.
    public var inFlight: [ReferenceName] { flights.withLock { $0.values.map(\.order.name) } }

    var runningFlights: [Flight] { flights.withLock { Array($0.values) } }

    /// Transfers without readers that wait for one.
    public var parkedCount: Int { parkedFlights.withLock { $0.count { $0.current == nil } } }

    /// Opens a body: joins its flight or starts one, and waits until something can be said about it.
    ///
    /// A cancelled caller leaves; the flight goes on by its own rules.
    /// - Parameter firstByte: the first one that the caller wants: of a large body no more is fetched then than
    ///   what is asked for, unless that is much of it.
    func open(_ order: BodyOrder, firstByte: Int64 = 0) async -> Result<Opened, DeliveryFailure> {
        let (seat, joined) = seat(order, firstByte: firstByte)
        do {
            switch try await seat.flight.head.value() {
            case .success(.held(let reference, let object)): return .success(.held(reference, object))
            case .success(.streaming(let head)):
                if let total = head.total, total <= Holdback.limit {
                    // Nothing of it would go out before the proof: a bad one gets a status instead of a cut.
                    _ = try await seat.flight.proven.value().get()
                }
                return .success(.streaming(head, seat, joined: joined))
            case .failure(let failure): return .failure(failure)
            }
        } catch {
            return .failure(DeliveryFailure(error))
        }
    }

    /// Looks the flight up and registers a new one without suspending in between.
    private func seat(_ order: BodyOrder, firstByte: Int64) -> (Flight.Seat, joined: Bool) {
        let (seat, flight): (Flight.Seat, started: Flight?) = flights.withLock { flights in
            if let seat = flights[order.key]?.takeSeat(for: order.name) { return (seat, nil) }
            let before = flights[order.key]
            // One that peers spoiled is about to be restarted without them; who comes first does the same.
            let flight = Flight(
                order, delivery: self, firstByte: firstByte, asksPeers: before?.successorAsksPeers ?? true,
                predecessor: before)
            guard let seat = flight.takeSeat(for: order.name) else {
                preconditionFailure("a new flight has room")
            }
            flights[order.key] = flight
            return (seat, flight)
        }
        if let flight { launch(flight) }
        return (seat, flight == nil)
    }

    private func launch(_ flight: Flight, restarts: Int = 1) {
        metrics.inFlight.add()
        Task.detached {
            await flight.run()
            self.metrics.inFlight.subtract()
            let next: Flight? = self.flights.withLock { flights in
                guard flights[flight.order.key] === flight else { return nil }
                flights[flight.order.key] = nil
                // Bytes that turned out wrong: the body is fetched again from its beginning, so that whoever
                // asks next finds it.
                guard restarts > 0, flight.isWorthRestarting else { return nil }
                let again = Flight(
                    flight.order, delivery: self, asksPeers: flight.successorAsksPeers)
                flights[flight.order.key] = again
                return again
            }
            flight.ended.fulfil(())
            if let next { self.launch(next, restarts: restarts - 1) }
        }
    }

    // MARK: for flights

    /// The body under `name`, if its bytes are held.
    func local(_ name: ReferenceName) async throws -> (Reference, StoredObject)? {
        do {
            guard let reference = try await store.reference(name),
                let object = try await store.object(reference.digest)
            else { return nil }
            return (reference, object)
        } catch {
            logger.error("\(name) cannot be read from the store and is fetched again: \(error)")
            return nil
        }
    }

    /// - Parameter names: other names that the body was asked for under.
    func publish(
        _ ingest: Ingest, _ reference: Reference, names: [ReferenceName] = [], _ verdict: ProofVerdict
    ) async throws -> StoredObject {
        if verdict.isHostile {
            logger.warning("\(reference.name) is authentic, but readers may see different contents in it")
        }
        let others = names.map { name in
            var other = reference
            other.name = name
            return other
        }
        let object = try await ingest.publish([reference] + others, staysWhole: verdict.isHostile)
        audit.record(.stored(reference, digest: object.digest))
        return object
    }

    /// Sources gave bytes that are not those of `expected`.
    func caughtLying(_ sources: [String], about name: ReferenceName, found: Digest) -> DeliveryFailure {
        let who = sources.joined(separator: ", ")
        let what =
            "\(who) gave other bytes than those of \(name): their digest is \(found); they were dropped"
        metrics.mismatches.add()
        logger.error("\(what)")
        audit.record(
            AuditEvent(.policy, name.text, reason: "mismatch: dropped", origin: who, digest: "\(found)"))
        return .mismatch(what)
    }

    /// Remembers for a while what the bytes of a flight turned out to be.
    func notePublished(_ flight: [UInt8], as digest: Digest) {
        guard peers != nil else { return }
        publishedFlights.withLock { $0.set(digest, for: flight, until: .now + .seconds(60)) }
    }

    func published(_ flight: [UInt8]) -> Digest? {
        publishedFlights.withLock { $0.value(for: flight, now: .now) }
    }

    func passedThrough(_ name: ReferenceName) {
        logger.warning("\(name) is passed on without being stored: the store has no space")
    }

    /// Gives up the parked transfer that has waited longest when there are too many.
    func parked(_ flight: OneShot<Bool>) {
        let oldest: OneShot<Bool>? = parkedFlights.withLock { parked in
            parked.removeAll { $0.current != nil }
            parked.append(flight)
            return parked.count > policy.parkedAtMost ? parked.removeFirst() : nil
        }
        oldest?.fulfil(false)
    }
}

extension Delivery {
    /// A body of one source that has nothing to prove but its length, read to its end.
    /// - Throws: `DeliveryFailure`; `.notHeld` when it is no transfer any more but in the store.
    package func read(_ name: ReferenceName, from source: any BodySource) async throws -> any BodyProducer {
        let order = BodyOrder(
            name: name, limit: .max, sources: [Fallback(source)], proof: { DigestProof() })
        switch await open(order) {
        case .success(.streaming(let head, let seat, _)): return FlightReader(seat, head: head, range: nil)
        case .success(.held): throw DeliveryFailure.notHeld
        case .failure(let failure): throw failure
        }
    }
}
