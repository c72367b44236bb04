import ChunkStore

/// What one field of a policy rule must be: a list of patterns, of which one must match. Patterns behind `!`
/// take back: a text that one of them matches is not meant, and with only such patterns every other text is.
struct FieldPatterns: Hashable, Sendable {
    /// How globs are read.
    enum Kind: Hashable, Sendable {
        /// Elements separated by slashes: a glob covers what it names and everything below (`PathPattern`).
        case path
        /// A text as a whole: `*` stands for any characters, `?` for one.
        case text
    }

    private enum Matcher: Hashable, Sendable {
        case path(PathPattern)
        case name(NamePattern)

        init(_ text: String, _ kind: Kind) throws(PatternSyntaxError) {
            // A regular expression is one in either kind.
            if kind == .path || text.hasPrefix("re:") {
                self = .path(try PathPattern(text))
            } else {
                guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
                    throw PatternSyntaxError("it is empty or holds what no such name does")
                }
                self = .name(NamePattern(text))
            }
        }

        func matches(_ text: String) -> Bool {
            switch self {
            case .path(let pattern): pattern.matches(text)
            case .name(let pattern): pattern.matches(text)
            }
        }
    }

    private let wanted: [Matcher]
    private let unwanted: [Matcher]

    /// - Throws: `PolicyPatternError` naming the pattern and what is wrong with it.
    init(_ texts: [String], _ kind: Kind) throws(PolicyPatternError) {
        var (wanted, unwanted): ([Matcher], [Matcher]) = ([], [])
        for text in texts {
            do throws(PatternSyntaxError) {
                if text.hasPrefix("!") {
                    unwanted.append(try Matcher(String(text.dropFirst()), kind))
                } else {
                    wanted.append(try Matcher(text, kind))
                }
            } catch {
                throw PolicyPatternError(pattern: text, reason: error.reason)
            }
        }
        (self.wanted, self.unwanted) = (wanted, unwanted)
    }

    func matches(_ text: String) -> Bool {
        !unwanted.contains { $0.matches(text) } && (wanted.isEmpty || wanted.contains { $0.matches(text) })
    }
}

/// Why a text is no pattern for a policy rule.
public struct PolicyPatternError: Error, Equatable, CustomStringConvertible {
    public let pattern: String
    public let reason: String

    public var description: String {
        "\(QuotedText(pattern)) is no pattern: \(reason); write a glob such as \"1.*\" or \"re:<expression>\","
            + " with ! before it for anything else"
    }
}
