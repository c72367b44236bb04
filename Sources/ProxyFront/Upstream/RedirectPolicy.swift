/// Where a redirect may lead (architecture section 5: the front is no open proxy).
///
/// A configured upstream may send the client on: to itself, to another configured upstream, to a host that
/// the configuration names, or to any host whose addresses are all public. Never to plain http from https,
/// never to an address of the node's own network. Credentials stay with the origin they are configured for.
///
/// The addresses are looked up before the connection is made, which does not stop a name server that
/// changes its answer between the two look-ups; a site that must exclude this names its `redirectHosts`
/// and sets `onlyRedirectHosts`.
public struct RedirectPolicy: Sendable {
    public enum Verdict: Equatable, Sendable {
        case follow
        /// Follow only when every address of the host is public.
        case followIfPublic
        case refuse(String)
    }

    /// The most redirects followed for one request.
    public var limit = 5
    /// Origins that are configured as upstreams or databases: these may have private addresses.
    public var configured: Set<UpstreamOrigin>
    /// Hosts, or `*.suffix` patterns, that a redirect may lead to whatever their address is.
    public var redirectHosts: [String]
    /// Follow to nothing besides `configured` and `redirectHosts`.
    public var onlyRedirectHosts: Bool

    public init(
        configured: Set<UpstreamOrigin>, redirectHosts: [String] = [], onlyRedirectHosts: Bool = false
    ) {
        self.configured = configured
        self.redirectHosts = redirectHosts.map { $0.lowercased() }
        self.onlyRedirectHosts = onlyRedirectHosts
    }

    /// Whether a request that began at `start` may go on from `here` to `target`.
    public func verdict(from here: UpstreamOrigin, to target: UpstreamOrigin) -> Verdict {
        if here.scheme == .https, target.scheme == .http {
            return .refuse("it leads from https to plain http")
        }
        if target == here || configured.contains(target) { return .follow }
        if redirectHosts.contains(where: { Self.matches(target.host, pattern: $0) }) { return .follow }
        if onlyRedirectHosts { return .refuse("\(target.host) is not among redirect_hosts") }
        if target.isLoopback { return .refuse("it leads to this machine") }
        if let address = NetworkAddress(target.host), !address.isPublic {
            return .refuse("\(target.host) is not a public address")
        }
        return .followIfPublic
    }

    private static func matches(_ host: String, pattern: String) -> Bool {
        if pattern.hasPrefix("*.") { return host.hasSuffix(pattern.dropFirst()) }
        return host == pattern
    }
}
