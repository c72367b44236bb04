import Dispatch
import NIOCore
import NIOPosix
import Synchronization

/// A server on loopback that does to each request what a script says, down to the bytes on the wire.
final class FaultUpstream: Sendable {
    struct Asked: Sendable {
        var method = "GET"
        let path: String
        let headers: [String: String]
        var body = ""
        /// How many requests for this path there were, this one included.
        let count: Int

        /// The first byte of a `Range: bytes=a-`.
        var rangeStart: Int? {
            headers["range"].flatMap { text in
                Int(text.dropFirst("bytes=".count).prefix { $0 != "-" })
            }
        }

        /// The end (exclusive) of a `Range: bytes=a-b`.
        var rangeEnd: Int? {
            headers["range"].flatMap { text in
                Int(text.drop { $0 != "-" }.dropFirst()).map { $0 + 1 }
            }
        }
    }

    enum Step: Sendable {
        case send([UInt8])
        /// One byte at a time.
        case trickle([UInt8], every: TimeAmount)
        /// Nothing more until the gate opens.
        case wait(Gate)
        /// Nothing more, ever; the connection stays open.
        case hang
        /// An orderly end of the connection.
        case close
        /// A reset connection.
        case reset
    }

    /// Opens once, for everybody who waits at it.
    final class Gate: Sendable {
        private let state = Mutex<(isOpen: Bool, waiting: [@Sendable () -> Void])>((false, []))

        func open() {
            let waiting = state.withLock { state in
                state.isOpen = true
                defer { state.waiting = [] }
                return state.waiting
            }
            for wake in waiting { wake() }
        }

        func whenOpen(_ body: @escaping @Sendable () -> Void) {
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(body) }
                return state.isOpen
            }
            if isOpen { body() }
        }

        /// Blocks the calling thread until it is open.
        func waitHere() {
            let opened = DispatchSemaphore(value: 0)
            whenOpen { opened.signal() }
            opened.wait()
        }
    }

    private struct State {
        var asked: [Asked] = []
        var connections: [any Channel] = []
        var isStopped = false
    }

    typealias Script = @Sendable (Asked) -> [Step]

    private let state = Mutex(State())
    private let script: Script
    private let channel = Mutex<(any Channel)?>(nil)

    private init(_ script: @escaping Script) { self.script = script }

    /// Serves until the body returns.
    static func serving<Result>(
        _ script: @escaping Script, _ body: (FaultUpstream) async throws -> Result
    ) async throws -> Result {
        let server = FaultUpstream(script)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FaultHandler(server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        server.channel.withLock { $0 = channel }
        do {
            let result = try await body(server)
            try? await server.stop()
            return result
        } catch {
            try? await server.stop()
            throw error
        }
    }

    /// Ends as a server does that is killed: open connections are closed, new ones refused.
    func stop() async throws {
        try await channel.withLock { $0 }?.close().get()
        let open = state.withLock { state in
            state.isStopped = true
            return state.connections
        }
        for connection in open { try? await connection.close().get() }
    }

    var port: Int { channel.withLock { $0?.localAddress?.port } ?? 0 }
    var url: String { "http://127.0.0.1:\(port)" }
    var asked: [Asked] { state.withLock { $0.asked } }
    func count(_ path: String) -> Int { asked.count { $0.path == path } }

    fileprivate func steps(
        method: String, path: String, headers: [String: String], body: String
    ) -> [Step] {
        let asked = state.withLock { state in
            let asked = Asked(
                method: method, path: path, headers: headers, body: body,
                count: state.asked.count { $0.path == path } + 1)
            state.asked.append(asked)
            return asked
        }
        return script(asked)
    }

    fileprivate func connected(_ channel: any Channel) {
        let isStopped = state.withLock { state in
            state.connections.append(channel)
            return state.isStopped
        }
        if isStopped { channel.close(promise: nil) }
    }
}

