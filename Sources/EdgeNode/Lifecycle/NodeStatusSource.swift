import ChunkStore
import ProxyFront
import Synchronization

/// Gathers the node's status from its parts.
final class NodeStatusSource: StatusSource {
    private let store: ChunkStore
    private let delivery: Delivery
    private let pool: UpstreamPool
    private let upstreams: [Upstream]
    private let output: LogOutput
    private let start = ContinuousClock.now
    private let counts = Mutex((evicted: 0, evictedBytes: Int64(0)))
    private let stopping = Mutex(false)

    /// - Parameter upstreams: everybody whom the node may ask, each once.
    init(
        store: ChunkStore, delivery: Delivery, pool: UpstreamPool, upstreams: [Upstream], metrics: Metrics,
        output: LogOutput
    ) {
        self.store = store
        self.delivery = delivery
        self.pool = pool
        self.upstreams = upstreams
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
            case .published, .removed, .unfolded, .packRewritten: break
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
        let health = pool.health
        status.upstreams = upstreams.map { upstream in
            let known = health.first { $0.upstream == upstream.name }
            return NodeStatus.Upstream(
                name: upstream.name, url: "\(upstream.base)",
                isHealthy: known.map { $0.state == .up } ?? true,
                detail: known?.lastFailure ?? (known == nil ? "not asked yet" : ""))
        }
        status.inFlight = delivery.underWay
        status.alarms = output.alarms
        return status
    }
}
