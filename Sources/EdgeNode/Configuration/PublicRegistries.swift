import ProxyFront

/// The registries that a node knows without being told, open to anybody at least in part.
enum PublicRegistries {
    static let all: [RegistryEntry] = [
        dockerHub,
        registry("ghcr.io"),
        registry("quay.io"),
        registry("registry.k8s.io"),
        registry("gcr.io"),
        registry("mirror.gcr.io"),
        registry("mcr.microsoft.com"),
        registry("public.ecr.aws"),
        registry("registry.gitlab.com"),
        registry("nvcr.io"),
        registry("registry.access.redhat.com"),
        registry("registry.fedoraproject.org"),
        registry("registry.opensuse.org"),
        registry("registry.suse.com"),
        registry("docker.elastic.co"),
        registry("container-registry.oracle.com"),
        registry("cgr.dev"),
        registry("codeberg.org"),
        // Its content and its tokens are those of ghcr.io.
        registry("lscr.io", tokenHosts: ["ghcr.io"]),
    ]

    /// Answers under another name than images carry (https://docs.docker.com/docker-hub/).
    private static var dockerHub: RegistryEntry {
        var upstream = RegistryUpstream(
            host: .dockerHub,
            endpoints: [UpstreamOrigin(scheme: .https, host: "registry-1.docker.io").url])
        upstream.aliases = ["index.docker.io", "registry-1.docker.io"].map(host)
        upstream.addsLibrary = true
        return RegistryEntry(upstream)
    }

    private static func registry(_ name: String, tokenHosts: [String] = []) -> RegistryEntry {
        var upstream = RegistryUpstream(host: host(name), endpoints: [host(name).standardURL])
        upstream.tokenHosts = tokenHosts
        return RegistryEntry(upstream)
    }

    private static func host(_ name: String) -> RegistryHost {
        do {
            return try RegistryHost(name)
        } catch {
            preconditionFailure("the shipped registries have good names: \(error)")
        }
    }
}

extension RegistryHost {
    /// Where a registry answers that nobody gave an address of: https under its own name.
    var standardURL: UpstreamURL {
        do {
            return try UpstreamURL(parsing: "https://\(text)")
        } catch {
            preconditionFailure("host and port make a URL: \(error)")
        }
    }
}
