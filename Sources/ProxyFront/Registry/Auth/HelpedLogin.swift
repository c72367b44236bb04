import Synchronization

/// What a credential helper said last; it is asked once for everybody.
final class HelpedLogin: Sendable {
    private struct Held {
        var login: RegistryLogin?
        var until: ContinuousClock.Instant
    }

    private let held = Mutex<Held?>(nil)
    private let flights = SingleFlight<String, Result<RegistryLogin?, CredentialHelperError>>()

    func login(
        from helper: CredentialHelper, server: String, for span: Duration
    ) async throws(CredentialHelperError) -> RegistryLogin? {
        if let held = held.withLock({ $0 }), .now < held.until { return held.login }
        let answer: Result<RegistryLogin?, CredentialHelperError>
        do {
            (answer, _) = try await flights.run(server) {
                do throws(CredentialHelperError) {
                    let login = try await helper.credential(for: server).flatMap { RegistryLogin($0) }
                    self.held.withLock { $0 = Held(login: login, until: .now + span) }
                    return .success(login)
                } catch {
                    return .failure(error)
                }
            }
        } catch {
            throw CredentialHelperError(helper.name, "the wait for it was cancelled")
        }
        return try answer.get()
    }

    func drop() { held.withLock { $0 = nil } }
}
