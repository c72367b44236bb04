public import ChunkStore
public import Content
public import Logging

/// The configured registries, asked over HTTP (docs/registry-upstreams.md).
public final class RegistryClient: RegistrySource {
    let connections: [RegistryHost: RegistryConnection]
    private let metrics: Metrics

    /// Reads the PEM files that the registries name, which blocks.
    /// - Parameter pool: its transport must permit redirects between the registries' endpoints
    ///   (`RedirectPolicy.configured`).
    /// - Throws: `UpstreamClientError` naming the file that cannot be used.
    public convenience init(
        _ upstreams: [RegistryUpstream], pool: UpstreamPool, metrics: Metrics, logger: Logger
    ) throws(UpstreamClientError) {
        try self.init(upstreams, pool: pool, resolver: SystemHostResolver(), metrics: metrics, logger: logger)
    }

    package init(
        _ upstreams: [RegistryUpstream], pool: UpstreamPool, resolver: any HostResolver, metrics: Metrics,
        logger: Logger
    ) throws(UpstreamClientError) {
        let tokens = TokenService(pool: pool)
        let hash = KeyedHash()
        var connections: [RegistryHost: RegistryConnection] = [:]
        for upstream in upstreams {
            connections[upstream.host] = try RegistryConnection(
                upstream, pool: pool, tokens: tokens, hash: hash, resolver: resolver,
                metrics: metrics.registries[upstream.host], logger: logger)
        }
        self.connections = connections
        self.metrics = metrics
    }

    private func connection(_ repository: Repository) throws(UpstreamFailure) -> RegistryConnection {
        guard let connection = connections[repository.registry] else {
            throw .unreachable(upstream: repository.registry.text, reason: "it is not configured")
        }
        return connection
    }

    // MARK: RegistrySource

    public func isAsked(_ registry: RegistryHost) -> Bool { connections[registry]?.isAsked ?? false }

    public func head(
        _ reference: ManifestReference, of repository: Repository, accept: [String],
        as identity: UpstreamIdentity
    ) async throws(UpstreamFailure) -> ManifestFacts {
        let reply = try await connection(repository).reply(
            to: Self.ask(.head, reference, repository, accept), as: identity)
        reply.answer.body.cancel()
        let facts = reply.answer.facts
        let told = facts.digest.flatMap { try? Digest(parsing: $0) }
        if case .digest(let digest) = reference, let told, told != digest,
            told.algorithm == digest.algorithm
        {
            throw .unusable(
                upstream: reply.endpoint.upstream.name, reason: "asked for \(digest) it has \(told)")
        }
        return ManifestFacts(
            digest: reference.digest ?? told, mediaType: ManifestType.essence(facts.contentType ?? ""),
            size: facts.length, access: reply.access, origin: reply.endpoint.upstream.name)
    }

    public func manifest(
        _ reference: ManifestReference, of repository: Repository, accept: [String],
        as identity: UpstreamIdentity
    ) async throws(UpstreamFailure) -> (facts: ManifestFacts, bytes: [UInt8]) {
        let connection = try connection(repository)
        let ask = Self.ask(.manifest, reference, repository, accept)
        var failure: UpstreamFailure?
        // One by one: an endpoint that answers with other bytes is no reason not to ask the next.
        for endpoint in connection.endpoints {
            do throws(UpstreamFailure) {
                let reply = try await connection.reply(to: ask, as: identity, at: [endpoint])
                return try await proven(reply, reference)
            } catch {
                if error.isDenial || error == .cancelled { throw error }
                failure = error
            }
        }
        throw failure ?? .unreachable(upstream: repository.registry.text, reason: "no endpoint is configured")
    }

    /// The body of a manifest, held against its digest and its type.
    private func proven(
        _ reply: RegistryConnection.Reply, _ reference: ManifestReference
    ) async throws(UpstreamFailure) -> (facts: ManifestFacts, bytes: [UInt8]) {
        let upstream = reply.endpoint.upstream.name
        let bytes = try await reply.answer.body.whole()
        let told = reply.answer.facts.digest.flatMap { try? Digest(parsing: $0) }
        let expected = reference.digest ?? told
        let found = Digest(expected?.algorithm ?? .sha256, of: bytes)
        guard expected == nil || expected == found else {
            metrics.upstreams[upstream].errors.add(.mismatch)
            throw .unusable(
                upstream: upstream, reason: "the manifest that it sent is \(found), not \(reference)")
        }
        let type: String
        do throws(ManifestType.Mismatch) {
            type = try ManifestType.of(bytes, told: reply.answer.facts.contentType)
        } catch {
            throw .unusable(upstream: upstream, reason: "the manifest \(reference): \(error)")
        }
        return (
            ManifestFacts(
                digest: found, mediaType: type, size: Int64(bytes.count), access: reply.access,
                origin: upstream),
            bytes
        )
    }

    public func headBlob(
        _ digest: Digest, of repository: Repository, as identity: UpstreamIdentity
    ) async throws(UpstreamFailure) -> (size: Int64?, access: AccessClass) {
        let ask = RegistryAsk(
            kind: .head, repository: repository.name, resource: "blobs/\(digest)",
            limit: RegistryBlobSource.limit)
        let reply = try await connection(repository).reply(to: ask, as: identity)
        reply.answer.body.cancel()
        return (reply.answer.facts.length, reply.access)
    }

    public func blob(
        _ digest: Digest, of repository: Repository, as identity: UpstreamIdentity
    ) -> [any BodySource] {
        guard let connection = connections[repository.registry] else { return [] }
        return connection.endpoints.map { endpoint in
            RegistryBlobSource(
                connection: connection, endpoint: endpoint, digest: digest, repository: repository.name,
                identity: identity)
        }
    }

    public func tags(
        of repository: Repository, as identity: UpstreamIdentity
    ) async throws(UpstreamFailure) -> RegistryList<String> {
        try await connection(repository).tags(of: repository.name, as: identity)
    }

    public func referrers(
        of digest: Digest, in repository: Repository, as identity: UpstreamIdentity
    ) async throws(UpstreamFailure) -> RegistryList<Descriptor> {
        try await connection(repository).referrers(of: digest, in: repository.name, as: identity)
    }

    private static func ask(
        _ kind: RegistryAsk.Kind, _ reference: ManifestReference, _ repository: Repository, _ accept: [String]
    ) -> RegistryAsk {
        RegistryAsk(
            kind: kind, repository: repository.name, resource: "manifests/\(reference)",
            limit: Manifest.limit,
            accept: accept.isEmpty ? MediaType.manifests : accept)
    }
}

extension ManifestReference {
    fileprivate var digest: Digest? { if case .digest(let digest) = self { digest } else { nil } }
}

extension UpstreamBody {
    /// All of it in memory: for bodies whose request set a small limit.
    func whole() async throws(UpstreamFailure) -> [UInt8] {
        defer { cancel() }
        var bytes: [UInt8] = []
        while let part = try await next() { bytes.append(contentsOf: part.readableBytesView) }
        return bytes
    }
}
