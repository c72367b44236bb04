import ChunkStore
import Content
import Logging

/// Tells gossip what this node can give: blobs, and names that peers may ask for, from the store's events and, for what
/// an earlier run left, from one walk over its names. What nobody may be given is not told.
package final class PeerInventory: Sendable {
    /// What gossip makes an id of.
    package enum Item: Hashable, Sendable {
        case blob(Digest)
        case reference(ReferenceName)
    }

    /// Takes what is held from now on, and what is not; must not block.
    package typealias Hold = @Sendable (_ add: [Item], _ remove: [Item]) -> Void

    private static let page = 1000

    private let store: ChunkStore
    private let logger: Logger
    private let hold: Hold

    package init(store: ChunkStore, logger: Logger, hold: @escaping Hold) {
        self.store = store
        self.logger = logger
        self.hold = hold
    }

    /// Follows the store for as long as this object lives, and tells what is held already; returns when the walk is
    /// over or the task is cancelled. Call it once.
    package func run() async {
        store.observe { [weak self] event in self?.note(event) }
        for prefix in ["go/", "sumdb/", Repository.prefix] {
            var last = prefix
            while !Task.isCancelled {
                do {
                    let page = try await store.references(prefix: prefix, after: last, limit: Self.page)
                    guard let end = page.last else { break }
                    hold(page.flatMap { Self.items(of: $0) }, [])
                    last = end.name.text
                } catch {
                    logger.error("what is held cannot be told to other nodes: \(error)")
                    return
                }
            }
        }
    }

    private func note(_ event: StoreEvent) {
        let (add, remove): ([Item], [Item]) =
            switch event {
            case .named(let references): (references.flatMap { Self.items(of: $0) }, [])
            case .unnamed(let names): ([], names.compactMap { Self.item($0) })
            case .evicted(let digest, _), .removed(let digest, _, _): ([], [.blob(digest)])
            case .published, .damaged, .folded, .unfolded, .packRewritten, .alarm: ([], [])
            }
        if !add.isEmpty || !remove.isEmpty { hold(add, remove) }
    }

    /// What peers may ask a reference's content by.
    private static func items(of reference: Reference) -> [Item] {
        guard SharedName(reference.name) != .own, reference.verified != .unverified else { return [] }
        return [.blob(reference.digest)] + (item(reference.name).map { [$0] } ?? [])
    }

    /// A name's own item; nil for links of images, whose content is asked for by its digest.
    private static func item(_ name: ReferenceName) -> Item? {
        let kind = SharedName(name)
        let isLink = kind == .immutable && name.text.hasPrefix(Repository.prefix)
        return kind == .own || isLink ? nil : .reference(name)
    }
}
