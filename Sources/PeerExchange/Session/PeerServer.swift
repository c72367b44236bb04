internal import Content
internal import Gossip
package import Logging
package import NIOCore
internal import NIOPosix

/// The TCP side of a node towards its peers: takes connections, lets members in, answers their calls.
package final class PeerServer: Sendable {
    private let channel: any Channel
    private let quiescing: any EventLoopGroup

    private init(channel: any Channel, group: any EventLoopGroup) {
        self.channel = channel
        quiescing = group
    }

    /// - Parameters:
    ///   - host: a numeric address to bind to.
    ///   - serve: answers a call of a member.
    /// - Throws: what the system says of the socket.
    package static func start(
        host: String, port: Int, identity: SessionIdentity, limits: SessionLimits, counters: ExchangeCounters,
        group: any EventLoopGroup, logger: Logger,
        serve: @escaping @Sendable (PeerRequest, PeerIdentity) async -> PeerReply
    ) async throws -> PeerServer {
        let limiter = HandshakeLimiter()
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let address = channel.remoteAddress?.ipAddress ?? ""
                    guard limiter.begin(address) else {
                        counters.firstMessageDropped()
                        channel.close(promise: nil)
                        return
                    }
                    let handler = SessionHandler(
                        .listener(serve: serve), identity: identity, limits: limits, counters: counters,
                        loop: channel.eventLoop)
                    handler.ready.futureResult.whenComplete { result in
                        limiter.end()
                        if case .failure(let failure) = result {
                            logger.debug("\(address): no session: \(failure)")
                        }
                    }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(host: host, port: port).get()
        return PeerServer(channel: channel, group: group)
    }

    package var port: Int? { channel.localAddress?.port }

    package func stop() async { try? await channel.close() }
}
