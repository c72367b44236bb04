internal import Content
internal import Gossip
internal import NIOCore
internal import Synchronization

/// One connection between two nodes, on its event loop: the handshake, then calls from the dialling side and replies
/// from the other.
final class SessionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    enum Role {
        /// Whom it dials; nil = whoever is there.
        case dialler(NodeID?)
        case listener(serve: @Sendable (PeerRequest, PeerIdentity) async -> PeerReply)
    }

    private struct Call {
        let ticket: CallTicket
        let promise: EventLoopPromise<PeerReply>
        let begun: NIODeadline
        let patience: CallPatience
        var timer: Scheduled<Void>?
    }

    private let role: Role
    private let identity: SessionIdentity
    private let limits: SessionLimits
    private let counters: ExchangeCounters
    private var driver: HandshakeDriver
    private var codec: FrameCodec?
    private var peer: PeerIdentity?
    private var context: ChannelHandlerContext?
    private var inbox = ByteBuffer()
    private var parts: [UInt32: ByteBuffer] = [:]
    private var partBytes = 0
    private var calls: [UInt32: Call] = [:]
    /// Bytes of a fragment that others may have to wait behind.
    private static let weighty = 4096
    /// When the peer last sent a weighty part of a reply, to whichever call.
    private var lastReply = NIODeadline.uptimeNanoseconds(0)
    private var answering = 0
    private var nextCall: UInt32 = 1
    private var handshakeTimer: Scheduled<Void>?
    private var idleTimer: Scheduled<Void>?
    private var failure: PeerFailure?
    /// Fulfilled once calls may be made.
    let ready: EventLoopPromise<PeerIdentity>

    init(
        _ role: Role, identity: SessionIdentity, limits: SessionLimits, counters: ExchangeCounters,
        loop: any EventLoop
    ) {
        self.role = role
        self.identity = identity
        self.limits = limits
        self.counters = counters
        ready = loop.makePromise()
        switch role {
        case .dialler: driver = .initiator(identity.credentials)
        case .listener: driver = .responder(identity.credentials)
        }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { channelActive(context: context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { end(.closed("it was closed")) }

    func channelActive(context: ChannelHandlerContext) {
        guard handshakeTimer == nil else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        handshakeTimer = context.eventLoop.scheduleTask(in: TimeAmount(limits.handshakeTimeout)) {
            bound.value.fail(.timedOut)
        }
        guard case .dialler(let node) = role else { return }
        if let node { begin(with: node) } else { write(driver.askForName()) }
    }

    private func begin(with node: NodeID) {
        do throws(NoiseError) {
            write(try driver.begin(with: node, card: identity.card()))
        } catch {
            fail(.unreachable("its key cannot be used"))
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        guard codec == nil else {
            inbox.writeBuffer(&bytes)
            return readFrames(context)
        }
        take(driver.receive(bytes.readableBytesView))
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(failure ?? .closed(peer == nil ? "it ended before the two had met" : "the other side closed it"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(.closed("\(error)")) }

    // MARK: meeting

    private func take(_ step: HandshakeDriver.Step) {
        switch step {
        case .needsMore: break
        case .send(let bytes):
            write(bytes)
            take(driver.receive([]))
        case .introduced(let node): begin(with: node)
        case .failed(let reason):
            if case .listener = role { counters.firstMessageDropped() }
            fail(.refused(reason))
        case .admit(let card): decide(card)
        case .welcomed(.refused(_, let reason), _): fail(.refused("it refuses this node: \(reason)"))
        case .welcomed(.card(let card), let codec): welcomed(card, codec)
        }
    }

    /// Asks whether a node is a member, and goes on with the answer on the loop.
    private func admit(
        _ card: MemberCard,
        _ then: @escaping (SessionHandler, Result<Trust.Admission, TrustRefusal>) -> Void
    ) {
        guard let context else { return }
        let bound = NIOLoopBound((self, then), eventLoop: context.eventLoop)
        let loop = context.eventLoop
        let admit = identity.admit
        Task {
            let result = await admit(card)
            loop.execute { bound.value.1(bound.value.0, result) }
        }
    }

    private func decide(_ card: MemberCard) {
        admit(card) { handler, result in handler.decided(card, result) }
    }

    private func decided(_ card: MemberCard, _ result: Result<Trust.Admission, TrustRefusal>) {
        do throws(NoiseError) {
            switch result {
            case .success(let admission):
                let (bytes, codec) = try driver.finish(.card(identity.card()))
                write(bytes)
                begin(codec, card, admission)
            case .failure(let refusal):
                counters.handshakeRefused()
                let (bytes, _) = try driver.finish(.refused(code: refusal.code, "\(refusal)"))
                write(bytes)
                fail(.refused("\(card.record.node): \(refusal)"))
            }
        } catch { fail(.closed("the handshake broke off")) }
    }

    private func welcomed(_ card: MemberCard, _ codec: FrameCodec) {
        admit(card) { handler, result in
            switch result {
            case .success(let admission): handler.begin(codec, card, admission)
            case .failure(let refusal):
                handler.fail(.refused("this node refuses \(card.record.node): \(refusal)"))
            }
        }
    }

    private func begin(_ codec: FrameCodec, _ card: MemberCard, _ admission: Trust.Admission) {
        guard let context, failure == nil else { return }
        handshakeTimer?.cancel()
        self.codec = codec
        let peer = PeerIdentity(id: card.record.node, zone: admission.zone, roles: admission.roles)
        self.peer = peer
        ready.succeed(peer)
        touch()
        readFrames(context)
    }

    // MARK: frames

    private func readFrames(_ context: ChannelHandlerContext) {
        guard var codec else { return }
        defer {
            self.codec = codec
            inbox.discardReadBytes()
        }
        do throws(FrameCodec.Failure) {
            while let fragment = try codec.read(&inbox, allocator: context.channel.allocator) {
                self.codec = codec
                take(fragment)
                // Answers may have been written meanwhile.
                if let current = self.codec { codec = current }
                if failure != nil { return }
            }
        } catch {
            fail(.malformed("a frame that is not authentic"))
        }
    }

    private func take(_ fragment: FrameCodec.Fragment) {
        touch()
        // Small replies come out of memory: they say nothing of large ones that wait for a disk.
        if fragment.isReply, fragment.bytes.readableBytes >= Self.weighty { lastReply = .now() }
        var part = fragment.bytes
        partBytes += part.readableBytes
        if parts[fragment.call] == nil {
            parts[fragment.call] = part
        } else {
            parts[fragment.call]?.writeBuffer(&part)
        }
        let limit = fragment.isReply ? PeerReply.byteLimit : PeerRequest.byteLimit
        guard parts[fragment.call]?.readableBytes ?? 0 <= limit, partBytes <= 32 << 20, parts.count <= 256
        else {
            return fail(.malformed("a message above its limit"))
        }
        guard fragment.isLast, let whole = parts.removeValue(forKey: fragment.call) else { return }
        partBytes -= whole.readableBytes
        if fragment.isReply { replied(fragment.call, whole) } else { asked(fragment.call, whole) }
    }

    private func replied(_ call: UInt32, _ bytes: ByteBuffer) {
        // One that was given up is let go.
        guard let waiting = calls.removeValue(forKey: call) else { return }
        waiting.timer?.cancel()
        do throws(WireError) {
            waiting.promise.succeed(try PeerReply(parsing: Array(bytes.readableBytesView)))
        } catch {
            waiting.promise.fail(PeerFailure.malformed("\(error)"))
        }
    }

    private func asked(_ call: UInt32, _ bytes: ByteBuffer) {
        guard case .listener(let serve) = role, let peer, let context else {
            return fail(.malformed("a call the wrong way"))
        }
        guard answering < limits.callsAtOnce else { return reply(.busy(100), to: call) }
        let request: PeerRequest
        do throws(WireError) {
            guard let known = try PeerRequest.decode(Array(bytes.readableBytesView)) else {
                return reply(.unsupported, to: call)
            }
            request = known
        } catch {
            return reply(.failed("\(error)"), to: call)
        }
        answering += 1
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        Task {
            let answer = await serve(request, peer)
            loop.execute {
                // It counts until it is on its way: a peer that does not read gets no more of them into memory.
                let written = loop.makePromise(of: Void.self)
                written.futureResult.whenComplete { _ in bound.value.answering -= 1 }
                bound.value.reply(answer, to: call, written)
            }
        }
    }

    private func reply(_ reply: PeerReply, to call: UInt32, _ written: EventLoopPromise<Void>? = nil) {
        if let peer, case .ok(let bytes) = reply {
            counters.count(peer.id) { $0.bytesOut += UInt64(bytes.count) }
        }
        send(reply.encoded, call: call, isReply: true, written)
    }

    private func send(
        _ message: [UInt8], call: UInt32, isReply: Bool, _ written: EventLoopPromise<Void>? = nil
    ) {
        guard var codec, let context, failure == nil else {
            written?.fail(failure ?? .closed("it has ended"))
            return
        }
        var buffer = context.channel.allocator.buffer(capacity: message.count + 64)
        do throws(FrameCodec.Failure) {
            try codec.write(
                ByteBuffer(bytes: message), call: call, isReply: isReply, to: &buffer,
                allocator: context.channel.allocator)
        } catch {
            written?.fail(PeerFailure.closed("the session has lasted too long"))
            return fail(.closed("the session has lasted too long"))
        }
        self.codec = codec
        touch()
        context.writeAndFlush(NIOAny(buffer), promise: written)
    }

    /// Who does not take its replies is not listened to. The dialling side goes on reading, or both might wait for ever.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if case .listener = role {
            context.channel.setOption(.autoRead, value: context.channel.isWritable).whenFailure { _ in }
        }
        context.fireChannelWritabilityChanged()
    }

    private func write(_ bytes: [UInt8]) {
        context?.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
    }

    // MARK: calls

    /// Makes a call, on the loop. The promise fails when the session ends first.
    func call(
        _ request: PeerRequest, within patience: CallPatience, ticket: CallTicket,
        _ promise: EventLoopPromise<PeerReply>
    ) {
        guard !ticket.isCancelled else { return promise.fail(PeerFailure.closed("it was given up")) }
        guard failure == nil, codec != nil else {
            return promise.fail(failure ?? .closed("the two have not met"))
        }
        let call = nextCall
        nextCall &+= 1
        calls[call] = Call(ticket: ticket, promise: promise, begun: .now(), patience: patience)
        expect(call, in: min(patience.silence, patience.inAll))
        send(request.encoded, call: call, isReply: false)
    }

    /// Looks after a while whether the peer still says something. A reply may wait behind others on a thin link: the
    /// call is given up when nothing at all came, or after its whole time; its reply is let go when it comes.
    private func expect(_ call: UInt32, in time: Duration) {
        guard let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        calls[call]?.timer = context.eventLoop.scheduleTask(in: TimeAmount(time)) { bound.value.look(call) }
    }

    private func look(_ call: UInt32) {
        guard let waiting = calls[call] else { return }
        let now = NIODeadline.now()
        let silence =
            waiting.patience.silence - .nanoseconds((now - max(lastReply, waiting.begun)).nanoseconds)
        let rest = waiting.patience.inAll - .nanoseconds((now - waiting.begun).nanoseconds)
        guard min(silence, rest) <= .zero else { return expect(call, in: min(silence, rest)) }
        calls.removeValue(forKey: call)?.promise.fail(PeerFailure.timedOut)
    }

    /// Nobody waits for the reply any more; it is let go when it comes.
    func giveUp(_ ticket: CallTicket) {
        guard let call = calls.first(where: { $0.value.ticket === ticket })?.key,
            let waiting = calls.removeValue(forKey: call)
        else { return }
        waiting.timer?.cancel()
        waiting.promise.fail(PeerFailure.closed("it was given up"))
    }

    var load: Int { calls.count }

    // MARK: the end

    private func touch() {
        guard let context else { return }
        idleTimer?.cancel()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        idleTimer = context.eventLoop.scheduleTask(in: TimeAmount(limits.idleTimeout)) {
            guard bound.value.calls.isEmpty, bound.value.answering == 0 else { return bound.value.touch() }
            bound.value.fail(.closed("nobody used it"))
        }
    }

    func fail(_ failure: PeerFailure) {
        guard self.failure == nil else { return }
        let context = context
        end(failure)
        // What was written last (a refusal) goes out first.
        context?.close(mode: .all, promise: nil)
    }

    private func end(_ failure: PeerFailure) {
        if self.failure == nil { self.failure = failure }
        handshakeTimer?.cancel()
        idleTimer?.cancel()
        ready.fail(failure)
        let waiting = calls
        calls = [:]
        for call in waiting.values {
            call.timer?.cancel()
            call.promise.fail(failure)
        }
        context = nil
    }
}

/// One call, for whoever wants to give it up.
final class CallTicket: Sendable {
    private let flag = Atomic(false)

    var isCancelled: Bool { flag.load(ordering: .relaxed) }

    func cancel() { flag.store(true, ordering: .relaxed) }
}
