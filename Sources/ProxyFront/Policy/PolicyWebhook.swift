/// A service that is asked about each subject of a rule: a scanner, a checker of signatures.
public struct PolicyWebhook: Sendable, Hashable {
    public var url: UpstreamURL
    /// From the question to the whole answer.
    public var timeout: Duration = .seconds(5)
    /// Whether a subject may be served while the service gives no usable answer.
    public var allowsOnFailure = false
    /// How long an answer counts.
    public var cacheFor: Duration = .seconds(300)
    /// Sent as a Bearer token.
    public var token: String?

    public init(url: UpstreamURL) { self.url = url }
}

/// Why a webhook gave no usable answer.
struct PolicyWebhookFailure: Error, CustomStringConvertible {
    /// Repeats nothing of the answer's body.
    let description: String

    init(_ description: String) { self.description = description }
}

/// The question as the webhook gets it; fields that the subject does not have are left out.
struct PolicyQuestion: Encodable {
    var kind: String
    var registry: String?
    var repository: String?
    var tag: String?
    var digest: String?
    var module: String?
    var version: String?

    init(_ subject: PolicySubject) {
        switch subject {
        case .image(let repository, let tag, let digest):
            kind = "image"
            registry = repository.registry.text
            self.repository = repository.name.text
            self.tag = tag?.text
            self.digest = digest?.description
        case .module(let path, let version):
            kind = "module"
            module = path.text
            self.version = version?.text
        }
    }
}

/// What the webhook answers.
struct PolicyAdvice: Decodable {
    /// The longest reason that is passed on, in characters.
    static let reasonLimit = 500

    var allow: Bool
    var reason: String?

    /// The reason as one line without control characters.
    var shownReason: String {
        let text = (reason ?? "").unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }
        let line = String(String.UnicodeScalarView(text)).prefix(Self.reasonLimit)
        return line.allSatisfy(\.isWhitespace) ? "the policy service gave no reason" : String(line)
    }
}
