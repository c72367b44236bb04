import ChunkStore
import ProxyFront
import Synchronization

/// Gathers the node's status from its parts.
final class NodeStatusSource: StatusSource {
    private let store: ChunkStore
    private let deliveries: [Delivery]
    private let pool: UpstreamPool
    private let upstreams: [Upstream]
    private let registries: RegistryClient
    private let registryUpstreams: [Upstream]
    private let images: HeldImagesMemory
    private let cluster: ClusterLink?
    private let output: LogOutput
    private let start = ContinuousClock.now
    private let counts = Mutex((evicted: 0, evictedBytes: Int64(0)))
    private let stopping = Mutex(false)

    /// - Parameter upstreams: everybody whom the node may ask for modules and their sums.
    init(
        store: ChunkStore, deliveries: [Delivery], pool: UpstreamPool, upstreams: [Upstream],
        registries: RegistryClient, registryUpstreams: [Upstream], cluster: ClusterLink? = nil,
        metrics: Metrics, output: LogOutput
    ) {
        self.cluster = cluster
        if let cluster {
            metrics.peers.set { cluster.peers }
            metrics.gossip.set { cluster.gossipCounts }
        }
        self.store = store
        self.deliveries = deliveries
        self.pool = pool
        self.upstreams = upstreams
        self.registries = registries
        self.registryUpstreams = registryUpstreams
        images = HeldImagesMemory(store)
        self.output = output
        let logger = output.logger("store")
        store.observe { [weak self] event in
            switch event {
            case .evicted(_, let size):
                self?.counts.withLock { $0 = ($0.evicted + 1, $0.evictedBytes + size) }
            case .damaged(let digest, let what):
                metrics.damaged.add()
                logger.critical("\(digest) is damaged: \(what)")
            case .folded: metrics.folded.add()
            case .alarm(let text): logger.critical("\(text)")
            case .published, .removed, .unfolded, .packRewritten, .named, .unnamed: break
            }
        }
    }

    /// From now on the node says that it is not ready, so that a load balancer turns elsewhere.
    func stop() { stopping.withLock { $0 = true } }

    func status() async -> NodeStatus {
        var status = NodeStatus(
            version: Version.text, uptimeSeconds: Int((ContinuousClock.now - start) / .seconds(1)))
        if stopping.withLock({ $0 }) { status.notReadyBecause = "the node is stopping" }
        status.store.capacity = store.configuration.capacity
        do {
            let totals = try await store.totals()
            status.store.bytes = totals.usedBytes
            status.store.objects = totals.objects
            status.store.references = totals.references
        } catch {
            status.notReadyBecause = status.notReadyBecause ?? "the store cannot be read: \(error)"
        }
        let (evicted, bytes) = counts.withLock { $0 }
        status.store.evictedObjects = evicted
        status.store.evictedBytes = bytes
        status.upstreams = upstreamStates
        do {
            status.registries = try await registryStates
        } catch {
            status.notReadyBecause = status.notReadyBecause ?? "the store cannot be read: \(error)"
        }
        status.inFlight = deliveries.flatMap(\.underWay)
        status.peers = cluster?.peers
        status.alarms = output.alarms
        return status
    }

    /// Those that modules come from, asked or not, and the registries' that were asked.
    private var upstreamStates: [NodeStatus.Upstream] {
        let health = pool.health
        let asked = registryUpstreams.filter { upstream in health.contains { $0.upstream == upstream.name } }
        var listed: Set<String> = []
        return (upstreams + asked).filter { listed.insert($0.name).inserted }.map { upstream in
            let known = health.first { $0.upstream == upstream.name }
            let isUp = known.map { $0.state == .up } ?? true
            // An error that is over is no news.
            let detail = known == nil ? "not asked yet" : isUp ? "" : known?.lastFailure ?? ""
            return NodeStatus.Upstream(
                name: upstream.name, url: "\(upstream.base)", isHealthy: isUp, detail: detail)
        }
    }

    /// Those of which something is held, and those that said something of a limit or are not asked.
    private var registryStates: [NodeStatus.Registry] {
        get async throws {
            var held = try await images.held()
            var states = registries.status.map { known in
                NodeStatus.Registry(
                    name: known.registry.text, isAsked: known.isAsked, rateLimit: known.limit,
                    rateLimitRemaining: known.remaining, resumesInSeconds: known.resumesIn,
                    held: held.removeValue(forKey: known.registry.text) ?? HeldImages())
            }.filter { $0.held != HeldImages() || $0.rateLimitRemaining != nil || !$0.isAsked }
            // Held still, although its registry was taken out of the configuration.
            states += held.map { NodeStatus.Registry(name: $0.key, isAsked: false, held: $0.value) }
            return states.sorted { $0.name < $1.name }
        }
    }
}
