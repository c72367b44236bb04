/// Who may be shown a login for a registry: `CredentialTrust`, and in plain http only what is on loopback or at
/// private addresses.
struct LoginTrust: Sendable {
    private let domains: CredentialTrust
    private let resolver: any HostResolver

    init(_ upstream: RegistryUpstream, resolver: any HostResolver) {
        domains = CredentialTrust(upstream)
        self.resolver = resolver
    }

    /// Nil when a login may be sent to `place`; else why not.
    func objection(to place: UpstreamURL) async -> String? {
        if let objection = domains.objection(to: place) { return objection }
        guard place.origin.scheme == .http else { return nil }
        let addresses = await resolver.addresses(of: place.origin.host)
        guard !addresses.isEmpty, addresses.allSatisfy({ !$0.isPublic }) else {
            return "it would travel in the clear beyond private addresses"
        }
        return nil
    }
}
