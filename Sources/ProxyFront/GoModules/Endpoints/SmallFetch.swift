import ChunkStore
import Content
import Logging

/// Fetches a small file whole, proves it, stores it: nothing of it goes out before.
struct SmallFetch: Sendable {
    /// A file that is in memory.
    struct Fetched: Sendable {
        let reference: Reference
        let bytes: [UInt8]
        /// Another node gave the bytes.
        var isFromPeer = false
    }

    let configuration: GoModuleConfiguration
    let delivery: Delivery
    let pool: UpstreamPool
    let check: SumCheck
    let misses: NegativeCache
    let lastWords: LastWords
    let unverified: UnverifiedContent
    let logger: Logger

    /// Asks the upstreams in order; a miss is remembered and kept, a success forgets one.
    func fetch(_ resource: GoResource) async -> Result<Fetched, DeliveryFailure> {
        do {
            let fetched = try await ask(resource)
            misses.forget(resource.name)
            await keep(fetched)
            return .success(fetched)
        } catch {
            let failure = DeliveryFailure(error)
            if case .upstream(.refused(let refusal)) = failure, refusal.isNotFound {
                misses.remember(refusal, for: resource.name, now: .now)
                await lastWords.keep(refusal, for: resource)
            }
            return .failure(failure)
        }
    }

    private func ask(_ resource: GoResource) async throws -> Fetched {
        let pending = resource.identity.map { check.begin($0) }
        let given = await fromPeers(resource, pending)
        if let given, given.reference.verified != .unverified { return given }
        do {
            return try await askUpstream(resource, pending)
        } catch let failure as UpstreamFailure {
            // What a peer gave and no database could vouch for is better than nothing.
            if let given, failure.isOutage { return given }
            if case .resting = failure, let given { return given }
            throw failure
        }
    }

    private func askUpstream(_ resource: GoResource, _ pending: SumCheck.Pending?) async throws -> Fetched {
        let upstreams = configuration.upstreams.fallbacks
        let (answer, index) = try await upstreams.firstSuccess { upstream throws(UpstreamFailure) in
            let request = UpstreamRequest(upstream.base.appending(resource.path), limit: resource.limit)
            let answer = try await pool.whole(request, from: upstream)
            if let objection = BodySanity.objection(to: answer.bytes, as: resource) {
                throw .unusable(upstream: upstream.name, reason: "\(resource.path): \(objection)")
            }
            return answer
        }
        let origin = upstreams[index].member.name
        var verification = Verification.notApplicable
        var sum: ModuleHash?
        if let module = resource.identity, let pending {
            let found = ModuleHash.goMod(answer.bytes)
            verification = try await check.judge(pending, resource, module, found: found, origin: origin)
            sum = found
        }
        let now = delivery.clock.now
        let isPrivate = answer.facts.authenticated || check.isPrivate(resource.module)
        return Fetched(
            reference: Reference(
                name: resource.name, digest: Digest(of: answer.bytes), size: Int64(answer.bytes.count),
                learned: now, checked: now, origin: origin,
                validator: answer.facts.validator ?? answer.facts.lastModified,
                contentType: resource.contentType, verified: verification,
                access: isPrivate ? .private : .public, h1: sum?.description),
            bytes: answer.bytes)
    }

    /// A file that cannot be stored is served all the same.
    func keep(_ fetched: Fetched) async {
        do {
            try await delivery.store.keep(fetched.bytes, as: fetched.reference, sync: false)
            // Lists and the answers to queries come and go; what is checked is what stays.
            if fetched.reference.verified != .notApplicable {
                check.audit.record(.stored(fetched.reference, digest: fetched.reference.digest))
            }
            if fetched.reference.verified == .unverified { unverified.add(fetched.reference.name) }
        } catch {
            logger.warning("\(fetched.reference.name) is passed on without being stored: \(error)")
        }
    }
}
