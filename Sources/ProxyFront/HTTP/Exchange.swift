import NIOCore

/// A request, and what must be remembered of it until its answer is sent.
struct Exchange {
    var request: Request
    let minorVersion: Int
    /// Whether the connection closes behind the answer.
    var closes: Bool
    /// Of the answer, once there is one.
    var status = 0
    var servedFrom: Response.Source?
    /// When the request was complete; 0 when nobody wants to know.
    var started = NIODeadline.uptimeNanoseconds(0)
    /// Whether the gauge of requests in flight knows it.
    var isCounted = false

    init(_ head: consuming RequestHead) {
        minorVersion = head.minorVersion
        closes = !head.keepAlive
        request = Request(
            method: head.method, target: head.target, query: head.query, headers: head.headers)
    }

    /// For refusing what was not understood.
    init() {
        minorVersion = 1
        closes = true
        request = Request(method: .other, target: "")
    }
}
