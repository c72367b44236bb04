import Content
import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// From answers to bytes.
extension Connection {
    /// Bodies up to this length travel in the write of their head.
    private static let inlined = 32 << 10

    /// Starts an answer. Small ones are done when this returns: they wait in the loop's scratch buffer for
    /// the flush that ends the batch.
    func begin(_ response: Response, _ exchange: consuming Exchange, lingers: Bool = false) {
        let outgoing = Outgoing(response, for: exchange, boundary: front.boundary)
        outgoing.unneeded?.cancelled()
        exchange.closes =
            exchange.closes || loop.isDraining || (inputClosed && inbound.readableBytes == 0)
            || served + 1 >= front.limits.requestsPerConnection || outgoing.framing == .untilClose
        exchange.status = outgoing.status.code
        exchange.servedFrom = response.servedFrom
        let closes = exchange.closes
        switch outgoing.payload {
        case .none:
            write(outgoing, closes, body: nil)
            conclude(exchange, .complete, bytes: 0, lingers: lingers)
        case .array(let bytes) where bytes.count <= Self.inlined:
            bytes.withUnsafeBytes { write(outgoing, closes, body: $0) }
            conclude(exchange, .complete, bytes: Int64(bytes.count), lingers: lingers)
        case .bytes(let buffer) where buffer.readableBytes <= Self.inlined:
            buffer.withUnsafeReadableBytes { write(outgoing, closes, body: $0) }
            conclude(exchange, .complete, bytes: Int64(buffer.readableBytes), lingers: lingers)
        case .array(let bytes): send(outgoing, exchange, parts: [.bytes(ByteBuffer(bytes: bytes))], nil)
        case .bytes(let buffer): send(outgoing, exchange, parts: [.bytes(buffer)], nil)
        case .parts(let parts): send(outgoing, exchange, parts: parts, nil)
        case .stream(let producer): send(outgoing, exchange, parts: [], producer)
        }
    }

    private func write(_ outgoing: borrowing Outgoing, _ closes: Bool, body: UnsafeRawBufferPointer?) {
        HeadWriter.write(
            outgoing, date: loop.dateLine, closes: closes, body: body, into: &loop.scratch)
    }

    private func send(
        _ outgoing: Outgoing, _ exchange: consuming Exchange, parts: [BodyPart],
        _ producer: (any BodyProducer)?
    ) {
        write(outgoing, exchange.closes, body: nil)
        write(loop.takeScratch())
        wait(exchange)
        stallMark = (0, 0)
        disarm()
        state = .sending(BodySender(framing: outgoing.framing, parts: parts, producer: producer))
        pump()
    }

    /// Body bytes handed over at a time, before the loop's other connections have their turn.
    private static let turn: Int64 = 1 << 20

    /// Hands over as much of the body as the client takes. With the end of one body, the pipelined request
    /// behind it may have started the next.
    func pump() {
        guard !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        while case .sending(let sender) = state {
            handOver(sender)
            if case .sending(let current) = state, current === sender { return }
        }
    }

    /// In turns, because a client that keeps up with the memory bus would have the event loop for itself.
    private func handOver(_ sender: BodySender) {
        guard let channel = context?.channel else { return }
        sender.turnEnd = sender.handedOver + Self.turn
        while case .sending = state, !sender.isWaiting, !sender.isYielding {
            guard sender.handedOver < sender.turnEnd else { return yield(sender) }
            if !channel.isWritable {
                context?.flush()
                guard channel.isWritable else { return }
            } else if sender.file != nil {
                advanceFile(sender)
            } else if let part = sender.parts.popFirst() {
                start(part, sender)
            } else if let producer = sender.producer {
                context?.flush()
                guard case .sending = state else { return }
                pull(producer, sender)
            } else {
                return end(sender)
            }
        }
        context?.flush()
    }

    private func yield(_ sender: BodySender) {
        context?.flush()
        sender.isYielding = true
        loop.eventLoop.assumeIsolated().execute {
            sender.isYielding = false
            self.pump()
        }
    }

