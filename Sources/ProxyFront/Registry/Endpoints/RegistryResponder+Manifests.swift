import ChunkStore
import Content

/// `manifests/<reference>`
extension RegistryResponder {
    func hotManifest(_ reference: ManifestReference, _ visit: RegistryVisit) -> Response? {
        guard let name = visit.target.reference, let (held, object) = delivery.store.hotReference(name),
            let object, held.contentType != MediaType.octets, isOpen(held, to: visit)
        else { return nil }
        var tag: Tag?
        if case .tag(let mutable) = reference {
            guard isFresh(held, mutable, visit),
                AcceptList(visit.request.headers).accepts(held.contentType)
            else { return nil }
            tag = mutable
        }
        guard isAllowedNow(.image(visit.repository, tag: tag, digest: held.digest)) else { return nil }
        let face = visit.target.face(held.digest, type: held.contentType)
        allowed(visit, face.name, origin: "store")
        return StoredBody.response(object, headers: face.headers, request: visit.request)
    }

    // MARK: by tag

    func manifest(_ tag: Tag, _ visit: RegistryVisit) async throws(RegistryError) -> Response {
        let name = visit.repository.referenceName(of: tag)
        let accept = AcceptList(visit.request.headers)
        let probe = headProbe(.tag(tag), visit)
        var held = await local(name)
        if let found = held, found.0.contentType == MediaType.octets { held = nil }
        try await obey(.image(visit.repository, tag: tag, digest: held?.0.digest))
        let open = if let held { await mayHave(held.0, visit, probe: probe) } else { false }
        if let held, open {
            var isSettled = isFresh(held.0, tag, visit) && accept.accepts(held.0.contentType)
            if !isSettled { isSettled = await isPinned(name) }
            if isSettled { return serve(held.0, held.1, visit) }
        }
        let identity = await identity(visit, probe: probe)
        let (result, joined) = await resolve(tag, of: visit, as: identity, accept: accept)
        switch result {
        case .success(let outcome):
            if outcome.digest != held?.0.digest {
                try await obey(.image(visit.repository, tag: tag, digest: outcome.digest))
            }
            return serve(outcome, joined: joined, visit)
        case .failure(let failure):
            learned(failure, of: visit.repository, as: identity)
            if !failure.isVerdict, let told = await toldByPeers(tag, held: held?.0, visit, as: identity) {
                return serve(told.0, told.1, visit, stale: stale(told.0, because: failure))
            }
            if let held, open, !failure.isVerdict {
                return serve(held.0, held.1, visit, stale: stale(held.0, because: failure))
            }
            if let held, case .upstream(.refused(let refusal)) = failure, refusal.isNotFound,
                held.0.access == .public || identity == .node
            {
                await shelf.forget(tag, of: visit.repository)
            }
            throw RegistryFailures.answer(
                failure, visit.wanted(.manifest, "\(visit.repository):\(tag)"), refusal: visit.privacyError)
        }
    }

    private func isFresh(_ reference: Reference, _ tag: Tag, _ visit: RegistryVisit) -> Bool {
        age(reference) < visit.upstream.freshFor(visit.repository, tag)
    }

    private func isPinned(_ name: ReferenceName) async -> Bool {
        do { return try await delivery.store.isPinned(name) } catch {
            logger.error("whether \(name) is pinned cannot be read, so it is taken for pinned: \(error)")
            return true
        }
    }

    // MARK: by digest

    func manifest(_ digest: Digest, _ visit: RegistryVisit) async throws(RegistryError) -> Response {
        try await obey(.image(visit.repository, tag: nil, digest: digest))
        let probe = headProbe(.digest(digest), visit)
        let held = await local(visit.repository.referenceName(of: digest))
        if let (reference, object) = held, reference.contentType != MediaType.octets {
            try await demand(reference, visit, .manifest, probe: probe)
            return serve(reference, object, visit)
        }
        if let (reference, object) = await adopted(digest, visit, part: part(digest, visit), type: nil) {
            return serve(reference, object, visit)
        }
        let identity = await identity(visit, probe: probe)
        let (result, joined) = await fetch(digest, of: visit, as: identity)
        switch result {
        case .success(let outcome): return serve(outcome, joined: joined, visit)
        case .failure(let failure):
            learned(failure, of: visit.repository, as: identity)
            throw RegistryFailures.answer(
                failure, visit.wanted(.manifest, "\(visit.repository)@\(digest)"),
                refusal: visit.privacyError)
        }
    }

    // MARK: both

    private func headProbe(
        _ reference: ManifestReference, _ visit: RegistryVisit
    ) -> @Sendable (UpstreamIdentity) async throws(UpstreamFailure) -> Void {
        let (source, repository) = (source, visit.repository)
        return { identity async throws(UpstreamFailure) in
            _ = try await source.head(reference, of: repository, accept: [], as: identity)
        }
    }

    private func serve(_ outcome: ManifestOutcome, joined: Bool, _ visit: RegistryVisit) -> Response {
        switch outcome {
        case .held(let reference, let object): return serve(reference, object, visit)
        case .fetched(let manifest):
            allowed(visit, "\(manifest.digest)", origin: manifest.origin)
            return RegistryAnswers.bytes(
                manifest.bytes, digest: manifest.digest, type: manifest.mediaType,
                source: joined ? .inFlight : manifest.isFromPeer ? .peer : .upstream)
        }
    }

    private func serve(
        _ reference: Reference, _ object: StoredObject, _ visit: RegistryVisit,
        stale: RegistryAnswers.Staleness? = nil
    ) -> Response {
        allowed(visit, "\(reference.digest)", origin: "store")
        return RegistryAnswers.held(
            object, type: reference.contentType, request: visit.request, stale: stale)
    }

    /// What enters a site, or leaves the store for somebody, begins with a manifest.
    private func allowed(_ visit: RegistryVisit, _ digest: String, origin: String) {
        guard visit.request.method == .get else { return }
        audit.record(
            AuditEvent(
                .allow, visit.target.subject, client: visit.request.client, origin: origin, digest: digest))
    }
}
