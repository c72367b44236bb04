import ChunkStore
import Content
import Foundation
import Gossip
import Logging
import NIOPosix
import PeerExchange
import ProxyFront

/// A cluster's root, for members on loopback.
struct ClusterRoot {
    private let root: NodeKey
    private let secret: ClusterSecret

    init() throws {
        root = try NodeKey.generate()
        secret = try ClusterSecret.generate()
    }

    func credentials(roles: Roles) throws -> ClusterCredentials {
        let (node, key) = (try NodeKey.generate(), try NodeKey.generate())
        let now = TrustedClock.build
        let invitation = InvitationCertificate(
            cluster: ClusterID(root: root.id), key: key.id, serial: .random(), zone: .standard, roles: roles,
            issued: now, joinBy: now.addingTimeInterval(86_400),
            expires: now.addingTimeInterval(86_400 * 700), root: root)
        let certificate = NodeCertificate(invitation: invitation, node: node.id, joined: now, key: key)
        return try ClusterCredentials(key: node, secret: secret, root: root.id, certificate: certificate)
    }

    /// A list that revokes nobody.
    func revocations(_ number: UInt64, issued: Date) -> RevocationList {
        RevocationList(
            cluster: ClusterID(root: root.id), number: number, issued: issued, serials: [], keys: [],
            root: root)
    }
}

/// A node's part in a cluster over real sockets: gossip, exchange, and what is given and taken.
final class ClusterMember: Sendable {
    let credentials: ClusterCredentials
    let gossip: GossipService
    let network: PeerNetwork
    let counters = ExchangeCounters()
    private let shelf: PieceShelf
    private let revocations: RevocationAge
    private let identity: SessionIdentity
    private let connections: PeerConnections
    private let port: Int
    private let folder: String
    private let logger: Logger

    /// - Parameter oldestList: as `cluster.revocation_max_age`.
    init(
        _ credentials: ClusterCredentials, seeds: [GossipConfiguration.Seed], oldestList: Duration? = nil
    ) async throws {
        self.credentials = credentials
        folder = NSTemporaryDirectory() + "edgenode-member-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let group = MultiThreadedEventLoopGroup.singleton
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        self.logger = logger
        let port = try Self.freePort()
        self.port = port
        guard let endpoint = Endpoint(parsing: "127.0.0.1:\(port)") else {
            throw CocoaError(.featureUnsupported)
        }
        let gossip = try await GossipService.bind(
            GossipConfiguration(endpoints: [endpoint], seeds: seeds), credentials: credentials,
            trust: Trust(anchor: credentials.anchor, cluster: credentials.cluster), host: "127.0.0.1",
            port: port, stateFile: folder + "/state", group: group, logger: logger)
        self.gossip = gossip
        identity = SessionIdentity(
            credentials: credentials, card: { gossip.card }, admit: { await gossip.admit($0) })
        connections = PeerConnections(
            identity: identity, limits: SessionLimits(), counters: counters, group: group, logger: logger
        ) { node in gossip.members.first { $0.node == node }?.endpoint }
        shelf = PieceShelf(credentials: credentials)
        revocations = RevocationAge(limit: oldestList, age: { gossip.revocationAge }, logger: logger)
        network = PeerNetwork(
            gossip: gossip, caller: connections, shelf: shelf, counters: counters, revocations: revocations,
            logger: logger)
    }

    var id: NodeID { credentials.id }
    var seed: GossipConfiguration.Seed { .init(endpoint: gossip.endpoint, node: credentials.id) }

    /// Serves `content` and tells what `store` holds, until the body returns.
    func serving<Result>(
        _ content: any LocalContent, store: ChunkStore, _ body: () async throws -> Result
    ) async throws -> Result {
        let gossip = gossip
        let answers = ContentServer(
            content: content, shelf: shelf, credentials: credentials, limits: SessionLimits(),
            revocations: revocations, logger: logger)
        let server = try await PeerServer.start(
            host: "127.0.0.1", port: port, identity: identity, limits: SessionLimits(), counters: counters,
            group: MultiThreadedEventLoopGroup.singleton, logger: logger
        ) { request, peer in
            if case .exchange(let bytes) = request {
                return .ok(await gossip.answerExchange(bytes, from: peer.id))
            }
            return await answers.answer(request, for: peer)
        }
        let secret = credentials.secret
        let inventory = PeerInventory(store: store, logger: logger) { add, remove in
            gossip.hold(
                add: add.map { InventoryID($0, secret) }, remove: remove.map { InventoryID($0, secret) })
        }
        await inventory.run()
        gossip.begin(with: connections)
        let result: Result
        do { result = try await body() } catch {
            await stop(server)
            throw error
        }
        await stop(server)
        withExtendedLifetime(inventory) {}
        return result
    }

    private func stop(_ server: PeerServer) async {
        await gossip.stop()
        await connections.stop()
        await server.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Waits until the member knows that `other` holds a blob.
    func waitUntilItKnows(_ digest: Digest, at other: NodeID) async throws {
        let id = InventoryID(blob: digest, secret: credentials.secret)
        try await waitUntil { await gossip.holders(of: id).contains(other) }
    }

    /// Waits until the member sees so many others alive.
    func waitUntilItSees(_ count: Int) async throws {
        try await waitUntil { gossip.members.count { $0.state == .alive } >= count }
    }

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
}

extension InventoryID {
    fileprivate init(_ item: PeerInventory.Item, _ secret: ClusterSecret) {
        switch item {
        case .blob(let digest): self.init(blob: digest, secret: secret)
        case .reference(let name): self.init(reference: name, secret: secret)
        }
    }
}
