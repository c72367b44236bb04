/// A checksum database that the node proxies and checks modules against.
public struct SumDatabaseConfiguration: Sendable {
    /// As it stands in `GONOSUMDB`-like lists and in `/sumdb/<name>/`; may hold slashes.
    public let name: String
    public let verifier: NoteVerifier
    /// Where its `/lookup` and `/tile` are: the database itself, or a proxy's `/sumdb/<name>`.
    public let upstream: Upstream
    /// The modules it answers for.
    public let patterns: ModulePatterns

    /// - Parameters:
    ///   - key: a verifier key, `name+hash+base64`.
    ///   - name: nil takes the key's own name.
    /// - Throws: `SumDatabaseConfigurationError`.
    public init(
        key: String, name: String? = nil, url: String, patterns: ModulePatterns
    ) throws(SumDatabaseConfigurationError) {
        do { verifier = try NoteVerifier(key) } catch { throw .key(error) }
        guard verifier.isDatabaseName else { throw .name(verifier.name) }
        do { upstream = Upstream(base: try UpstreamURL(parsing: url)) } catch { throw .url(error) }
        let name = name ?? verifier.name
        guard name == verifier.name else { throw .otherName(name, key: verifier.name) }
        self.name = name
        self.patterns = patterns
    }
}

/// Why a checksum database cannot be used.
public enum SumDatabaseConfigurationError: Error, CustomStringConvertible {
    case key(NoteError)
    case name(String)
    case otherName(String, key: String)
    case url(UpstreamURLError)

    public var description: String {
        switch self {
        case .key(let error): "\(error)"
        case .name(let name): "\(QuotedText(name)) cannot stand in a URL as a database's name"
        case .otherName(let name, let key):
            "the database is called \(QuotedText(name)) and its key is that of \(QuotedText(key)): "
                + "the go command demands one name"
        case .url(let error): "\(error)"
        }
    }
}
