/// What authenticates somebody at a registry.
public enum RegistryLogin: Sendable, Hashable {
    /// Shown to a token service, or to the registry itself where that wants Basic.
    case password(user: String, password: String)
    /// Shown to the registry as it is.
    case bearer(String)
    /// A refresh token: exchanged for access tokens at a token service
    /// (https://distribution.github.io/distribution/spec/auth/oauth/).
    case identityToken(String)

    /// Nil for what only says where a login is.
    init?(_ credential: RegistryCredential) {
        switch credential {
        case .fixed(let credential): self.init(credential)
        case .identityToken(let token): self = .identityToken(token)
        case .helper: return nil
        }
    }

    init(_ credential: UpstreamCredential) {
        switch credential {
        case .basic(let user, let password): self = .password(user: user, password: password)
        case .bearer(let token): self = .bearer(token)
        }
    }
}

/// Who somebody is, as a key of caches: no secret can be read out of it.
struct LoginKey: Hashable, Sendable {
    private let value: KeyedHash.Value?
    /// Without any login.
    static let nobody = LoginKey(value: nil)

    private init(value: KeyedHash.Value?) { self.value = value }

    init(_ login: RegistryLogin?, hash: KeyedHash) {
        switch login {
        case nil: value = nil
        case .password(let user, let password): value = hash("password", user, password)
        case .bearer(let token): value = hash("bearer", token)
        case .identityToken(let token): value = hash("identity", token)
        }
    }
}
