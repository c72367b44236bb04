import CPSL

/// The part of a host name that somebody registered: `docker.io` of `auth.docker.io`, by the Public Suffix List
/// (https://publicsuffix.org), so that all names under one belong to one owner.
package enum RegistrableDomain {
    /// Nil for addresses, for names of one label, and for public suffixes themselves.
    package static func of(_ host: String) -> String? {
        let name = host.lowercased()
        guard NetworkAddress(name) == nil, let found = psl_registrable_domain(psl_builtin(), name) else {
            return nil
        }
        return String(cString: found)
    }

    /// Whether two hosts have one owner: the same host, or hosts below one registrable domain.
    package static func isShared(_ a: String, _ b: String) -> Bool {
        if a.lowercased() == b.lowercased() { return true }
        guard let domain = of(a) else { return false }
        return domain == of(b)
    }
}

/// Whether a credential for a registry may go to the token service that the registry names: a registry that was
/// broken into must not be able to have the node's password sent elsewhere.
package struct CredentialTrust: Sendable {
    let endpoints: [UpstreamURL]
    let tokenHosts: [String]

    package init(_ upstream: RegistryUpstream) {
        endpoints = upstream.endpoints
        tokenHosts = upstream.tokenHosts.map { $0.lowercased() }
    }

    /// Why the credential must not go to `realm`; nil when it may.
    package func objection(to realm: UpstreamURL) -> String? {
        let host = realm.origin.host.lowercased()
        // In the clear only where the registry's own name stands for nothing more: the same host over http.
        if realm.origin.scheme == .http,
            !endpoints.contains(where: { $0.origin.scheme == .http && $0.origin.host.lowercased() == host })
        {
            return "it would travel in the clear"
        }
        if tokenHosts.contains(host) { return nil }
        if endpoints.contains(where: { RegistrableDomain.isShared($0.origin.host, host) }) { return nil }
        return "\(host) is outside of the registry's own domain; token_hosts would permit it"
    }
}
