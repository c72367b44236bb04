import ChunkStore
import Content
import PeerExchange

/// `blobs/<digest>`
extension RegistryResponder {
    func hotBlob(_ digest: Digest, _ visit: RegistryVisit) -> Response? {
        guard let name = visit.target.reference, let (held, object) = delivery.store.hotReference(name),
            let object, isOpen(held, to: visit),
            isAllowedNow(.image(visit.repository, tag: nil, digest: digest))
        else { return nil }
        let face = visit.target.face(digest, type: MediaType.octets)
        return StoredBody.response(object, headers: face.headers, request: visit.request)
    }

    func blob(_ digest: Digest, _ visit: RegistryVisit) async throws(RegistryError) -> Response {
        try await obey(.image(visit.repository, tag: nil, digest: digest))
        let probe = blobProbe(digest, visit)
        if let (reference, object) = await local(visit.repository.referenceName(of: digest)) {
            try await demand(reference, visit, .blob, probe: probe)
            return RegistryAnswers.held(object, type: MediaType.octets, request: visit.request)
        }
        let part = await part(digest, visit)
        if let (_, object) = await adopted(digest, visit, part: part, type: MediaType.octets) {
            return RegistryAnswers.held(object, type: MediaType.octets, request: visit.request)
        }
        let identity = await identity(visit, probe: probe)
        do throws(DeliveryFailure) {
            try misses.check(visit.repository.referenceName(of: digest), as: identity)
            if let object = try await vouchedFor(digest, visit, as: identity) {
                return RegistryAnswers.held(object, type: MediaType.octets, request: visit.request)
            }
            return visit.request.method == .head
                ? try await head(digest, visit, part: part, as: identity)
                : try await body(digest, visit, part: part, as: identity)
        } catch {
            misses.note(error, of: visit.repository.referenceName(of: digest), as: identity)
            learned(error, of: visit.repository, as: identity)
            throw RegistryFailures.answer(
                error, visit.wanted(.blob, "\(visit.repository)@\(digest)"), refusal: visit.privacyError)
        }
    }

    private func blobProbe(
        _ digest: Digest, _ visit: RegistryVisit
    ) -> @Sendable (UpstreamIdentity) async throws(UpstreamFailure) -> Void {
        let (source, repository) = (source, visit.repository)
        return { identity async throws(UpstreamFailure) in
            _ = try await source.headBlob(digest, of: repository, as: identity)
        }
    }

    // MARK: held already

    /// The manifest of the repository that lists the digest, when one is held.
    func part(_ digest: Digest, _ visit: RegistryVisit) async -> Reference? {
        do {
            return try await delivery.store.reference(visit.repository.partName(of: digest))
        } catch {
            logger.error("what lists \(visit.repository)@\(digest) cannot be read from the store: \(error)")
            return nil
        }
    }

    /// Content that is held under another repository, and may be linked to this one without asking: a manifest of
    /// this one that the client may have lists it, and it is public.
    /// - Parameters:
    ///   - part: the manifest that lists it.
    ///   - type: the link's content type; nil = a manifest's, read from its bytes.
    func adopted(
        _ digest: Digest, _ visit: RegistryVisit, part: Reference?, type: String?
    ) async -> (Reference, StoredObject)? {
        guard let part, isOpen(part, to: visit) else { return nil }
        do {
            guard try await delivery.store.access(of: digest) == .public,
                let object = try await delivery.store.object(digest)
            else { return nil }
            var linked = type
            if linked == nil {
                guard object.size <= Manifest.limit, let bytes = await object.allBytes(),
                    let manifest = try? Manifest(parsing: bytes)
                else { return nil }
                linked = manifest.type(told: MediaType.octets)
            }
            let link = await shelf.link(
                digest, size: object.size, in: visit.repository, type: linked ?? MediaType.octets,
                access: part.access, origin: part.origin)
            return (link, object)
        } catch {
            logger.error("\(visit.repository)@\(digest) cannot be read from the store: \(error)")
            return nil
        }
    }

    /// A blob that is held under another repository, once this one's upstream has answered for it.
    private func vouchedFor(
        _ digest: Digest, _ visit: RegistryVisit, as identity: UpstreamIdentity
    ) async throws(DeliveryFailure) -> StoredObject? {
        let object: StoredObject?
        do { object = try await delivery.store.object(digest) } catch { return nil }
        guard let object else { return nil }
        // It may have come under this very name since that was looked up: then upstream has answered.
        let name = visit.repository.referenceName(of: digest)
        if let (link, linked) = await local(name), isOpen(link, to: visit) { return linked }
        let facts: (size: Int64?, access: AccessClass)
        do throws(UpstreamFailure) {
            facts = try await source.headBlob(digest, of: visit.repository, as: identity)
        } catch {
            throw .upstream(error)
        }
        _ = await shelf.link(
            digest, size: object.size, in: visit.repository, type: MediaType.octets,
            access: learned(facts.access, of: visit.repository),
            origin: visit.upstream.host.text)
        return object
    }

