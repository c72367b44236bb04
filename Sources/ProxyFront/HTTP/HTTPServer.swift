import NIOCore
import NIOPosix
import NIOSSL

/// An HTTP/1.1 server: listens, shares the connections out over its event loops, shuts down in order.
public final class HTTPServer: Sendable {
    public struct Configuration: Sendable {
        /// Where to listen. Port 0 takes any free one.
        public var listen: [Listen]
        /// Nil speaks plain HTTP.
        public var tls: TLSSettings?
        public var limits = FrontLimits()
        public var timeouts = FrontTimeouts()
        /// Event loops, one thread each.
        public var eventLoops = System.coreCount
        /// Threads that read what is not in memory.
        public var diskThreads = 4
        /// Connections that the kernel holds until they are accepted.
        public var backlog: Int32 = 1024

        public init(listen: [Listen], tls: TLSSettings? = nil) {
            self.listen = listen
            self.tls = tls
        }
    }

    /// An address to listen on.
    public struct Listen: Sendable, Hashable, CustomStringConvertible {
        /// An IP address or a name; `::` takes IPv4 too where the system is set so.
        public var host: String
        public var port: Int

        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    /// Where the server listens, ports filled in, in the order of `Configuration.listen`.
    public let addresses: [SocketAddress]
    private let listeners: [any Channel]
    private let group: MultiThreadedEventLoopGroup
    private let disk: NIOThreadPool
    private let loops: [NIOLoopBound<LoopState>]

    private init(
        listeners: [any Channel], group: MultiThreadedEventLoopGroup, disk: NIOThreadPool,
        loops: [NIOLoopBound<LoopState>]
    ) {
        self.listeners = listeners
        self.group = group
        self.disk = disk
        self.loops = loops
        addresses = listeners.compactMap(\.localAddress)
    }

    /// Starts listening; requests are answered from here on.
    ///
    /// - Parameter accessLog: called on an event loop for every finished request; must not block. Nil costs
    ///   nothing.
    /// - Throws: `HTTPServerError` or `TLSSettingsError`; nothing listens then.
    public static func start(
        _ configuration: Configuration, responder: any Responder, metrics: Metrics,
        accessLog: (@Sendable (AccessRecord) -> Void)? = nil
    ) async throws -> HTTPServer {
        let disk = NIOThreadPool(numberOfThreads: max(1, configuration.diskThreads))
        disk.start()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, configuration.eventLoops))
        var listeners: [any Channel] = []
        var loops: [NIOLoopBound<LoopState>] = []
        do {
            let tls = try await disk.runIfActive { try configuration.tls?.context() }
            let front = FrontContext(
                responder: responder, limits: configuration.limits, timeouts: configuration.timeouts,
                metrics: metrics, accessLog: accessLog, disk: disk)
            for (index, eventLoop) in group.makeIterator().enumerated() {
                let resolution = configuration.timeouts.resolution
                loops.append(
                    try await eventLoop.submit {
                        let state = LoopState(eventLoop: eventLoop, index: index, resolution: resolution)
                        return NIOLoopBound(state, eventLoop: eventLoop)
                    }.get())
            }
            let bootstrap = Self.bootstrap(group, configuration, front, loops, tls)
            for place in configuration.listen {
                do {
                    listeners.append(try await bootstrap.bind(host: place.host, port: place.port).get())
                } catch {
                    throw HTTPServerError.cannotListen(place, cause: "\(error)")
                }
            }
            return HTTPServer(listeners: listeners, group: group, disk: disk, loops: loops)
        } catch {
            for listener in listeners { try? await listener.close() }
            await Self.stop(loops, group, disk)
            throw error
        }
    }

    private static func bootstrap(
        _ group: MultiThreadedEventLoopGroup, _ configuration: Configuration, _ front: FrontContext,
        _ loops: [NIOLoopBound<LoopState>], _ tls: NIOSSLContext?
    ) -> ServerBootstrap {
        let states = Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0.eventLoop), $0) })
        return ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: configuration.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 2048, maximum: 64 << 10)
            )
            .childChannelOption(
                .writeBufferWaterMark, value: .init(low: 256 << 10, high: 1 << 20)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let state = states[ObjectIdentifier(channel.eventLoop)]?.value else {
                        throw HTTPServerError.unknownEventLoop
                    }
                    let secure = tls.map { NIOSSLServerHandler(context: $0) }
                    if let secure { try channel.pipeline.syncOperations.addHandler(secure) }
                    try channel.pipeline.syncOperations.addHandler(
                        Connection(front: front, loop: state, tls: secure))
                }
            }
    }

    /// Stops listening, closes idle connections at once, finishes the answers that are under way, and cuts off
    /// what is not done after `grace`. Call it once.
    public func shutdown(grace: Duration = .seconds(30)) async {
        for listener in listeners {
            // It fails only when it is closed already.
            try? await listener.close()
        }
        let amount = TimeAmount(grace)
        let drains = loops.map { bound in
            bound.eventLoop.flatSubmit {
                let loop = bound.value
                let drained = loop.drain()
                let cutOff = loop.eventLoop.scheduleTask(in: amount) { bound.value.closeAll() }
                return drained.always { _ in cutOff.cancel() }
            }
        }
        // The promises behind them are only ever fulfilled.
        for drain in drains { try? await drain.get() }
        await Self.stop(loops, group, disk)
    }

    private static func stop(
        _ loops: [NIOLoopBound<LoopState>], _ group: MultiThreadedEventLoopGroup, _ disk: NIOThreadPool
    ) async {
        for bound in loops {
            try? await bound.eventLoop.submit { bound.value.stop() }.get()
        }
        try? await disk.shutdownGracefully()
        try? await group.shutdownGracefully()
    }
}

public enum HTTPServerError: Error, Equatable, CustomStringConvertible {
    case cannotListen(HTTPServer.Listen, cause: String)
    /// A bug: a connection on a loop of another group.
    case unknownEventLoop

    public var description: String {
        switch self {
        case .cannotListen(let place, let cause):
            "cannot listen on \(place): \(cause). Is another process using the port, is the address one of "
                + "this machine's, and does a port below 1024 have the permission it needs?"
        case .unknownEventLoop: "a connection was given to an event loop that is not the server's"
        }
    }
}
