import ProxyFront
import Testing

@Suite struct RegistrableDomainTests {
    @Test(arguments: [
        ("auth.docker.io", "docker.io"), ("docker.io", "docker.io"), ("a.b.example.co.uk", "example.co.uk"),
        ("Registry.GitLab.com", "gitlab.com"), ("localhost", nil), ("co.uk", nil), ("127.0.0.1", nil),
        ("::1", nil),
        // Everybody can have a name under this one.
        ("me.github.io", "me.github.io"), ("github.io", nil),
    ])
    func aHostBelongsToADomain(host: String, domain: String?) {
        #expect(RegistrableDomain.of(host) == domain)
    }

    @Test(arguments: [
        ("https://registry-1.docker.io", "https://auth.docker.io/token", true),
        ("https://registry-1.docker.io", "https://auth.docker.io.evil.test/token", false),
        ("https://registry-1.docker.io", "https://evil.test/token", false),
        ("https://registry-1.docker.io", "http://auth.docker.io/token", false),
        ("https://a.github.io", "https://b.github.io/token", false),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5001/token", true),
        ("http://127.0.0.1:5000", "http://127.0.0.2:5001/token", false),
        ("https://127.0.0.1:5000", "http://127.0.0.1:5001/token", false),
        ("https://registry.test", "https://elsewhere.test/token", true),
        ("https://registry.test", "http://elsewhere.test/token", false),
    ])
    func aCredentialStaysWithItsOwner(endpoint: String, realm: String, trusted: Bool) throws {
        var upstream = RegistryUpstream(
            host: try RegistryHost("registry.test"), endpoints: [try UpstreamURL(parsing: endpoint)])
        upstream.tokenHosts = ["elsewhere.test"]
        let objection = CredentialTrust(upstream).objection(to: try UpstreamURL(parsing: realm))
        #expect((objection == nil) == trusted)
    }
}
