import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

/// The credentials of a docker `config.json` (docker/cli, "docker login", "Credential stores").
public struct DockerConfig: Sendable, Equatable {
    private var fixed: [RegistryHost: RegistryCredential] = [:]
    private var helpers: [RegistryHost: RegistryCredential] = [:]
    private var store: String?

    /// - Throws: `DockerConfigError` naming the entry that cannot be used. An entry without any secret is passed over:
    ///   docker leaves one behind for registries whose secret a credential store keeps.
    public init(parsing text: String) throws(DockerConfigError) {
        let wire: Wire
        do { wire = try JSONDecoder().decode(Wire.self, from: Data(text.utf8)) } catch {
            throw DockerConfigError("it is no JSON object of the form of docker's config.json: \(error)")
        }
        for (server, entry) in wire.auths ?? [:] {
            guard let host = Self.host(of: server) else { continue }
            fixed[host] = try entry.credential(server)
        }
        for (server, name) in wire.credHelpers ?? [:] {
            guard let host = Self.host(of: server) else { continue }
            try Self.check(helper: name)
            helpers[host] = .helper(name: name, server: server)
        }
        store = wire.credsStore.flatMap { $0.isEmpty ? nil : $0 }
        if let store { try Self.check(helper: store) }
    }

    /// What the file has for a registry: its own helper, else the credential store, else what stands in the file.
    public func credential(for host: RegistryHost) -> RegistryCredential? {
        if let helper = helpers[host] { return helper }
        if let fixed = fixed[host] { return fixed }
        return store.map { .helper(name: $0, server: Self.server(of: host)) }
    }

    /// Under what name docker keeps a registry's secret: its own, but for Docker Hub.
    public static func server(of host: RegistryHost) -> String {
        host == .dockerHub ? "https://index.docker.io/v1/" : host.text
    }

    /// `https://index.docker.io/v1/`, `quay.io`, `https://quay.io/v2/`
    private static func host(of server: String) -> RegistryHost? {
        var text = server[...]
        for scheme in ["https://", "http://"] where text.hasPrefix(scheme) {
            text = text.dropFirst(scheme.count)
        }
        let host = try? RegistryHost(text.prefix { $0 != "/" })
        return ["index.docker.io", "registry-1.docker.io"].contains(host?.text) ? .dockerHub : host
    }

    private static func check(helper name: String) throws(DockerConfigError) {
        guard CredentialHelper.isName(name) else {
            throw DockerConfigError("\(QuotedText(name)) is no name of a credential helper")
        }
    }
}

/// Why a docker `config.json` cannot be used. Never tells a secret.
public struct DockerConfigError: Error, Equatable, CustomStringConvertible {
    public let reason: String

    init(_ reason: String) { self.reason = String(reason.prefix(500)) }

    public var description: String { reason }
}

private struct Wire: Decodable {
    struct Entry: Decodable {
        var auth: String?
        var username: String?
        var password: String?
        var identitytoken: String?
        var registrytoken: String?

        func credential(_ server: String) throws(DockerConfigError) -> RegistryCredential? {
            if let registrytoken, !registrytoken.isEmpty { return .fixed(.bearer(token: registrytoken)) }
            if let identitytoken, !identitytoken.isEmpty { return .identityToken(identitytoken) }
            if let username, let password, !username.isEmpty {
                return .fixed(.basic(user: username, password: password))
            }
            guard let auth, !auth.isEmpty else { return nil }
            guard let bytes = Base64.decode(auth), let text = String(validating: bytes, as: UTF8.self),
                let colon = text.firstIndex(of: ":")
            else {
                throw DockerConfigError(
                    "the entry of \(server) has an \"auth\" that is not base64 of user:password")
            }
            let password = text[text.index(after: colon)...].drop { $0 == "\0" }
            return .fixed(
                .basic(
                    user: String(text[..<colon]),
                    password: String(password.reversed().drop { $0 == "\0" }.reversed())))
        }
    }

    var auths: [String: Entry]?
    var credHelpers: [String: String]?
    var credsStore: String?
}
