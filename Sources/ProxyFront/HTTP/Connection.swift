import NIOCore
import NIOSSL

/// One client connection: reads requests, has them answered one after the other, sends the answers.
///
/// Pipelined requests wait in the inbound buffer, in order, until the one before them is answered; once
/// `Connection.pipelined` bytes wait there, reading stops and TCP holds the client back.
package final class Connection: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = Never
    package typealias OutboundIn = Never
    package typealias OutboundOut = IOData

    enum State {
        /// Between requests, or reading one.
        case reading
        /// The responder's task runs.
        case answering(Task<Void, Never>)
        case sending(BodySender)
        /// The last answer is on its way; the connection closes behind it.
        case finishing(lingers: Bool)
        /// The client has been told everything; its remaining bytes are read and thrown away, because a close
        /// with unread bytes would reset the connection and take the answer with it.
        case lingering
        case closed
    }

    /// What the connection waits for its client to do.
    enum Deadline {
        case none, idle, head, body, stall, linger
    }

    /// Bytes of pipelined requests kept at most before reading stops.
    static let pipelined = 64 << 10
    /// With reading stopped, more than this can only come at the end of input, when the channel empties the
    /// socket's buffer: such a client is cut off.
    static let unreadable = 1 << 20

    let front: FrontContext
    let loop: LoopState
    /// The TLS layer below; nil on plain HTTP.
    let tls: NIOSSLServerHandler?
    var isSecure: Bool { tls != nil }
    /// Whether the connection counter knows this connection.
    private var isEntered = false

    var slot = 0
    var context: ChannelHandlerContext?
    /// Nil under TLS.
    private var socket: ClientSocket?
    /// Whether the channel may have something to write still.
    var isQueued = false
    var state = State.reading
    var deadline = NIODeadline.distantFuture
    var deadlineKind = Deadline.none
    var stallMark: (buffered: Int, sent: Int64) = (0, 0)

    var parser: RequestParser
    var inbound = ByteBuffer()
    var inputClosed = false
    var isProcessing = false
    var isPumping = false
    private var isReadPaused = false
    private var isReadHeldBack = false

    var client: SocketAddress?
    /// `client` without its port, as text.
    var clientName: String?
    var isLoopback = false
    var served = 0
    /// The request whose body is being read, or whose answer has to wait. One that is answered at once never
    /// gets here.
    var exchange: Exchange?

    package init(front: FrontContext, loop: LoopState, tls: NIOSSLServerHandler?) {
        self.front = front
        self.loop = loop
        self.tls = tls
        parser = RequestParser(limits: front.limits.parser)
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if tls == nil { socket = ClientSocket(context.channel) }
        loop.add(self)
        front.metrics.connections.add()
        front.metrics.accepted.add()
        arm(.idle)
        if context.channel.isActive { start(context) }
    }

    package func channelActive(context: ChannelHandlerContext) { start(context) }

    private func start(_ context: ChannelHandlerContext) {
        client = context.remoteAddress
        clientName = client?.ipAddress
        isLoopback = client.map(\.isLoopback) ?? false
        if loop.isDraining { return cut() }
        let verdict = front.counter.enter(client)
        isEntered = verdict != .dropped
        switch verdict {
        case .admitted: break
        case .turnedAway: turnAway()
        case .dropped:
            front.metrics.turnedAway.add()
            cut()
        }
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = Self.unwrapInboundIn(data)
        switch state {
        case .finishing, .lingering, .closed: return
        case .reading, .answering, .sending: break
        }
        if inbound.readableBytes == 0 {
            inbound = bytes
        } else {
            guard inbound.readableBytes < Self.unreadable else { return cut() }
            inbound.discardReadBytes()
            inbound.writeBuffer(&bytes)
        }
        process()
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
    }

    package func read(context: ChannelHandlerContext) {
        if isReadPaused { isReadHeldBack = true } else { context.read() }
    }

    /// The socket, while nothing that was written to the channel waits before it.
    var idleSocket: ClientSocket? {
        guard let socket else { return nil }
        guard isQueued else { return socket }
        guard let options = context?.channel.syncOptions,
            (try? options.getOption(.bufferedWritableBytes)) == 0
        else { return nil }
        isQueued = false
        return socket
    }

    /// Whether the client takes its answers fast enough to be given more.
    var isWritable: Bool {
        guard let context else { return false }
        return socket != nil && !isQueued || context.channel.isWritable
    }

    /// Reading stops while more than enough pipelined bytes wait.
    func regulateReading() {
        let pauses = inbound.readableBytes >= Self.pipelined
        if isReadPaused, !pauses, isReadHeldBack {
            isReadHeldBack = false
            isReadPaused = false
            context?.read()
        }
        isReadPaused = pauses
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        switch state {
        case .sending: pump()
        case .reading: process()
        case .answering, .finishing, .lingering, .closed: break
        }
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed? = event as? ChannelEvent else { return }
        inputClosed = true
        switch state {
        case .reading: process()
        case .lingering: cut()
        case .answering, .sending, .finishing, .closed: break
        }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Resets, TLS alerts and the like: whatever it is, this client cannot be served any further.
        cut()
    }

    package func channelInactive(context: ChannelHandlerContext) { teardown() }

    package func handlerRemoved(context: ChannelHandlerContext) {
        teardown()
        self.context = nil
        socket = nil
    }

    /// Everything that the connection held is let go, once.
    private func teardown() {
        if case .closed = state { return }
        let left = state
        state = .closed
        switch left {
        case .answering(let task):
            task.cancel()
            concludeWaiting(.aborted, bytes: 0)
        case .sending(let sender):
            sender.cancel()
            concludeWaiting(.aborted, bytes: sender.sent)
        case .reading, .finishing, .lingering, .closed: break
        }
        deadlineKind = .none
        loop.remove(self)
        front.metrics.connections.subtract()
        if isEntered { front.counter.leave(client) }
    }
}

extension SocketAddress {
    /// Whether it is this machine's own: 127.0.0.0/8, ::1, or the former written as the latter's kind.
    var isLoopback: Bool {
        switch self {
        case .v4(let address):
            return UInt32(bigEndian: address.address.sin_addr.s_addr) >> 24 == 127
        case .v6(let address):
            return withUnsafeBytes(of: address.address.sin6_addr) { bytes in
                bytes[..<10].allSatisfy { $0 == 0 }
                    && (bytes[10...].elementsEqual([0, 0, 0, 0, 0, 1])
                        || bytes[10...].starts(with: [0xFF, 0xFF, 127]))
            }
        case .unixDomainSocket: return true
        }
    }
}
