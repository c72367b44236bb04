import ChunkStore
import Content
import NIOCore
import PeerExchange

/// The answers that have to wait: for the disk, for a transfer, for upstream.
extension GoModuleResponder {
    func answerLater(
        _ resource: GoResource, _ request: Request, _ admission: Admission
    ) async -> Response {
        if let (reference, object) = await local(resource) {
            guard admission.includes(reference.access) else {
                return refusedPrivate(resource, request, admission)
            }
            if resource.isImmutable || isFresh(reference) {
                return held(resource, reference, object, request)
            }
            return await stale(resource, reference, object, request, admission)
        }
        if let refusal = misses.refusal(for: resource.name, now: .now) { return GoAnswers.relayed(refusal) }
        if request.forbidsFetching { return GoAnswers.response(.notHeld) }
        return resource.kind == .zip
            ? await zip(resource, request, admission) : await whole(resource, request, admission)
    }

    private func local(_ resource: GoResource) async -> (Reference, StoredObject)? {
        // A read error was logged; the file is fetched again.
        try? await delivery.local(resource.name)
    }

    // MARK: small files

    /// A cold small file: fetched whole, by one request for all who ask.
    private func whole(
        _ resource: GoResource, _ request: Request, _ admission: Admission
    ) async -> Response {
        let result: Result<SmallFetch.Fetched, DeliveryFailure>
        let joined: Bool
        do {
            (result, joined) = try await fetches.run(resource.name) { await self.fetch(resource) }
        } catch {
            return GoAnswers.response(.cancelled)
        }
        switch result {
        case .success(let fetched):
            guard admission.includes(fetched.reference.access) else {
                return refusedPrivate(resource, request, admission)
            }
            return GoAnswers.response(
                resource, bytes: fetched.bytes, verified: fetched.reference.verified,
                source: joined ? .inFlight : fetched.isFromPeer ? .peer : .upstream)
        case .failure(let failure):
            if !isAnswer(failure), let told = await small.told(resource) {
                return self.told(resource, told, request, admission)
            }
            if resource.kind == .list, !isAnswer(failure),
                let held = await heldVersions(resource, last: nil, admission)
            {
                return offlineList(resource, held, seconds: 0)
            }
            if !isAnswer(failure), let refusal = await small.lastWords.refusal(for: resource) {
                logger.notice("\(resource.name) was not found last time: upstream is away")
                return GoAnswers.relayed(refusal, freshness: .offline(seconds: 0))
            }
            return GoAnswers.response(failure)
        }
    }

    private func told(
        _ resource: GoResource, _ told: SmallFetch.Fetched, _ request: Request, _ admission: Admission
    ) -> Response {
        guard admission.includes(told.reference.access) else {
            return refusedPrivate(resource, request, admission)
        }
        metrics.stale.add()
        return GoAnswers.response(
            resource, bytes: told.bytes, verified: told.reference.verified, source: .peer,
            freshness: .offline(seconds: Int(age(told.reference).components.seconds)))
    }

    private func fetch(_ resource: GoResource) async -> Result<SmallFetch.Fetched, DeliveryFailure> {
        // Somebody may have stored it between this request's look and this flight's start.
        let held = await local(resource)
        if let (reference, object) = held, resource.isImmutable || isFresh(reference),
            case .bytes(let bytes) = object.body
        {
            return .success(.init(reference: reference, bytes: bytes))
        }
        let result = await small.fetch(resource)
        offline.withLock { names in
            if case .failure(let failure) = result, held != nil, !isAnswer(failure) {
                names.insert(resource.name)
            } else {
                names.remove(resource.name)
            }
        }
        return result
    }

    /// Whether an upstream spoke about the resource itself, success or not, as against being away.
    private func isAnswer(_ failure: DeliveryFailure) -> Bool {
        if case .upstream(.refused(let refusal)) = failure { refusal.status < 500 } else { false }
    }

    // MARK: past their time

    /// Serves what is held and asks upstream behind it.
    private func stale(
        _ resource: GoResource, _ reference: Reference, _ object: StoredObject, _ request: Request,
        _ admission: Admission
    ) async -> Response {
        let seconds = Int(age(reference).components.seconds)
        if !request.forbidsFetching {
            fetches.start(resource.name) { await self.fetch(resource) }
        }
        let isOffline =
            offline.withLock { $0.contains(resource.name) }
            || configuration.upstreams.upstreams.contains { pool.isResting($0) }
        metrics.stale.add()
        guard isOffline else {
            return held(resource, reference, object, request, freshness: .stale(seconds: seconds))
        }
        logger.notice("\(resource.name) is served \(seconds) s after its last validation: upstream is away")
        if resource.kind == .list, let last = await bytes(of: object),
            let joined = await heldVersions(resource, last: last, admission)
        {
            return offlineList(resource, joined, seconds: seconds)
        }
        return held(resource, reference, object, request, freshness: .offline(seconds: seconds))
    }

