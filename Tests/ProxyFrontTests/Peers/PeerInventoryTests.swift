import ChunkStore
import Content
import ProxyFront
import Synchronization
import Testing

/// What gossip is told of a node's store.
@Suite("Inventory for peers") struct PeerInventoryTests {
    private final class Told: Sendable {
        private let items = Mutex<Set<PeerInventory.Item>>([])
        var held: Set<PeerInventory.Item> { items.withLock { $0 } }

        func hold(_ add: [PeerInventory.Item], _ remove: [PeerInventory.Item]) {
            items.withLock { $0 = $0.union(add).subtracting(remove) }
        }
    }

    private func keep(
        _ name: String, _ text: String, in node: TestNode, _ verified: Verification = .verified
    ) async throws -> Digest {
        let bytes = Array(text.utf8)
        let now = node.clock.storeClock.now
        let reference = Reference(
            name: try ReferenceName(name), digest: Digest(of: bytes), size: Int64(bytes.count), learned: now,
            checked: now, origin: "test", verified: verified, access: .public)
        try await node.store.keep(bytes, as: reference, sync: true)
        return reference.digest
    }

    @Test func whatPeersMayHaveIsToldAndNothingElse() async throws {
        try await TestNode.running(TestNode.Settings("http://127.0.0.1:1")) { node in
            let old = try await keep("go/example.com/a@v1.0.0.mod", "old", in: node)
            _ = try await keep("gosum/example.com/a@v1.0.0.mod", "a pin", in: node)
            _ = try await keep("go/example.com/a@v1.1.0.mod", "unproven", in: node, .unverified)
            let told = Told()
            let inventory = PeerInventory(store: node.store, logger: .init(label: "test")) {
                told.hold($0, $1)
            }
            await inventory.run()
            let first: Set<PeerInventory.Item> = [
                .blob(old), .reference(try ReferenceName("go/example.com/a@v1.0.0.mod")),
            ]
            #expect(told.held == first)
            let layer = try await keep(
                "oci/quay.io/a@sha256:\(String(repeating: "a", count: 64))", "l", in: node)
            #expect(told.held == first.union([.blob(layer)]))
            let list = try await keep("go/example.com/a@list", "v1.0.0", in: node, .notApplicable)
            #expect(told.held.contains(.blob(list)))
            #expect(told.held.contains(.reference(try ReferenceName("go/example.com/a@list"))))
            try await node.store.remove(old, because: "a test")
            #expect(told.held.isDisjoint(with: first))
        }
    }
}
