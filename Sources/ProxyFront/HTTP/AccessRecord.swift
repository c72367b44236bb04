import NIOCore

/// One finished request, for the access log.
public struct AccessRecord: Sendable {
    public var id: UInt64
    public var method: HTTPMethod
    /// As it was sent, query included.
    public var target: String
    public var status: Int
    /// Body bytes handed to the socket.
    public var bytes: Int64
    /// From the request's last byte to the answer's last.
    public var duration: Duration
    public var servedFrom: Response.Source?
    public var client: SocketAddress?
    public var userAgent: String?
    public var outcome: Outcome

    public enum Outcome: String, Sendable {
        case complete
        /// The client went away.
        case aborted
        /// The body could not be completed, so the connection was closed short of its end.
        case truncated
    }
}
