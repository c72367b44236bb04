import NIOCore

/// One HTTP request, as a responder sees it.
///
/// The parser has checked it: the target is in origin form, its percent-escapes are whole, the headers are
/// free of control characters and the body, if there is one, is complete.
public struct Request: Sendable {
    public var method: HTTPMethod
    /// The path, starting with `/`, percent-escapes as they came, without the query (`*` for `OPTIONS *`).
    public var target: String
    /// What follows the first `?`, percent-escapes as they came; nil when there is none.
    public var query: String?
    public var headers: Headers
    /// The request's whole body; at most `HTTPServer.Limits.requestBody` bytes, nil when there is none.
    public var body: ByteBuffer?
    /// Who sent it; nil where the transport has no address (tests, Unix sockets).
    public var remoteAddress: SocketAddress?
    /// The sender's address as text, where the server has it at hand.
    var remoteName: String?
    /// Whether it came from this machine.
    public var isLoopback: Bool
    /// Whether it came over TLS.
    public var isSecure: Bool
    /// Unique in this process, in the order of arrival: joins log lines of one request.
    public var id: UInt64

    /// For tests and for answering on behalf of a client; the server fills in every field.
    public init(
        method: HTTPMethod = .get, target: String, query: String? = nil, headers: Headers = [:],
        body: ByteBuffer? = nil, remoteAddress: SocketAddress? = nil, isLoopback: Bool = false,
        isSecure: Bool = false, id: UInt64 = 0
    ) {
        self.method = method
        self.target = target
        self.query = query
        self.headers = headers
        self.body = body
        self.remoteAddress = remoteAddress
        self.isLoopback = isLoopback
        self.isSecure = isSecure
        self.id = id
    }
}
