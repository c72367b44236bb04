import ChunkStore
import Content
import NIOCore

/// The state of one transfer: bytes from a source into the store, from source to source when one dies, and to
/// publication.
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
    /// What is left of the waits before everybody is asked once more.
    var pauses: ArraySlice<Duration>
    /// The answer is of one byte, to learn how large the body is.
    let isProbe: Bool
    /// Who gave bytes.
    var givers: [String]
    /// What the present giver is called.
    var sourceName: String
    /// Where the bytes come from at first, when that is other nodes.
    var peers: (any PeerBody)?
    /// Peers who vouched for bytes.
    var peerGivers: [PeerName] = []
    /// How often peers are still tried.
    var peerTries = Self.peerTriesAtMost
    static let peerTriesAtMost = 4
    /// Held as long as upstream is asked, so that other nodes wait for this one.
    var lease: (any PeerLease)? {
        didSet { if lease != nil { leasedAt = .now } }
    }
    private var leasedAt = ContinuousClock.now
    /// How often a lost lease still makes this node follow another one.
    private var yields = 2

    /// - Parameter partial: what an earlier transfer left; `answer` goes on behind it or begins anew.
    init(
        flight: Flight, feed: ProofFeed, answer: UpstreamAnswer, index: Int, isProbe: Bool,
        partial: Ingest? = nil
    ) {
        self.flight = flight
        self.feed = feed
        self.answer = answer
        self.index = index
        self.isProbe = isProbe
        ingest = partial
        offset = answer.facts.offset
        total = flight.order.size ?? answer.facts.total ?? partial?.size
        givers = partial == nil ? [] : ["an earlier transfer"]
        sourceName = flight.order.sources[index].member.name
        givers.append(sourceName)
        pauses = flight.delivery.policy.retryPauses[...]
        validator = answer.facts.validator
        authenticated = answer.facts.authenticated
        plan = ResumePlan(
            fallsBack: flight.order.sources.map(\.onAnyFailure),
            isDigestNamed: flight.order.expected != nil)
    }

    /// A transfer from other nodes into `ingest`, which may hold something already.
    init(flight: Flight, feed: ProofFeed, body: any PeerBody, ingest: Ingest) {
        self.flight = flight
        self.feed = feed
        answer = UpstreamAnswer(facts: UpstreamFacts(), body: NoBody())
        index = 0
        isProbe = false
        self.ingest = ingest
        total = flight.order.size ?? body.facts.size ?? ingest.size
        sourceName = body.peer.description
        givers = ingest.presentCount > 0 ? ["an earlier transfer", sourceName] : [sourceName]
        pauses = flight.delivery.policy.retryPauses[...]
        authenticated = body.facts.access == .private
        plan = ResumePlan(
            fallsBack: flight.order.sources.map(\.onAnyFailure),
            isDigestNamed: flight.order.expected != nil)
        peers = body
    }

    var delivery: Delivery { flight.delivery }
    var order: BodyOrder { flight.order }
    var source: any BodySource { order.sources[index].member }

    /// Opens the ingest and lets the readers in.
    mutating func begin() async throws {
        do {
            if let ingest {
                if let total { try ingest.setSize(total) }
            } else {
                ingest = try await delivery.store.beginIngest(
                    expected: order.expected, size: total, observer: feed)
            }
        } catch StoreError.noSpace {
            try await beginRelay()
        }
        let ingest = ingest
        let rangeSource = peers == nil ? (source, validator) : nil
        let isFromPeers = peers != nil
        let isLazy = isLazy
        let isPrivate = (order.access ?? (authenticated ? .private : .public)) == .private
        flight.state.withLock { state in
            state.ingest = ingest
            state.isLazy = isLazy
            state.isPrivate = isPrivate
            state.began = .now
            state.isFed = !isFromPeers
            state.rangeSource = rangeSource
        }
        flight.head.fulfil(
            .success(
                .streaming(
                    BodyHead(
                        total: total, source: sourceName, validator: validator, isPrivate: isPrivate,
                        isFromPeers: isFromPeers))))
    }

    // MARK: bytes

    mutating func receiveAll() async throws {
        if let body = peers {
            peers = nil
            if try await receive(from: body) { return }
            try await continueUpstream()
        }
        var began = offset
        if isLazy, let total {
            try await receiveLazily(total: total)
        } else if isProbe, offset + 1 < total ?? 0 {
            plan.brokeOff(at: index, offset: offset, validator: validator)
            try await continueElsewhere(after: .cancelled)
        }
        while true {
            do {
                try await drain()
                return
            } catch let failure as UpstreamFailure {
                answer.body.cancel()
                delivery.logger.notice("\(order.name) at byte \(offset): \(failure)")
                if offset > began { pauses = delivery.policy.retryPauses[...] }
                began = offset
                if try await peersGoOn() { return }
                plan.brokeOff(at: index, offset: offset, validator: validator)
                try await continueElsewhere(after: failure)
            }
        }
    }

    /// Reads the source to its end.
    private mutating func drain() async throws {
        while let bytes = try await answer.body.next() {
            try await accept(bytes)
            if try await skipWhatIsThere() { return }
            if let lease, lease.isLost { try yield() }
            if flight.shouldPark(received: offset, total: total) { try await park() }
        }
        if let total, offset < total {
            throw UpstreamFailure.cutShort(upstream: sourceName, received: offset, expected: total)
        }
    }

    /// Another node was granted what this one fetches, as happens when owners could not be reached for a while: this
    /// one follows it instead of fetching the rest a second time.
    private mutating func yield() throws {
        lease = nil
        // Later it has more than the other one: following would make the clients wait.
        guard order.expected != nil, relay == nil, peerTries > 0, yields > 0, let total,
            total - offset > TransferPolicy.nearby, ContinuousClock.now - leasedAt < .seconds(5)
        else { return }
        yields -= 1
        throw UpstreamFailure.cancelled
    }

    mutating func accept(_ bytes: ByteBuffer) async throws {
        let end = offset + Int64(bytes.readableBytes)
        if let total, end > total {
            throw UpstreamFailure.tooLong(upstream: sourceName, limit: total)
        }
        if end > order.limit { throw UpstreamFailure.tooLong(upstream: sourceName, limit: order.limit) }
        try await compareWithHeld(bytes)
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
    func park() async throws {
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
        guard peers == nil, let total, let ingest, flight.firstByte > ingest.front + TransferPolicy.nearby
        else {
            return false
        }
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

    // MARK: the end

    /// Proves the body, lets its last bytes go, then publishes it.
    mutating func finish() async throws {
        answer.body.cancel()
        if relay != nil {
            if let expected = order.expected, let found = feed.digest, found != expected {
                throw await liars(found: found)
            }
            _ = try await feed.proof.conclude(size: offset, source: sourceName, file: nil)
            flight.succeed(size: offset)
            return
        }
        guard let ingest else { return }
        ingest.markEnd(at: offset)
        let (digest, size) = try await seal(ingest)
        let verdict = try await verdict(size: size, file: ingest.slice(0..<size))
        flight.succeed(size: size)
        let now = delivery.clock.now
        let reference = Reference(
            name: order.name, digest: digest, size: size, learned: now, checked: now, origin: sourceName,
            validator: validator, contentType: order.contentType, verified: verdict.verification,
            access: order.access ?? (authenticated ? .private : .public), h1: verdict.h1)
        if order.isTold, !(await delivery.mayTell(reference)) { return await ingest.abandon() }
        do {
            let names = flight.state.withLock { $0.otherNames }
            if order.expected == nil { delivery.notePublished(flight.transferID, as: digest) }
            _ = try await delivery.publish(ingest, reference, names: names, verdict)
            order.stored(reference)
        } catch {
            // The readers have a proven body; only the next one must fetch it again.
            delivery.logger.error("\(order.name) was delivered but could not be stored: \(error)")
            await ingest.abandon()
        }
    }

    private func seal(_ ingest: Ingest) async throws -> (Digest, Int64) {
        do {
            return try await ingest.seal()
        } catch StoreError.digestMismatch(_, let found) {
            throw await liars(found: found)
        }
    }

    private func verdict(size: Int64, file: FileSlice) async throws -> ProofVerdict {
        do {
            return try await feed.proof.conclude(size: size, source: sourceName, file: file)
        } catch let failure as DeliveryFailure {
            if case .mismatch(let what) = failure { await convict(what) }
            throw failure
        }
    }

    private func liars(found: Digest) async -> DeliveryFailure {
        await convict("its bytes of \(order.name) have the digest \(found)")
        if let expected = order.expected {
            for giver in givers { delivery.wrongAnswers.note(giver, for: expected) }
        }
        return delivery.caughtLying(givers, about: order.name, found: found)
    }
}
