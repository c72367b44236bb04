import ChunkStore
import Foundation
import Gossip
import Logging
import NIOPosix
import ProxyFront

/// The parts behind the fronts: store, upstreams, delivery and the endpoints over them.
struct NodeParts: Sendable {
    let store: ChunkStore
    let metrics: Metrics
    let audit: any AuditLog
    private let auditFile: FileAuditLog?
    private let client: HTTPUpstreamClient
    private let modules: GoModuleResponder
    private let registry: RegistryParts
    private let gates: Gates
    private let cluster: ClusterLink?
    private let deliveries: [Delivery]
    let status: NodeStatusSource
    private let showsMetrics: Bool
    private let configuration: Configuration
    private let sums: SumDatabases
    private let output: LogOutput

    /// - Parameter commandSecret: what the node's own commands prove themselves with.
    /// - Throws: `CommandFailure` with the remedy; nothing is left open then.
    static func open(
        _ configuration: Configuration, folder: DataFolder, secrets: NodeSecrets, commandSecret: String,
        cluster: ClusterLink? = nil, output: LogOutput
    ) async throws -> NodeParts {
        let gates = try Gates(
            configuration, secrets: secrets, commandSecret: commandSecret, output: output)
        do {
            return try await open(
                configuration, folder: folder, secrets: secrets, gates: gates, cluster: cluster,
                output: output)
        } catch {
            await gates.close()
            throw error
        }
    }

    private static func open(
        _ configuration: Configuration, folder: DataFolder, secrets: NodeSecrets, gates: Gates,
        cluster: ClusterLink?, output: LogOutput
    ) async throws -> NodeParts {
        let auditFile = try FileAuditLog.open(configuration, folder, logger: output.logger("audit"))
        let client: HTTPUpstreamClient
        do {
            client = try HTTPUpstreamClient(
                configuration.upstreamConfiguration(secrets), group: MultiThreadedEventLoopGroup.singleton,
                logger: output.logger("upstream"))
        } catch {
            auditFile?.close()
            throw CommandFailure(.configuration, "upstream.ca_files: \(error)")
        }
        let store: ChunkStore
        do {
            store = try await ChunkStore.open(
                configuration.storeConfiguration, logger: output.logger("store"))
        } catch {
            try? await client.shutdown()
            auditFile?.close()
            throw CommandFailure(.unavailable, "the store in \(folder.store) cannot be opened: \(error)")
        }
        do {
            return try await NodeParts(
                configuration, secrets: secrets, store: store, auditFile: auditFile, client: client,
                gates: gates, cluster: cluster, output: output)
        } catch {
            await store.close()
            try? await client.shutdown()
            auditFile?.close()
            if let failure = error as? CommandFailure { throw failure }
            throw CommandFailure(
                .inputOutput, "what is kept of the checksum databases cannot be read: \(error)")
        }
    }

    private init(
        _ configuration: Configuration, secrets: NodeSecrets, store: ChunkStore, auditFile: FileAuditLog?,
        client: HTTPUpstreamClient, gates: Gates, cluster: ClusterLink?, output: LogOutput
    ) async throws {
        let peers = cluster.map { NetworkReach($0.network, store: store) }
        let metrics = Metrics()
        let audit: any AuditLog = auditFile ?? NoAuditLog()
        let pool = UpstreamPool(transport: client, metrics: metrics, logger: output.logger("upstream"))
        var policy = TransferPolicy()
        policy.fillLimit = configuration.go.fillLimit
        let delivery = Delivery(
            store: store, policy: policy, metrics: metrics, audit: audit, peers: peers,
            logger: output.logger("delivery"))
        let databases = try configuration.sumdbs.map { try $0.database }
        let sums = try await SumDatabases(
            databases, delivery: delivery, pool: pool, missFor: configuration.go.missFor, audit: audit,
            logger: output.logger("sumdb"))
        modules = GoModuleResponder(
            configuration.goModuleConfiguration, delivery: delivery, pool: pool, sumAuthority: sums,
            sumDatabases: sums, access: gates.access, policy: gates.policy, metrics: metrics, audit: audit,
            logger: output.logger("go"))
        registry = try RegistryParts(
            configuration, secrets: secrets, gates: gates, store: store, pool: pool, metrics: metrics,
            audit: audit, peers: peers, output: output)
        status = NodeStatusSource(
            store: store, deliveries: [delivery, registry.delivery], pool: pool,
            upstreams: configuration.go.upstreams.upstreams + databases.map(\.upstream),
            registries: registry.client, registryUpstreams: configuration.registryEndpoints,
            cluster: cluster, metrics: metrics, output: output)
        showsMetrics = configuration.metrics.enabled
        self.configuration = configuration
        self.sums = sums
        self.output = output
        self.store = store
        self.metrics = metrics
        self.audit = audit
        self.auditFile = auditFile
        self.client = client
        self.gates = gates
        self.cluster = cluster
        deliveries = [delivery, registry.delivery]
    }

    /// Gives the cluster what this node has, and begins to speak with it.
    func joinCluster() async throws {
        guard let cluster else { return }
        let content = StoreContent(store: store, deliveries: deliveries, logger: output.logger("peers"))
        try await cluster.serve(
            content, inventory: cluster.inventory(of: store, logger: output.logger("peers")))
    }

    /// What every front serves.
    var routes: [Router.Route] {
        StatusResponders.routes(source: status, metrics: metrics, access: gates.access).filter {
            showsMetrics || $0.path != "/metrics"
        }
            + registry.routes + [
                Router.Route(.prefix("/sumdb/"), about: "checksum databases", modules),
                Router.Route(.prefix("/"), about: "Go module proxy", modules),
            ]
    }

    /// What only the node's own commands may ask for.
    func controlRoutes(token: String, key: NodeKey) -> [Router.Route] {
        let transfers = Transfers(
            configuration, store: store, sums: sums, unverified: modules.unverified, key: key, audit: audit,
            logger: output.logger("import"))
        return [
            Router.Route(
                .prefix(AdminProtocol.prefix), about: "administration",
                AdminResponder(
                    administration: LocalAdministration(store: store) { transfers }, token: token,
                    audit: audit, cluster: cluster))
        ]
    }

    /// Work that goes on beside the requests, until the task is cancelled.
    func maintain() async { await modules.maintain() }

    /// Closes everything, the store last but for the log of what was done to it.
    func close() async {
        await cluster?.stop()
        try? await client.shutdown()
        await gates.close()
        await store.close()
        auditFile?.close()
    }
}
