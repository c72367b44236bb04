import NIOCore
import NIOPosix

/// Bounds on what clients may take and hold.
public struct FrontLimits: Sendable {
    /// Longest request line in bytes; longer is 414.
    public var requestLine = 16 << 10
    /// Most bytes of all header lines together; more is 431.
    public var headerBytes = 32 << 10
    /// Most header lines; more is 431.
    public var headerLines = 100
    /// Largest request body in bytes; more is 413.
    public var requestBody: Int64 = 64 << 10
    /// Most open connections; more are answered 503 and closed.
    public var connections = 4096
    /// Most open connections of one address (of one /64 in IPv6); more are answered 503 and closed.
    /// Loopback is not counted: what comes from there is a proxy in front or the machine itself.
    public var connectionsPerAddress = 512
    /// Whether `connectionsPerAddress` holds for loopback too.
    public var limitsLoopback = false
    /// Requests after which a connection closes.
    public var requestsPerConnection = 100_000

    public init() {}

    var parser: RequestParser.Limits {
        var limits = RequestParser.Limits()
        limits.requestLine = requestLine
        limits.headerBytes = headerBytes
        limits.headerLines = headerLines
        limits.body = requestBody
        return limits
    }
}

/// How long clients may take.
public struct FrontTimeouts: Sendable {
    /// From a request's first byte to the end of its head.
    public var head: Duration = .seconds(20)
    /// From the end of a request's head to the end of its body.
    public var body: Duration = .seconds(60)
    /// Between two requests, and before the first.
    public var idle: Duration = .seconds(75)
    /// Without the client taking a single byte of what waits for it.
    public var writeStall: Duration = .seconds(60)
    /// For the client to close its side after a refusal.
    public var linger: Duration = .seconds(2)

    public init() {}

    /// How often deadlines are looked at: a quarter of the shortest, between 10 ms and 500 ms.
    var resolution: Duration {
        let shortest = min(head, body, idle, writeStall, linger)
        return max(.milliseconds(10), min(.milliseconds(500), shortest / 4))
    }
}

/// What all connections of a server share. Immutable.
package final class FrontContext: Sendable {
    let responder: any Responder
    let limits: FrontLimits
    let timeouts: FrontTimeouts
    let metrics: Metrics
    let counter: ConnectionCounter
    let accessLog: (@Sendable (AccessRecord) -> Void)?
    /// Reads what is not in memory.
    let disk: NIOThreadPool
    /// Of multipart answers: random, so that no content can hold it but by guessing 128 bits.
    let boundary: String
    /// The time-outs as NIO counts them.
    let amounts: (head: TimeAmount, body: TimeAmount, idle: TimeAmount, stall: TimeAmount, linger: TimeAmount)

    package init(
        responder: any Responder, limits: FrontLimits, timeouts: FrontTimeouts, metrics: Metrics,
        accessLog: (@Sendable (AccessRecord) -> Void)?, disk: NIOThreadPool
    ) {
        self.responder = responder
        self.limits = limits
        self.timeouts = timeouts
        self.metrics = metrics
        counter = ConnectionCounter(limits: limits)
        self.accessLog = accessLog
        self.disk = disk
        amounts = (
            TimeAmount(timeouts.head), TimeAmount(timeouts.body), TimeAmount(timeouts.idle),
            TimeAmount(timeouts.writeStall), TimeAmount(timeouts.linger)
        )
        let random = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
        boundary = String(random.0, radix: 36) + String(random.1, radix: 36)
    }
}
