import ChunkStore
import Content
public import Logging

/// The registry mirror: every read endpoint of the OCI distribution specification 1.1, answered from the store, from
/// a transfer under way, or from upstream (docs/registry.md). To be mounted at `/v2` and `/v2/`.
///
/// A hit is answered on the event loop; whatever has to wait runs as a task, and what it fetches belongs to
/// `Delivery` or to a flight of its own, not to the request.
public final class RegistryResponder: Responder {
    let settings: RegistryFrontSettings
    let directory: RegistryDirectory
    let source: any RegistrySource
    let delivery: Delivery
    let access: any AccessControl
    let policy: any PolicyControl
    let proven: ProvenCredentials
    let metrics: Metrics
    let audit: any AuditLog
    let logger: Logger
    let classes = RepositoryClasses()
    let misses: RegistryMisses
    private let targets = TargetMemo<RegistryTarget>()
    let shelf: ManifestShelf
    let manifestFlights = SingleFlight<ManifestFlightKey, Result<ManifestOutcome, DeliveryFailure>>()
    let listFlights = SingleFlight<ListFlightKey, Result<HeldList, DeliveryFailure>>()

    /// - Parameters:
    ///   - directory: which repository a request means.
    ///   - source: what is asked for what is not held.
    ///   - access: who may reach what.
    ///   - policy: what may be served at all.
    ///   - proven: what is known of the credentials that clients bring.
    public init(
        directory: RegistryDirectory, source: any RegistrySource, delivery: Delivery,
        access: any AccessControl, policy: any PolicyControl = NoPolicy(),
        proven: ProvenCredentials = ProvenCredentials(),
        settings: RegistryFrontSettings = RegistryFrontSettings(), metrics: Metrics,
        audit: any AuditLog = NoAuditLog(), logger: Logger
    ) {
        self.settings = settings
        self.directory = directory
        self.source = source
        self.delivery = delivery
        self.access = access
        self.policy = policy
        self.proven = proven
        self.metrics = metrics
        self.audit = audit
        self.logger = logger
        misses = RegistryMisses(lifetime: settings.missFor, limit: settings.missesAtMost)
        shelf = ManifestShelf(delivery: delivery, logger: logger)
    }

    public func respond(to request: Request) -> Answer {
        guard request.method == .get || request.method == .head else {
            return .now(finished(.readOnly, namespace: nil))
        }
        if let target = targets.meaning(of: request) { return answer(target, request) }
        let asked: RegistryRequest
        do throws(RegistryError) {
            asked = try RegistryRequest(target: request.target, query: request.query)
        } catch {
            return .now(finished(error, namespace: nil))
        }
        switch asked.endpoint {
        case .base:
            return admitted(request, to: .registry, asked.namespace) { _ in
                .now(
                    self.finished(
                        Response(
                            status: .ok, headers: ["Content-Type": "application/json"],
                            body: .array(Array("{}".utf8))), namespace: asked.namespace))
            }
        case .catalog(let page):
            return admitted(request, to: .node, asked.namespace) { admission in
                .later {
                    self.finished(await self.catalog(page, asked, admission), namespace: asked.namespace)
                }
            }
        case .manifest, .blob, .tags, .referrers: break
        }
        let target: RegistryTarget
        do throws(RegistryError) {
            let (repository, upstream) = try resolve(asked)
            target = RegistryTarget(asked, repository, upstream)
        } catch {
            return .now(finished(error, namespace: asked.namespace))
        }
        let answer = answer(target, request)
        if case .now = answer { targets.note(target, of: request) }
        return answer
    }

    private func answer(_ target: RegistryTarget, _ request: Request) -> Answer {
        let resource = AccessResource.repository(target.repository)
        let verdict = access.admit(request, to: resource)
        // Nearly everybody is let in at once, and nothing has to be kept for later then.
        if case .now(.success(let admission)) = verdict {
            return answer(RegistryVisit(request: request, target: target, admission: admission))
        }
        return admitted(verdict, request, to: resource, target.asked.namespace) { admission in
            self.answer(RegistryVisit(request: request, target: target, admission: admission))
        }
    }

    private func answer(_ visit: RegistryVisit) -> Answer {
        if let response = hot(visit) { return .now(response) }
        return .later { self.finished(await self.cold(visit), namespace: visit.asked.namespace) }
    }

    private func admitted(
        _ request: Request, to resource: AccessResource, _ namespace: String?,
        _ next: @escaping @Sendable (Admission) -> Answer
    ) -> Answer {
        admitted(access.admit(request, to: resource), request, to: resource, namespace, next)
    }

    /// Lets the client in, or says why not, at once if that can be said at once.
    private func admitted(
        _ verdict: AccessAnswer, _ request: Request, to resource: AccessResource, _ namespace: String?,
        _ next: @escaping @Sendable (Admission) -> Answer
    ) -> Answer {
        let refused: @Sendable (AccessRefusal) -> Response = { refusal in
            if case .repository(let repository) = resource {
                self.audit.record(
                    AuditEvent(.deny, "\(repository)", client: request.client, reason: refusal.reason))
            }
            return self.finished(RegistryError(refusal), namespace: namespace)
        }
        switch verdict {
        case .now(.success(let admission)): return next(admission)
        case .now(.failure(let refusal)): return .now(refused(refusal))
        case .later(let verdict):
            return .later {
                switch await verdict() {
                case .success(let admission):
                    switch next(admission) {
                    case .now(let response): return response
                    case .later(let work): return await work()
                    }
                case .failure(let refusal): return refused(refusal)
                }
            }
        }
    }

    /// What can be answered without waiting: held, fresh, open to this client, and allowed. The whole answer.
    private func hot(_ visit: RegistryVisit) -> Response? {
        switch visit.asked.endpoint {
        case .manifest(let reference): hotManifest(reference, visit)
        case .blob(let digest): hotBlob(digest, visit)
        default: nil
        }
    }

    private func cold(_ visit: RegistryVisit) async -> Response {
        do throws(RegistryError) {
            switch visit.asked.endpoint {
            case .manifest(.tag(let tag)): return try await manifest(tag, visit)
            case .manifest(.digest(let digest)): return try await manifest(digest, visit)
            case .blob(let digest): return try await blob(digest, visit)
            case .tags(let page): return try await tags(page, visit)
            case .referrers(let digest, let type): return try await referrers(of: digest, type: type, visit)
            case .base, .catalog: return RegistryError.unknownEndpoint.response
            }
        } catch {
            if error.code == .denied || error.code == .unauthorized {
                audit.record(
                    AuditEvent(
                        .deny, "\(visit.repository)", client: visit.request.client, reason: error.message))
            }
            return error.response
        }
    }

    private func finished(_ error: RegistryError, namespace: String?) -> Response {
        finished(error.response, namespace: namespace)
    }

    private func finished(_ response: Response, namespace: String?) -> Response {
        var response = response
        RegistryAnswers.finish(&response.headers, namespace: namespace)
        return response
    }
}

extension RegistryError {
    static let readOnly = RegistryError(
        .methodNotAllowed, .unsupported,
        "this node is a mirror: it takes nothing; push to the registry itself",
        headers: ["Allow": "GET, HEAD"])
}