    private func offlineList(_ resource: GoResource, _ list: [UInt8], seconds: Int) -> Response {
        GoAnswers.response(
            resource, bytes: list, verified: .notApplicable, source: .local,
            freshness: .offline(seconds: seconds))
    }

    /// The last list joined with the versions whose zip is held.
    private func heldVersions(
        _ resource: GoResource, last: [UInt8]?, _ admission: Admission
    ) async -> [UInt8]? {
        do {
            let references = try await delivery.store.references(
                prefix: GoResource.prefix(of: resource.module))
            let versions = references.compactMap { reference -> ModuleVersion? in
                guard admission.includes(reference.access),
                    let file = GoResource(moduleFile: reference.name), file.kind == .zip
                else { return nil }
                return file.version
            }
            return VersionList.joined(last: last, held: versions)
        } catch {
            logger.error("the versions held of \(resource.module) cannot be listed: \(error)")
            return last
        }
    }

    private func bytes(of object: StoredObject) async -> [UInt8]? {
        switch object.body {
        case .bytes(let bytes): bytes
        case .file(let file): try? await FileBytes.read(FileSlice(file: file, range: 0..<object.size))
        case .recipe(let reader): try? await reader.read(0..<object.size)
        }
    }

    // MARK: zips

    private func zip(
        _ resource: GoResource, _ request: Request, _ admission: Admission
    ) async -> Response {
        guard let module = resource.identity else { return GoAnswers.response(.notHeld) }
        var order = order(resource, module)
        if delivery.peers != nil, await check.isProvable(resource) {
            order.peers = PeerOrder(ask: ContentAsk(.reference(resource.name)), admitsPrivate: true)
        }
        let range = request.method == .get ? request.headers["Range"].flatMap { RangeRequest($0) } : nil
        var opened = await delivery.open(order, firstByte: range?.firstByte ?? 0)
        if case .failure(let failure) = opened, !isAnswer(failure),
            let told = await toldZip(resource, order)
        {
            opened = await delivery.open(told)
        }
        switch opened {
        case .success(.held(let reference, let object)):
            guard admission.includes(reference.access) else {
                return refusedPrivate(resource, request, admission)
            }
            return held(resource, reference, object, request)
        case .success(.streaming(let head, let seat, let joined)):
            guard admission.includes(head.isPrivate ? .private : .public) else {
                return refusedPrivate(resource, request, admission)
            }
            allowed(resource, request, origin: head.source, digest: nil)
            return streaming(resource, head, seat, joined: joined, request)
        case .failure(let failure):
            if case .upstream(.refused(let refusal)) = failure, refusal.isNotFound {
                misses.remember(refusal, for: resource.name, now: .now)
            }
            return GoAnswers.response(failure)
        }
    }

    private func order(_ resource: GoResource, _ module: ModuleIdentity) -> BodyOrder {
        let (check, pool) = (check, pool)
        let unverified = unverified
        return BodyOrder(
            name: resource.name, limit: resource.limit, contentType: resource.contentType,
            access: check.isPrivate(resource.module) ? .private : nil,
            sources: configuration.upstreams.fallbacks.map { entry in
                Fallback(
                    UpstreamSource(
                        upstream: entry.member, resource: resource.path, limit: resource.limit, pool: pool),
                    onAnyFailure: entry.onAnyFailure)
            },
            proof: { ModuleZipProof(check, resource, module) },
            stored: { reference in
                if reference.verified == .unverified { unverified.add(reference.name) }
            })
    }

    /// A zip that nothing here can prove, by the statements of other nodes, upstream being away: exactly the bytes
    /// that they speak of, kept as unverified.
    private func toldZip(_ resource: GoResource, _ order: BodyOrder) async -> BodyOrder? {
        guard let peers = delivery.peers, order.peers == nil,
            let statement = await peers.settled(resource.name)
        else { return nil }
        let digest = statement.reference.digest
        logger.notice("\(resource.name) is \(digest) by the word of \(statement.origin): upstream is away")
        var told = BodyOrder(
            name: resource.name, expected: digest, limit: resource.limit, size: statement.reference.size,
            contentType: resource.contentType, access: .private,
            peers: PeerOrder(
                ask: ContentAsk(.blob(digest), under: resource.name), admitsPrivate: true),
            key: FlightKey(.content(digest)), sources: [], proof: { ToldProof() },
            stored: order.stored)
        told.isTold = true
        return told
    }

    /// A zip that is still coming: its digest is not known yet, so that it has no ETag.
    private func streaming(
        _ resource: GoResource, _ head: BodyHead, _ seat: Flight.Seat, joined: Bool, _ request: Request
    ) -> Response {
        var headers = Headers()
        headers.add("Content-Type", resource.contentType)
        headers.add("Cache-Control", resource.cacheControl)
        headers.add("X-Content-Type-Options", "nosniff")
        let response = StoredBody.streamed(
            size: head.total, headers: headers, request: request, source: head.servedFrom(joined: joined)
        ) { range in
            FlightReader(seat, head: head, range: range)
        }
        if response.status == .partialContent { metrics.earlyRanges.add() }
        return response
    }
}
