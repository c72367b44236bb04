import ChunkStore
import Content
import NIOCore

/// Moving the bytes: from a source into the store, from source to source when one dies, and to publication.
extension Flight {
    /// Runs the flight to its end.
    func run() async {
        do {
            if let (reference, object) = try await delivery.local(order.name) {
                state.withLock { $0.isClosed = true }
                head.fulfil(.success(.held(reference, object)))
                return
            }
            try await fetch()
        } catch {
            await fail(DeliveryFailure(error))
        }
    }

    private func fetch() async throws {
        let (answer, index) = try await order.sources.firstSuccess { source throws(UpstreamFailure) in
            try await source.open(from: 0, to: nil, validator: nil)
        }
        var transfer = Transfer(flight: self, answer: answer, index: index)
        do {
            try await transfer.begin()
            try await transfer.receiveAll()
            try await transfer.finish()
        } catch {
            transfer.answer.body.cancel()
            throw error
        }
    }
}

/// The state of one transfer.
struct Transfer {
    let flight: Flight
    let feed: ProofFeed
    let total: Int64?
    var answer: UpstreamAnswer
    /// The source that `answer` comes from.
    var index: Int
    var validator: String?
    /// A credential was sent by any source that gave bytes.
    var authenticated: Bool
    var offset: Int64 = 0
    var ingest: Ingest?
    var relay: Relay?
    var plan: ResumePlan

    init(flight: Flight, answer: UpstreamAnswer, index: Int) {
        self.flight = flight
        self.answer = answer
        self.index = index
        feed = ProofFeed(flight.order.proof())
        total = answer.facts.total
        validator = answer.facts.validator
        authenticated = answer.facts.authenticated
        plan = ResumePlan(
            fallsBack: flight.order.sources.map(\.onAnyFailure),
            isDigestNamed: flight.order.expected != nil)
    }

    private var delivery: Delivery { flight.delivery }
    private var order: BodyOrder { flight.order }
    private var source: any BodySource { order.sources[index].member }

    /// Opens the ingest and lets the readers in.
    mutating func begin() async throws {
        do {
            ingest = try await delivery.store.beginIngest(
                expected: order.expected, size: total, observer: feed)
        } catch StoreError.noSpace {
            try await beginRelay()
        }
        let (ingest, source, validator) = (ingest, source, validator)
        let isLazy = isLazy
        let isPrivate = order.isPrivate || authenticated
        flight.state.withLock { state in
            state.ingest = ingest
            state.isLazy = isLazy
            state.began = .now
            state.rangeSource = (source, validator)
        }
        flight.head.fulfil(
            .success(
                .streaming(
                    BodyHead(
                        total: total, source: source.name, validator: validator, isPrivate: isPrivate))))
    }

    // MARK: bytes

    mutating func receiveAll() async throws {
        if isLazy, let total { try await receiveLazily(total: total) }
        while true {
            do {
                try await drain()
                return
            } catch let failure as UpstreamFailure {
                answer.body.cancel()
                delivery.logger.notice("\(order.name) at byte \(offset): \(failure)")
                plan.brokeOff(at: index, offset: offset, validator: validator)
                try await continueElsewhere(after: failure)
            }
        }
    }

    /// Reads the source to its end.
    private mutating func drain() async throws {
        while let bytes = try await answer.body.next() {
            try await accept(bytes)
            if flight.shouldPark(received: offset, total: total) { try await park() }
        }
        if let total, offset < total {
            throw UpstreamFailure.cutShort(upstream: source.name, received: offset, expected: total)
        }
    }

    private mutating func accept(_ bytes: ByteBuffer) async throws {
        let end = offset + Int64(bytes.readableBytes)
        if let total, end > total {
            throw UpstreamFailure.tooLong(upstream: source.name, limit: total)
        }
        if end > order.limit { throw UpstreamFailure.tooLong(upstream: source.name, limit: order.limit) }
        if relay == nil, let ingest {
            do {
                try await ingest.write(BufferSource(buffer: bytes), at: offset)
            } catch StoreError.noSpace {
                try await beginRelay()
            }
        }
        if let relay {
            try await feed.feed(bytes, at: offset)
            try await relay.push(bytes)
        }
        offset = end
    }

    /// The disk is full: what is in the file stays readable, everything else goes through memory.
    private mutating func beginRelay() async throws {
        let received = offset > 0 ? ingest?.slice(0..<offset) : nil
        try await feed.detach(catchingUpWith: received)
        // What may still turn out to be the body's end goes through the relay, which holds it back.
        let base = max(0, offset - Holdback.limit)
        let prefix = received.map { FileSlice(file: $0.file, range: 0..<base) }
        var tail: [UInt8] = []
        if let received {
            tail = try await FileBytes.read(FileSlice(file: received.file, range: base..<offset))
        }
        relay = flight.state.withLock { state in
            let relay = Relay(
                base: base, readers: Dictionary(uniqueKeysWithValues: state.readers.map { ($0, base) }))
            state.relay = relay
            state.prefix = prefix
            return relay
        }
        if !tail.isEmpty { try await relay?.push(ByteBuffer(bytes: tail)) }
        flight.relayed.fulfil(())
        ingest?.fail(StoreError.noSpace)
        delivery.passedThrough(order.name)
    }

