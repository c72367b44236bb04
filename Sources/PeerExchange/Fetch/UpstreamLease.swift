package import Gossip
internal import Synchronization

/// This node fetches something from upstream for everybody: renewed while it is held, given back when it is let go.
package final class UpstreamLease: Sendable {
    private let id: InventoryID
    private let gossip: GossipService
    private let renewal: Task<Void, Never>
    private let lost: Flag

    private final class Flag: Sendable {
        let isSet = Atomic(false)
    }

    /// - Parameter pause: between two renewals.
    package init(
        _ id: InventoryID, gossip: GossipService, every pause: Duration = .milliseconds(1500)
    ) {
        let lost = Flag()
        self.id = id
        self.gossip = gossip
        self.lost = lost
        renewal = Task.detached {
            while !Task.isCancelled {
                try? await Task.sleep(for: pause)
                guard !Task.isCancelled else { return }
                let answer = await gossip.ask(id, wantsLease: true)
                // The second owner may not know what the first has granted.
                if case .held = answer.lease, answer.isFirstOwner {
                    return lost.isSet.store(true, ordering: .relaxed)
                }
            }
        }
    }

    /// Another member has been granted it: both were let fetch it while an owner could not be reached.
    package var isLost: Bool { lost.isSet.load(ordering: .relaxed) }

    deinit {
        renewal.cancel()
        gossip.release(id)
    }
}
