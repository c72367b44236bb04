import Foundation
import Gossip
import Logging
import NIOPosix
import PeerExchange

/// A root with members that can speak to each other over real sockets.
struct TestRoot {
    let root: NodeKey
    let secret: ClusterSecret

    init(secret: ClusterSecret? = nil) throws {
        root = try NodeKey.generate()
        self.secret = try secret ?? ClusterSecret.generate()
    }

    func credentials(roles: Roles = []) throws -> ClusterCredentials {
        let (node, key) = (try NodeKey.generate(), try NodeKey.generate())
        let now = TrustedClock.build
        let invitation = InvitationCertificate(
            cluster: ClusterID(root: root.id), key: key.id, serial: .random(), zone: .standard, roles: roles,
            issued: now, joinBy: now.addingTimeInterval(86_400),
            expires: now.addingTimeInterval(86_400 * 700),
            root: root)
        let certificate = NodeCertificate(invitation: invitation, node: node.id, joined: now, key: key)
        return try ClusterCredentials(key: node, secret: secret, root: root.id, certificate: certificate)
    }
}

/// A member with a gossip service, a server and connections, on loopback.
final class TestMember: Sendable {
    let credentials: ClusterCredentials
    let gossip: GossipService
    let server: PeerServer
    let connections: PeerConnections
    let counters = ExchangeCounters()
    let folder: String

    init(
        _ credentials: ClusterCredentials, seeds: [GossipConfiguration.Seed] = [],
        serve: @escaping @Sendable (PeerRequest, PeerIdentity) async -> PeerReply = { _, _ in .notHeld }
    ) async throws {
        self.credentials = credentials
        folder = NSTemporaryDirectory() + "edgenode-peer-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let group = MultiThreadedEventLoopGroup.singleton
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let port = try Self.freePort()
        guard let endpoint = Endpoint(parsing: "127.0.0.1:\(port)") else {
            throw CocoaError(.featureUnsupported)
        }
        let gossip = try await GossipService.bind(
            GossipConfiguration(endpoints: [endpoint], seeds: seeds), credentials: credentials,
            trust: Trust(anchor: credentials.anchor, cluster: credentials.cluster), host: "127.0.0.1",
            port: port,
            stateFile: folder + "/state", group: group, logger: logger)
        self.gossip = gossip
        let identity = SessionIdentity(
            credentials: credentials, card: { gossip.card }, admit: { await gossip.admit($0) })
        server = try await PeerServer.start(
            host: "127.0.0.1", port: port, identity: identity, limits: SessionLimits(), counters: counters,
            group: group, logger: logger
        ) { request, peer in
            if case .exchange(let bytes) = request {
                return .ok(await gossip.answerExchange(bytes, from: peer.id))
            }
            return await serve(request, peer)
        }
        connections = PeerConnections(
            identity: identity, limits: SessionLimits(), counters: counters, group: group, logger: logger
        ) { node in gossip.members.first { $0.node == node }?.endpoint }
        let (server, connections) = (server, connections)
        gossip.observe { event in
            guard case .refused(let node, _) = event else { return }
            connections.drop(node)
            server.drop(node)
        }
        gossip.begin(with: connections)
    }

    var endpoint: Endpoint { gossip.endpoint }
    var id: NodeID { credentials.id }

    /// A port that UDP and TCP both have free.
    private static func freePort() throws -> Int {
        for _ in 0..<100 {
            let port = Int.random(in: 20_000..<30_000)
            let both = [SOCK_DGRAM, SOCK_STREAM].allSatisfy { kind in
                let descriptor = socket(AF_INET, Int32(kind.rawValue), 0)
                defer { close(descriptor) }
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = in_port_t(port).bigEndian
                address.sin_addr.s_addr = inet_addr("127.0.0.1")
                return withUnsafePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                } == 0
            }
            if both { return port }
        }
        throw CocoaError(.featureUnsupported)
    }

    /// Waits until the member sees `others` alive.
    func sees(_ others: [NodeID]) async -> Bool {
        let met = AsyncStream<Void> { stream in gossip.observe { _ in stream.yield() } }
        func isDone() -> Bool {
            let alive = Set(gossip.members.filter { $0.state == .alive }.map(\.node))
            return others.allSatisfy(alive.contains)
        }
        return await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                if isDone() { return true }
                for await _ in met where isDone() { return true }
                return false
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(20))
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    func stop() async {
        await server.stop()
        await connections.stop()
        await gossip.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }
}
