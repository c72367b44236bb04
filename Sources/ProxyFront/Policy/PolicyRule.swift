/// One line of the policy: what it speaks of, and what is to be done with it.
public struct PolicyRule: Sendable, Equatable {
    public enum Action: Sendable, Equatable {
        case allow
        /// `reason` is shown to the client.
        case deny(reason: String)
        case ask(PolicyWebhook)
    }

    public var match: PolicyMatch
    public var action: Action

    public init(_ match: PolicyMatch, _ action: Action) {
        self.match = match
        self.action = action
    }
}

/// What a rule speaks of: subjects whose every named field matches. A field that a subject does not have (the
/// tag of what is asked for by digest, the version of a list) matches no pattern.
///
/// A rule that names registry, repository, tag or digest speaks of images, one that names module or version of
/// modules, and one that names nothing of everything.
public struct PolicyMatch: Sendable, Equatable {
    private var registry: FieldPatterns?
    private var repository: FieldPatterns?
    private var tag: FieldPatterns?
    private var digest: FieldPatterns?
    private var module: FieldPatterns?
    private var version: FieldPatterns?

    /// Everything.
    public init() {}

    /// A field that speaks of something.
    public enum Field: String, Sendable, CaseIterable {
        case registry, repository, tag, digest, module, version

        var isOfImages: Bool { self != .module && self != .version }
    }

    /// Restricts the rule to subjects whose `field` matches one of `patterns`.
    /// - Throws: `PolicyPatternError` for the first text that is no pattern.
    public mutating func restrict(_ field: Field, to patterns: [String]) throws(PolicyPatternError) {
        switch field {
        case .registry: registry = try FieldPatterns(patterns, .text)
        case .repository: repository = try FieldPatterns(patterns, .path)
        case .tag: tag = try FieldPatterns(patterns, .text)
        case .digest: digest = try FieldPatterns(patterns, .text)
        case .module: module = try FieldPatterns(patterns, .path)
        case .version: version = try FieldPatterns(patterns, .text)
        }
    }

    /// Whether it names fields of images and of modules, so that nothing can match.
    public var isContradictory: Bool { speaksOfImages && speaksOfModules }

    private var speaksOfImages: Bool { registry != nil || repository != nil || tag != nil || digest != nil }
    private var speaksOfModules: Bool { module != nil || version != nil }

    func covers(_ subject: PolicySubject) -> Bool {
        switch subject {
        case .image(let repository, let tag, let digest):
            !speaksOfModules && Self.matches(registry, repository.registry.text)
                && Self.matches(self.repository, repository.name.text) && Self.matches(self.tag, tag?.text)
                && Self.matches(self.digest, digest?.description)
        case .module(let path, let version):
            !speaksOfImages && Self.matches(module, path.text) && Self.matches(self.version, version?.text)
        }
    }

    /// `text` is an autoclosure because most rules name few fields.
    private static func matches(_ patterns: FieldPatterns?, _ text: @autoclosure () -> String?) -> Bool {
        guard let patterns else { return true }
        return text().map { patterns.matches($0) } ?? false
    }
}
