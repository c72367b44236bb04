/// What a person wants to know of a registry.
public struct RegistryStatus: Sendable, Equatable {
    public let registry: RegistryHost
    /// Whether anything is sent at present.
    public let isAsked: Bool
    /// What the registry said last of its limit to whom the node is; nil when it said nothing.
    public let limit: Int?
    public let remaining: Int?
    /// Seconds until manifests are fetched again after a 429; nil when they are fetched.
    public let resumesIn: Int?
}

extension RegistryClient {
    /// Every configured registry, by name.
    public var status: [RegistryStatus] {
        connections.values.sorted { $0.upstream.host.text < $1.upstream.host.text }.map { $0.status }
    }
}

extension RegistryConnection {
    /// False while every endpoint rests, or the registry has answered a HEAD with 429: those cost nothing, so
    /// nothing else will be answered either.
    var isAsked: Bool {
        endpoints.contains { pool.isAsked($0.upstream) } && limits.left(.head, .nobody) == nil
    }

    var status: RegistryStatus {
        let known = limits.latest
        return RegistryStatus(
            registry: upstream.host, isAsked: isAsked, limit: known?.limit, remaining: known?.remaining,
            resumesIn: limits.left(.manifest, .nobody).map { Int($0.components.seconds) + 1 })
    }
}
