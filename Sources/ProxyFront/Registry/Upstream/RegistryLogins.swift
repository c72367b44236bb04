/// Who the node is at a registry: what is configured, or what a credential helper says, asked anew now and then.
final class RegistryLogins: Sendable {
    /// A helper's answer is used this long; what it gives may be short-lived.
    private static let helperFor = Duration.seconds(600)

    private let credential: RegistryCredential?
    private let registry: RegistryHost
    private let helped = HelpedLogin()

    init(_ upstream: RegistryUpstream) {
        credential = upstream.credential
        registry = upstream.host
    }

    /// Nil = the node has none.
    /// - Throws: `.unusable` when a helper fails.
    func own() async throws(UpstreamFailure) -> RegistryLogin? {
        switch credential {
        case nil: return nil
        case .fixed, .identityToken: return credential.flatMap { RegistryLogin($0) }
        case .helper(let name, let server):
            do throws(CredentialHelperError) {
                return try await helped.login(
                    from: CredentialHelper(name: name), server: server, for: Self.helperFor)
            } catch {
                throw .unusable(upstream: registry.text, reason: "\(error)")
            }
        }
    }

    /// What the helper said was refused: it is asked again.
    func refused() { helped.drop() }
}
