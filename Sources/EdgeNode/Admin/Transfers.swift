import ChunkStore
import Content
import Gossip
import Logging
import ProxyFront

/// Import and export over one store.
package struct Transfers: Sendable {
    let importer: Importer
    let exporter: Exporter
    let key: NodeKey

    /// - Parameters:
    ///   - sums: the databases over this store; of a running node those that it serves from, so that they learn what
    ///     an import brings.
    ///   - unverified: what waits for its database in a running node.
    init(
        _ configuration: Configuration, store: ChunkStore, sums: SumDatabases, unverified: UnverifiedContent?,
        key: NodeKey, audit: any AuditLog, logger: Logger
    ) {
        self.key = key
        exporter = Exporter(store: store, sums: sums, audit: audit)
        importer = Importer(
            store: store,
            modules: ModuleIntake(
                store: store, sums: sums, privateModules: configuration.go.private, unverified: unverified,
                audit: audit, logger: logger),
            sums: sums, trusted: [key.id] + configuration.import.trustedKeys, audit: audit)
    }

    /// Those of a store that no node has open: nobody is asked for anything.
    package static func alone(
        _ configuration: Configuration, store: ChunkStore, key: NodeKey, audit: any AuditLog, logger: Logger
    ) async throws -> Transfers {
        let metrics = Metrics()
        let sums = try await SumDatabases(
            try configuration.sumdbs.map { try $0.database },
            delivery: Delivery(store: store, metrics: metrics, audit: audit, logger: logger),
            pool: UpstreamPool(transport: NoTransport(), metrics: metrics, logger: logger), audit: audit,
            logger: logger)
        return Transfers(
            configuration, store: store, sums: sums, unverified: nil, key: key, audit: audit, logger: logger)
    }
}

/// The way to upstreams of a process that must not ask any.
private struct NoTransport: UpstreamTransport {
    func get(_ request: UpstreamRequest) async throws(UpstreamFailure) -> UpstreamAnswer {
        throw .unreachable(upstream: "\(request.url.origin)", reason: "commands on a stopped node ask nobody")
    }
}
