internal import ChunkStore
internal import Content
internal import Crypto
package import Gossip
internal import Synchronization

/// The piece lists that this node can give: its own, worked out when they are first asked for, and those of others for
/// bodies that it is getting from peers itself.
package final class PieceShelf: Sendable {
    /// Bodies whose lists are kept.
    private static let limit = 256

    private struct State {
        var own: [TransferKey: PieceList] = [:]
        var order: [TransferKey] = []
        /// Of bodies on their way in from peers: their signers' own words, part by part.
        var others: [TransferKey: [PieceList.Part]] = [:]
    }

    private let credentials: ClusterCredentials
    private let state = Mutex(State())

    package init(credentials: ClusterCredentials) { self.credentials = credentials }

    /// A part that another node signed, for a body that this node is still getting.
    package func note(_ part: PieceList.Part) {
        state.withLock { $0.others[part.transfer, default: []].append(part) }
    }

    package func forget(_ transfer: TransferKey) { state.withLock { $0.others[transfer] = nil } }

    /// The part that follows the first `known` digests, for what is there of `body`; nil when nothing follows yet.
    package func part(of body: any LocalBody, after known: Int) async throws -> PieceList.Part? {
        let others = state.withLock { $0.others[body.transfer] }
        if let others { return others.first { $0.first == known } }
        guard let size = body.facts.size else { return nil }
        var list =
            state.withLock { $0.own[body.transfer] }
            ?? PieceList(transfer: body.transfer, size: size, signer: credentials.id)
        guard known < list.pieceCount else { return nil }
        let front =
            body.isComplete ? size : body.present.first.map { $0.lowerBound == 0 ? $0.upperBound : 0 } ?? 0
        while list.digests.count < known + PieceList.partLimit, list.digests.count < list.pieceCount {
            let range = PieceList.range(of: list.digests.count, size: size)
            guard range.upperBound <= front else { break }
            list.append(Self.digest(try await body.read(range)))
        }
        keep(list)
        guard list.digests.count > known else { return nil }
        return list.part(from: known, in: credentials.cluster, key: credentials.key)
    }

    private func keep(_ list: PieceList) {
        state.withLock { state in
            if let known = state.own[list.transfer] {
                if known.digests.count < list.digests.count { state.own[list.transfer] = list }
                return
            }
            state.own[list.transfer] = list
            state.order.append(list.transfer)
            if state.order.count > Self.limit { state.own[state.order.removeFirst()] = nil }
        }
    }

    package static func digest(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
}
