/// What the UDP side has moved, for metrics.
public struct GossipCounters: Hashable, Sendable {
    public var datagramsIn: UInt64 = 0
    public var datagramsOut: UInt64 = 0
    /// Bytes of datagrams, without the headers of IP and UDP.
    public var bytesIn: UInt64 = 0
    public var bytesOut: UInt64 = 0
    /// Datagrams that the system did not take.
    public var sendFailures: UInt64 = 0

    public init() {}
}
