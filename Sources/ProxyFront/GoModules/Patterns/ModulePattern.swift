/// Why a pattern from the configuration cannot be used.
public struct ModulePatternError: Error, Equatable, CustomStringConvertible {
    public let pattern: String
    public let reason: String

    public var description: String { "\(QuotedText(pattern)) is not a pattern for module paths: \(reason)" }
}

/// A pattern that picks modules by their path: a glob as in GOPRIVATE, which also covers everything below
/// what it names, or, written `re:<expression>`, a regular expression that must match the whole path.
public struct ModulePattern: Hashable, Sendable, CustomStringConvertible {
    private let pattern: PathPattern

    /// - Throws: `ModulePatternError` naming the pattern and what is wrong with it.
    public init(_ text: String) throws(ModulePatternError) {
        do {
            pattern = try PathPattern(text)
        } catch {
            throw ModulePatternError(pattern: text, reason: error.reason)
        }
    }

    /// The pattern as it was written.
    public var text: String { pattern.text }

    public func matches(_ path: ModulePath) -> Bool { pattern.matches(path.text) }

    public var description: String { text }
}

/// Some patterns, of which any one may match.
public struct ModulePatterns: Hashable, Sendable {
    public let patterns: [ModulePattern]

    public init(_ patterns: [ModulePattern] = []) { self.patterns = patterns }

    /// - Throws: `ModulePatternError` for the first text that is no pattern.
    public init(_ texts: [String]) throws(ModulePatternError) {
        var patterns: [ModulePattern] = []
        for text in texts { patterns.append(try ModulePattern(text)) }
        self.patterns = patterns
    }

    /// The globs of a comma-separated list such as the value of GOPRIVATE. Empty and malformed ones are left
    /// out, as the go command does.
    public init(commaSeparated list: String) {
        patterns = list.split(separator: ",").compactMap { text in
            text.hasPrefix("re:") ? nil : try? ModulePattern(String(text))
        }
    }

    public var isEmpty: Bool { patterns.isEmpty }

    public func firstMatch(_ path: ModulePath) -> ModulePattern? { patterns.first { $0.matches(path) } }

    public func matches(_ path: ModulePath) -> Bool { firstMatch(path) != nil }
}
