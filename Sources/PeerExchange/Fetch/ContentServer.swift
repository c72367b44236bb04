internal import ChunkStore
internal import Content
package import Gossip
package import Logging
internal import Synchronization

/// Answers peers' questions about content from what this node has.
package final class ContentServer: Sendable {
    private let content: any LocalContent
    private let shelf: PieceShelf
    private let credentials: ClusterCredentials
    private let streamsAtOnce: Int
    private let pace: UploadPace
    private let revocations: RevocationAge?
    private let running = Mutex(0)
    private let logger: Logger

    package init(
        content: any LocalContent, shelf: PieceShelf, credentials: ClusterCredentials, limits: SessionLimits,
        revocations: RevocationAge? = nil, logger: Logger
    ) {
        self.revocations = revocations
        self.content = content
        self.shelf = shelf
        self.credentials = credentials
        streamsAtOnce = limits.streamsAtOnce
        pace = UploadPace(rate: limits.uploadRate)
        self.logger = logger
    }

    package func answer(_ request: PeerRequest, for peer: PeerIdentity) async -> PeerReply {
        let isTrusted = revocations?.isRecent ?? true
        let peer = isTrusted ? peer : peer.withoutRoles
        do {
            switch request {
            case .exchange, .trial: return .unsupported
            case .ping: return .ok([])
            case .find(let ask, let knownBytes, let knownPieces, let patience, let wantsBytes):
                return try await find(
                    ask, for: peer, knownBytes: knownBytes, knownPieces: knownPieces,
                    patience: .milliseconds(Int64(min(patience, 1000))), wantsBytes: wantsBytes)
            case .bytes(let ask, let transfer, let range):
                return try await streaming { try await bytes(ask, transfer, range, for: peer) }
            case .recipe(let ask, let digest):
                return try await streaming { await recipe(ask, digest, for: peer) }
            case .chunks(let ask, let digest, let ids):
                return try await streaming { await chunks(ask, digest, ids, for: peer) }
            case .statement(let name):
                guard isTrusted else { return .denied("this node's list of revocations is too old") }
                guard let reference = await content.statement(for: name, for: peer) else { return .notHeld }
                return .ok(Statement(reference, credentials: credentials).encoded)
            }
        } catch {
            logger.warning("\(peer.id) cannot be answered: \(error)")
            return .failed("it cannot be read here")
        }
    }

    private func find(
        _ ask: ContentAsk, for peer: PeerIdentity, knownBytes: Int64, knownPieces: Int, patience: Duration,
        wantsBytes: Bool
    ) async throws -> PeerReply {
        switch await content.find(ask, for: peer) {
        case .notHeld: return .notHeld
        case .denied(let reason): return .denied(reason)
        case .held(let body):
            if !body.isComplete, knownBytes > 0 { await body.waitForMore(than: knownBytes, within: patience) }
            var found = Found(
                facts: body.facts, transfer: body.transfer, isComplete: body.isComplete, isFed: body.isFed,
                present: body.present)
            if wantsBytes, body.isComplete, let size = body.facts.size, size <= Int64(Found.inlineLimit) {
                found.bytes = try await body.read(0..<size)
            } else if let size = body.facts.size, knownPieces < PieceList.pieceCount(of: size) {
                found.pieces = try await shelf.part(of: body, after: knownPieces)
            }
            return .ok(found.encoded)
        }
    }

    /// Does what costs disk and wire, for so many at once.
    private func streaming(_ work: () async throws -> PeerReply) async throws -> PeerReply {
        let isTaken = running.withLock { running in
            guard running < streamsAtOnce else { return false }
            running += 1
            return true
        }
        guard isTaken else { return .busy(200) }
        defer { running.withLock { $0 -= 1 } }
        return try await work()
    }

    private func recipe(_ ask: ContentAsk, _ digest: Digest, for peer: PeerIdentity) async -> PeerReply {
        guard let recipe = await content.recipe(of: digest, ask: ask, for: peer) else { return .notHeld }
        let encoded = recipe.encoded()
        guard encoded.count < PeerReply.byteLimit else { return .notHeld }
        await pace.take(encoded.count)
        return .ok(encoded)
    }

    private func chunks(
        _ ask: ContentAsk, _ digest: Digest, _ ids: [ChunkID], for peer: PeerIdentity
    ) async -> PeerReply {
        let encoded = ChunkList.encode(await content.chunks(ids, of: digest, ask: ask, for: peer))
        await pace.take(encoded.count)
        return .ok(encoded)
    }

    private func bytes(
        _ ask: ContentAsk, _ transfer: TransferKey, _ range: Range<Int64>, for peer: PeerIdentity
    ) async throws -> PeerReply {
        switch await content.find(ask, for: peer) {
        case .notHeld: return .notHeld
        case .denied(let reason): return .denied(reason)
        case .held(let body):
            guard body.transfer == transfer else { return .failed("these bytes are gone") }
            let isThere =
                body.isComplete && range.upperBound <= body.facts.size ?? 0
                || body.present.contains {
                    $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound
                }
            guard isThere else { return .notHeld }
            let bytes = try await body.read(range)
            await pace.take(bytes.count)
            return .ok(bytes)
        }
    }
}

/// Keeps what is uploaded below a rate.
final class UploadPace: Sendable {
    private let rate: Int64
    private let next = Mutex(ContinuousClock.now)

    /// - Parameter rate: bytes a second; 0 = any.
    init(rate: Int64) { self.rate = rate }

    /// Waits for the turn of `count` bytes.
    func take(_ count: Int) async {
        guard rate > 0 else { return }
        let turn = next.withLock { next in
            let start = max(next, .now)
            next = start + .seconds(Double(count) / Double(rate))
            return start
        }
        try? await Task.sleep(until: turn)
    }
}
