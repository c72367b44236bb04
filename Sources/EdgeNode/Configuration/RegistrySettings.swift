import ProxyFront

/// What the node is told about registries.
package struct RegistrySettings: Sendable, Equatable {
    /// What an image name without a registry means to clients that send no other sign; nil = nothing.
    package var defaultHost: RegistryHost? = .dockerHub
    /// How long a tag is served without asking, where its registry says nothing else.
    package var freshFor = Duration.seconds(300)
    package var missFor = Duration.seconds(60)
    package var fillLimit: Int64 = 64 << 20
    /// A docker `config.json` with credentials for registries that name none of their own.
    package var dockerConfig: String?
    /// Every registry that may be asked, the shipped ones first.
    package var entries = PublicRegistries.all
}

/// One registry and where the node's own credential for it comes from.
package struct RegistryEntry: Sendable, Equatable {
    /// Without a credential: those are read when the node starts.
    package var upstream: RegistryUpstream
    package var secret: RegistrySecret?

    package init(_ upstream: RegistryUpstream, secret: RegistrySecret? = nil) {
        self.upstream = upstream
        self.secret = secret
    }
}

/// Where a credential is kept.
package enum RegistrySecret: Sendable, Equatable {
    case password(user: String, file: String)
    case token(file: String)
    /// The program `docker-credential-<name>`.
    case helper(name: String)
}
