import ChunkStore
import Content

/// Who may have what, and on whose behalf upstream is asked (architecture section 7).
extension RegistryResponder {
    // MARK: policy

    /// Refuses what a rule denies; asks whoever the rule names.
    func obey(_ subject: PolicySubject) async throws(RegistryError) {
        let verdict =
            switch policy.verdict(on: subject) {
            case .now(let verdict): verdict
            case .later(let asking): await asking()
            }
        if case .deny(let reason) = verdict { throw .denied(reason) }
    }

    /// Whether a subject is known to be allowed without waiting.
    func isAllowedNow(_ subject: PolicySubject) -> Bool {
        if case .now(.allow) = policy.verdict(on: subject) { true } else { false }
    }

    // MARK: what is held

    /// Whether this client may have what a reference of the repository points at, as far as that is known
    /// without asking anybody.
    func isOpen(_ reference: Reference, to visit: RegistryVisit) -> Bool {
        reference.access == .public || visit.admission.includesPrivate
    }

    /// As `isOpen`; a credential that the client brought is proven upstream if need be.
    /// - Parameter probe: asks upstream for the thing with the credential.
    func mayHave(
        _ reference: Reference, _ visit: RegistryVisit,
        probe: @escaping @Sendable (UpstreamIdentity) async throws(UpstreamFailure) -> Void
    ) async -> Bool {
        if isOpen(reference, to: visit) { return true }
        guard let credential = clientCredential(visit) else { return false }
        return await proven.admits(
            credential, to: visit.repository, client: visit.request.client
        ) { () async throws(UpstreamFailure) in try await probe(.client(credential)) }
    }

    func clientCredential(_ visit: RegistryVisit) -> UpstreamCredential? {
        visit.upstream.passesCredentials ? visit.admission.foreignCredential : nil
    }

    // MARK: upstream

    /// On whose behalf upstream is asked.
    ///
    /// A client with a credential of its own asks anonymously where that is enough: then everybody shares one
    /// transfer. Whether it is enough is found out once in a while.
    /// - Parameter probe: asks upstream for the thing as somebody.
    func identity(
        _ visit: RegistryVisit,
        probe: @escaping @Sendable (UpstreamIdentity) async throws(UpstreamFailure) -> Void
    ) async -> UpstreamIdentity {
        if visit.admission.includesPrivate { return .node }
        guard let credential = clientCredential(visit) else { return .anonymous }
        switch classes.isPublic(visit.repository) {
        case true?: return .anonymous
        case false?: return .client(credential)
        case nil: break
        }
        do throws(UpstreamFailure) {
            try await probe(.anonymous)
            classes.learn(visit.repository, isPublic: true)
            return .anonymous
        } catch {
            if DeliveryFailure.upstream(error).isVerdict { classes.learn(visit.repository, isPublic: false) }
            return .client(credential)
        }
    }

    /// Takes note of the class of what upstream gave. What needed a credential stays private even where the
    /// repository was open a while ago: it may have been closed since.
    func learned(_ access: AccessClass, of repository: Repository) -> AccessClass {
        if access == .public { classes.learn(repository, isPublic: true) }
        return access
    }

    /// What a refusal by upstream says of those it refused.
    func learned(_ failure: DeliveryFailure, of repository: Repository, as identity: UpstreamIdentity) {
        guard failure.isVerdict, case .upstream(.refused(let refusal)) = failure, !refusal.isNotFound else {
            return
        }
        switch identity {
        case .anonymous: classes.learn(repository, isPublic: false)
        case .client(let credential): proven.refused(credential, to: repository)
        case .node: break
        }
    }

    // MARK: time

    /// Since a name was last validated; a clock that was set back counts as no time.
    func age(_ reference: Reference) -> Duration {
        .seconds(max(0, delivery.clock.now.timeIntervalSince(reference.checked)))
    }

    /// What a client is shown of something served past its time, upstream being away.
    func stale(_ reference: Reference, because failure: DeliveryFailure) -> RegistryAnswers.Staleness {
        metrics.stale.add()
        logger.notice("\(reference.name) is served as last seen: \(failure)")
        return RegistryAnswers.Staleness(
            age: Int(age(reference) / .seconds(1)), reason: "served as last seen: \(failure)")
    }

    func local(_ name: ReferenceName) async -> (Reference, StoredObject)? {
        // A read error was logged; the content is fetched again.
        try? await delivery.local(name)
    }
}
