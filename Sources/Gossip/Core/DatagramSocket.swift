import Glibc
import NIOCore
import NIOPosix

/// The UDP socket of gossip. NIO reads from it; what is sent goes past NIO, which closes a socket as soon as one
/// datagram cannot be sent: a cable that is pulled, a firewall's rule or one odd address would end it.
package final class DatagramSocket: Sendable {
    /// Datagrams that one system call reads at most.
    private static let batch = 16
    private static let byteLimit = 2048

    package let channel: any Channel
    package let port: Int
    private let isIPv6: Bool
    /// Of its own: NIO closes the other one.
    private let descriptor: CInt

    private init(channel: any Channel, port: Int, isIPv6: Bool, descriptor: CInt) {
        (self.channel, self.port, self.isIPv6, self.descriptor) = (channel, port, isIPv6, descriptor)
    }

    deinit { close(descriptor) }

    /// - Parameter host: an address; `::` takes IPv4 too.
    /// - Throws: what the system says of the address or the socket.
    package static func bind(
        host: String, port: Int, loop: any EventLoop, inbox: Inbox
    ) async throws -> DatagramSocket {
        let address = try SocketAddress.makeAddressResolvingHost(host, port: port)
        let isIPv6 = address.protocol == .inet6
        let bound = try open(address, isIPv6: isIPv6)
        let descriptor = fcntl(bound, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0, let port = localPort(of: bound) else {
            let error = IOError(errnoCode: errno, reason: "copying the descriptor of a socket")
            close(bound)
            if descriptor >= 0 { close(descriptor) }
            throw error
        }
        do {
            let channel = try await DatagramBootstrap(group: loop)
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
                .withBoundSocket(bound).get()
            return DatagramSocket(channel: channel, port: port, isIPv6: isIPv6, descriptor: descriptor)
        } catch {
            // NIO has closed the one that it was given.
            close(descriptor)
            throw error
        }
    }

    private static func open(_ address: SocketAddress, isIPv6: Bool) throws -> CInt {
        let type = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, type, 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        if !isIPv6 {
            // What does not fit the way is lost as a whole: half datagrams keep neither gossip nor routers healthy.
            // IPv6 never splits on the way, and 1,232 bytes are what it always carries.
            var value = CInt(IP_PMTUDISC_PROBE)
            _ = setsockopt(
                descriptor, CInt(IPPROTO_IP), IP_MTU_DISCOVER, &value, socklen_t(MemoryLayout<CInt>.size))
        }
        let result = address.withSockAddr { Glibc.bind(descriptor, $0, socklen_t($1)) }
        guard result == 0 else {
            let error = IOError(errnoCode: errno, reason: "bind \(address)")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func localPort(of descriptor: CInt) -> Int? {
        var storage = sockaddr_in6()
        var count = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let result = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &count) }
        }
        // The port stands at the same place for both families.
        return result == 0 ? Int(UInt16(bigEndian: storage.sin6_port)) : nil
    }

    /// Sends one datagram now or not at all; never waits.
    /// - Returns: whether the system took it.
    package func send(_ bytes: [UInt8], to endpoint: Endpoint) -> Bool {
        guard let address = endpoint.socketAddress(isIPv6: isIPv6) else { return false }
        return address.withSockAddr { pointer, count in
            sendto(
                descriptor, bytes, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL),
                pointer, socklen_t(count)) == bytes.count
        }
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

    /// For a socket of IPv4, or of IPv6 that takes IPv4 too; nil for what such a socket cannot reach.
    package func socketAddress(isIPv6: Bool) -> SocketAddress? {
        guard isIPv6 || address.count == 4 else { return nil }
        let bytes = isIPv6 && address.count == 4 ? Self.mappedPrefix + address : address
        return try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: Int(port))
    }
}
