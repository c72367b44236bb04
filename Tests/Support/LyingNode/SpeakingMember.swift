import Gossip
import Logging
import NIOCore
import NIOPosix
import PeerExchange

/// A member as real nodes meet it: their gossip, and answers of its own making.
final class SpeakingMember: Sendable {
    let credentials: ClusterCredentials
    let gossip: GossipService
    private let connections: PeerConnections
    private let server: any Channel

    /// - Parameter answer: answers every call but gossip's own.
    init(
        _ folder: JoinedFolder, at endpoint: Endpoint, shape: (inout GossipConfiguration) -> Void = { _ in },
        logger: Logger, answer: @escaping SpeakingHandler.Answering
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let credentials = folder.credentials
        var configuration = GossipConfiguration(endpoints: [endpoint], seeds: folder.seeds)
        shape(&configuration)
        let gossip = try await GossipService.bind(
            configuration, credentials: credentials,
            trust: Trust(anchor: credentials.anchor, cluster: credentials.cluster), host: endpoint.host,
            port: Int(endpoint.port), stateFile: folder.path + "/cluster/state", group: group, logger: logger)
        let identity = SessionIdentity(
            credentials: credentials, card: { gossip.card }, admit: { await gossip.admit($0) })
        connections = PeerConnections(
            identity: identity, limits: SessionLimits(), counters: ExchangeCounters(), group: group,
            logger: logger
        ) { node in gossip.members.first { $0.node == node }?.endpoint }
        server = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = SpeakingHandler(credentials, card: { gossip.card }) { request, peer in
                        guard request.first == 1 else { return await answer(request, peer) }
                        return .reply(
                            [0] + (await gossip.answerExchange(Array(request.dropFirst()), from: peer)))
                    }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(host: endpoint.host, port: Int(endpoint.port)).get()
        (self.credentials, self.gossip) = (credentials, gossip)
        gossip.begin(with: connections)
    }

    /// Says goodbye and lets everything go.
    func stop() async {
        await gossip.stop()
        await connections.stop()
        try? await server.close()
    }
}
