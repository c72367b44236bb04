/// What authenticates the node at an upstream.
public enum UpstreamCredential: Sendable, Hashable {
    case basic(user: String, password: String)
    case bearer(token: String)

    /// The value of the `Authorization` header.
    var authorization: String {
        switch self {
        case .basic(let user, let password): "Basic " + Base64.encode(Array("\(user):\(password)".utf8))
        case .bearer(let token): "Bearer \(token)"
        }
    }
}

/// Which credential goes to which origin. None ever goes to another one, redirects included.
public struct UpstreamCredentials: Sendable {
    /// Configured for this very origin (`user` with `password_file`, or `token_file`).
    public var byOrigin: [UpstreamOrigin: UpstreamCredential]
    /// Used over https, and on loopback; a netrc entry names no scheme, so it is never sent in the clear.
    public var netrc: Netrc

    public init(byOrigin: [UpstreamOrigin: UpstreamCredential] = [:], netrc: Netrc = Netrc()) {
        self.byOrigin = byOrigin
        self.netrc = netrc
    }

    public func credential(for origin: UpstreamOrigin) -> UpstreamCredential? {
        if let own = byOrigin[origin] { return own }
        guard origin.scheme == .https || origin.isLoopback, let login = netrc.login(for: origin.host) else {
            return nil
        }
        return .basic(user: login.user, password: login.password)
    }
}
