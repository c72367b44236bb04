import ChunkStore
import Content

/// What a manifest is asked for upstream once for.
struct ManifestFlightKey: Hashable, Sendable {
    let name: ReferenceName
    let identity: UpstreamIdentity
    let accept: AcceptList
}

/// What came of asking upstream.
enum ManifestOutcome: Sendable {
    /// It is in the store, and upstream has just said that it is right.
    case held(Reference, StoredObject)
    case fetched(FetchedManifest)

    var digest: Digest {
        switch self {
        case .held(let reference, _): reference.digest
        case .fetched(let manifest): manifest.digest
        }
    }
}

/// Asking upstream for manifests: one request for all who ask at once, every byte proven before the first is served.
extension RegistryResponder {
    /// Asks for a tag, or whether it still stands for what is held.
    func resolve(
        _ tag: Tag, of visit: RegistryVisit, as identity: UpstreamIdentity, accept: AcceptList
    ) async -> (Result<ManifestOutcome, DeliveryFailure>, joined: Bool) {
        let repository = visit.repository
        let key = ManifestFlightKey(
            name: repository.referenceName(of: tag), identity: identity, accept: accept)
        return await once(key) { () async throws(DeliveryFailure) in
            let held = await self.local(key.name)
            guard let held, held.0.contentType != MediaType.octets else {
                if let fetched = try await self.resolveForPeers(tag, repository, identity, accept) {
                    return .fetched(fetched)
                }
                return .fetched(try await self.fetch(.tag(tag), repository, identity, accept, tag: tag))
            }
            return try await self.revalidate(tag, held, repository, identity, accept)
        }
    }

    /// Asks for a manifest by its digest.
    func fetch(
        _ digest: Digest, of visit: RegistryVisit, as identity: UpstreamIdentity
    ) async -> (Result<ManifestOutcome, DeliveryFailure>, joined: Bool) {
        let repository = visit.repository
        let accept = AcceptList(Headers())
        let key = ManifestFlightKey(
            name: repository.referenceName(of: digest), identity: identity, accept: accept)
        return await once(key) { () async throws(DeliveryFailure) in
            let takesPrivate = identity == .node
            if let fetched = await self.fromPeers(digest, repository, takesPrivate: takesPrivate) {
                return .fetched(fetched)
            }
            return .fetched(try await self.fetch(.digest(digest), repository, identity, accept, tag: nil))
        }
    }

    private func once(
        _ key: ManifestFlightKey,
        _ work: @escaping @Sendable () async throws(DeliveryFailure) -> ManifestOutcome
    ) async -> (Result<ManifestOutcome, DeliveryFailure>, joined: Bool) {
        do {
            return try await manifestFlights.run(key) {
                do throws(DeliveryFailure) {
                    try self.misses.check(key.name, as: key.identity)
                    return .success(try await work())
                } catch {
                    self.misses.note(error, of: key.name, as: key.identity)
                    return .failure(error)
                }
            }
        } catch {
            return (.failure(.cancelled), false)
        }
    }

    // MARK: one flight

    /// HEAD, which no rate limit counts, and GET only for a digest that is not held.
    private func revalidate(
        _ tag: Tag, _ held: (Reference, StoredObject), _ repository: Repository,
        _ identity: UpstreamIdentity, _ accept: AcceptList
    ) async throws(DeliveryFailure) -> ManifestOutcome {
        guard source.isAsked(repository.registry) else {
            throw .upstream(
                .unreachable(upstream: repository.registry.text, reason: "it is not asked at present"))
        }
        let facts: ManifestFacts
        do throws(UpstreamFailure) {
            facts = try await source.head(.tag(tag), of: repository, accept: accept.types, as: identity)
        } catch {
            throw .upstream(error)
        }
        let access = learned(facts.access, of: repository)
        // What one client cannot read is no reason to have everybody else's tag point elsewhere.
        let moves = accept.accepts(held.0.contentType)
        guard let digest = facts.digest else {
            return .fetched(
                try await fetch(.tag(tag), repository, identity, accept, tag: moves ? tag : nil))
        }
        if digest == held.0.digest {
            // From now on it is upstream's word, whoever said so before.
            return .held(await validated(held.0, access, origin: facts.origin), held.1)
        }
        if let (link, object) = await local(repository.referenceName(of: digest)),
            link.contentType != MediaType.octets
        {
            var next = await validated(link, access)
            next.name = repository.referenceName(of: tag)
            next.verified = .notApplicable
            next.learned = delivery.clock.now
            next.origin = facts.origin
            if moves { await shelf.set(next) }
            return .held(next, object)
        }
        let source = (tag: moves ? tag : nil, facts: facts)
        if let fetched = await fromPeers(digest, repository, takesPrivate: true, for: source) {
            return .fetched(fetched)
        }
        return .fetched(
            try await fetch(.digest(digest), repository, identity, accept, tag: moves ? tag : nil))
    }

    /// A reference that upstream has just confirmed.
    /// - Parameter origin: the upstream that says so; nil = what was known before.
    private func validated(
        _ reference: Reference, _ access: AccessClass, origin: String? = nil
    ) async -> Reference {
        var reference = reference
        reference.origin = origin ?? reference.origin
        reference.checked = delivery.clock.now
        if access == .public { reference.access = .public }
        return await shelf.set(reference)
    }

    private func fetch(
        _ reference: ManifestReference, _ repository: Repository, _ identity: UpstreamIdentity,
        _ accept: AcceptList, tag: Tag?
    ) async throws(DeliveryFailure) -> FetchedManifest {
        let (facts, bytes) = try await ask(reference, repository, identity, accept)
        let what = repository.referenceName(of: reference)
        let expected: Digest? = if case .digest(let digest) = reference { digest } else { facts.digest }
        let found = Digest(expected?.algorithm ?? .sha256, of: bytes)
        if let expected, expected != found {
            throw delivery.caughtLying([facts.origin], about: what, found: found)
        }
        let content: Manifest?
        do throws(ManifestError) { content = try Manifest(parsing: bytes) } catch {
            // A digest proves what a portal's login page under a tag does not.
            guard case .digest = reference else {
                throw .upstream(.unusable(upstream: facts.origin, reason: "\(what): \(error)"))
            }
            content = nil
        }
        let fetched = FetchedManifest(
            digest: found, bytes: bytes,
            mediaType: content.map { $0.type(told: facts.mediaType) } ?? facts.mediaType,
            access: learned(facts.access, of: repository), origin: facts.origin)
        misses.forget(what)
        await shelf.keep(fetched, in: repository, tag: tag)
        return fetched
    }

    private func ask(
        _ reference: ManifestReference, _ repository: Repository, _ identity: UpstreamIdentity,
        _ accept: AcceptList
    ) async throws(DeliveryFailure) -> (ManifestFacts, [UInt8]) {
        var pauses = settings.retryPauses[...]
        while true {
            do throws(UpstreamFailure) {
                return try await source.manifest(
                    reference, of: repository, accept: accept.types, as: identity)
            } catch {
                guard error.isHiccup, let pause = pauses.popFirst() else { throw .upstream(error) }
                // A flight's own task is never cancelled.
                try? await Task.sleep(for: pause)
            }
        }
    }
}

extension Manifest {
    /// The type to serve it as: upstream's word, unless that is no type of a manifest and the bytes know better.
    func type(told: String) -> String {
        if MediaType.isManifest(told) { return told }
        return mediaType ?? (told == MediaType.octets || told.hasPrefix("text/") ? guess : told)
    }

    private var guess: String { manifests.isEmpty ? MediaType.manifest : MediaType.index }
}
