/// The HTTP proxy that stands between the node and its upstreams, and which hosts are reached without it
/// (the meaning of HTTPS_PROXY and NO_PROXY, as the go command and curl read them). Upstreams are reached
/// through a CONNECT tunnel, those of plain http too: the proxy must permit their ports.
public struct OutboundProxy: Sendable, Equatable {
    public let host: String
    public let port: Int
    public let credential: UpstreamCredential?
    private let exceptions: [String]

    /// - Parameters:
    ///   - url: `http://host:port`. TLS towards the proxy itself is not supported; what is sent through it
    ///     to an https upstream is a tunnel that the proxy cannot read.
    ///   - exceptions: hosts, `.suffix` or `*.suffix` patterns, or `*` for all.
    /// - Throws: `OutboundProxyError`.
    public init(
        url: String, credential: UpstreamCredential? = nil, exceptions: [String] = []
    ) throws(OutboundProxyError) {
        let parsed: UpstreamURL
        do { parsed = try UpstreamURL(parsing: url) } catch { throw .url(error) }
        guard parsed.origin.scheme == .http else { throw .scheme }
        host = parsed.origin.host
        port = parsed.origin.port
        self.credential = credential
        self.exceptions = exceptions.map { $0.lowercased() }.filter { !$0.isEmpty }
    }

    /// Whether requests to `origin` go through the proxy. Loopback never does.
    public func serves(_ origin: UpstreamOrigin) -> Bool {
        if origin.isLoopback { return false }
        return !exceptions.contains { exception in
            if exception == "*" || exception == origin.host { return true }
            let suffix = exception.hasPrefix("*.") ? String(exception.dropFirst()) : exception
            if suffix.hasPrefix(".") { return origin.host.hasSuffix(suffix) }
            return origin.host.hasSuffix("." + suffix)
        }
    }
}

/// Why a proxy towards upstream cannot be used.
public enum OutboundProxyError: Error, Equatable, CustomStringConvertible {
    case url(UpstreamURLError)
    case scheme

    public var description: String {
        switch self {
        case .url(let error): "proxy: \(error)"
        case .scheme: "proxy: only http:// proxies are supported (https upstreams are tunnelled through them)"
        }
    }
}
