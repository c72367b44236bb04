import ChunkStore
import Content
import Foundation
import Gossip
import Logging
import PeerExchange
import Synchronization
import Testing

/// A body from several peers, some of which fail or lie at each step of the exchange.
@Suite("A body from peers") struct PeerTransferTests {
    /// What a peer does wrong.
    enum Fault: String, Sendable, CaseIterable, CustomTestStringConvertible {
        case wrongPiece, shortPiece, longPiece, emptyPiece, stallsAtPieces, closesAtPieces, refusesPieces
        case unsignedList, othersList, othersListLate, stallsAtList, garbage, otherSize, otherBody,
            busyForEver, goneHalfway

        var testDescription: String { rawValue }

        /// Whether it is more than weakness: it is named.
        var isLie: Bool {
            switch self {
            case .wrongPiece, .shortPiece, .longPiece, .emptyPiece, .unsignedList, .othersList,
                .othersListLate,
                .garbage:
                true
            default: false
            }
        }
    }

    /// Peers by their keys; each holds the same body.
    private final class Peers: PeerCaller {
        struct Peer: Sendable {
            let key: NodeKey
            var fault: Fault?
            var asked = 0
        }

        let body: [UInt8]
        /// Made once: they are in every answer.
        private let digest: Digest
        private let digests: [[UInt8]]
        let ask: ContentAsk
        let cluster: ClusterID
        private let peers: Mutex<[NodeID: Peer]>
        private let pieces = Mutex(0)

        init(_ body: [UInt8], _ cluster: ClusterID, _ list: [Peer]) {
            self.body = body
            self.cluster = cluster
            digest = Digest(.sha256, of: body)
            let count = PieceList(transfer: .digest(digest), size: Int64(body.count), signer: list[0].key.id)
                .pieceCount
            digests = (0..<count).map { piece in
                let range = PieceList.range(of: piece, size: Int64(body.count))
                return PieceShelf.digest(Array(body[Int(range.lowerBound)..<Int(range.upperBound)]))
            }
            ask = ContentAsk(.blob(digest))
            peers = Mutex(Dictionary(uniqueKeysWithValues: list.map { ($0.key.id, $0) }))
        }

        var size: Int64 { Int64(body.count) }
        var transfer: TransferKey { .digest(digest) }

        func list(_ key: NodeKey, from first: Int, wrong: Int? = nil) -> PieceList.Part {
            var list = PieceList(transfer: transfer, size: size, signer: key.id)
            for piece in 0..<list.pieceCount {
                list.append(piece == wrong ? digests[piece].map { $0 ^ 1 } : digests[piece])
            }
            // A few at a time, so that the list comes in several parts.
            return list.part(from: first, limit: 3, in: cluster, key: key)
        }

        func found(_ key: NodeKey, _ fault: Fault?, from first: Int) throws -> Found {
            let wrong = fault == .othersList ? 1 : fault == .othersListLate ? 5 : nil
            var part = list(key, from: first, wrong: wrong)
            if fault == .unsignedList { part = list(try NodeKey.generate(), from: first) }
            return Found(
                facts: ContentFacts(
                    digest: digest,
                    size: fault == .otherSize && first > 0 ? size + 1 : size,
                    h1: nil, access: .public, verified: .verified, contentType: nil, origin: "upstream",
                    learned: TrustedClock.build, checked: TrustedClock.build),
                transfer: fault == .otherBody && first > 0
                    ? .flight([UInt8](repeating: 7, count: 16)) : transfer,
                isComplete: true, present: [0..<size], pieces: part)
        }

        func call(
            _ request: PeerRequest, of node: NodeID, within patience: CallPatience
        ) async throws(PeerFailure) -> PeerReply {
            let peer = peers.withLock { peers -> Peer? in
                peers[node]?.asked += 1
                return peers[node]
            }
            guard let peer else { throw .unknown }
            switch request {
            case .find(_, _, let known, _, _):
                switch peer.fault {
                case .stallsAtList where known > 0: return try await silence(patience)
                case .garbage where known > 0: return .ok([1, 2, 3])
                default: break
                }
                do { return .ok(try found(peer.key, peer.fault, from: known).encoded) } catch {
                    throw .malformed("\(error)")
                }
            case .bytes(_, _, let range): return try await piece(range, peer, patience)
            default: return .unsupported
            }
        }

