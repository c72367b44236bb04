/// Who is served, and what: before anything is looked up, and again once it is known whether content is private.
extension GoModuleResponder {
    /// Goes on with those who are let in to a module.
    func admitting(
        _ request: Request, to module: ModulePath, _ next: @escaping @Sendable (Admission) -> Answer
    ) -> Answer {
        admitting(access.admit(request, to: .module(module)), request, to: module, next)
    }

    func admitting(
        _ verdict: AccessAnswer, _ request: Request, to module: ModulePath,
        _ next: @escaping @Sendable (Admission) -> Answer
    ) -> Answer {
        switch verdict {
        case .now(.success(let admission)): next(admission)
        case .now(.failure(let refusal)): .now(refused(refusal, module.text, request))
        case .later(let verdict):
            .later {
                switch await verdict() {
                case .success(let admission): await next(admission).response()
                case .failure(let refusal): self.refused(refusal, module.text, request)
                }
            }
        }
    }

    /// Goes on with what may be served at all: by the patterns of the configuration, then by the policy.
    func permitted(_ target: GoTarget, _ request: Request, _ admission: Admission) -> Answer {
        if case .denied(let reason) = configuration.access.verdict(on: target.resource.module) {
            return .now(denied(reason, target.resource, request))
        }
        switch policy.verdict(on: .module(target.resource.module, version: target.resource.version)) {
        case .now(.allow): return answer(target, request, admission)
        case .now(.deny(let reason)): return .now(denied(reason, target.resource, request))
        case .later(let verdict):
            return .later {
                switch await verdict() {
                case .allow: await self.answer(target, request, admission).response()
                case .deny(let reason): self.denied(reason, target.resource, request)
                }
            }
        }
    }

    /// The answer to a client whose admission does not include private content.
    func refusedPrivate(
        _ resource: GoResource, _ request: Request, _ admission: Admission
    ) -> Response {
        let subject = "\(AccessResource.module(resource.module))"
        return refused(
            admission.refusal(ofPrivate: subject, to: request), resource.name.text, request)
    }

    private func refused(_ refusal: AccessRefusal, _ subject: String, _ request: Request) -> Response {
        audit.record(AuditEvent(.deny, subject, client: request.client, reason: refusal.reason))
        return GoAnswers.refused(refusal)
    }

    private func denied(_ reason: String, _ resource: GoResource, _ request: Request) -> Response {
        audit.record(AuditEvent(.deny, resource.name.text, client: request.client, reason: reason))
        return GoAnswers.denied(reason)
    }
}

extension Answer {
    /// The response, once it is there.
    package func response() async -> Response {
        switch self {
        case .now(let response): response
        case .later(let make): await make()
        }
    }
}