private final class FaultHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let server: FaultUpstream
    private let received = Mutex("")

    init(_ server: FaultUpstream) { self.server = server }

    func channelActive(context: ChannelHandlerContext) { server.connected(context.channel) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let request = received.withLock { received -> (head: String, body: String)? in
            received += String(buffer: unwrapInboundIn(data))
            guard let end = received.firstRange(of: "\r\n\r\n") else { return nil }
            let (head, body) = (received[..<end.lowerBound], received[end.upperBound...])
            let length = head.lowercased().firstRange(of: "content-length: ").flatMap {
                Int(head.lowercased()[$0.upperBound...].prefix { $0.isNumber })
            }
            guard body.utf8.count >= length ?? 0 else { return nil }
            defer { received = "" }
            return (String(head), String(body))
        }
        guard let request else { return }
        let lines = request.head.split(separator: "\r\n")
        let words = lines[0].split(separator: " ")
        let path = words[1]
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            headers[line[..<colon].lowercased()] = String(line[colon...].dropFirst().drop { $0 == " " })
        }
        // The go command, and the node like it, escapes what need not be.
        let plain = String(path).replacing("%21", with: "!").replacing("%2B", with: "+")
        let steps = server.steps(
            method: String(words[0]), path: plain, headers: headers, body: request.body)
        run(steps[...], on: context.channel)
    }

    private func run(_ steps: ArraySlice<FaultUpstream.Step>, on channel: any Channel) {
        guard let step = steps.first else { return }
        let rest = steps.dropFirst()
        switch step {
        case .send(let bytes):
            channel.writeAndFlush(ByteBuffer(bytes: bytes)).whenComplete { result in
                if case .success = result { self.run(rest, on: channel) }
            }
        case .trickle(let bytes, let interval): trickle(bytes[...], every: interval, then: rest, on: channel)
        case .wait(let gate):
            gate.whenOpen { channel.eventLoop.execute { self.run(rest, on: channel) } }
        case .hang: break
        case .close: channel.close(promise: nil)
        case .reset:
            if let provider = channel as? any SocketOptionProvider {
                provider.setSoLinger(.init(l_onoff: 1, l_linger: 0)).whenComplete { _ in
                    channel.close(promise: nil)
                }
            } else {
                channel.close(promise: nil)
            }
        }
    }

    private func trickle(
        _ bytes: ArraySlice<UInt8>, every interval: TimeAmount, then rest: ArraySlice<FaultUpstream.Step>,
        on channel: any Channel
    ) {
        guard let first = bytes.first, channel.isActive else { return run(rest, on: channel) }
        channel.writeAndFlush(ByteBuffer(bytes: [first])).whenSuccess {
            channel.eventLoop.scheduleTask(in: interval) {
                self.trickle(bytes.dropFirst(), every: interval, then: rest, on: channel)
            }
        }
    }
}

extension [UInt8] {
    /// An answer's head.
    static func head(_ status: Int, _ fields: [String] = []) -> [UInt8] {
        Array((["HTTP/1.1 \(status) Whatever"] + fields + ["", ""]).joined(separator: "\r\n").utf8)
    }

    /// A whole answer with its length.
    static func answer(_ status: Int = 200, _ body: [UInt8], _ fields: [String] = []) -> [UInt8] {
        head(status, ["Content-Length: \(body.count)"] + fields) + body
    }

    static func answer(_ status: Int = 200, _ body: String, _ fields: [String] = []) -> [UInt8] {
        answer(status, Array(body.utf8), fields)
    }
}

extension FaultUpstream.Asked {
    /// What a server does that knows ranges and validators: the part asked for if the validator is right.
    func part(of body: [UInt8], etag: String) -> [UInt8] {
        guard let start = rangeStart, headers["if-range"].map({ $0 == etag }) ?? true else {
            return .answer(200, body, ["ETag: \(etag)", "Accept-Ranges: bytes"])
        }
        let end = rangeEnd ?? body.count
        return .answer(
            206, Array(body[start..<end]),
            ["ETag: \(etag)", "Content-Range: bytes \(start)-\(end - 1)/\(body.count)"])
    }
}
