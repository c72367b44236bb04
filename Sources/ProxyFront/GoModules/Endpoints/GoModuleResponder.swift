import ChunkStore
import Content
public import Logging
import Synchronization

/// The Go module proxy: every endpoint of the protocol (go.dev/ref/mod, "GOPROXY protocol") answered from
/// the store, from a transfer under way, or from upstream.
///
/// A hit is answered on the event loop; whatever has to wait runs as a task, and what it fetches belongs to
/// `Delivery`, not to the request.
public final class GoModuleResponder: Responder {
    let configuration: GoModuleConfiguration
    let delivery: Delivery
    let pool: UpstreamPool
    let check: SumCheck
    let access: any AccessControl
    let policy: any PolicyControl
    let metrics: Metrics
    let audit: any AuditLog
    let logger: Logger
    let misses: NegativeCache
    /// Content that waits for its checksum database.
    public let unverified: UnverifiedContent
    let small: SmallFetch
    let fetches = SingleFlight<ReferenceName, Result<SmallFetch.Fetched, DeliveryFailure>>()
    /// Names whose last revalidation failed.
    let offline = Mutex<Set<ReferenceName>>([])
    private let sumDatabases: (any SumDatabaseEndpoint)?
    private let targets = TargetMemo<GoTarget>()

    /// - Parameters:
    ///   - sumAuthority: what the node checks modules against.
    ///   - sumDatabases: what answers under `/sumdb/`; nil = nothing does.
    ///   - access: who may have which module.
    ///   - policy: what may be served at all.
    public init(
        _ configuration: GoModuleConfiguration, delivery: Delivery, pool: UpstreamPool,
        sumAuthority: any SumAuthority, sumDatabases: (any SumDatabaseEndpoint)? = nil,
        access: any AccessControl = AccessRules.open, policy: any PolicyControl = NoPolicy(),
        metrics: Metrics, audit: any AuditLog = NoAuditLog(), logger: Logger
    ) {
        self.configuration = configuration
        self.delivery = delivery
        self.pool = pool
        self.access = access
        self.policy = policy
        self.metrics = metrics
        self.audit = audit
        self.logger = logger
        self.sumDatabases = sumDatabases
        check = SumCheck(
            authority: sumAuthority, pins: PinnedSums(store: delivery.store, clock: delivery.clock),
            privateModules: configuration.privateModules, patience: configuration.databasePatience,
            metrics: metrics, audit: audit, logger: logger)
        misses = NegativeCache(lifetime: configuration.missFor, limit: configuration.missesAtMost)
        unverified = UnverifiedContent(store: delivery.store, check: check, logger: logger)
        small = SmallFetch(
            configuration: configuration, delivery: delivery, pool: pool, check: check, misses: misses,
            lastWords: LastWords(delivery: delivery, logger: logger), unverified: unverified, logger: logger)
    }

    /// Checks unverified content again from time to time, until the task is cancelled.
    public func maintain() async {
        do {
            // A pin that eviction drops would let the next upstream decide what a private module is.
            try await delivery.store.pin(PinnedSums.prefix + "*")
        } catch {
            logger.error("the sums pinned at first sight cannot be kept from eviction: \(error)")
        }
        await unverified.load()
        while !Task.isCancelled {
            if unverified.count > 0 { await unverified.recheck() }
            try? await Task.sleep(for: configuration.recheckEvery)
        }
    }

    public func respond(to request: Request) -> Answer {
        guard request.method == .get || request.method == .head else {
            return .now(
                .text(.methodNotAllowed, "only GET and HEAD are served here", headers: ["Allow": "GET, HEAD"])
            )
        }
        if let target = targets.meaning(of: request) { return admitting(target, request) }
        let parsed: GoRequest
        do throws(GoRequestError) {
            parsed = try GoRequest(parsing: request.target, databases: sumDatabases?.names ?? [])
        } catch {
            return .now(.text(Status(error.statusCode), error.description))
        }
        if case .sumDB(let name, let asked) = parsed {
            guard let sumDatabases else { return .now(.text(.notFound, "not found")) }
            guard let module = parsed.module else {
                return sumDatabases.respond(to: asked, of: name, request)
            }
            return admitting(request, to: module) { _ in sumDatabases.respond(to: asked, of: name, request) }
        }
        let target: GoTarget
        do throws(ReferenceNameError) {
            guard let resource = try GoResource(parsed) else { return .now(.text(.notFound, "not found")) }
            target = GoTarget(resource)
        } catch {
            return .now(.text(.notFound, "not found: \(error)"))
        }
        let answer = admitting(target, request)
        if case .now = answer { targets.note(target, of: request) }
        return answer
    }

    private func admitting(_ target: GoTarget, _ request: Request) -> Answer {
        let module = target.resource.module
        let verdict = access.admit(request, to: .module(module))
        // Nearly everybody is let in at once, and nothing has to be kept for later then.
        if case .now(.success(let admission)) = verdict { return permitted(target, request, admission) }
        return admitting(verdict, request, to: module) { self.permitted(target, request, $0) }
    }

    /// The straight line: held and fresh, known to be missing, or off the event loop.
    func answer(_ target: GoTarget, _ request: Request, _ admission: Admission) -> Answer {
        if !admission.includesPrivate, check.isPrivate(target.resource.module) {
            return .now(refusedPrivate(target.resource, request, admission))
        }
        if let (reference, object) = delivery.store.hotReference(target.resource.name), let object,
            target.resource.isImmutable || isFresh(reference)
        {
            guard admission.includes(reference.access) else {
                return .now(refusedPrivate(target.resource, request, admission))
            }
            allowed(target.resource, request, origin: "store", digest: reference.h1)
            let headers = target.headers(object.digest, reference.verified)
            return .now(StoredBody.response(object, headers: headers, request: request))
        }
        return .later { await self.answerLater(target.resource, request, admission) }
    }

    func held(
        _ resource: GoResource, _ reference: Reference, _ object: StoredObject, _ request: Request,
        freshness: GoAnswers.Freshness = .fresh
    ) -> Response {
        allowed(resource, request, origin: "store", digest: reference.h1)
        return GoAnswers.response(resource, reference, object, request: request, freshness: freshness)
    }

    /// Code enters a site as a zip: that is what the auditor wants to know.
    func allowed(_ resource: GoResource, _ request: Request, origin: String, digest: String?) {
        guard resource.kind == .zip else { return }
        audit.record(
            AuditEvent(.allow, resource.name.text, client: request.client, origin: origin, digest: digest))
    }

    func isFresh(_ reference: Reference) -> Bool {
        age(reference) < configuration.freshFor
    }

    /// Since the name was last validated; a clock that was set back counts as no time.
    func age(_ reference: Reference) -> Duration {
        .seconds(max(0, delivery.clock.now.timeIntervalSince(reference.checked)))
    }
}

extension Request {
    /// The client as the audit log names it.
    var client: String? { remoteName ?? remoteAddress.flatMap(\.ipAddress) }

    /// The go command's request for an answer from the cache alone.
    var forbidsFetching: Bool { headers["Disable-Module-Fetch"]?.lowercased() == "true" }
}
