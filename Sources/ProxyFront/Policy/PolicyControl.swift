public import Content

/// What a policy decides about.
public enum PolicySubject: Hashable, Sendable {
    /// A manifest or blob of a repository. `tag` is nil when it is asked for by digest, `digest` nil as long as
    /// nobody knows what the tag stands for.
    case image(Repository, tag: Tag?, digest: Digest?)
    /// A module; `version` is nil for its list and its newest version.
    case module(ModulePath, version: ModuleVersion?)
}

public enum PolicyVerdict: Sendable, Equatable {
    case allow
    /// `reason` is for the person at the client.
    case deny(reason: String)
}

/// A verdict at hand, or the work that asks somebody for it.
public enum PolicyAnswer: Sendable {
    case now(PolicyVerdict)
    case later(@Sendable () async -> PolicyVerdict)
}

/// Decides what may be served at all, whoever asks.
public protocol PolicyControl: Sendable {
    /// Called on the event loop: must not block.
    func verdict(on subject: PolicySubject) -> PolicyAnswer
}

/// Everything may be served.
public struct NoPolicy: PolicyControl {
    public init() {}
    public func verdict(on subject: PolicySubject) -> PolicyAnswer { .now(.allow) }
}
