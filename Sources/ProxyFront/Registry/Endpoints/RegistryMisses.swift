import Content

/// What upstream lately said it has not, apart by who was told: what a credential would have shown is no miss for
/// those who bring it.
struct RegistryMisses: Sendable {
    private let anybody: NegativeCache
    private let node: NegativeCache

    init(lifetime: Duration, limit: Int) {
        anybody = NegativeCache(lifetime: lifetime, limit: limit)
        node = NegativeCache(lifetime: lifetime, limit: limit)
    }

    private func cache(_ identity: UpstreamIdentity) -> NegativeCache? {
        switch identity {
        case .anonymous: anybody
        case .node: node
        case .client: nil
        }
    }

    /// - Throws: what upstream said, if it is not long ago.
    func check(_ name: ReferenceName, as identity: UpstreamIdentity) throws(DeliveryFailure) {
        if let refusal = cache(identity)?.refusal(for: name, now: .now) { throw .upstream(.refused(refusal)) }
    }

    /// Remembers a failure that is a miss.
    func note(_ failure: DeliveryFailure, of name: ReferenceName, as identity: UpstreamIdentity) {
        guard case .upstream(.refused(let refusal)) = failure, refusal.isNotFound else { return }
        cache(identity)?.remember(refusal, for: name, now: .now)
    }

    func forget(_ name: ReferenceName) {
        anybody.forget(name)
        node.forget(name)
    }
}
