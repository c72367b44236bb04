import Foundation
import ProxyFront

/// What the configuration keeps in files of its own: credentials for upstreams and for the proxy on the way.
package struct NodeSecrets: Sendable {
    package var credentials: UpstreamCredentials
    package var proxy: OutboundProxy?
    /// What the node asks each registry with.
    package var registries: [RegistryHost: RegistryCredential] = [:]
    /// The configuration's access rules with the users and tokens of the credentials file.
    package var access = AccessSettings()
    /// The configuration's policy with the tokens of its webhooks.
    package var policy: [PolicyRule] = []

    /// Reads every file that the configuration names.
    /// - Throws: `CommandFailure` naming the key, the file and what to do.
    package static func read(for configuration: Configuration) throws(CommandFailure) -> NodeSecrets {
        var secrets = NodeSecrets(credentials: UpstreamCredentials())
        for host in configuration.go.hosts {
            if let user = host.user, let file = host.passwordFile {
                let password = try line(of: file, key: "go.upstream.password_file")
                secrets.credentials.byOrigin[host.origin] = .basic(user: user, password: password)
            } else if let file = host.tokenFile {
                let token = try line(of: file, key: "go.upstream.token_file")
                secrets.credentials.byOrigin[host.origin] = .bearer(token: token)
            }
        }
        if let file = configuration.upstream.netrcFile {
            let text = try text(of: file, key: "upstream.netrc_file")
            do {
                secrets.credentials.netrc = try Netrc(parsing: text)
            } catch {
                throw CommandFailure(.configuration, "upstream.netrc_file: \(file): \(error)")
            }
        }
        secrets.registries = try registries(configuration.registry)
        secrets.access = try access(for: configuration)
        secrets.policy = try policy(for: configuration)
        guard let url = configuration.upstream.proxy else { return secrets }
        var credential: UpstreamCredential?
        if let user = configuration.upstream.proxyUser, let file = configuration.upstream.proxyPasswordFile {
            let password = try line(of: file, key: "upstream.proxy_password_file")
            credential = .basic(user: user, password: password)
        }
        do {
            secrets.proxy = try OutboundProxy(
                url: url, credential: credential, exceptions: configuration.upstream.noProxy)
        } catch {
            throw CommandFailure(.configuration, "upstream.proxy: \(error)")
        }
        return secrets
    }

    /// A registry's own credential counts before what docker's configuration has for it.
    private static func registries(
        _ settings: RegistrySettings
    ) throws(CommandFailure) -> [RegistryHost: RegistryCredential] {
        let docker = try dockerConfig(settings)
        var credentials: [RegistryHost: RegistryCredential] = [:]
        for entry in settings.entries {
            let host = entry.upstream.host
            switch entry.secret {
            case .password(let user, let file):
                let password = try line(of: file, key: "registry.upstream.password_file")
                credentials[host] = .fixed(.basic(user: user, password: password))
            case .token(let file):
                let token = try line(of: file, key: "registry.upstream.token_file")
                credentials[host] = .fixed(.bearer(token: token))
            case .helper(let name):
                credentials[host] = .helper(name: name, server: DockerConfig.server(of: host))
            case nil: credentials[host] = docker?.credential(for: host)
            }
            if let file = entry.upstream.clientKeyFile {
                _ = try text(of: file, key: "registry.upstream.client_key_file")
            }
        }
        return credentials
    }

    private static func dockerConfig(_ settings: RegistrySettings) throws(CommandFailure) -> DockerConfig? {
        guard let file = settings.dockerConfig else { return nil }
        let text = try text(of: file, key: "registry.docker_config")
        do throws(DockerConfigError) { return try DockerConfig(parsing: text) } catch {
            throw CommandFailure(.configuration, "registry.docker_config: \(file): \(error)")
        }
    }

    /// The first line of a file, which must not be empty.
    static func line(of path: String, key: String) throws(CommandFailure) -> String {
        let line = try text(of: path, key: key).prefix { !$0.isNewline }.trimmingSpaces()
        guard !line.isEmpty else {
            throw CommandFailure(
                .configuration, "\(key): the first line of \(path) is empty; write the secret there")
        }
        return line
    }

    static func text(of path: String, key: String) throws(CommandFailure) -> String {
        var status = stat()
        guard stat(path, &status) == 0, let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(
                .noInput, "\(key): \(path) cannot be read by this user: \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & 0o007 == 0 else {
            throw CommandFailure(
                .noPermission,
                "\(key): everybody on this machine may use \(path); run: chmod o-rwx \(path)")
        }
        guard data.count <= 1 << 20, let text = String(validating: data, as: UTF8.self) else {
            throw CommandFailure(.configuration, "\(key): \(path) is not a small text file")
        }
        return text
    }
}
