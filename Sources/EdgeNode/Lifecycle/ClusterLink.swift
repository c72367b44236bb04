import ChunkStore
import Content
import Foundation
import Gossip
import Logging
import NIOCore
import NIOPosix
import PeerExchange
import ProxyFront

/// This node's part in its cluster: gossip, the way to other nodes, and what it gives them. In two steps, because what
/// it gives comes out of parts that ask it.
package final class ClusterLink: Sendable {
    let files: ClusterFolder
    let gossip: GossipService
    let network: PeerNetwork
    let trials: PeerTrials
    private let connections: PeerConnections
    private let shelf: PieceShelf
    private let identity: SessionIdentity
    private let limits: SessionLimits
    private let revocations: RevocationAge
    private let settings: ClusterSettings
    private let host: String
    private let logger: Logger
    private let credentials: ClusterCredentials
    private let running: Running

    /// What the second step begins.
    private actor Running {
        var server: PeerServer?
        /// Follows the store for as long as it is held.
        private var inventory: PeerInventory?
        private var walk: Task<Void, Never>?

        func begin(_ server: PeerServer, _ inventory: PeerInventory) {
            (self.server, self.inventory) = (server, inventory)
            walk = Task { await inventory.run() }
        }

        func end() async {
            walk?.cancel()
            inventory = nil
            await server?.stop()
        }
    }

    private init(
        gossip: GossipService, network: PeerNetwork, connections: PeerConnections, shelf: PieceShelf,
        identity: SessionIdentity, limits: SessionLimits, revocations: RevocationAge,
        settings: ClusterSettings, host: String, credentials: ClusterCredentials, files: ClusterFolder,
        logger: Logger
    ) {
        self.files = files
        (self.gossip, self.network, self.connections, self.shelf) = (gossip, network, connections, shelf)
        (self.identity, self.limits, self.settings, self.host) = (identity, limits, settings, host)
        (self.credentials, self.revocations, self.logger) = (credentials, revocations, logger)
        running = Running()
        trials = PeerTrials(gossip: gossip, connections: connections)
    }

    /// Binds the UDP socket; nil when this node is in no cluster.
    /// - Throws: `CommandFailure` naming what is wrong and what to do.
    static func bind(
        _ configuration: Configuration, folder: DataFolder, key: NodeKey, output: LogOutput
    ) async throws -> ClusterLink? {
        let settings = configuration.cluster
        let files = ClusterFolder(folder)
        guard files.isJoined || !settings.members.isEmpty else { return nil }
        let (credentials, seeds) = try credentials(settings, files, key: key)
        try files.create()
        let logger = output.logger("cluster")
        let host = settings.listen.host == "localhost" ? "127.0.0.1" : settings.listen.host
        guard let own = advertised(settings, host: host) else {
            throw CommandFailure(
                .configuration,
                "cluster.advertise: no address of this machine is known; give the one that others reach, such as \"192.0.2.10:4891\""
            )
        }
        var gossipSettings = GossipConfiguration(
            endpoints: [own], seeds: await resolved(seeds, logger: logger), zoneOrder: settings.zoneOrder,
            software: "edgenode \(Version.text)")
        gossipSettings.seeds.removeAll { $0.endpoint == own }
        let group = MultiThreadedEventLoopGroup.singleton
        let gossip: GossipService
        do {
            gossip = try await GossipService.bind(
                gossipSettings, credentials: credentials,
                trust: Trust(
                    anchor: credentials.anchor, cluster: credentials.cluster,
                    strictExpiry: settings.strictExpiry),
                host: host, port: settings.listen.port, stateFile: files.state, group: group, logger: logger)
        } catch {
            throw CommandFailure(
                .unavailable,
                "cluster.listen: UDP \(settings.listen) cannot be used: \(error); is another node running?")
        }
        if let list = try files.readRevocations() { gossip.take(list) }
        var limits = SessionLimits()
        limits.uploadRate = settings.uploadRate
        limits.streamsAtOnce = settings.uploadStreams
        let counters = ExchangeCounters()
        let identity = SessionIdentity(
            credentials: credentials, card: { gossip.card }, admit: { await gossip.admit($0) })
        let connections = PeerConnections(
            identity: identity, limits: limits, counters: counters, group: group, logger: logger
        ) { node in gossip.members.first { $0.node == node && $0.state != .left }?.endpoint }
        // Whoever is no member any more is cut off at once.
        gossip.observe { event in
            switch event {
            case .refused(let node, _): connections.drop(node)
            // Some may be connected that gossip does not know: whoever still is a member dials again.
            case .revoked: connections.dropAll()
            default: break
            }
        }
        let shelf = PieceShelf(credentials: credentials)
        let oldest = settings.revocationMaxAge
        let revocations = RevocationAge(
            limit: oldest > .zero ? oldest : nil, age: { gossip.revocationAge }, logger: logger)
        let network = PeerNetwork(
            gossip: gossip, caller: connections, shelf: shelf, counters: counters, revocations: revocations,
            logger: logger)
        logger.notice(
            "in a cluster",
            metadata: [
                "cluster": "\(credentials.cluster)", "zone": "\(credentials.zone)",
                "roles": "\(credentials.roles)",
                "address": "\(own)",
            ])
        return ClusterLink(
            gossip: gossip, network: network, connections: connections, shelf: shelf, identity: identity,
            limits: limits, revocations: revocations, settings: settings, host: host,
            credentials: credentials, files: files, logger: logger)
    }

    /// Begins to speak, and to give what `content` has.
    func serve(_ content: any LocalContent, inventory: PeerInventory) async throws {
        let answers = ContentServer(
            content: content, shelf: shelf, credentials: credentials, limits: limits,
            revocations: revocations, logger: logger)
        let (gossip, trials) = (gossip, trials)
        let server: PeerServer
        do {
            server = try await PeerServer.start(
                host: host, port: settings.listen.port, identity: identity, limits: limits,
                counters: network.counters, group: MultiThreadedEventLoopGroup.singleton, logger: logger
            ) { request, peer in
                switch request {
                case .exchange(let bytes): .ok(await gossip.answerExchange(bytes, from: peer.id))
                case .trial: await trials.answer(peer.id)
                default: await answers.answer(request, for: peer)
                }
            }
        } catch {
            throw CommandFailure(
                .unavailable,
                "cluster.listen: TCP \(settings.listen) cannot be used: \(error); is another node running?")
        }
        gossip.observe { event in
            switch event {
            case .refused(let node, _): server.drop(node)
            case .revoked: server.dropAll()
            default: break
            }
        }
        await running.begin(server, inventory)
        gossip.begin(with: connections)
    }

    /// The ids under which others look for what this node holds.
    func inventory(of store: ChunkStore, logger: Logger) -> PeerInventory {
        let (gossip, secret) = (gossip, credentials.secret)
        @Sendable func id(_ item: PeerInventory.Item) -> InventoryID {
            switch item {
            case .blob(let digest): InventoryID(blob: digest, secret: secret)
            case .reference(let name): InventoryID(reference: name, secret: secret)
            }
        }
        return PeerInventory(store: store, logger: logger) { add, remove in
            gossip.hold(add: add.map(id), remove: remove.map(id))
        }
    }

    /// Says goodbye and lets everything go.
    func stop() async {
        await gossip.stop()
        await running.end()
        await connections.stop()
    }

    // MARK: who and where

    private static func credentials(
        _ settings: ClusterSettings, _ files: ClusterFolder, key: NodeKey
    ) throws(CommandFailure) -> (ClusterCredentials, [(address: String, node: NodeID?)]) {
        let configured = settings.seeds.map { (address: "\($0)", node: NodeID?.none) }
        do {
            guard settings.members.isEmpty else {
                let secret = try ClusterFolder.readSecret(settings.secretFile ?? "")
                let credentials = try ClusterCredentials(key: key, secret: secret, members: settings.members)
                let listed = settings.members.compactMap { member -> (address: String, node: NodeID?)? in
                    guard member.key != key.id, let address = member.address else { return nil }
                    return (address, member.key)
                }
                return (credentials, listed + configured)
            }
            let membership = try ClusterMembership.read(files.membership)
            let credentials = try ClusterCredentials(
                key: key, secret: try files.readSecret(), root: membership.root,
                certificate: membership.certificate)
            return (credentials, membership.seeds.map { ($0.address, $0.node) } + configured)
        } catch let failure as CommandFailure {
            throw failure
        } catch let refusal as TrustRefusal {
            throw CommandFailure(.configuration, "this node cannot take part in its cluster: \(refusal)")
        } catch {
            throw CommandFailure(.software, "\(error)")
        }
    }

    /// Where others reach this node.
    static func advertised(_ settings: ClusterSettings, host: String) -> Endpoint? {
        let port = UInt16(settings.listen.port)
        if let given = settings.advertise {
            return Endpoint(host: given.host, port: UInt16(given.port))
        }
        if let fixed = Endpoint(host: host, port: port), !["0.0.0.0", "::"].contains(host) { return fixed }
        // Of all interfaces' addresses the first that is no loopback; IPv4 before IPv6.
        let addresses = ((try? System.enumerateDevices()) ?? []).compactMap { $0.address?.ipAddress }
            .filter { !$0.hasPrefix("127.") && $0 != "::1" && !$0.hasPrefix("fe80") && !$0.contains("%") }
        let best = addresses.first { !$0.contains(":") } ?? addresses.first ?? "127.0.0.1"
        return Endpoint(host: best, port: port)
    }

    /// Names are looked up once, at the start; what cannot be resolved is logged and left out.
    private static func resolved(
        _ seeds: [(address: String, node: NodeID?)], logger: Logger
    ) async -> [GossipConfiguration.Seed] {
        var found: [GossipConfiguration.Seed] = []
        for seed in seeds {
            if let endpoint = Endpoint(parsing: seed.address) {
                found.append(.init(endpoint: endpoint, node: seed.node))
                continue
            }
            guard let address = try? ListenAddress(parsing: seed.address) else { continue }
            let resolved = try? await NIOThreadPool.singleton.runIfActive {
                try SocketAddress.makeAddressResolvingHost(address.host, port: address.port)
            }
            if let host = resolved?.ipAddress, let endpoint = Endpoint(host: host, port: UInt16(address.port))
            {
                found.append(.init(endpoint: endpoint, node: seed.node))
            } else {
                logger.warning("the seed \(seed.address) has no address; it is left out until the next start")
            }
        }
        return found
    }
}
