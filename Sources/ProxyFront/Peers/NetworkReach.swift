import ChunkStore
import Content
import Gossip
import PeerExchange

/// The other nodes as Delivery asks them, over the real network.
package final class NetworkReach: PeerReach {
    private let network: PeerNetwork
    private let store: ChunkStore

    package init(_ network: PeerNetwork, store: ChunkStore) {
        (self.network, self.store) = (network, store)
    }

    package func whole(_ ask: ContentAsk, limit: Int) async -> PeerFile? {
        guard let object = await network.fetchWhole(ask, limit: limit) else { return nil }
        return PeerFile(bytes: object.bytes, facts: object.facts, peer: PeerName(object.peer))
    }

    package func choose(_ ask: ContentAsk, size: Int64?) async -> PeerChoice {
        switch await network.decide(ask) {
        case .peers(let transfer, let node):
            .peers(NetworkBody(transfer, delta: ModuleDelta(ask, transfer, at: node, network, store)))
        case .upstream(let lease): .upstream(lease: lease)
        }
    }

    package func settled(_ name: ReferenceName) async -> PeerStatement? {
        let held: Reference?
        // What cannot be read may be this node's own answer.
        do { held = try await store.reference(name) } catch { return nil }
        guard let verdict = await network.settled(name, over: held.map { .init($0) }) else { return nil }
        let statement = verdict.statement
        return PeerStatement(
            Reference(
                name: name, digest: statement.digest, size: statement.size, learned: statement.checked,
                checked: statement.checked, origin: statement.origin, contentType: statement.contentType,
                verified: .notApplicable, access: statement.access),
            signers: verdict.signers.map { PeerName($0) })
    }

    package func lied(_ peer: PeerName, what: String) async {
        guard let node = try? NodeID(parsing: NodeID.prefix + peer.text) else { return }
        network.lied(node, what: what)
    }
}

extension PeerName {
    /// A node's key without the words before it.
    init(_ node: NodeID) { self.init(String(node.description.dropFirst(NodeID.prefix.count))) }
}

/// A body that comes in from other nodes.
private struct NetworkBody: PeerBody {
    let transfer: PeerTransfer
    let delta: ModuleDelta?

    init(_ transfer: PeerTransfer, delta: ModuleDelta?) { (self.transfer, self.delta) = (transfer, delta) }

    var facts: ContentFacts { transfer.facts }
    var peer: PeerName { PeerName(transfer.signer) }

    func run(into ingest: Ingest, reading: @escaping @Sendable () -> Int64) async throws {
        if let delta, ingest.presentCount == 0 {
            try ingest.setSize(transfer.size)
            // Whatever went wrong, pieces bring what chunks did not.
            do { try await delta.fill(ingest) } catch {
                if Task.isCancelled { throw CancellationError() }
            }
            if ingest.presentCount == transfer.size { return }
        }
        try await transfer.run(into: ingest, reading: reading)
    }
}
