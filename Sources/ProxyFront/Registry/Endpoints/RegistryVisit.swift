import Content

/// One request for something of a repository, by a client that was let in.
struct RegistryVisit: Sendable {
    let request: Request
    let target: RegistryTarget
    let admission: Admission

    var asked: RegistryRequest { target.asked }
    var repository: Repository { target.repository }
    var upstream: RegistryUpstream { target.upstream }

    /// What a failure is told about.
    func wanted(_ kind: RegistryFailures.Wanted.Kind, _ what: String) -> RegistryFailures.Wanted {
        RegistryFailures.Wanted(kind: kind, name: what, isMirrored: asked.namespace != nil)
    }

    /// The answer for content that this client may not have.
    var privacyError: RegistryError {
        RegistryError(admission.refusal(ofPrivate: "\(repository)", to: request))
    }
}

extension RegistryError {
    init(_ refusal: AccessRefusal) {
        let code: Code =
            switch refusal {
            case .unauthorized: .unauthorized
            case .forbidden: .denied
            case .busy: .unavailable
            }
        self.init(refusal.status, code, refusal.reason, headers: refusal.headers)
    }

    static func denied(_ reason: String) -> RegistryError { RegistryError(.forbidden, .denied, reason) }
}
