public import NIOCore

/// A request to an upstream. It changes nothing there, and there is no way to add a header: what a client of the
/// front sent never travels on by itself.
public struct UpstreamRequest: Sendable {
    public enum Method: Sendable, Equatable {
        case get
        /// The headers alone: the answer's body is empty.
        case head
        /// POST of a form (`application/x-www-form-urlencoded`), for token services only. Never redirected.
        case form(String)
    }

    /// What is sent as `Authorization`. Whatever it is, it goes to the origin of `url` and to no other one that
    /// a redirect leads to.
    public enum Authorization: Sendable, Equatable {
        /// What the client's own configuration has for the origin.
        case configured
        case none
        case explicit(UpstreamCredential)
    }

    /// Bytes asked for; `end` nil = to the end of the resource.
    public struct Span: Sendable, Equatable {
        public var start: Int64
        public var end: Int64?

        public init(start: Int64, end: Int64? = nil) {
            self.start = start
            self.end = end
        }
    }

    public var url: UpstreamURL
    public var span: Span?
    /// A strong validator: give the span only if the resource is still this one, else all of it
    /// (RFC 9110, section 13.1.5).
    public var ifRange: String?
    /// Media types, in one `Accept` line.
    public var accept: [String]
    /// The longest body that is taken, in bytes.
    public var limit: Int64
    public var method: Method
    public var authorization: Authorization
    /// Trusted and shown besides what the client is configured with. The certificate is shown to the origin of
    /// `url` only.
    public var tls: UpstreamTLS?
    /// `url` was learned from a redirect of this origin: it must be permitted as one, and gets no credential.
    public var redirectedFrom: UpstreamOrigin?

    public init(
        _ url: UpstreamURL, limit: Int64, span: Span? = nil, ifRange: String? = nil, accept: [String] = [],
        method: Method = .get, authorization: Authorization = .configured
    ) {
        self.url = url
        self.method = method
        self.authorization = authorization
        self.limit = limit
        self.span = span
        self.ifRange = ifRange
        self.accept = accept
    }
}

/// What the headers of a success say, parsed once.
public struct UpstreamFacts: Sendable, Equatable {
    /// Where the body's first byte stands in the resource: 0 unless the answer is a 206.
    public var offset: Int64 = 0
    /// Bytes in this body, when announced.
    public var length: Int64?
    /// Bytes in the whole resource, when announced.
    public var total: Int64?
    public var contentType: String?
    /// A strong ETag, else nil. Last-Modified is not taken for one: it counts in seconds
    /// (RFC 9110, section 8.8.2.2).
    public var validator: String?
    public var lastModified: String?
    /// Whether the request carried a credential.
    public var authenticated = false
    /// `Docker-Content-Digest`, as it came.
    public var digest: String?
    /// Every `Link` line.
    public var links: [String] = []
    public var rateLimit: UpstreamRateLimit?
    /// Where redirects led, when they did.
    public var landing: UpstreamURL?

    public init() {}
}

/// A body as it arrives: one consumer, in order.
public protocol UpstreamBody: Sendable {
    /// The next bytes, never empty; nil at the end that the upstream announced.
    func next() async throws(UpstreamFailure) -> ByteBuffer?
    /// Closes the connection when the body is not at its end. May be called at any time, more than once.
    func cancel()
}

/// A 200 or a 206.
public struct UpstreamAnswer: Sendable {
    public let facts: UpstreamFacts
    public let body: any UpstreamBody

    public init(facts: UpstreamFacts, body: any UpstreamBody) {
        self.facts = facts
        self.body = body
    }
}

/// The way to the upstreams. `HTTPUpstreamClient` is the real one.
public protocol UpstreamTransport: Sendable {
    /// - Throws: `UpstreamFailure.refused` for every status but 200 and 206, with the body that came along.
    func get(_ request: UpstreamRequest) async throws(UpstreamFailure) -> UpstreamAnswer
}

extension UpstreamTransport {
    /// Asks an upstream whether it lives: any answer but 502, 503 and 504 says so.
    /// - Throws: what it met instead of an answer.
    public func probe(_ upstream: Upstream) async throws(UpstreamFailure) {
        let place = upstream.probe.isEmpty ? upstream.base : upstream.base.appending(upstream.probe)
        var request = UpstreamRequest(place, limit: Int64(UpstreamRefusal.bodyLimit))
        request.tls = upstream.tls
        do throws(UpstreamFailure) { try await get(request).body.cancel() } catch {
            switch error {
            case .refused(let refusal) where !(502...504).contains(refusal.status): return
            case .tooLong: return
            default: throw error
            }
        }
    }
}