    private func start(_ part: BodyPart, _ sender: BodySender) {
        let count = part.count
        guard count > 0 else { return }
        guard sender.count(count) else { return truncate(sender) }
        if sender.framing == .chunked {
            write(ByteBuffer(string: String(count, radix: 16) + "\r\n"))
        }
        switch part {
        case .bytes(let buffer):
            write(buffer)
            if sender.framing == .chunked { write(ByteBuffer(staticString: "\r\n")) }
        case .file(let slice):
            // A file cut short would have `sendfile` report no bytes for ever.
            guard let size = PageCache.size(of: slice.file), size >= slice.range.upperBound else {
                return truncate(sender)
            }
            sender.file = FileCursor(slice)
            // A producer may keep the client waiting for more, and then half a segment must not wait too.
            if count >= FileCursor.corked, sender.producer == nil, !sender.isCorked { cork(sender, true) }
        }
    }

    private func pull(_ producer: any BodyProducer, _ sender: BodySender) {
        sender.isWaiting = true
        let bound = NIOLoopBound((connection: self, sender: sender), eventLoop: loop.eventLoop)
        let eventLoop = loop.eventLoop
        sender.task = Task {
            let result: Result<BodyPart?, any Error>
            do { result = .success(try await producer.next()) } catch { result = .failure(error) }
            eventLoop.execute { bound.value.connection.received(result, bound.value.sender) }
        }
    }

    private func received(_ result: Result<BodyPart?, any Error>, _ sender: BodySender) {
        guard case .sending(let current) = state, current === sender else { return }
        sender.task = nil
        sender.isWaiting = false
        switch result {
        case .success(let part?): sender.parts.append(part)
        case .success(nil): sender.producer = nil
        case .failure:
            sender.producer = nil
            return truncate(sender)
        }
        pump()
    }

    /// All parts are handed over.
    private func end(_ sender: BodySender) {
        guard sender.remaining ?? 0 == 0 else { return truncate(sender) }
        let done = loop.eventLoop.makePromise(of: Void.self)
        done.futureResult.assumeIsolated().whenSuccess {
            guard case .sending(let current) = self.state, current === sender else { return }
            if sender.isCorked { self.cork(sender, false) }
            self.state = .reading
            self.concludeWaiting(.complete, bytes: sender.sent)
            self.process()
        }
        let last = sender.framing == .chunked ? ByteBuffer(staticString: "0\r\n\r\n") : ByteBuffer()
        isQueued = true
        context?.writeAndFlush(Self.wrapOutboundOut(.byteBuffer(last)), promise: done)
    }

    /// The body cannot be completed: the connection closes short of the promised end, so that no client takes
    /// what it has for the whole.
    func truncate(_ sender: BodySender) {
        sender.cancel()
        concludeWaiting(.truncated, bytes: sender.sent)
        state = .finishing(lingers: false)
        arm(.linger)
        if sender.framing == .untilClose { reset() } else { cut() }
    }

    private static let corkOption = ChannelOptions.Types.SocketOption(
        level: .tcp, name: NIOBSDSocket.Option(rawValue: TCP_CORK))

    /// Has TCP hold back what does not fill a segment; letting go sends the rest at once.
    private func cork(_ sender: BodySender, _ isOn: Bool) {
        guard !isSecure, let options = context?.channel.syncOptions else { return }
        // A transport without this option is none the worse.
        try? options.setOption(Self.corkOption, value: isOn ? 1 : 0)
        sender.isCorked = isOn
    }

    func write(_ buffer: ByteBuffer) {
        isQueued = true
        context?.write(Self.wrapOutboundOut(.byteBuffer(buffer)), promise: nil)
    }

    /// Sends what waits in the scratch buffer.
    func flush() {
        guard loop.scratch.readableBytes > 0 else { return }
        if let socket = idleSocket {
            let sent = socket.send(loop.scratch)
            if sent == loop.scratch.readableBytes { return loop.clearScratch() }
            loop.scratch.moveReaderIndex(forwardBy: sent)
        }
        let batch = loop.takeScratch()
        write(batch)
        context?.flush()
        loop.giveBack(batch)
    }
}
