import Content

/// A blob at one endpoint of a registry, or where that sends for it. Named by digest, so every other source may
/// continue what this one began, and validators are not needed.
struct RegistryBlobSource: BodySource {
    /// The longest blob that is taken, in bytes.
    static let limit: Int64 = 1 << 40

    let connection: RegistryConnection
    let endpoint: RegistryConnection.Endpoint
    let digest: Digest
    let repository: RepositoryName
    let identity: UpstreamIdentity

    var name: String { endpoint.upstream.name }

    func open(
        from offset: Int64, to end: Int64?, validator: String?
    ) async throws(UpstreamFailure) -> UpstreamAnswer {
        let span = offset > 0 || end != nil ? UpstreamRequest.Span(start: offset, end: end) : nil
        let key = RedirectTargets.Key(
            repository: repository, digest: "\(digest)@\(name)",
            login: connection.key(try await connection.login(of: identity)))
        if let target = connection.targets.target(key) {
            do throws(UpstreamFailure) {
                return try await directly(target, span)
            } catch {
                guard error != .cancelled else { throw error }
                // Whatever it was, the registry knows best where the blob is now.
                connection.targets.drop(key)
            }
        }
        let ask = RegistryAsk(
            kind: .blob, repository: repository, resource: "blobs/\(digest)", limit: Self.limit, span: span)
        let reply = try await connection.reply(to: ask, as: identity, at: [endpoint])
        let facts = reply.answer.facts
        if let landing = facts.landing {
            let origin = endpoint.upstream.base.origin
            connection.targets.remember(
                .init(url: landing, from: origin, isPrivate: reply.access == .private), for: key)
        }
        return Self.marked(reply.answer, isPrivate: reply.access == .private)
    }

    private func directly(
        _ target: RedirectTargets.Target, _ span: UpstreamRequest.Span?
    ) async throws(UpstreamFailure) -> UpstreamAnswer {
        var request = UpstreamRequest(target.url, limit: Self.limit, span: span, authorization: .none)
        request.redirectedFrom = target.from
        return Self.marked(
            try await connection.pool.get(request, from: endpoint.upstream), isPrivate: target.isPrivate)
    }

    /// Delivery keeps as private what came with a login.
    private static func marked(_ answer: UpstreamAnswer, isPrivate: Bool) -> UpstreamAnswer {
        var facts = answer.facts
        facts.authenticated = isPrivate
        return UpstreamAnswer(facts: facts, body: answer.body)
    }
}
