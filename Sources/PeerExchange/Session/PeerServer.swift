internal import Content
package import Gossip
package import Logging
package import NIOCore
internal import NIOPosix
internal import Synchronization

/// The TCP side of a node towards its peers: takes connections, lets members in, answers their calls.
package final class PeerServer: Sendable {
    private let channel: any Channel
    private let sessions: Sessions

    private init(channel: any Channel, sessions: Sessions) {
        self.channel = channel
        self.sessions = sessions
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
        let sessions = Sessions()
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
                    let begun = ContinuousClock.now
                    handler.ready.futureResult.whenComplete { result in
                        limiter.end()
                        switch result {
                        case .success(let peer): sessions.add(channel, of: peer.id, begun: begun)
                        case .failure(let failure): logger.debug("\(address): no session: \(failure)")
                        }
                    }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(host: host, port: port).get()
        return PeerServer(channel: channel, sessions: sessions)
    }

    package var port: Int? { channel.localAddress?.port }

    /// Ends what a node has dialled: it is no member any more.
    package func drop(_ node: NodeID) { sessions.drop(node) }

    /// Ends everything: whoever still is a member dials again.
    package func dropAll() { sessions.dropAll() }

    package func stop() async { try? await channel.close() }

    /// Who is connected, so that whoever is taken out of the cluster loses what it had before.
    private final class Sessions: Sendable {
        private struct State {
            var channels: [NodeID: [ObjectIdentifier: any Channel]] = [:]
            /// Those that were dropped lately: their handshakes may be under way.
            var dropped: [NodeID: ContinuousClock.Instant] = [:]
            var allDropped: ContinuousClock.Instant?
        }

        /// Longer than any handshake.
        private static let memory = Duration.seconds(30)
        private let state = Mutex(State())

        /// - Parameter begun: when the handshake began: who was dropped since then has to come again.
        func add(_ channel: any Channel, of node: NodeID, begun: ContinuousClock.Instant) {
            let id = ObjectIdentifier(channel)
            let isCurrent = state.withLock { state in
                guard state.allDropped.map({ $0 < begun }) ?? true,
                    state.dropped[node].map({ $0 < begun }) ?? true
                else { return false }
                state.channels[node, default: [:]][id] = channel
                return true
            }
            guard isCurrent else { return channel.close(promise: nil) }
            channel.closeFuture.whenComplete { _ in
                self.state.withLock { state in
                    state.channels[node]?[id] = nil
                    if state.channels[node]?.isEmpty == true { state.channels[node] = nil }
                }
            }
        }

        func drop(_ node: NodeID) {
            let now = ContinuousClock.now
            let channels = state.withLock { state in
                state.dropped = state.dropped.filter { now - $0.value < Self.memory }
                state.dropped[node] = now
                return state.channels.removeValue(forKey: node)
            }
            for channel in (channels ?? [:]).values { channel.close(promise: nil) }
        }

        func dropAll() {
            let channels = state.withLock { state in
                state.allDropped = .now
                defer { state.channels = [:] }
                return state.channels.values.flatMap(\.values)
            }
            for channel in channels { channel.close(promise: nil) }
        }
    }
}
