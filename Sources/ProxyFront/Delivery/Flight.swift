import ChunkStore
import Content
import Synchronization

/// One body under way: fetched once, read by everybody who wants it.
///
/// It belongs to Delivery and runs in a task of its own. Readers take a seat, read behind the front at
/// their own pace, and leave; none of them can stop another one. What moves the bytes is in
/// `Flight+Transfer.swift`, what readers do in `FlightReader.swift`.
final class Flight: Sendable {
    enum Opening: Sendable {
        /// It was in the store after all.
        case held(Reference, StoredObject)
        case streaming(BodyHead)
    }

    struct State {
        var readers: Set<UInt64> = []
        /// Where each reader waits; kept while peers give the bytes.
        var positions: [UInt64: Int64] = [:]
        /// When a peer last asked for bytes of it: between two of its questions it has no seat.
        var peerAsked: ContinuousClock.Instant?
        /// Peers gave bytes of it.
        var isFromPeers = false
        /// Upstream is asked for it, or about to be.
        var isFed = false
        /// Stops a transfer from peers that nobody wants any more.
        var whenLonely: (@Sendable () -> Void)?
        var nextReader: UInt64 = 0
        /// Names other than the order's own that readers asked for it under.
        var otherNames: [ReferenceName] = []
        /// Nobody may come any more.
        var isClosed = false
        var ingest: Ingest?
        /// Set when the body can no longer be stored, with the part of the file that readers may need.
        /// False once it is known that anybody may have it.
        var isPrivate = true
        var relay: Relay?
        var prefix: FileSlice?
        /// When the first byte was expected.
        var began = ContinuousClock.now
        /// The front stands still: ranges fetch what they need by themselves.
        var isLazy = false
        /// Bytes asked for by ranges away from the front.
        var asked: Int64 = 0
        /// Ranges that are being brought away from the front.
        var asides: [Range<Int64>] = []
        /// The validator and source that ranges may be asked of.
        var rangeSource: (source: any BodySource, validator: String?)?
        var parked: OneShot<Bool>?

        func isWantedByPeers(_ now: ContinuousClock.Instant) -> Bool {
            peerAsked.map { now - $0 < Flight.peerPatience } ?? false
        }
    }

    /// How long a peer is taken for a reader after its last question.
    private static let peerPatience = Duration.seconds(3)

    let order: BodyOrder
    let delivery: Delivery
    /// Fulfilled when a reader can be told what it gets.
    let head = OneShot<Result<Opening, DeliveryFailure>>()
    /// Fulfilled with the body's size when the last bytes may go out, or with why they never will.
    let proven = OneShot<Result<Int64, DeliveryFailure>>()
    /// Fulfilled when readers may turn to the relay.
    let relayed = OneShot<Void>()
    let state = Mutex(State())
    /// Fulfilled when the flight has let everything go.
    let ended = OneShot<Void>()
    /// Names the bytes to peers for as long as nobody knows their digest.
    let transferID: [UInt8] = (0..<16).map { _ in .random(in: 0...255) }
    /// A transfer from peers may be tried: false after one brought wrong bytes.
    let asksPeers: Bool
    /// The first byte that the first reader asked for: far from the beginning a large body is fetched lazily.
    let firstByte: Int64
    /// An earlier flight that may still be putting aside what it received.
    private let predecessor: Mutex<Flight?>

    init(
        _ order: BodyOrder, delivery: Delivery, firstByte: Int64 = 0, asksPeers: Bool = true,
        predecessor: Flight? = nil
    ) {
        var order = order
        if let expected = order.expected {
            order.sources = delivery.wrongAnswers.ordered(order.sources, for: expected)
        }
        self.order = order
        self.delivery = delivery
        self.firstByte = firstByte
        self.asksPeers = asksPeers
        self.predecessor = Mutex(predecessor)
    }

    /// Waits until the flight before this one has let go of its bytes.
    func followPredecessor() async {
        let before = predecessor.withLock { before in
            defer { before = nil }
            return before
        }
        // The flight's own task is never cancelled.
        try? await before?.ended.value()
    }

