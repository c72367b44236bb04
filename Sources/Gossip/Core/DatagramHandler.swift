import NIOCore
import Synchronization

/// Where datagrams go once there is somebody to take them.
package final class Inbox: Sendable {
    /// A type of its own: a bare closure in a mutex gets one more thunk around it with every look at it, and each
    /// datagram costs more than the one before.
    package struct Receiver: Sendable {
        let take: @Sendable ([UInt8], Endpoint) -> Void

        package init(_ take: @escaping @Sendable ([UInt8], Endpoint) -> Void) { self.take = take }
    }

    package let receiver = Mutex<Receiver?>(nil)

    package init() {}
}

/// Turns what the socket gives into bytes and endpoints.
final class DatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let inbox: Inbox

    init(inbox: Inbox) { self.inbox = inbox }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard let endpoint = Endpoint(envelope.remoteAddress) else { return }
        inbox.receiver.withLock { $0 }?.take(Array(envelope.data.readableBytesView), endpoint)
    }

    /// A datagram that came back (nobody listens there) is no fault of the socket's.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
