/// The head of a request, with what it says about its body and its connection.
package struct RequestHead: Sendable, Equatable {
    package enum Body: Sendable, Equatable {
        case none
        /// Bytes to come, as Content-Length says; more than 0.
        case length(Int64)
        case chunked
    }

    package var method: HTTPMethod
    package var target: String
    package var query: String?
    package var headers: Headers
    /// 1 for HTTP/1.1 (and for any later 1.x), 0 for HTTP/1.0.
    package var minorVersion: Int
    /// Whether the client lets the connection live on.
    package var keepAlive: Bool
    package var expectsContinue: Bool
    package var body: Body
}

/// Why the server itself refuses a request. The connection closes after the answer, because the place where
/// the next request starts is not known or not trusted any more.
package struct RequestRejection: Error, Sendable, Equatable {
    package let status: Status
    package let reason: RejectReason
    /// One sentence for the person at the other end.
    package let explanation: String

    init(_ code: Int, _ reason: RejectReason, _ explanation: String) {
        status = Status(code)
        self.reason = reason
        self.explanation = explanation
    }

    static func malformed(_ explanation: String) -> RequestRejection {
        RequestRejection(400, .malformed, explanation)
    }
}