    // MARK: from upstream

    /// A body is not fetched to say how long it is.
    private func head(
        _ digest: Digest, _ visit: RegistryVisit, part: Reference?, as identity: UpstreamIdentity
    ) async throws(DeliveryFailure) -> Response {
        let facts: (size: Int64?, access: AccessClass)
        do throws(UpstreamFailure) {
            facts = try await source.headBlob(digest, of: visit.repository, as: identity)
        } catch {
            throw .upstream(error)
        }
        _ = learned(facts.access, of: visit.repository)
        var headers = RegistryAnswers.headers(digest, type: MediaType.octets)
        headers.add("Accept-Ranges", "bytes")
        var size = facts.size
        if size == nil { size = await listedSize(of: digest, by: part) }
        if let size { headers.add("Content-Length", String(size)) }
        return Response(status: .ok, headers: headers, body: .none, servedFrom: .upstream)
    }

    private func listedSize(of digest: Digest, by part: Reference?) async -> Int64? {
        guard let part else { return nil }
        return await shelf.part(digest, listedBy: part)?.size
    }

    private func body(
        _ digest: Digest, _ visit: RegistryVisit, part: Reference?, as identity: UpstreamIdentity
    ) async throws(DeliveryFailure) -> Response {
        let range = visit.request.headers["Range"].flatMap { RangeRequest($0) }
        let firstByte = range?.firstByte ?? 0
        // What a manifest lists that everybody may have is fetched once for everybody, whatever repository that is of.
        let isShared = part?.access == .public
        let size = await listedSize(of: digest, by: part)
        if isShared {
            let shared = order(digest, visit, as: .anonymous, size: size, isShared: true)
            switch await delivery.open(shared, firstByte: firstByte) {
            case .success(let opened): return response(opened, digest, visit)
            case .failure(let failure):
                // Another repository's upstream may have refused, or want to know who asks.
                logger.debug("\(shared.name) cannot be had together with others: \(failure)")
                guard failure.isVerdict || failure.isRateLimit else { throw failure }
            }
        }
        var own = order(digest, visit, as: identity, size: size, isShared: false)
        own.peers = PeerOrder(
            ask: visit.repository.ask(for: digest), admitsPrivate: await takesPrivate(identity, digest, visit)
        )
        switch await delivery.open(own, firstByte: firstByte) {
        case .success(let opened): return response(opened, digest, visit)
        case .failure(let failure): throw failure
        }
    }

    private func order(
        _ digest: Digest, _ visit: RegistryVisit, as identity: UpstreamIdentity, size: Int64?, isShared: Bool
    ) -> BodyOrder {
        let name = visit.repository.referenceName(of: digest)
        let repository = visit.repository
        return BodyOrder(
            name: name, expected: digest, limit: size ?? settings.blobLimit, size: size,
            contentType: MediaType.octets,
            access: identity == .anonymous ? .public : nil,
            peers: isShared ? PeerOrder(ask: ContentAsk(.blob(digest)), admitsPrivate: false) : nil,
            key: isShared ? FlightKey(.content(digest)) : FlightKey(.name(name), as: identity),
            sources: source.blob(digest, of: repository, as: identity).map {
                Fallback($0, onAnyFailure: true)
            },
            proof: { DigestProof() })
    }

    private func response(_ opened: Delivery.Opened, _ digest: Digest, _ visit: RegistryVisit) -> Response {
        let (head, seat, joined): (BodyHead, Flight.Seat, Bool)
        switch opened {
        case .held(_, let object):
            return RegistryAnswers.held(object, type: MediaType.octets, request: visit.request)
        case .streaming(let h, let s, let j): (head, seat, joined) = (h, s, j)
        }
        let response = StoredBody.streamed(
            size: head.total, headers: RegistryAnswers.headers(digest, type: MediaType.octets),
            request: visit.request, source: head.servedFrom(joined: joined)
        ) { range in
            FlightReader(seat, head: head, range: range)
        }
        if response.status == .partialContent { metrics.earlyRanges.add() }
        return response
    }
}

extension DeliveryFailure {
    var isRateLimit: Bool {
        if case .upstream(.refused(let refusal)) = self { refusal.status == 429 } else { false }
    }
}
