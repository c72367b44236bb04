import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// The end of exchanges and of connections, and the deadlines that bring the latter about.
extension Connection {
    /// Books the answer as done that had to wait or took its time.
    func concludeWaiting(_ outcome: AccessRecord.Outcome, bytes: Int64) {
        guard let waiting = exchange.take() else { return }
        conclude(waiting, outcome, bytes: bytes)
    }

    /// Books an answer as done. A complete one leaves the connection reading on, or closing.
    func conclude(
        _ exchange: borrowing Exchange, _ outcome: AccessRecord.Outcome, bytes: Int64,
        lingers: Bool = false
    ) {
        let metrics = front.metrics
        if exchange.isCounted { metrics.requestsInFlight.subtract() }
        if exchange.status > 0 { metrics.responses.add(StatusClass(code: exchange.status)) }
        if let source = exchange.servedFrom {
            metrics.hits.add(source)
            metrics.bytes.add(source, Int(bytes))
        }
        if front.accessLog != nil { log(copy exchange, outcome, bytes) }
        switch outcome {
        case .complete:
            served += 1
            if exchange.closes { finish(lingers: lingers || inbound.readableBytes > 0) }
        case .aborted: metrics.aborted.add()
        case .truncated: metrics.truncated.add()
        }
    }

    private func log(_ exchange: Exchange, _ outcome: AccessRecord.Outcome, _ bytes: Int64) {
        let request = exchange.request
        let started = exchange.started.uptimeNanoseconds
        let elapsed = started == 0 ? 0 : NIODeadline.now().uptimeNanoseconds - started
        let target = request.query.map { "\(request.target)?\($0)" } ?? request.target
        front.accessLog?(
            AccessRecord(
                id: request.id, method: request.method, target: target, status: exchange.status, bytes: bytes,
                duration: .nanoseconds(elapsed), servedFrom: exchange.servedFrom, client: client,
                userAgent: request.headers["User-Agent"], outcome: outcome))
    }

    /// Sends what is left to send, then closes.
    func finish(lingers: Bool) {
        state = .finishing(lingers: lingers)
        inbound = ByteBuffer()
        regulateReading()
        arm(.stall)
        let done = loop.eventLoop.makePromise(of: Void.self)
        done.futureResult.assumeIsolated().whenComplete { _ in self.finished() }
        let batch = loop.takeScratch()
        isQueued = true
        context?.writeAndFlush(Self.wrapOutboundOut(.byteBuffer(batch)), promise: done)
        loop.giveBack(batch)
    }

    private func finished() {
        guard case .finishing(let lingers) = state else { return }
        guard lingers, !inputClosed, !isSecure else { return cut() }
        state = .lingering
        arm(.linger)
        context?.close(mode: .output, promise: nil)
    }

    /// Closes now, whatever is under way.
    func cut() { context?.close(promise: nil) }

    /// Closes so that the client's side sees an error instead of an end.
    func reset() {
        guard let context else { return }
        let channel = context.channel
        let resetNow = {
            _ = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            channel.close(promise: nil)
        }
        guard let tls else { return resetNow() }
        // With its handler gone, TLS says no orderly goodbye.
        context.pipeline.syncOperations.removeHandler(tls).assumeIsolated().whenComplete { _ in resetNow() }
    }

    /// The server shuts down: an idle connection closes, any other one behind its answer.
    func drain() {
        if case .reading = state, exchange == nil, inbound.readableBytes == 0 { finish(lingers: false) }
    }

    func arm(_ kind: Deadline) {
        deadlineKind = kind
        switch kind {
        case .none: deadline = .distantFuture
        case .idle: deadline = loop.now + front.amounts.idle
        case .head: deadline = loop.now + front.amounts.head
        case .body: deadline = loop.now + front.amounts.body
        case .stall: deadline = loop.now + front.amounts.stall
        case .linger: deadline = loop.now + front.amounts.linger
        }
    }

    func disarm() { arm(.none) }

    /// Called by the loop's sweep.
    func check(_ now: NIODeadline) {
        if case .sending(let sender) = state { watchProgress(sender) }
        guard deadline <= now else { return }
        switch deadlineKind {
        case .head: reject(RequestRejection(408, .timeout, "The request's head did not come in time."))
        case .body: reject(RequestRejection(408, .timeout, "The request's body did not come in time."))
        case .none, .idle, .stall, .linger: cut()
        }
    }

    /// A client that takes no byte of what waits for it is given up; one that has nothing waiting is not.
    private func watchProgress(_ sender: BodySender) {
        guard let channel = context?.channel else { return }
        // A channel without this option (in tests) counts as making progress.
        let buffered = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        let mark = (buffered, sender.sent)
        if buffered == 0 {
            disarm()
        } else if deadlineKind != .stall || mark != stallMark {
            arm(.stall)
        }
        stallMark = mark
    }
}
