import Gossip

/// Exchanges over TCP: a handshake in which both learn who the other is, a request, an answer.
extension Simulation {
    /// After this long nothing heard is a failure.
    static let streamTimeout: UInt64 = 5_000_000_000
    /// Bytes of handshake and frames around a request and its answer.
    static let handshakeByteCount = 400

    func call(
        _ node: SimulatedNode, token: UInt64, at endpoint: Endpoint, expecting: NodeID?, _ bytes: [UInt8]
    ) {
        let callee = Self.place(of: endpoint) ?? -1
        let call = StreamCall(
            caller: node.number, callerStart: node.starts, callee: callee, token: token, expecting: expecting)
        guard nodes.indices.contains(callee), callee != node.number else {
            return fail(call, after: Self.streamTimeout)
        }
        let count = bytes.count + Self.handshakeByteCount
        guard let delay = network.stream(from: node.number, to: callee, byteCount: count, turns: 3),
            delay < Self.streamTimeout
        else { return fail(call, after: Self.streamTimeout) }
        queue.push(.request(call, bytes), at: now + delay)
    }

    func fail(_ call: StreamCall, after delay: UInt64) {
        queue.push(.answer(call, nil), at: now + delay)
    }

    /// A request has arrived at its callee's process.
    func serve(_ call: StreamCall, _ bytes: [UInt8]) {
        let node = nodes[call.callee]
        guard call.expecting == nil || call.expecting == node.id else { return fail(call, after: 1_000_000) }
        let token = nextToken
        nextToken += 1
        pending[call.callee, default: [:]][token] = call
        step(node, .exchangeRequest(bytes, from: nodes[call.caller].id, token: token))
        // A request that is not answered at once keeps its caller waiting until it gives up.
        if let unanswered = pending[call.callee]?.removeValue(forKey: token) {
            fail(unanswered, after: Self.streamTimeout)
        }
    }

    func reply(_ node: SimulatedNode, token: UInt64, _ bytes: [UInt8]) {
        guard let call = pending[node.number]?.removeValue(forKey: token) else { return }
        node.traffic.addStream(bytes.count)
        guard
            let delay = network.stream(
                from: node.number, to: call.caller, byteCount: bytes.count, turns: 0)
        else { return fail(call, after: Self.streamTimeout) }
        queue.push(.answer(call, bytes), at: now + delay)
    }

    func finish(_ call: StreamCall, _ bytes: [UInt8]?) {
        let node = nodes[call.caller]
        guard node.starts == call.callerStart else { return }
        if let bytes {
            step(node, .exchangeAnswer(token: call.token, .success((nodes[call.callee].id, bytes))))
        } else {
            step(node, .exchangeAnswer(token: call.token, .failure(ExchangeFailure("no answer"))))
        }
    }
}