    /// Whether the body failed in a way that another attempt may not.
    var isWorthRestarting: Bool {
        switch proven.current {
        case .failure(.bytesDiffer): true
        case .failure(.mismatch):
            state.withLock { $0.isFromPeers } || order.expected != nil && order.sources.count > 1
        default: false
        }
    }

    /// Whether the flight after this one may ask peers: not after they brought wrong bytes.
    var successorAsksPeers: Bool {
        guard isWorthRestarting else { return true }
        return asksPeers && !state.withLock { $0.isFromPeers }
    }

    // MARK: readers

    /// A place among the readers; nil when the body's beginning is gone for a newcomer, or it has failed.
    /// - Parameter name: what the reader calls the body.
    func takeSeat(for name: ReferenceName) -> Seat? {
        let (seat, parked): (Seat?, OneShot<Bool>?) = state.withLock { state in
            guard !state.isClosed else { return (nil, nil) }
            state.nextReader += 1
            let id = state.nextReader
            if let relay = state.relay, !relay.join(id, at: 0) { return (nil, nil) }
            state.readers.insert(id)
            if name != order.name, !state.otherNames.contains(name) { state.otherNames.append(name) }
            defer { state.parked = nil }
            return (Seat(id: id, flight: self), state.parked)
        }
        parked?.fulfil(true)
        return seat
    }

    fileprivate func leave(_ id: UInt64) {
        let (relay, whenLonely) = state.withLock { state in
            state.readers.remove(id)
            state.positions[id] = nil
            return (state.relay, state.readers.isEmpty ? state.whenLonely : nil)
        }
        relay?.leave(id)
        whenLonely?()
    }

    /// A reader's place, given back when it is released.
    final class Seat: Sendable {
        let id: UInt64
        let flight: Flight

        fileprivate init(id: UInt64, flight: Flight) {
            self.id = id
            self.flight = flight
        }

        deinit { flight.leave(id) }
    }

    // MARK: the end

    /// Readers are cut off. The bytes are dropped, unless they are part of a body named by its digest that
    /// somebody may go on with.
    func fail(_ failure: DeliveryFailure) async {
        let (ingest, relay) = state.withLock { state in
            state.isClosed = true
            return (state.ingest, state.relay)
        }
        head.fulfil(.failure(failure))
        proven.fulfil(.failure(failure))
        relayed.fulfil(())
        relay?.finish(.failure(failure))
        if order.expected != nil, relay == nil, failure.leavesGoodBytes {
            await ingest?.park()
        } else {
            ingest?.fail(failure)
            await ingest?.abandon()
        }
    }

    /// The body is what it should be: its last bytes may go out.
    func succeed(size: Int64) {
        proven.fulfil(.success(size))
        state.withLock { $0.relay }?.finish(.success(()))
    }

    /// Closes the flight to newcomers if nobody reads; false when somebody does.
    func close() -> Bool {
        state.withLock { state in
            if state.readers.isEmpty { state.isClosed = true }
            return state.isClosed
        }
    }

    // MARK: parking

    /// Whether nobody reads and too much is missing to go on for nobody.
    func shouldPark(received: Int64, total: Int64?) -> Bool {
        state.withLock { $0.readers.isEmpty && !$0.isWantedByPeers(.now) }
            && !delivery.policy.goesOnAlone(received: received, total: total)
    }

    /// Waits for a reader.
    /// - Returns: false when none came in time; the flight is then closed to newcomers.
    func waitForReader() async -> Bool {
        let parked: OneShot<Bool>? = state.withLock { state in
            guard state.readers.isEmpty else { return nil }
            let parked = OneShot<Bool>()
            state.parked = parked
            return parked
        }
        guard let parked else { return true }
        delivery.parked(parked)
        let came = try? await parked.value(within: delivery.policy.parkedFor)
        if came == true { return true }
        parked.fulfil(false)
        return !close()
    }
}
