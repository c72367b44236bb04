/// Which content a rule speaks of: `go/<pattern>` for modules, `oci/<pattern>` for repositories, `*` for both.
///
/// The pattern is that of GOPRIVATE over a module's path, or over `<registry>/<repository>`: it covers what it
/// names and everything below; `*` stands for any characters within one element, and `re:<expression>` for a
/// regular expression over the whole path. Registries go by their canonical names, such as `docker.io`.
public struct ContentPattern: Hashable, Sendable, CustomStringConvertible {
    private enum Form: Hashable, Sendable {
        case everything
        /// nil = all of them
        case modules(PathPattern?)
        case repositories(PathPattern?)
    }

    /// The pattern as it was written.
    public let text: String
    private let form: Form

    /// - Throws: `ContentPatternError` saying what is wrong and what to write.
    public init(_ text: String) throws(ContentPatternError) {
        self.text = text
        if text == "*" {
            form = .everything
            return
        }
        let slash = text.firstIndex(of: "/")
        let kind = text[..<(slash ?? text.endIndex)]
        let rest = slash.map { String(text[text.index(after: $0)...]) } ?? ""
        do throws(PatternSyntaxError) {
            switch kind {
            case "go": form = .modules(try Self.pattern(rest))
            case "oci":
                guard rest.hasPrefix("re:") || rest == rest.lowercased() else {
                    throw PatternSyntaxError("registries and repositories are written in lower case")
                }
                form = .repositories(try Self.pattern(rest))
            default:
                throw PatternSyntaxError("it must begin with go/ or oci/, or be * for everything")
            }
        } catch {
            throw ContentPatternError(pattern: text, reason: error.reason)
        }
    }

    private static func pattern(_ text: String) throws(PatternSyntaxError) -> PathPattern? {
        text.isEmpty ? nil : try PathPattern(text)
    }

    /// Whether the rule speaks of it; never of the node itself.
    func covers(_ resource: AccessResource) -> Bool {
        switch (form, resource) {
        case (_, .node), (_, .registry): false
        case (.everything, _): true
        case (.modules(let pattern), .module(let path)): pattern?.matches(path.text) ?? true
        case (.repositories(let pattern), .repository(let repository)):
            pattern?.matches(repository.description) ?? true
        case (.modules, .repository), (.repositories, .module): false
        }
    }

    public var description: String { text }
}

/// Why a text is no pattern for content.
public struct ContentPatternError: Error, Equatable, CustomStringConvertible {
    public let pattern: String
    public let reason: String

    public var description: String { "\(QuotedText(pattern)) is no pattern for content: \(reason)" }
}
