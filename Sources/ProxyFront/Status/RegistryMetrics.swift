import Synchronization

/// What one registry permits.
public final class RegistryMetrics: Sendable {
    /// Requests that a registry lets through in each window; 0 while it has not said.
    public let limit = Gauge(
        "edgenode_registry_ratelimit_limit", "Requests that the registry permits in each window, as it says.")
    public let remaining = Gauge(
        "edgenode_registry_ratelimit_remaining", "Requests left in the window, as the registry said last.")
    public let limited = Counter(
        "edgenode_registry_limited_total", "Requests that the registry answered with 429.")
    private let isTold = Atomic<Bool>(false)

    init() {}

    /// Whether the registry has said anything of a limit.
    var tells: Bool { isTold.load(ordering: .relaxed) }

    func note(_ told: UpstreamRateLimit) {
        if let limit = told.limit { self.limit.set(limit) }
        if let remaining = told.remaining { self.remaining.set(remaining) }
        isTold.store(true, ordering: .relaxed)
    }
}

/// The metrics of each configured registry.
public final class RegistryMetricsFamily: Metric {
    private let members = Mutex<[String: RegistryMetrics]>([:])

    public init() {}

    /// For configured registries only: every name makes series of its own.
    public subscript(registry: RegistryHost) -> RegistryMetrics {
        members.withLock { members in
            if let known = members[registry.text] { return known }
            let new = RegistryMetrics()
            members[registry.text] = new
            return new
        }
    }

    public func render(into text: inout String) {
        let members = members.withLock { $0 }.sorted { $0.key < $1.key }
        let telling = members.filter(\.value.tells)
        func label(_ name: String) -> String { "registry=\"\(MetricText.escaped(name))\"" }
        for gauge in [\RegistryMetrics.limit, \RegistryMetrics.remaining] {
            guard let first = telling.first?.value[keyPath: gauge] else { continue }
            MetricText.head(first.name, first.help, kind: "gauge", into: &text)
            for (name, metrics) in telling {
                text += "\(first.name){\(label(name))} \(metrics[keyPath: gauge].value)\n"
            }
        }
        guard let first = members.first?.value.limited else { return }
        MetricText.head(first.name, first.help, kind: "counter", into: &text)
        for (name, metrics) in members {
            text += "\(first.name){\(label(name))} \(metrics.limited.value)\n"
        }
    }
}
