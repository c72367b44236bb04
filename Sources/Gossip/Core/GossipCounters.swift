/// Datagrams that were not taken, by the reason.
public struct DatagramDrops: Hashable, Sendable {
    /// No datagram of this version, or its messages cannot be read.
    public var malformed: UInt64 = 0
    /// Its sender is not known.
    public var strange: UInt64 = 0
    /// Seen already, too old, or of an earlier start of its sender.
    public var replayed: UInt64 = 0
    /// Its sender has left, is revoked or held back.
    public var refused: UInt64 = 0
    /// Its sender sends more than is taken of one member.
    public var flooding: UInt64 = 0
    /// It was not sealed with the keys of its sender and this node's start.
    public var forged: UInt64 = 0

    public init() {}

    public var total: UInt64 { malformed + strange + replayed + refused + flooding + forged }
}

/// What the UDP side has moved, for metrics.
public struct GossipCounters: Hashable, Sendable {
    public var datagramsIn: UInt64 = 0
    public var datagramsOut: UInt64 = 0
    /// Bytes of datagrams, without the headers of IP and UDP.
    public var bytesIn: UInt64 = 0
    public var bytesOut: UInt64 = 0
    /// Datagrams that the system did not take.
    public var sendFailures: UInt64 = 0
    public var drops = DatagramDrops()

    public init() {}
}
