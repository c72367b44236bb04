import ChunkStore
import Content
import Gossip
import Logging
import PeerExchange

/// Tells gossip what this node can give: ids of blobs and of names that peers may ask for, from the store's events and,
/// for what an earlier run left, from one walk over its names. What nobody may be given is not told.
package final class PeerInventory: Sendable {
    package typealias Hold = @Sendable (_ add: [InventoryID], _ remove: [InventoryID]) -> Void

    private static let page = 1000

    private let store: ChunkStore
    private let secret: ClusterSecret
    private let hold: Hold
    private let logger: Logger

    /// - Parameter hold: takes ids that are held from now on, and that are not; does not block.
    package init(store: ChunkStore, secret: ClusterSecret, logger: Logger, hold: @escaping Hold) {
        self.store = store
        self.secret = secret
        self.logger = logger
        self.hold = hold
    }

    /// Follows the store from now on.
    package func follow() {
        store.observe { [weak self] event in self?.note(event) }
    }

    /// Tells what is held already; call it after `follow`, beside everything else.
    package func walk() async {
        for prefix in ["go/", "sumdb/", Repository.prefix] {
            var last = prefix
            while !Task.isCancelled {
                do {
                    let page = try await store.references(prefix: prefix, after: last, limit: Self.page)
                    guard let end = page.last else { break }
                    hold(page.flatMap(ids), [])
                    last = end.name.text
                } catch {
                    logger.error("what is held cannot be told to other nodes: \(error)")
                    return
                }
            }
        }
    }

    private func note(_ event: StoreEvent) {
        switch event {
        case .named(let references): hold(references.flatMap(ids), [])
        case .unnamed(let names): hold([], names.compactMap(id))
        case .evicted(let digest, _), .removed(let digest, _, _):
            hold([], [InventoryID(blob: digest, secret: secret)])
        case .published, .damaged, .folded, .unfolded, .packRewritten, .alarm: break
        }
    }

    /// What peers may ask a reference's content by.
    private func ids(of reference: Reference) -> [InventoryID] {
        guard SharedName(reference.name) != .own, reference.verified != .unverified else { return [] }
        let blob = InventoryID(blob: reference.digest, secret: secret)
        return [blob] + (id(of: reference.name).map { [$0] } ?? [])
    }

    /// A name's own id; nil for links of images, whose content is asked for by its digest.
    private func id(of name: ReferenceName) -> InventoryID? {
        let kind = SharedName(name)
        let isLink = kind == .immutable && name.text.hasPrefix(Repository.prefix)
        return kind == .own || isLink ? nil : InventoryID(reference: name, secret: secret)
    }
}