        private func piece(
            _ range: Range<Int64>, _ peer: Peer, _ patience: CallPatience
        ) async throws(PeerFailure) -> PeerReply {
            var bytes = Array(body[Int(range.lowerBound)..<Int(range.upperBound)])
            let number = pieces.withLock { pieces in
                pieces += 1
                return pieces
            }
            switch peer.fault {
            case .wrongPiece: bytes[bytes.count / 2] ^= 1
            case .shortPiece: bytes.removeLast()
            case .longPiece: bytes.append(0)
            case .emptyPiece: bytes = []
            case .stallsAtPieces: return try await silence(patience)
            case .closesAtPieces: throw .closed("reset")
            case .refusesPieces: return .notHeld
            case .busyForEver: return .busy(10)
            case .goneHalfway where number > 2: throw .unreachable("gone")
            default: break
            }
            return .ok(bytes)
        }

        /// Nothing comes, for as long as the caller waits.
        private func silence(_ patience: CallPatience) async throws(PeerFailure) -> PeerReply {
            try? await Task.sleep(for: patience.silence)
            throw .timedOut
        }
    }

    private static let body: [UInt8] = {
        var rng = GossipRandom(seed: [UInt8](repeating: 3, count: 32))
        return rng.bytes(5 * Int(PeerExchange.pieceLength) + 12_345)
    }()

    /// Short, so that what never comes is soon given up.
    private static let patience: PeerTransfer.Patience = {
        var patience = PeerTransfer.Patience()
        patience.piece = .milliseconds(300)
        patience.answer = .milliseconds(300)
        patience.growth = .seconds(2)
        patience.poll = .milliseconds(20)
        return patience
    }()

    private struct Outcome {
        var bytes: [UInt8]?
        var failure: (any Error)?
        var blamed: Set<NodeID>
    }

    /// Fetches the body from peers with these faults, nearest first.
    private func fetch(_ faults: [Fault?]) async throws -> (Outcome, [NodeID]) {
        let credentials = try TestRoot().credentials()
        let list = try faults.map { Peers.Peer(key: try NodeKey.generate(), fault: $0) }
        let peers = Peers(Self.body, credentials.cluster, list)
        let nodes = list.map(\.key.id)
        let blamed = Mutex(Set<NodeID>())
        let transfer = try #require(
            PeerTransfer(
                peers.ask, found: try peers.found(list[0].key, list[0].fault, from: 0), first: nodes[0],
                others: Array(nodes.dropFirst()), caller: peers, shelf: PieceShelf(credentials: credentials),
                cluster: credentials.cluster, patience: Self.patience, observe: { _, _ in },
                blame: { node, _ in _ = blamed.withLock { $0.insert(node) } }))
        let folder = NSTemporaryDirectory() + "edgenode-transfer-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var configuration = ChunkStore.Configuration(directory: folder, reservedFree: 0)
        configuration.upkeep.isEnabled = false
        let store = try await ChunkStore.open(
            configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let ingest = try await store.beginIngest(expected: nil, size: nil)
        var outcome = Outcome(blamed: [])
        do {
            try await transfer.run(into: ingest, reading: { 0 })
            outcome.bytes = try await ingest.read(0..<Int64(Self.body.count))
        } catch {
            outcome.failure = error
        }
        outcome.blamed = blamed.withLock { $0 }
        await ingest.abandon()
        await store.close()
        return (outcome, nodes)
    }

    @Test("comes whole from peers that are well")
    func well() async throws {
        for count in 1...3 {
            let (outcome, _) = try await fetch([Fault?](repeating: nil, count: count))
            #expect(outcome.bytes == Self.body && outcome.blamed.isEmpty)
        }
    }

    @Test("comes whole whatever the nearest peer does, and who lies is named", arguments: Fault.allCases)
    func nearestFails(fault: Fault) async throws {
        let (outcome, nodes) = try await fetch([fault, nil])
        #expect(outcome.bytes == Self.body, "\(String(describing: outcome.failure))")
        #expect(outcome.blamed == (fault.isLie ? [nodes[0]] : []))
    }

    @Test("comes whole whatever a farther peer does", arguments: Fault.allCases)
    func fartherFails(fault: Fault) async throws {
        let (outcome, nodes) = try await fetch([nil, fault, nil])
        #expect(outcome.bytes == Self.body, "\(String(describing: outcome.failure))")
        #expect(outcome.blamed.isSubset(of: [nodes[1]]))
    }

    @Test("ends soon when nobody gives it", arguments: Fault.allCases)
    func allFail(fault: Fault) async throws {
        let (outcome, _) = try await fetch([fault, fault])
        if let bytes = outcome.bytes {
            // What they do wrong comes after the bytes that one needs, or is wrong about the list's rest only.
            #expect(bytes == Self.body)
        } else {
            #expect(outcome.failure is PeerTransferFailure)
        }
    }
}
