import Glibc
import NIOCore
import NIOPosix

/// The UDP socket of gossip.
enum DatagramSocket {
    /// Datagrams that one system call reads at most.
    private static let batch = 16
    private static let byteLimit = 2048

    /// - Parameter host: a numeric address; `::` takes IPv4 too.
    static func bind(host: String, port: Int, loop: any EventLoop, inbox: Inbox) async throws -> any Channel {
        var bootstrap = DatagramBootstrap(group: loop)
            .channelOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: byteLimit * batch)
            )
            .channelOption(.datagramVectorReadMessageCount, value: batch)
            .channelOption(.maxMessagesPerRead, value: 4)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramHandler(inbox: inbox))
                }
            }
        if !host.contains(":") {
            // What does not fit the way is lost as a whole: half datagrams keep neither gossip nor routers healthy.
            // IPv6 never splits on the way, and 1,232 bytes are what it always carries.
            bootstrap = bootstrap.channelOption(
                ChannelOptions.socket(SocketOptionLevel(IPPROTO_IP), SocketOptionName(IP_MTU_DISCOVER)),
                value: SocketOptionValue(IP_PMTUDISC_PROBE))
        }
        return try await bootstrap.bind(host: host, port: port).get()
    }
}

extension Endpoint {
    private static let mappedPrefix = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]

    /// A socket's address; IPv4 inside IPv6 is IPv4. Nil for other families and for port 0.
    package init?(_ address: SocketAddress) {
        let port: in_port_t
        var bytes: [UInt8]
        switch address {
        case .v4(let address):
            port = UInt16(bigEndian: address.address.sin_port)
            bytes = withUnsafeBytes(of: address.address.sin_addr) { Array($0) }
        case .v6(let address):
            port = UInt16(bigEndian: address.address.sin6_port)
            bytes = withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
            if bytes.starts(with: Self.mappedPrefix) { bytes.removeFirst(Self.mappedPrefix.count) }
        default: return nil
        }
        self.init(address: bytes, port: port)
    }

    /// For a socket of IPv4, or of IPv6 that takes IPv4 too.
    func socketAddress(isIPv6: Bool) -> SocketAddress? {
        let bytes = isIPv6 && address.count == 4 ? Self.mappedPrefix + address : address
        return try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: Int(port))
    }
}