    /// Nobody reads: lets the source go and waits for somebody.
    private func park() async throws {
        answer.body.cancel()
        if order.expected != nil, relay == nil, let ingest, flight.close() {
            await ingest.park()
            throw DeliveryFailure.cancelled
        }
        guard await flight.waitForReader() else { throw DeliveryFailure.cancelled }
        throw UpstreamFailure.cancelled
    }

    /// Whether a range was asked for of a body too large to be fetched whole for it, at a source that can
    /// be asked for ranges safely.
    private var isLazy: Bool {
        guard flight.beginsWithRange, let total, ingest != nil else { return false }
        return total > delivery.policy.fillLimit && (validator != nil || order.expected != nil)
    }

    /// Ranges pull what they need by themselves until enough was asked for to fetch everything.
    private mutating func receiveLazily(total: Int64) async throws {
        answer.body.cancel()
        let policy = delivery.policy
        while true {
            let change: OneShot<Bool>? = flight.state.withLock { state in
                if policy.fillsWhole(asked: state.asked, total: total) {
                    state.isLazy = false
                    return nil
                }
                let change = OneShot<Bool>()
                state.parked = change
                return change
            }
            guard let change else { break }
            guard (try? await change.value(within: delivery.policy.parkedFor)) == true else {
                guard flight.close() else { continue }
                throw DeliveryFailure.cancelled
            }
        }
        plan.brokeOff(at: index, offset: offset, validator: validator)
        try await continueElsewhere(after: .cancelled)
    }

    // MARK: another source

    /// Finds a source for the bytes from `offset` on, by the steps of the plan.
    /// - Throws: `DeliveryFailure.bytesDiffer` when a source that answered has other bytes, else `failure`.
    private mutating func continueElsewhere(after failure: UpstreamFailure) async throws {
        let broken = source.name
        var last = failure
        var other: String?
        while let step = plan.next() {
            do {
                let next =
                    switch step {
                    case .resume(let index, _), .compare(let index): index
                    }
                let start = order.sources[next].member
                switch step {
                case .resume(_, let validator):
                    let answer = try await start.open(from: offset, to: nil, validator: validator)
                    try await adopt(answer, index: next)
                case .compare:
                    let answer = try await start.open(from: 0, to: nil, validator: nil)
                    try await adopt(answer, index: next)
                }
                return
            } catch let failure as UpstreamFailure {
                last = failure
            } catch is Differs {
                other = order.sources[step.index].member.name
            }
        }
        if let other { throw DeliveryFailure.bytesDiffer(first: broken, second: other, at: offset) }
        throw last == .cancelled ? failure : last
    }

    private struct Differs: Error {}

    /// Goes on with `new`, if its bytes continue those received.
    private mutating func adopt(_ new: UpstreamAnswer, index: Int) async throws {
        var taken = false
        defer { if !taken { new.body.cancel() } }
        if let total, let other = new.facts.total, other != total { throw Differs() }
        switch new.facts.offset {
        case offset where offset > 0: answer = new
        case 0:
            let rest = try await comparing(new.body)
            answer = new
            if let rest { try await accept(rest) }
        default:
            throw UpstreamFailure.unusable(
                upstream: order.sources[index].member.name,
                reason: "asked for the bytes from \(offset), it gave those from \(new.facts.offset)")
        }
        taken = true
        self.index = index
        if new.facts.offset == 0 { validator = new.facts.validator }
        authenticated = authenticated || new.facts.authenticated
        let (source, validator) = (source, validator)
        flight.state.withLock { $0.rangeSource = (source, validator) }
    }

    /// Holds a body against the bytes received, up to `offset`.
    /// - Returns: what came of the body beyond `offset`.
    private func comparing(_ body: any UpstreamBody) async throws -> ByteBuffer? {
        guard offset > 0 else { return nil }
        guard relay == nil, let ingest else { throw Differs() }
        var position: Int64 = 0
        while position < offset {
            guard var bytes = try await body.next() else { throw Differs() }
            let count = min(Int64(bytes.readableBytes), offset - position)
            let held = try await FileBytes.read(ingest.slice(position..<position + count))
            guard let part = bytes.readSlice(length: Int(count)), part.readableBytesView.elementsEqual(held)
            else { throw Differs() }
            position += count
            if bytes.readableBytes > 0 { return bytes }
        }
        return nil
    }

    // MARK: the end

    /// Proves the body, lets its last bytes go, then publishes it.
    mutating func finish() async throws {
        answer.body.cancel()
        if relay != nil {
            _ = try await feed.proof.conclude(size: offset, source: source.name, file: nil)
            flight.succeed(size: offset)
            return
        }
        guard let ingest else { return }
        ingest.markEnd(at: offset)
        let (digest, size) = try await ingest.seal()
        let verdict = try await feed.proof.conclude(
            size: size, source: source.name, file: ingest.slice(0..<size))
        flight.succeed(size: size)
        let now = delivery.clock.now
        let reference = Reference(
            name: order.name, digest: digest, size: size, learned: now, checked: now, origin: source.name,
            validator: validator, contentType: order.contentType, verified: verdict.verification,
            access: authenticated || order.isPrivate ? .private : .public, h1: verdict.h1)
        do {
            _ = try await delivery.publish(ingest, reference, verdict)
            order.stored(reference)
        } catch {
            // The readers have a proven body; only the next one must fetch it again.
            delivery.logger.error("\(order.name) was delivered but could not be stored: \(error)")
            await ingest.abandon()
        }
    }
}

extension ResumePlan.Step {
    var index: Int {
        switch self {
        case .resume(let index, _), .compare(let index): index
        }
    }
}
