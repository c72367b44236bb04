import ChunkStore
import Content
import Logging
import PeerExchange
import Synchronization

/// What this node gives to its peers: the store, and the bodies that its deliveries have under way
/// (architecture sections 7 and 8).
///
/// Public content goes to every member, private content only to those with the role for it, and only under the name
/// that it belongs to. What no checksum database vouched for goes to nobody.
package final class StoreContent: LocalContent {
    private static let privacy = "it is private, and this node's certificate does not have the role for that"

    /// Larger blobs are not cut for peers: their lists of pieces do not fit one answer.
    private static let largestCut = Int64(PieceList.partLimit) * PeerExchange.pieceLength

    private let store: ChunkStore
    private let deliveries: [Delivery]
    private let logger: Logger
    /// Flights of bytes without a digest for a name that were given to peers: their transfers go on under the same key
    /// once the bytes are held.
    private let given = Mutex(ExpiringCache<ReferenceName, [UInt8]>(limit: 256))
    /// Recipes that peers asked for lately: cutting a whole blob reads all of it.
    private let recipes = Mutex(ExpiringCache<Digest, SharedRecipe>(limit: 32))
    /// Those that are being made: many peers want the same new version at once.
    private let cuts = SingleFlight<Digest, SharedRecipe?>()

    private struct SharedRecipe: Sendable {
        let recipe: Recipe
        let places: [ChunkID: Range<Int64>]
    }

    package init(store: ChunkStore, deliveries: [Delivery], logger: Logger) {
        self.store = store
        self.deliveries = deliveries
        self.logger = logger
    }

    // MARK: bodies

    package func find(_ ask: ContentAsk, for peer: PeerIdentity) async -> FindResult {
        do {
            switch try await held(ask, for: peer) {
            case .notHeld: return await inFlight(ask, for: peer)
            case let result: return result
            }
        } catch {
            logger.error("\(ask) cannot be read from the store for a peer: \(error)")
            return .notHeld
        }
    }

    private func held(_ ask: ContentAsk, for peer: PeerIdentity) async throws -> FindResult {
        guard let reference = try await reference(for: ask) else { return .notHeld }
        guard reference.access == .public || peer.mayHavePrivate else {
            return .denied(reason: Self.privacy)
        }
        guard let object = try await store.object(reference.digest) else { return .notHeld }
        var key = TransferKey.digest(object.digest)
        if case .reference(let name) = ask.subject,
            let flight = given.withLock({ $0.value(for: name, now: .now) }),
            deliveries.contains(where: { $0.published(flight) == object.digest })
        {
            key = .flight(flight)
        }
        return .held(HeldBody(object, facts: Self.facts(reference), transfer: key))
    }

    /// The name by which a peer may have what it asks for, whatever its class.
    private func reference(for ask: ContentAsk) async throws -> Reference? {
        switch (ask.subject, ask.under) {
        case (.reference(let name), _):
            guard SharedName(name) == .immutable, let found = try await store.reference(name),
                found.verified != .unverified
            else { return nil }
            return found
        case (.blob(let digest), let name?):
            guard SharedName(name) != .own, let found = try await store.reference(name),
                found.digest == digest, found.verified != .unverified
            else { return nil }
            return found
        case (.blob(let digest), nil):
            return try await store.references(to: digest).first { reference in
                reference.access == .public && reference.verified == .verified
                    && SharedName(reference.name) == .immutable
            }
        }
    }

    private func inFlight(_ ask: ContentAsk, for peer: PeerIdentity) async -> FindResult {
        var refusal: String?
        for delivery in deliveries {
            for flight in delivery.flights(answering: ask) {
                // Without a head nobody knows yet whose it is.
                guard case .success(.streaming(let head))? = try? await flight.head.value(within: .seconds(1))
                else { continue }
                // Of content that everybody shares, the name that it is fetched under is one of many.
                guard ask.under != nil || !head.isPrivate else { continue }
                guard !head.isPrivate || peer.mayHavePrivate else {
                    refusal = Self.privacy
                    continue
                }
                guard let body = FlightBody(flight, head: head) else { continue }
                if flight.order.expected == nil {
                    given.withLock {
                        $0.set(flight.transferID, for: flight.order.name, until: .now + .seconds(60))
                    }
                }
                return .held(body)
            }
        }
        return refusal.map { .denied(reason: $0) } ?? .notHeld
    }

    static func facts(_ reference: Reference) -> ContentFacts {
        ContentFacts(
            digest: reference.digest, size: reference.size, h1: reference.h1, access: reference.access,
            verified: reference.verified, contentType: reference.contentType, origin: reference.origin,
            learned: reference.learned, checked: reference.checked)
    }

    // MARK: statements

    package func statement(for name: ReferenceName, for peer: PeerIdentity) async -> Reference? {
        guard SharedName(name) != .own, let held = try? await store.reference(name),
            held.verified != .unverified, !held.isPeersWord,
            held.access == .public || peer.mayHavePrivate
        else { return nil }
        return held
    }

    // MARK: delta

    package func recipe(of digest: Digest, ask: ContentAsk, for peer: PeerIdentity) async -> Recipe? {
        await shared(digest, ask, peer)?.recipe
    }

    package func chunks(
        _ ids: [ChunkID], of digest: Digest, ask: ContentAsk, for peer: PeerIdentity
    ) async -> [[UInt8]?] {
        guard let shared = await shared(digest, ask, peer), case .held(let body) = await find(ask, for: peer)
        else { return ids.map { _ in nil } }
        var chunks: [[UInt8]?] = []
        var left = Int64(ChunkList.byteLimit)
        for id in ids {
            guard let place = shared.places[id], place.upperBound - place.lowerBound <= left else {
                chunks.append(nil)
                continue
            }
            left -= place.upperBound - place.lowerBound
            chunks.append(try? await body.read(place))
        }
        return chunks
    }

    /// The recipe of a blob that the peer may have under what it asks for.
    private func shared(_ digest: Digest, _ ask: ContentAsk, _ peer: PeerIdentity) async -> SharedRecipe? {
        do {
            guard case .held(let body) = try await held(ask, for: peer), body.facts.digest == digest,
                body.facts.size ?? .max <= Self.largestCut
            else { return nil }
            if let known = recipes.withLock({ $0.value(for: digest, now: .now) }) { return known }
            return try await cuts.run(digest) { await self.cut(digest) }.0
        } catch is CancellationError {
            return nil
        } catch {
            logger.error("\(digest) cannot be cut for a peer: \(error)")
            return nil
        }
    }

    private func cut(_ digest: Digest) async -> SharedRecipe? {
        do {
            guard let recipe = try await store.travellingRecipe(of: digest) else { return nil }
            let shared = SharedRecipe(recipe: recipe, places: try recipe.places())
            recipes.withLock { $0.set(shared, for: digest, until: .now + .seconds(600)) }
            return shared
        } catch {
            logger.error("\(digest) cannot be cut for a peer: \(error)")
            return nil
        }
    }
}
