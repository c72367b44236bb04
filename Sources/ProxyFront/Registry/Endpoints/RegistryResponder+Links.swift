import ChunkStore
import Content

/// Links of class private, and who may follow them.
extension RegistryResponder {
    /// Demands that this client may have what a held link points at; upstream is asked where nobody knows.
    func demand(
        _ link: Reference, _ visit: RegistryVisit, _ kind: RegistryFailures.Wanted.Kind,
        probe: @escaping @Sendable (UpstreamIdentity) async throws(UpstreamFailure) -> Void
    ) async throws(RegistryError) {
        if await mayHave(link, visit, probe: probe) { return }
        guard clientCredential(visit) == nil, classes.isPublic(visit.repository) != false else {
            throw visit.privacyError
        }
        // Fetched with a credential that may not have been needed.
        do throws(UpstreamFailure) { try await probe(.anonymous) } catch {
            let failure = DeliveryFailure.upstream(error)
            learned(failure, of: visit.repository, as: .anonymous)
            throw RegistryFailures.answer(
                failure, visit.wanted(kind, "\(visit.repository)@\(link.digest)"),
                refusal: visit.privacyError)
        }
        classes.learn(visit.repository, isPublic: true)
        var open = link
        open.access = .public
        await shelf.set(open)
    }
}
