/// One line of the access rules: who may have what of which content.
public struct AccessRule: Hashable, Sendable {
    /// Whom a rule speaks of.
    public enum Who: Hashable, Sendable {
        /// Everybody who can connect.
        case anyone
        /// Every user and token of the node.
        case users
        /// Users and tokens of this role or a higher one.
        case role(AccessRole)
        case user(String)
        case token(String)
    }

    /// How much a rule gives.
    public enum Grant: String, Hashable, Sendable, CaseIterable {
        case nothing
        /// What anybody could fetch from upstream without credentials.
        case `public`
        /// That, and what was or would be fetched with the node's credentials.
        case `private`
    }

    public var content: [ContentPattern]
    public var who: [Who]
    public var grant: Grant

    public init(_ content: [ContentPattern], _ who: [Who], _ grant: Grant) {
        self.content = content
        self.who = who
        self.grant = grant
    }

    func speaks(of principal: Principal?, about resource: AccessResource) -> Bool {
        who.contains { $0.includes(principal) } && content.contains { $0.covers(resource) }
    }
}

extension AccessRule.Who {
    /// Parses `anyone`, `users`, `role:<role>`, `user:<name>` and `token:<name>`.
    public init?(parsing text: String) {
        switch text {
        case "anyone": self = .anyone
        case "users": self = .users
        default:
            guard let colon = text.firstIndex(of: ":") else { return nil }
            let name = String(text[text.index(after: colon)...])
            guard !name.isEmpty else { return nil }
            switch text[..<colon] {
            case "role":
                guard let role = AccessRole(name: name) else { return nil }
                self = .role(role)
            case "user": self = .user(name)
            case "token": self = .token(name)
            default: return nil
            }
        }
    }

    func includes(_ principal: Principal?) -> Bool {
        switch (self, principal) {
        case (.anyone, _): true
        case (_, nil): false
        case (.users, .some): true
        case (.role(let role), let principal?): principal.role >= role
        case (.user(let name), let principal?): principal.kind == .user && principal.name == name
        case (.token(let name), let principal?): principal.kind == .token && principal.name == name
        }
    }
}

extension AccessRole {
    /// As configurations write it: `viewer`, `operator`, `admin`.
    public var name: String { "\(self)" }

    public init?(name: String) {
        guard let role = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = role
    }
}

/// Somebody whom the node knows.
struct Principal: Hashable, Sendable {
    enum Kind: Hashable, Sendable { case user, token }

    let kind: Kind
    let name: String
    let role: AccessRole

    /// As logs and answers call it.
    var description: String { kind == .user ? "user \(name)" : "token \(name)" }
}

/// A person with a password.
public struct AccessUser: Hashable, Sendable {
    public var name: String
    public var role: AccessRole
    public var password: PasswordHash

    public init(name: String, role: AccessRole, password: PasswordHash) {
        self.name = name
        self.role = role
        self.password = password
    }
}
