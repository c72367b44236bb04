import ChunkStore
import Content
import PeerExchange

/// A body under way, as a peer reads it: one more reader of the flight, so that it goes on while the peer wants it.
final class FlightBody: LocalBody {
    let facts: ContentFacts
    let transfer: TransferKey
    private let ingest: Ingest
    private let seat: Flight.Seat

    /// Nil when nobody may come any more, or the bytes only pass through memory.
    init?(_ flight: Flight, head: BodyHead) {
        guard let seat = flight.takeSeat(for: flight.order.name),
            let ingest = flight.state.withLock({ state -> Ingest? in
                state.peerAsked = .now
                return state.relay == nil ? state.ingest : nil
            })
        else { return nil }
        self.seat = seat
        self.ingest = ingest
        let expected = flight.order.expected
        transfer = expected.map { .digest($0) } ?? .flight(flight.transferID)
        let now = flight.delivery.clock.now
        facts = ContentFacts(
            digest: expected, size: head.total, access: head.isPrivate ? .private : .public,
            verified: expected == nil ? .unverified : .verified, contentType: flight.order.contentType,
            origin: head.source, learned: now, checked: now)
    }

    var isComplete: Bool {
        if case .success(let size) = seat.flight.proven.current { ingest.presentCount == size } else { false }
    }

    var isFed: Bool { seat.flight.state.withLock { $0.isFed } }

    var present: [Range<Int64>] { ingest.present }

    func read(_ range: Range<Int64>) async throws -> [UInt8] { try await ingest.read(range) }

    func waitForMore(than count: Int64, within patience: Duration) async {
        guard ingest.presentCount <= count, !isComplete else { return }
        let (ingest, front) = (ingest, ingest.front)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = try? await ingest.available(front..<front + 1) }
            group.addTask { try? await Task.sleep(for: patience) }
            await group.next()
            group.cancelAll()
        }
    }
}

extension Delivery {
    /// The flights that bring what a peer asks for.
    func flights(answering ask: ContentAsk) -> [Flight] {
        runningFlights.filter { flight in
            switch (ask.subject, ask.under) {
            case (.reference(let name), _):
                SharedName(name) == .immutable && flight.order.name == name && flight.order.expected == nil
            case (.blob(let digest), let name?):
                flight.order.expected == digest && flight.isKnown(as: name)
            case (.blob(let digest), nil):
                // Whether anybody may have it is known once it has a head.
                flight.order.expected == digest
            }
        }
    }
}

extension Flight {
    /// Whether somebody of this node asked for it under this name.
    func isKnown(as name: ReferenceName) -> Bool {
        order.name == name || state.withLock { $0.otherNames.contains(name) }
    }
}
