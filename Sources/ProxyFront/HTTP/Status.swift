/// An HTTP status: the three-digit code and its reason phrase (RFC 9110 section 15).
public struct Status: Sendable, Hashable {
    public let code: Int
    public let reason: String

    /// A status with the registered reason phrase of its code.
    public init(_ code: Int) {
        self.init(code, reason: Self.phrase(code))
    }

    /// `code` must be 200...599; control characters in `reason` are dropped, so that a relayed phrase
    /// cannot break out of the status line.
    public init(_ code: Int, reason: String) {
        precondition((200...599).contains(code), "a final status is 200...599")
        self.code = code
        let clean = reason.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        self.reason =
            clean
            ? reason : String(reason.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F })
    }

    public static func == (a: Status, b: Status) -> Bool { a.code == b.code }
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }

    /// Whether an answer of this status never has a body, whatever its headers say (RFC 9110 section 6.4.1).
    var forbidsBody: Bool { code == 204 || code == 304 }

    public static let ok = Status(200)
    public static let accepted = Status(202)
    public static let noContent = Status(204)
    public static let partialContent = Status(206)
    public static let notModified = Status(304)
    public static let badRequest = Status(400)
    public static let unauthorized = Status(401)
    public static let forbidden = Status(403)
    public static let notFound = Status(404)
    public static let methodNotAllowed = Status(405)
    public static let requestTimeout = Status(408)
    public static let gone = Status(410)
    public static let preconditionFailed = Status(412)
    public static let contentTooLarge = Status(413)
    public static let uriTooLong = Status(414)
    public static let rangeNotSatisfiable = Status(416)
    public static let expectationFailed = Status(417)
    public static let tooManyRequests = Status(429)
    public static let headersTooLarge = Status(431)
    public static let internalServerError = Status(500)
    public static let notImplemented = Status(501)
    public static let badGateway = Status(502)
    public static let serviceUnavailable = Status(503)
    public static let gatewayTimeout = Status(504)
    public static let versionNotSupported = Status(505)

    private static func phrase(_ code: Int) -> String {
        switch code {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 206: "Partial Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Status \(code)"
        }
    }
}
