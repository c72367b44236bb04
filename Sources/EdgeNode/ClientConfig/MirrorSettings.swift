import ProxyFront

/// What a container client must know of a node: where it is, and for which registries it stands.
package struct MirrorSettings: Sendable, Equatable {
    /// A name under which images are pulled.
    package struct Registry: Sendable, Equatable {
        package var name: RegistryHost
        /// Where the client goes when the node cannot help.
        package var server: UpstreamOrigin
    }

    package let node: UpstreamOrigin
    package let registries: [Registry]
    /// The node's certificate authority, as a file on the client's machine.
    package let authorityFile: String?
    /// Whether image names without a registry mean Docker Hub to the node too.
    package let isHubDefault: Bool

    /// - Parameter base: the URL of the node's front.
    /// - Parameter names: registries by name or other name; empty = every one that the configuration names.
    /// - Throws: `CommandFailure.usage` for a base that clients cannot be pointed at, an unknown registry, or an
    ///   authority without https.
    package init(
        _ configuration: Configuration, base: String, registries names: [String] = [],
        authorityFile: String? = nil
    ) throws(CommandFailure) {
        let url: UpstreamURL
        do throws(UpstreamURLError) { url = try UpstreamURL(parsing: base) } catch {
            throw CommandFailure(.usage, "--url: \(error)")
        }
        guard url.path == "/", url.query == nil else {
            throw CommandFailure(
                .usage,
                "--url: container clients look for a registry at the top of a host: give \(url.origin)")
        }
        if let authorityFile {
            guard url.origin.scheme == .https else {
                throw CommandFailure(.usage, "--ca: \(url.origin) is plain http and has no certificate")
            }
            guard authorityFile.hasPrefix("/"), authorityFile.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
            else {
                throw CommandFailure(.usage, "--ca: give the file's absolute path on the client's machine")
            }
        }
        node = url.origin
        self.authorityFile = authorityFile
        isHubDefault = configuration.registry.defaultHost == .dockerHub
        let known = configuration.registry.entries.flatMap { Self.registries(of: $0.upstream) }
        if names.isEmpty {
            registries = known
            return
        }
        var chosen: [Registry] = []
        for name in names {
            guard let host = try? RegistryHost(name), let registry = known.first(where: { $0.name == host })
            else {
                throw CommandFailure(
                    .usage,
                    "--registry: \"\(name)\" is no registry of this node; those are: "
                        + known.map(\.name.text).joined(separator: ", "))
            }
            if !chosen.contains(registry) { chosen.append(registry) }
        }
        registries = chosen
    }

    /// The registry under each name that clients use for it. They know the other names of Docker Hub themselves.
    private static func registries(of upstream: RegistryUpstream) -> [Registry] {
        let names = [upstream.host] + (upstream.host == .dockerHub ? [] : upstream.aliases)
        return names.map { Registry(name: $0, server: server(of: $0, upstream)) }
    }

    private static func server(of name: RegistryHost, _ upstream: RegistryUpstream) -> UpstreamOrigin {
        if name == .dockerHub { return UpstreamOrigin(scheme: .https, host: "registry-1.docker.io") }
        let own = upstream.endpoints.map(\.origin).first { $0.scheme == .http && $0.authority == name.text }
        return own ?? name.standardURL.origin
    }

    /// The files that make a client ask the node first, and the registry itself when the node has no answer.
    package func files(for client: ContainerClient) -> [ClientFile] {
        switch client {
        case .docker: [dockerDaemon]
        case .containerd: registries.map(containerdHosts)
        case .podman, .criO: [containersRegistries]
        case .buildkit: [buildkitDaemon]
        case .k3s: [k3sRegistries]
        }
    }
}
