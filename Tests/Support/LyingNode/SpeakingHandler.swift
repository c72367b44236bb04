import Gossip
import NIOCore
import PeerExchange

/// A connection that another member has dialled: an honest handshake, then whatever `answer` says to each call.
final class SpeakingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Answers one call's request, as its bytes came.
    typealias Answering = @Sendable ([UInt8], NodeID) async -> Answer

    private let card: @Sendable () -> MemberCard
    private let answer: Answering
    private var driver: HandshakeDriver
    private var codec: FrameCodec?
    private var peer: NodeID?
    private var inbox = ByteBuffer()
    private var parts: [UInt32: [UInt8]] = [:]

    init(
        _ credentials: ClusterCredentials, card: @escaping @Sendable () -> MemberCard,
        answer: @escaping Answering
    ) {
        (self.card, self.answer) = (card, answer)
        driver = .responder(credentials)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        guard codec == nil else {
            inbox.writeBuffer(&bytes)
            return readFrames(context)
        }
        step(driver.receive(bytes.readableBytesView), context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func step(_ step: HandshakeDriver.Step, _ context: ChannelHandlerContext) {
        switch step {
        case .send(let bytes):
            write(bytes, context)
            self.step(driver.receive([]), context)
        case .admit(let card):
            guard let (bytes, codec) = try? driver.finish(.card(self.card())) else {
                return context.close(promise: nil)
            }
            peer = card.record.node
            self.codec = codec
            write(bytes, context)
        case .failed: context.close(promise: nil)
        case .needsMore, .welcomed, .introduced: break
        }
    }

    private func readFrames(_ context: ChannelHandlerContext) {
        while let fragment = try? codec?.read(&inbox, allocator: context.channel.allocator) {
            parts[fragment.call, default: []] += fragment.bytes.readableBytesView
            guard fragment.isLast, let peer, let whole = parts.removeValue(forKey: fragment.call) else {
                continue
            }
            let (bound, loop) = (
                NIOLoopBound((self, context), eventLoop: context.eventLoop), context.eventLoop
            )
            let answer = answer
            Task {
                let answer = await answer(whole, peer)
                loop.execute { bound.value.0.say(answer, to: fragment.call, bound.value.1) }
            }
        }
        inbox.discardReadBytes()
    }

    private func say(_ answer: Answer, to call: UInt32, _ context: ChannelHandlerContext) {
        switch answer {
        case .reply(let bytes): write(sealed(bytes, call, context), context)
        case .half(let bytes):
            let frames = sealed(bytes, call, context)
            write(Array(frames.prefix(frames.count / 2)), context)
        case .silence: break
        case .rubbish: write([40, 0] + [UInt8](repeating: 7, count: 40), context)
        case .hangUp: context.close(promise: nil)
        }
    }

    private func sealed(_ bytes: [UInt8], _ call: UInt32, _ context: ChannelHandlerContext) -> [UInt8] {
        var buffer = context.channel.allocator.buffer(capacity: bytes.count + 1024)
        try? codec?.write(
            ByteBuffer(bytes: bytes), call: call, isReply: true, to: &buffer,
            allocator: context.channel.allocator)
        return Array(buffer.readableBytesView)
    }

    private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
    }
}
