import ChunkStore
import Logging
import ProxyFront

/// The parts of the registry mirror.
struct RegistryParts: Sendable {
    let client: RegistryClient
    let delivery: Delivery
    private let responder: RegistryResponder

    /// - Throws: `CommandFailure` naming the key whose files cannot be used.
    init(
        _ configuration: Configuration, secrets: NodeSecrets, gates: Gates, store: ChunkStore,
        pool: UpstreamPool, metrics: Metrics, audit: any AuditLog, peers: (any PeerReach)?, output: LogOutput
    ) throws(CommandFailure) {
        let upstreams = configuration.registryUpstreams(secrets.registries)
        let logger = output.logger("registry")
        let directory: RegistryDirectory
        do throws(RegistryDirectoryError) {
            directory = try RegistryDirectory(upstreams, defaultHost: configuration.registry.defaultHost)
        } catch {
            throw CommandFailure(.configuration, "registry: \(error)")
        }
        do throws(UpstreamClientError) {
            client = try RegistryClient(upstreams, pool: pool, metrics: metrics, logger: logger)
        } catch {
            throw CommandFailure(.configuration, "registry.upstream: \(error)")
        }
        var transfers = TransferPolicy()
        transfers.fillLimit = configuration.registry.fillLimit
        // Of its own for its limit; no name of an image is one of a module.
        delivery = Delivery(
            store: store, policy: transfers, metrics: metrics, audit: audit, peers: peers,
            logger: output.logger("delivery"))
        var settings = RegistryFrontSettings()
        settings.missFor = configuration.registry.missFor
        responder = RegistryResponder(
            directory: directory, source: client, delivery: delivery, access: gates.access,
            policy: gates.policy, proven: gates.proven, settings: settings, metrics: metrics, audit: audit,
            logger: logger)
        store.keepPinnedImagesWhole()
    }

    var routes: [Router.Route] {
        [
            Router.Route(.exact("/v2"), about: "container registry", responder),
            Router.Route(.prefix("/v2/"), about: "container registry", responder),
        ]
    }
}
