/// A place that a body can come from. Upstreams are one kind; a peer will be another.
public protocol BodySource: Sendable {
    /// What logs and references call it.
    var name: String { get }
    /// The body from `offset` on, up to `end` (exclusive) when given.
    /// - Parameter validator: give a part only if the resource still has this strong validator.
    func open(
        from offset: Int64, to end: Int64?, validator: String?
    ) async throws(UpstreamFailure) -> UpstreamAnswer
}

/// A resource of an upstream.
struct UpstreamSource: BodySource {
    let upstream: Upstream
    /// Percent-escaped, below the upstream's base.
    let resource: String
    /// The longest body taken, in bytes.
    let limit: Int64
    let pool: UpstreamPool

    var name: String { upstream.name }

    func open(
        from offset: Int64, to end: Int64?, validator: String?
    ) async throws(UpstreamFailure) -> UpstreamAnswer {
        var request = UpstreamRequest(upstream.base.appending(resource), limit: limit)
        if offset > 0 || end != nil {
            request.span = .init(start: offset, end: end)
            request.ifRange = validator
        }
        return try await pool.get(request, from: upstream)
    }
}
