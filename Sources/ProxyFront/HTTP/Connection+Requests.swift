import NIOCore

/// From bytes to answers.
extension Connection {
    /// Answers the requests that wait in the inbound buffer, until one has to wait itself, all are
    /// answered, or the client does not take the answers fast enough.
    func process() {
        guard !isProcessing else { return }
        isProcessing = true
        defer { isProcessing = false }
        while case .reading = state {
            guard takesMore() else { break }
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

    /// Answers collected so far go out in one write before they grow large.
    private func takesMore() -> Bool {
        guard loop.scratch.readableBytes >= Self.pipelined else { return true }
        flush()
        return context?.channel.isWritable ?? false
    }

    private func waitForMore() {
        if exchange != nil {
            if inputClosed { return cut() }
            if deadlineKind != .body { arm(.body) }
        } else if inbound.readableBytes > 0 {
            guard context?.channel.isWritable ?? false else { return arm(.stall) }
            if inputClosed { return cut() }
            if deadlineKind != .head { arm(.head) }
        } else {
            if inputClosed || loop.isDraining { return finish(lingers: false) }
            arm(.idle)
        }
    }

    private func receive(_ event: RequestParser.Event) {
        switch event {
        case .head(let head):
            exchange = Exchange(head: head)
            if head.body == .none {
                answer()
            } else if head.expectsContinue, inbound.readableBytes == 0 {
                loop.scratch.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
            }
        case .body(var part):
            // Bounded by the parser's limit on bodies.
            if exchange?.body?.writeBuffer(&part) == nil { exchange?.body = part }
        case .end: answer()
        }
    }

    private func answer() {
        guard let exchange else { preconditionFailure("an answer belongs to a request") }
        let head = exchange.head
        let request = Request(
            method: head.method, target: head.target, query: head.query, headers: head.headers,
            body: exchange.body, remoteAddress: client, isLoopback: isLoopback, isSecure: isSecure,
            id: loop.nextRequestID())
        self.exchange?.id = request.id
        if front.accessLog != nil { self.exchange?.started = .now() }
        switch front.responder.respond(to: request) {
        case .now(let response): begin(response)
        case .later(let work):
            flush()
            disarm()
            countInFlight()
            let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
            let (eventLoop, id) = (loop.eventLoop, request.id)
            state = .answering(
                Task {
                    let response = await work()
                    eventLoop.execute { bound.value.deliver(response, to: id) }
                })
        }
    }

    /// A responder's task is done.
    private func deliver(_ response: Response, to id: UInt64) {
        guard case .answering = state, exchange?.id == id else {
            if case .stream(_, let producer) = response.body { producer.cancelled() }
            return
        }
        state = .reading
        begin(response)
        process()
    }

    func countInFlight() {
        guard let counted = exchange?.isCounted, !counted else { return }
        exchange?.isCounted = true
        front.metrics.requestsInFlight.add()
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
        let head = RequestHead(
            method: .other, target: "", query: nil, headers: [:], minorVersion: 1, keepAlive: false,
            expectsContinue: false, body: .none)
        exchange = Exchange(head: exchange?.head ?? head, id: loop.nextRequestID())
        exchange?.closes = true
        inbound = ByteBuffer()
        begin(response, lingers: true)
    }
}
