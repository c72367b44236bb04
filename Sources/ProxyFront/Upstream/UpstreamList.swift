/// One configured upstream.
public struct Upstream: Hashable, Sendable, CustomStringConvertible {
    public let base: UpstreamURL
    /// Below the base: what is asked for to see whether it lives. Any answer but 502, 503 and 504 says that it does.
    public let probe: String
    public let tls: UpstreamTLS?

    public init(base: UpstreamURL, probe: String = "", tls: UpstreamTLS? = nil) {
        self.base = base
        self.probe = probe
        self.tls = tls
    }

    /// The name in references, logs and metrics: the base without its scheme and closing slash.
    public var name: String {
        let path = base.path.hasSuffix("/") ? String(base.path.dropLast()) : base.path
        return base.origin.authority + path
    }

    public var description: String { name }
}

/// Why a text is no list of upstreams.
public enum UpstreamListError: Error, Equatable, CustomStringConvertible {
    case url(UpstreamURLError)
    case direct
    case query(String)

    public var description: String {
        switch self {
        case .url(let error): "\(error)"
        case .direct:
            "\"direct\" means version control on the client's side; a node asks module proxies only: remove it "
                + "(clients may still add it to their own GOPROXY)"
        case .query(let text): "\"\(text)\" has a query: an upstream's base is scheme, host and path"
        }
    }
}

/// Upstreams in the order in which they are asked, with the semantics of GOPROXY (go.dev/ref/mod,
/// "Module proxy", environment variable GOPROXY): after `,` the next one is asked only when one said 404
/// or 410, after `|` it is asked after any error; `off` ends the list.
public struct UpstreamList: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        public let upstream: Upstream
        /// The entry was followed by `|`.
        public let fallsBackOnAnyError: Bool

        public init(_ upstream: Upstream, fallsBackOnAnyError: Bool = false) {
            self.upstream = upstream
            self.fallsBackOnAnyError = fallsBackOnAnyError
        }
    }

    public let entries: [Entry]

    public init(_ entries: [Entry]) { self.entries = entries }

    /// - Throws: `UpstreamListError`, naming the part that is wrong.
    public init(parsing text: String) throws(UpstreamListError) {
        var entries: [Entry] = []
        var rest = text[...]
        while !rest.isEmpty {
            let end = rest.firstIndex { $0 == "," || $0 == "|" } ?? rest.endIndex
            let any = end < rest.endIndex && rest[end] == "|"
            let part = rest[..<end].drop { $0 == " " }
            let word = part.lastIndex { $0 != " " }.map { String(part[...$0]) } ?? ""
            rest = end < rest.endIndex ? rest[rest.index(after: end)...] : rest[end...]
            if word.isEmpty { continue }
            if word == "off" { break }
            if word == "direct" { throw .direct }
            do {
                let url = try UpstreamURL(parsing: word)
                guard url.query == nil else { throw UpstreamListError.query(word) }
                entries.append(Entry(Upstream(base: url), fallsBackOnAnyError: any))
            } catch let error as UpstreamURLError {
                throw .url(error)
            } catch let error as UpstreamListError {
                throw error
            } catch {
                throw .query(word)
            }
        }
        self.entries = entries
    }

    public var upstreams: [Upstream] { entries.map(\.upstream) }

    package var fallbacks: [Fallback<Upstream>] {
        entries.map { Fallback($0.upstream, onAnyFailure: $0.fallsBackOnAnyError) }
    }
}

extension UpstreamFailure {
    /// The upstream knows that there is nothing of this name.
    public var isNotFound: Bool {
        if case .refused(let refusal) = self { refusal.isNotFound } else { false }
    }
}
