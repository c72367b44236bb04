/// Who answers what about the node itself. All of it is read-only and names no content but what is being
/// fetched, the names of private content left out for those who may not have it. Health and readiness are told
/// to everybody: whoever watches a node has no credentials.
public enum StatusResponders {
    /// The routes under which the node tells about itself.
    public static func routes(
        source: any StatusSource, metrics: Metrics, access: any AccessControl = AccessRules.open
    ) -> [Router.Route] {
        [
            Router.Route(
                .exact("/"), about: "status page",
                StatusPageResponder(source: source, metrics: metrics, access: access)),
            Router.Route(
                .exact("/api/v1/status"), about: "status as JSON",
                StatusAPIResponder(source: source, metrics: metrics, access: access)),
            Router.Route(
                .exact("/metrics"), about: "metrics for Prometheus",
                MetricsResponder(source: source, metrics: metrics, access: access)),
            Router.Route(.exact("/healthz"), about: "200 while the process is alive", HealthResponder()),
            Router.Route(
                .exact("/readyz"), about: "200 while the node can serve", ReadinessResponder(source: source)),
        ]
    }

    /// 405 for what is neither GET nor HEAD.
    static func refusal(of request: Request) -> Answer? {
        if request.method == .get || request.method == .head { return nil }
        return .now(.text(.methodNotAllowed, "Only GET and HEAD.", headers: ["Allow": "GET, HEAD"]))
    }

    /// `make` for those who are let in to what the node tells about itself.
    static func answer(
        _ request: Request, _ access: any AccessControl,
        _ make: @escaping @Sendable (Admission) async -> Response
    ) -> Answer {
        if let refusal = refusal(of: request) { return refusal }
        let answer = access.admit(request, to: .node)
        return .later {
            switch await answer.verdict() {
            case .success(let admission): await make(admission)
            case .failure(let refusal):
                .text(refusal.status, "\(refusal.reason)", headers: refusal.headers)
            }
        }
    }
}

/// `/healthz`: an answer from the event loop is proof enough of life.
struct HealthResponder: Responder {
    func respond(to request: Request) -> Answer {
        StatusResponders.refusal(of: request)
            ?? .now(.text(.ok, "alive", headers: ["Cache-Control": "no-store"]))
    }
}

/// `/readyz`: whether a load balancer should send requests here.
struct ReadinessResponder: Responder {
    let source: any StatusSource

    func respond(to request: Request) -> Answer {
        if let refusal = StatusResponders.refusal(of: request) { return refusal }
        return .later {
            let headers: Headers = ["Cache-Control": "no-store"]
            guard let reason = await source.status().notReadyBecause else {
                return .text(.ok, "ready", headers: headers)
            }
            return .text(.serviceUnavailable, "not ready: \(reason)", headers: headers)
        }
    }
}

/// `/metrics`.
struct MetricsResponder: Responder {
    let source: any StatusSource
    let metrics: Metrics
    let access: any AccessControl

    func respond(to request: Request) -> Answer {
        StatusResponders.answer(request, access) { _ in
            metrics.take(await source.status())
            return Response(
                status: .ok, headers: ["Content-Type": "text/plain; version=0.0.4; charset=utf-8"],
                body: .array(Array(metrics.render().utf8)))
        }
    }
}

/// What the status API and the page show to a client.
private func report(
    of source: any StatusSource, _ metrics: Metrics, for admission: Admission
) async -> StatusReport {
    let status = await source.status()
    return StatusReport(
        node: admission.includesPrivate ? status : status.withoutPrivateNames, metrics: metrics)
}

/// `/api/v1/status`.
struct StatusAPIResponder: Responder {
    let source: any StatusSource
    let metrics: Metrics
    let access: any AccessControl

    func respond(to request: Request) -> Answer {
        StatusResponders.answer(request, access) { admission in
            let report = await report(of: source, metrics, for: admission)
            do {
                return Response(
                    status: .ok, headers: ["Content-Type": "application/json", "Cache-Control": "no-store"],
                    body: .array(try report.json()))
            } catch {
                return .text(.internalServerError, "The status cannot be written as JSON: \(error)")
            }
        }
    }
}

/// The page for people at `/`.
struct StatusPageResponder: Responder {
    let source: any StatusSource
    let metrics: Metrics
    let access: any AccessControl

    func respond(to request: Request) -> Answer {
        StatusResponders.answer(request, access) { admission in
            let report = await report(of: source, metrics, for: admission)
            return Response(
                status: .ok,
                headers: [
                    "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store",
                    "Content-Security-Policy":
                        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
                    "X-Content-Type-Options": "nosniff",
                ],
                body: .array(Array(StatusPage(report).html.utf8)))
        }
    }
}

extension Metrics {
    /// Takes over the numbers that are counted elsewhere, before they are shown.
    func take(_ status: NodeStatus) {
        storeBytes.set(Int(clamping: status.store.bytes))
        storeCapacity.set(Int(clamping: status.store.capacity))
        storeObjects.set(status.store.objects)
        imageRepositories.set(status.registries.reduce(0) { $0 + $1.held.repositories })
        imageTags.set(status.registries.reduce(0) { $0 + $1.held.tags })
        imageBytes.set(Int(clamping: status.registries.reduce(0) { $0 + $1.held.bytes }))
        inFlight.set(status.inFlight.count)
        uptime.set(status.uptimeSeconds)
        ready.set(status.notReadyBecause == nil ? 1 : 0)
        evictions.advance(to: status.store.evictedObjects)
        evictedBytes.advance(to: Int(clamping: status.store.evictedBytes))
        for upstream in status.upstreams { upstreams[upstream.name].healthy.set(upstream.isHealthy ? 1 : 0) }
    }
}
