/// One thing that is wrong with a configuration: where it stands, which key, and what to write instead.
package struct ConfigurationIssue: Error, Equatable, Sendable, CustomStringConvertible {
    /// Where a setting was read from.
    package enum Source: Equatable, Sendable {
        /// A line of the document, counted from 1.
        case line(Int)
        /// An environment variable.
        case environment(String)
        /// The document as a whole.
        case document
    }

    package var source: Source
    /// The key in full, such as `store.capacity`; empty when the mistake is one of syntax.
    package var key: String
    /// What is wrong and what to do about it.
    package var message: String

    init(_ source: Source, key: String, _ message: String) {
        self.source = source
        self.key = key
        self.message = message
    }

    package var description: String {
        let subject = key.isEmpty ? message : "\(key): \(message)"
        return switch source {
        case .line(let line): "line \(line): \(subject)"
        case .environment(let name): "\(name) in the environment: \(subject)"
        case .document: subject
        }
    }
}

/// Everything that is wrong with a configuration, in the order of its lines, so that one run shows it all.
package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file's path as the user gave it; nil when there is no file.
    package var file: String?
    package var issues: [ConfigurationIssue]

    package var description: String {
        issues.map { issue in
            guard let file else { return issue.description }
            return switch issue.source {
            case .line(let line):
                "\(file):\(line): \(issue.key.isEmpty ? "" : issue.key + ": ")\(issue.message)"
            case .environment: issue.description
            case .document: "\(file): \(issue.description)"
            }
        }.joined(separator: "\n")
    }
}
