/// Whom a request goes to: scheme, host and port (RFC 6454). Credentials, connection state and redirect
/// rules belong to an origin, never to a bare host name.
public struct UpstreamOrigin: Hashable, Sendable, CustomStringConvertible {
    public enum Scheme: String, Sendable {
        case http
        case https

        public var defaultPort: Int { self == .http ? 80 : 443 }
    }

    public let scheme: Scheme
    /// Lower case; an IPv6 address without its brackets.
    public let host: String
    public let port: Int

    public init(scheme: Scheme, host: String, port: Int? = nil) {
        self.scheme = scheme
        self.host = host.lowercased()
        self.port = port ?? scheme.defaultPort
    }

    /// `host` or `host:port`, the port only when it is not the scheme's own.
    public var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == scheme.defaultPort ? name : "\(name):\(port)"
    }

    /// Whether the host is this machine by name or by address.
    public var isLoopback: Bool {
        host == "localhost" || host.hasSuffix(".localhost") || NetworkAddress(host)?.isLoopback == true
    }

    public var description: String { "\(scheme.rawValue)://\(authority)" }
}

/// Why a text is not a URL that an upstream can have.
public enum UpstreamURLError: Error, Equatable, CustomStringConvertible {
    case scheme(String)
    case host(String)
    case port(String)
    case credentials(String)
    case character(String)

    public var description: String {
        switch self {
        case .scheme(let text): "\"\(text)\" must start with https:// or http://"
        case .host(let text): "\"\(text)\" names no host"
        case .port(let text): "\"\(text)\" has a port outside 1...65535"
        case .credentials(let text):
            "\"\(text)\" holds a user name or password: put it into a netrc file or user and password_file"
        case .character(let text): "\"\(text)\" holds a space, a control character or one outside ASCII"
        }
    }
}

/// An absolute http or https URL without fragment and without credentials: the base of an upstream, or a
/// resource below it. The path stays exactly as escaped by whoever wrote it.
public struct UpstreamURL: Hashable, Sendable, CustomStringConvertible {
    public let origin: UpstreamOrigin
    /// Percent-escaped, beginning with `/`, without query.
    public let path: String
    public let query: String?

    package init(origin: UpstreamOrigin, path: String = "/", query: String? = nil) {
        self.origin = origin
        self.path = path
        self.query = query
    }

    /// - Throws: `UpstreamURLError`, naming what is wrong with `text`.
    public init(parsing text: some StringProtocol) throws(UpstreamURLError) {
        let shown = String(text.prefix(200))
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") }) else {
            throw .character(shown)
        }
        let scheme: UpstreamOrigin.Scheme
        let lowered = text.prefix(8).lowercased()
        if lowered.hasPrefix("https://") {
            scheme = .https
        } else if lowered.hasPrefix("http://") {
            scheme = .http
        } else {
            throw .scheme(shown)
        }
        var rest = text.dropFirst(scheme.rawValue.count + 3)
        if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let authority = rest[..<end]
        guard !authority.contains("@") else { throw .credentials("\(scheme.rawValue)://...") }
        let (host, port) = try Self.split(authority: String(authority), of: shown)
        origin = UpstreamOrigin(scheme: scheme, host: host, port: port)
        let resource = rest[end...]
        if let mark = resource.firstIndex(of: "?") {
            path = mark == resource.startIndex ? "/" : String(resource[..<mark])
            query = String(resource[resource.index(after: mark)...])
        } else {
            path = resource.isEmpty ? "/" : String(resource)
            query = nil
        }
    }

    private static func split(
        authority: String, of shown: String
    ) throws(UpstreamURLError) -> (host: String, port: Int?) {
        var host = authority[...]
        var port: Substring?
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { throw .host(shown) }
            host = authority[authority.index(after: authority.startIndex)..<close]
            guard NetworkAddress(String(host)) != nil else { throw .host(shown) }
            let after = authority[authority.index(after: close)...]
            guard after.isEmpty || after.hasPrefix(":") else { throw .host(shown) }
            port = after.isEmpty ? nil : after.dropFirst()
        } else {
            if let colon = authority.firstIndex(of: ":") {
                host = authority[..<colon]
                port = authority[authority.index(after: colon)...]
            }
            let permitted = host.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
                default: false
                }
            }
            guard !host.isEmpty, permitted else { throw .host(shown) }
        }
        guard let port else { return (String(host), nil) }
        guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), port.utf8.count <= 5,
            let number = Int(port),
            (1...65535).contains(number)
        else {
            throw .port(shown)
        }
        return (String(host), number)
    }

    /// The resource below this base: exactly one slash between, nothing re-escaped.
    public func appending(_ resource: String) -> UpstreamURL {
        let base = path.hasSuffix("/") ? String(path.dropLast()) : path
        return UpstreamURL(origin: origin, path: base + (resource.hasPrefix("/") ? "" : "/") + resource)
    }

    /// What a `Location` header means when this URL answered with it (RFC 3986, section 5.2, for the forms
    /// that servers send: absolute, scheme-relative, absolute path, relative path).
    public func resolving(location: String) throws(UpstreamURLError) -> UpstreamURL {
        let lowered = location.prefix(8).lowercased()
        if lowered.hasPrefix("http://") || lowered.hasPrefix("https://") {
            return try UpstreamURL(parsing: location)
        }
        if location.hasPrefix("//") {
            return try UpstreamURL(parsing: "\(origin.scheme.rawValue):\(location)")
        }
        let colon = location.firstIndex(of: ":")
        let slash = location.firstIndex { $0 == "/" || $0 == "?" } ?? location.endIndex
        if let colon, colon < slash { throw .scheme(String(location.prefix(200))) }
        if location.hasPrefix("/") { return try UpstreamURL(parsing: "\(origin)\(location)") }
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
        return try UpstreamURL(parsing: "\(origin)\(folder)\(location)")
    }

    public var description: String { "\(origin)\(path)" + (query.map { "?\($0)" } ?? "") }
}
