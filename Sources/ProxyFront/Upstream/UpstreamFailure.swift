/// An answer that is not a success, kept word for word so that it can be passed on.
public struct UpstreamRefusal: Sendable, Equatable {
    /// The most that is kept of an error body, in bytes.
    public static let bodyLimit = 64 * 1024

    public let upstream: String
    public let status: Int
    public let contentType: String?
    public let retryAfter: String?
    /// Every `WWW-Authenticate` line.
    public let challenges: [String]
    public let rateLimit: UpstreamRateLimit?
    public let body: [UInt8]

    public init(
        upstream: String, status: Int, contentType: String? = nil, retryAfter: String? = nil,
        challenges: [String] = [], rateLimit: UpstreamRateLimit? = nil, body: [UInt8] = []
    ) {
        self.challenges = challenges
        self.rateLimit = rateLimit
        self.upstream = upstream
        self.status = status
        self.contentType = contentType
        self.retryAfter = retryAfter
        self.body = body
    }

    /// 404 and 410: the upstream knows that there is nothing of this name (go.dev/ref/mod, "GOPROXY protocol").
    public var isNotFound: Bool { status == 404 || status == 410 }
}

/// Why an upstream gave no usable body. The handler chooses the status that a client sees.
public enum UpstreamFailure: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Phase: String, Sendable {
        case connecting
        case waiting = "waiting for its answer"
        case receiving = "receiving its body"
    }

    case unreachable(upstream: String, reason: String)
    case timeout(upstream: String, phase: Phase, after: Duration)
    /// The breaker is open: nothing was sent.
    case resting(upstream: String, retryIn: Duration)
    case refused(UpstreamRefusal)
    case cutShort(upstream: String, received: Int64, expected: Int64?)
    case tooLong(upstream: String, limit: Int64)
    /// An answer that breaks HTTP or this client's rules: bad header, an encoding, a forbidden redirect.
    case unusable(upstream: String, reason: String)
    case cancelled

    public var description: String {
        switch self {
        case .unreachable(let upstream, let reason): "\(upstream) cannot be reached: \(reason)"
        case .timeout(let upstream, let phase, let after):
            "\(upstream) timed out after \(after) while \(phase.rawValue)"
        case .resting(let upstream, let retryIn):
            "\(upstream) failed lately and is not asked again for another \(retryIn)"
        case .refused(let refusal): "\(refusal.upstream) answered \(refusal.status)"
        case .cutShort(let upstream, let received, let expected):
            "\(upstream) ended its body after \(received) of \(expected.map(String.init) ?? "unknown") bytes"
        case .tooLong(let upstream, let limit): "\(upstream) sent more than the \(limit) bytes permitted"
        case .unusable(let upstream, let reason): "\(upstream) gave an unusable answer: \(reason)"
        case .cancelled: "the request to the upstream was cancelled"
        }
    }

    /// Whether this speaks against the upstream's health: what a circuit breaker counts.
    public var isOutage: Bool {
        switch self {
        case .unreachable, .timeout, .cutShort, .unusable: true
        case .refused(let refusal): refusal.status >= 500
        case .resting, .tooLong, .cancelled: false
        }
    }
}
