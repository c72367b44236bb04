/// A pattern that picks paths: a glob as in GOPRIVATE, which also covers everything below what it names, or,
/// written `re:<expression>`, a regular expression that must match the whole path.
struct PathPattern: Sendable {
    private enum Form: Sendable {
        case glob(GlobPattern)
        case expression(RegularExpression)
    }

    /// The pattern as it was written.
    let text: String
    private let form: Form

    /// - Throws: `PatternSyntaxError` saying what is wrong with it.
    init(_ text: String) throws(PatternSyntaxError) {
        self.text = text
        form =
            if text.hasPrefix("re:") {
                .expression(try RegularExpression(text.dropFirst(3)))
            } else {
                .glob(try GlobPattern(text))
            }
    }

    func matches(_ path: String) -> Bool {
        switch form {
        case .glob(let glob): glob.matches(path)
        case .expression(let expression): expression.matches(path)
        }
    }
}

extension PathPattern: Hashable {
    static func == (left: PathPattern, right: PathPattern) -> Bool { left.text == right.text }
    func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
