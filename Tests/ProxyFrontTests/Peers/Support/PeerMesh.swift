import ChunkStore
import Content
import Gossip
import Logging
import PeerExchange
import ProxyFront
import Synchronization

/// Nodes of one process that give each other content without a network between them: everything that a node gives
/// goes through its `StoreContent`, everything that one takes through its `PeerReach`.
final class PeerMesh: Sendable {
    /// What goes wrong with what a node gives.
    struct Faults: Sendable {
        /// Every byte in the middle of what it gives is another one.
        var lies = false
        /// It gives so many pieces, then nothing more.
        var piecesLeft = Int.max
        /// It is gone.
        var isStopped = false
        var roles: Roles = []
        /// What happens after it has been told what others say of a name, before it can act on that.
        var meanwhile: (@Sendable () async -> Void)?
    }

    private struct State {
        var contents: [Int: StoreContent] = [:]
        var faults: [Int: Faults] = [:]
        var leases: [ContentAsk: Int] = [:]
        var blamed: [String] = []
        /// Bodies and small things that left each node.
        var given: [Int: Int] = [:]
    }

    private let state = Mutex(State())

    var blamed: [String] { state.withLock { $0.blamed } }
    func given(by node: Int) -> Int { state.withLock { $0.given[node] ?? 0 } }

    func change(_ node: Int, _ body: (inout Faults) -> Void) {
        state.withLock { body(&$0.faults[node, default: Faults()]) }
    }

    func add(_ node: Int, _ store: ChunkStore, _ deliveries: [Delivery]) {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let content = StoreContent(store: store, deliveries: deliveries, logger: logger)
        state.withLock { $0.contents[node] = content }
    }

    func reach(of node: Int) -> any PeerReach { Reach(mesh: self, node: node) }

    func faults(of node: Int) -> Faults { state.withLock { $0.faults[node] ?? Faults() } }

    fileprivate func takePiece(of node: Int) -> Bool {
        state.withLock { state in
            guard !(state.faults[node]?.isStopped ?? false), state.faults[node]?.piecesLeft ?? 1 > 0 else {
                return false
            }
            state.faults[node]?.piecesLeft -= 1
            return true
        }
    }

    fileprivate func others(than node: Int) -> [(Int, StoreContent)] {
        state.withLock { state in
            state.contents.sorted { $0.key < $1.key }.filter {
                $0.key != node && state.faults[$0.key]?.isStopped != true
            }.map { ($0.key, $0.value) }
        }
    }

    func identity(of node: Int) -> PeerIdentity {
        let id = NodeID(bytes: [UInt8](repeating: UInt8(node), count: NodeID.byteCount))
        return PeerIdentity(id: id!, zone: .standard, roles: faults(of: node).roles)
    }

    static func name(of node: Int) -> PeerName { PeerName("node \(node)") }

    /// What a node answers to another one.
    func find(_ ask: ContentAsk, at node: Int, for other: Int) async -> FindResult {
        guard let content = state.withLock({ $0.contents[node] }) else { return .notHeld }
        return await content.find(ask, for: identity(of: other))
    }

    fileprivate func gave(_ node: Int) { state.withLock { $0.given[node, default: 0] += 1 } }
    fileprivate func blame(_ what: String) { state.withLock { $0.blamed.append(what) } }

    fileprivate final class Lease: PeerLease {
        let isLost = false
        private let mesh: PeerMesh
        private let ask: ContentAsk

        init(_ mesh: PeerMesh, _ ask: ContentAsk) {
            self.mesh = mesh
            self.ask = ask
        }

        deinit { mesh.state.withLock { _ = $0.leases.removeValue(forKey: ask) } }
    }

    fileprivate func lease(_ ask: ContentAsk, to node: Int) -> Lease? {
        state.withLock { state in
            guard state.leases[ask] == nil else { return nil }
            state.leases[ask] = node
            return Lease(self, ask)
        }
    }
}

private struct Reach: PeerReach {
    let mesh: PeerMesh
    let node: Int

    func whole(_ ask: ContentAsk, limit: Int) async -> PeerFile? {
        for (other, content) in mesh.others(than: node) {
            guard case .held(let body) = await content.find(ask, for: mesh.identity(of: node)),
                body.isComplete, let size = body.facts.size, size <= limit,
                var bytes = try? await body.read(0..<size)
            else { continue }
            if mesh.faults(of: other).lies { bytes[bytes.count / 2] ^= 1 }
            mesh.gave(other)
            return PeerFile(bytes: bytes, facts: body.facts, peer: PeerMesh.name(of: other))
        }
        return nil
    }

    func choose(_ ask: ContentAsk, size: Int64?) async -> PeerChoice {
        for (other, content) in mesh.others(than: node) {
            if case .held(let body) = await content.find(ask, for: mesh.identity(of: node)) {
                mesh.gave(other)
                return .peers(MeshBody(mesh: mesh, node: other, body: body))
            }
        }
        return .upstream(lease: mesh.lease(ask, to: node))
    }

    func settled(_ name: ReferenceName) async -> PeerStatement? {
        var found: [(node: Int, reference: Reference)] = []
        for (other, content) in mesh.others(than: node) {
            if let reference = await content.statement(for: name, for: mesh.identity(of: node)) {
                found.append((other, reference))
            }
        }
        for (other, reference) in found {
            let agreeing = found.filter { $0.reference.digest == reference.digest }.map(\.node)
            if agreeing.count >= 2 || mesh.faults(of: other).roles.contains(.resolver) {
                await mesh.faults(of: node).meanwhile?()
                return PeerStatement(reference, signers: agreeing.map(PeerMesh.name))
            }
        }
        return nil
    }

    func lied(_ peer: PeerName, what: String) async { mesh.blame("\(peer): \(what)") }
}

/// Brings the pieces that are lacking, the last ones first: readers must not mind.
private struct MeshBody: PeerBody {
    struct Gone: Error {}

    private static let piece: Int64 = 32 * 1024

    let mesh: PeerMesh
    let node: Int
    let body: any LocalBody

    var facts: ContentFacts { body.facts }
    var peer: PeerName { PeerMesh.name(of: node) }

    func run(into ingest: Ingest, reading: @escaping @Sendable () -> Int64) async throws {
        if let size = facts.size { try ingest.setSize(size) }
        while true {
            try Task.checkCancellation()
            let count = body.present.reduce(0) { $0 + Int64($1.count) }
            for piece in pieces(lacking: ingest.present).reversed() {
                guard mesh.takePiece(of: node) else { throw Gone() }
                var bytes = try await body.read(piece)
                if mesh.faults(of: node).lies { bytes[bytes.count / 2] ^= 1 }
                try await ingest.write(bytes, at: piece.lowerBound)
            }
            if let size = facts.size, ingest.presentCount == size { return }
            guard !mesh.faults(of: node).isStopped else { throw Gone() }
            await body.waitForMore(than: count, within: .milliseconds(20))
        }
    }

    private func pieces(lacking present: [Range<Int64>]) -> [Range<Int64>] {
        var pieces: [Range<Int64>] = []
        for run in body.present {
            var start = run.lowerBound
            while start < run.upperBound {
                let end = min(start - start % Self.piece + Self.piece, run.upperBound)
                let isThere = present.contains { $0.lowerBound <= start && end <= $0.upperBound }
                if !isThere { pieces.append(start..<end) }
                start = end
            }
        }
        return pieces
    }
}
