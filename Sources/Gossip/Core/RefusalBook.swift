/// The nodes that were refused last, for people: a node that is no member stands nowhere else.
struct RefusalBook: Sendable {
    /// Of more the latest ones.
    private static let limit = 64

    private(set) var refused: [RefusedNode] = []

    mutating func note(_ event: GossipEvent) {
        switch event {
        case .refused(let node, let refusal):
            forget(node)
            refused.append(RefusedNode(node: node, refusal: refusal))
            if refused.count > Self.limit { refused.removeFirst() }
        case .joined(let node), .returned(let node): forget(node)
        default: break
        }
    }

    private mutating func forget(_ node: NodeID) { refused.removeAll { $0.node == node } }
}
