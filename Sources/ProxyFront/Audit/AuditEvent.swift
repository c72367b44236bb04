/// A decision that an operator may have to account for later: who asked for what, what was decided and why.
public struct AuditEvent: Sendable, Equatable {
    public enum Action: String, Sendable, CaseIterable {
        /// A client was given an object.
        case allow
        /// A client was refused one.
        case deny
        /// An object came into the store.
        case `import`
        case pin
        case unpin
        /// A rule decided about an object: unverified, first sum seen, mismatch, dropped.
        case policy
    }

    public var action: Action
    /// What it was about: a module and version, a reference name, a pattern.
    public var subject: String
    /// The client's address; nil when the node acted on its own.
    public var client: String?
    /// The rule or fact that decided, in words.
    public var reason: String?
    /// Where the object came from, when it came from somewhere.
    public var origin: String?
    /// The object's digest or h1, when known.
    public var digest: String?

    public init(
        _ action: Action, _ subject: String, client: String? = nil, reason: String? = nil,
        origin: String? = nil, digest: String? = nil
    ) {
        self.action = action
        self.subject = subject
        self.client = client
        self.reason = reason
        self.origin = origin
        self.digest = digest
    }
}

/// Keeps audit events.
public protocol AuditLog: Sendable {
    /// Legal on an event loop: never waits.
    func record(_ event: AuditEvent)
}

/// Keeps nothing; for nodes whose audit log is turned off.
public struct NoAuditLog: AuditLog {
    public init() {}
    public func record(_ event: AuditEvent) {}
}
