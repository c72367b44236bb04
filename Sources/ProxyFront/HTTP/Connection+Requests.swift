import NIOCore

/// From bytes to answers.
extension Connection {
    /// Answers the requests that wait in the inbound buffer, until one has to wait itself, all are
    /// answered, or the client does not take the answers fast enough.
    func process() {
        guard !isProcessing else { return }
        isProcessing = true
        defer { isProcessing = false }
        while case .reading = state, takesMore() {
            do throws(RequestRejection) {
                guard let event = try parser.next(&inbound) else { break }
                receive(event)
            } catch {
                reject(error)
            }
        }
        flush()
        regulateReading()
        if case .reading = state { waitForMore() }
    }

    /// Whether the client is given more answers. What was collected so far goes out in one write before it grows
    /// large.
    private func takesMore() -> Bool {
        if loop.scratch.readableBytes >= Self.pipelined { flush() }
        return isWritable
    }

    private func waitForMore() {
        if exchange != nil {
            if inputClosed { return cut() }
            if deadlineKind != .body { arm(.body) }
        } else if inbound.readableBytes > 0 {
            guard isWritable else { return arm(.stall) }
            if inputClosed { return cut() }
            if deadlineKind != .head { arm(.head) }
        } else {
            if inputClosed || loop.isDraining { return finish(lingers: false) }
            arm(.idle)
        }
    }

    private func receive(_ event: consuming RequestParser.Event) {
        switch consume event {
        case .head(let head):
            let (hasBody, expectsContinue) = (head.body != .none, head.expectsContinue)
            guard hasBody else { return answer(Exchange(head)) }
            exchange = Exchange(head)
            if expectsContinue, inbound.readableBytes == 0 {
                loop.scratch.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
            }
        case .body(var part):
            // Bounded by the parser's limit on bodies.
            if exchange?.request.body?.writeBuffer(&part) == nil { exchange?.request.body = part }
        case .end:
            guard let whole = exchange.take() else { preconditionFailure("a body belongs to a request") }
            answer(whole)
        }
    }

    private func answer(_ exchange: consuming Exchange) {
        exchange.request.remoteAddress = client
        exchange.request.remoteName = clientName
        exchange.request.isLoopback = isLoopback
        exchange.request.isSecure = isSecure
        exchange.request.id = loop.nextRequestID()
        if front.accessLog != nil { exchange.started = .now() }
        switch front.responder.respond(to: exchange.request) {
        case .now(let response): begin(response, exchange)
        case .later(let work):
            flush()
            disarm()
            let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
            let (eventLoop, id) = (loop.eventLoop, exchange.request.id)
            wait(exchange)
            state = .answering(
                Task {
                    let response = await work()
                    eventLoop.execute { bound.value.deliver(response, to: id) }
                })
        }
    }

    /// A responder's task is done.
    private func deliver(_ response: Response, to id: UInt64) {
        guard case .answering = state, exchange?.request.id == id, let waiting = exchange.take() else {
            if case .stream(_, let producer) = response.body { producer.cancelled() }
            return
        }
        state = .reading
        begin(response, waiting)
        process()
    }

    /// Keeps an exchange whose answer takes time.
    func wait(_ exchange: consuming Exchange) {
        if !exchange.isCounted {
            exchange.isCounted = true
            front.metrics.requestsInFlight.add()
        }
        self.exchange = exchange
    }

    /// Refuses what is no acceptable request; the connection closes.
    func reject(_ rejection: RequestRejection) {
        front.metrics.rejected.add(rejection.reason)
        var response = Response.text(rejection.status, rejection.explanation)
        if rejection.status.code == 405 { response.headers["Allow"] = "GET, HEAD" }
        refuse(response)
    }

    /// Tells a client over the connection limit to come back later.
    func turnAway() {
        front.metrics.turnedAway.add()
        refuse(
            .text(
                .serviceUnavailable, "Too many connections: try again in a few seconds.",
                headers: ["Retry-After": "5"]))
    }

    private func refuse(_ response: Response) {
        var refused = exchange.take() ?? Exchange()
        refused.request.id = loop.nextRequestID()
        refused.closes = true
        inbound = ByteBuffer()
        begin(response, refused, lingers: true)
    }
}
