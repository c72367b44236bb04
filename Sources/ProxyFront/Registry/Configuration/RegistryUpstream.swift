/// One registry that images are pulled through from.
public struct RegistryUpstream: Sendable, Equatable {
    /// The name that images carry and that the store keeps.
    public var host: RegistryHost
    /// Where its `/v2/` is, without that path; asked in order, the next one after any failure but a plain
    /// refusal (401, 403, 404).
    public var endpoints: [UpstreamURL]
    /// Other names that clients use for it.
    public var aliases: [RegistryHost] = []
    /// Applied to repository names before everything else, the first that matches.
    public var rewrites: [RepositoryRewrite] = []
    /// Names of one segment mean `library/<name>`.
    public var addsLibrary = false
    /// Hosts of token services that may get the credential although they are outside of the registry's own
    /// registrable domain.
    public var tokenHosts: [String] = []
    /// What the node itself asks with; nil = anonymously.
    public var credential: RegistryCredential?
    /// Whether a client's own credentials, unknown to the node, are tried at this registry.
    public var passesCredentials = true
    /// How long a tag is served without asking, and exceptions from it by pattern of `repository:tag`.
    public var freshFor: Duration = .seconds(300)
    public var freshness: [(pattern: String, span: Duration)] = []
    /// PEM files: authorities trusted besides the system's, for this registry; the node's own certificate.
    public var caFiles: [String] = []
    public var clientCertificateFile: String?
    public var clientKeyFile: String?

    public init(host: RegistryHost, endpoints: [UpstreamURL]) {
        self.host = host
        self.endpoints = endpoints
    }

    public static func == (a: RegistryUpstream, b: RegistryUpstream) -> Bool {
        a.host == b.host && a.endpoints == b.endpoints && a.aliases == b.aliases && a.rewrites == b.rewrites
            && a.addsLibrary == b.addsLibrary && a.tokenHosts == b.tokenHosts && a.credential == b.credential
            && a.passesCredentials == b.passesCredentials && a.freshFor == b.freshFor
            && a.freshness.elementsEqual(b.freshness, by: ==) && a.caFiles == b.caFiles
            && a.clientCertificateFile == b.clientCertificateFile && a.clientKeyFile == b.clientKeyFile
    }
}

/// What authenticates the node at a registry: a secret at hand, or something that gives one when asked.
public enum RegistryCredential: Sendable, Equatable {
    case fixed(UpstreamCredential)
    /// A refresh token, exchanged at the registry's token service.
    case identityToken(String)
    /// A program `docker-credential-<name>` on the PATH, asked for `server` (docker's credential helper
    /// protocol).
    case helper(name: String, server: String)
}

/// `from` is matched against a whole repository name, `*` standing for any characters; the first `*` of `to`
/// is what the first of `from` stood for.
public struct RepositoryRewrite: Sendable, Hashable {
    public var from: String
    public var to: String

    public init(from: String, to: String) {
        self.from = from
        self.to = to
    }
}
