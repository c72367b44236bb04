import NIOCore
import Synchronization

/// Where datagrams go once there is somebody to take them.
final class Inbox: Sendable {
    let receiver = Mutex<(@Sendable ([UInt8], Endpoint) -> Void)?>(nil)
}

/// Turns what the socket gives into bytes and endpoints; what is too long or too short is dropped here.
final class DatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let inbox: Inbox

    init(inbox: Inbox) { self.inbox = inbox }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        let count = envelope.data.readableBytes
        guard count > DatagramHead.overhead, count <= DatagramHead.datagramLimit,
            let endpoint = Endpoint(envelope.remoteAddress)
        else { return }
        inbox.receiver.withLock { $0 }?(Array(envelope.data.readableBytesView), endpoint)
    }

    /// A datagram that came back (nobody listens there) is no fault of the socket's.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

extension Endpoint {
    /// A socket's address; IPv4 inside IPv6 is IPv4.
    package init?(_ address: SocketAddress) {
        guard let host = address.ipAddress, let port = address.port.flatMap(UInt16.init(exactly:)) else {
            return nil
        }
        self.init(
            host: host.hasPrefix("::ffff:") && host.contains(".") ? String(host.dropFirst(7)) : host,
            port: port)
    }
}
