/// Every metric of the node. To add one, add a property: all of them are rendered, in this order.
public final class Metrics: Sendable {
    public let uptime = Gauge("edgenode_uptime_seconds", "Since the process started.")
    public let ready = Gauge("edgenode_ready", "1 while the node can serve, 0 while it cannot.")

    // Front
    public let connections = Gauge("edgenode_http_connections", "Open client connections.")
    public let accepted = Counter("edgenode_http_connections_total", "Client connections accepted.")
    public let turnedAway = Counter(
        "edgenode_http_connections_refused_total", "Client connections turned away, the limit being reached.")
    public let requestsInFlight = Gauge("edgenode_http_requests_in_flight", "Requests being answered.")
    public let responses = LabelledCounter<StatusClass>(
        "edgenode_http_responses_total", "Answers, by class of status.", label: "class")
    public let rejected = LabelledCounter<RejectReason>(
        "edgenode_http_rejected_total", "Requests that no responder saw, by reason.", label: "reason")
    public let aborted = Counter(
        "edgenode_http_aborted_total", "Answers whose client went away before their end.")
    public let truncated = Counter(
        "edgenode_http_truncated_total", "Answers cut short because their body could not be completed.")

    public let coldReads = Counter(
        "edgenode_http_cold_reads_total", "File windows that were not in memory when they were to be sent.")

    // Content
    public let hits = LabelledCounter<Response.Source>(
        "edgenode_served_total", "Content answers, by where the bytes came from.", label: "source")
    public let bytes = LabelledCounter<Response.Source>(
        "edgenode_served_bytes_total", "Content body bytes sent, by where they came from.", label: "source")
    public let inFlight = Gauge("edgenode_ingests_in_flight", "Objects being fetched.")
    public let unverified = Counter(
        "edgenode_unverified_total", "Objects answered before a checksum database could vouch for them.")
    public let stale = Counter("edgenode_stale_total", "Answers past their freshness, upstream being down.")
    public let earlyRanges = Counter(
        "edgenode_early_ranges_total", "Ranges answered before the whole object was proven.")
    public let mismatches = Counter(
        "edgenode_mismatches_total", "Objects dropped because their bytes were not what their name says.")

    // Upstreams
    public let upstreams = UpstreamMetricsFamily()
    public let registries = RegistryMetricsFamily()

    public let peers = PeerMetricsFamily()
    public let gossip = GossipMetricsFamily()

    // Store
    public let storeBytes = Gauge("edgenode_store_bytes", "Bytes the store takes on disk.")
    public let storeCapacity = Gauge("edgenode_store_capacity_bytes", "Bytes it may take; 0 for no limit.")
    public let storeObjects = Gauge("edgenode_store_objects", "Objects in the store.")
    public let imageRepositories = Gauge(
        "edgenode_image_repositories", "Repositories of which a tag or a digest is held.")
    public let imageTags = Gauge("edgenode_image_tags", "Tags of images held.")
    public let imageBytes = Gauge(
        "edgenode_image_bytes", "Bytes of manifests and blobs of images held, before folding.")
    public let damaged = Counter(
        "edgenode_store_damaged_total", "Objects dropped because the disk gave back other bytes.")
    public let folded = Counter("edgenode_store_folded_total", "Objects kept as recipes instead of whole.")
    public let evictions = Counter("edgenode_evictions_total", "Objects evicted.")
    public let evictedBytes = Counter("edgenode_evicted_bytes_total", "Bytes freed by eviction.")

    public init() {}

    /// All metrics in the Prometheus text format, version 0.0.4.
    public func render() -> String {
        var text = ""
        text.reserveCapacity(16 << 10)
        for child in Mirror(reflecting: self).children {
            (child.value as? any Metric)?.render(into: &text)
        }
        return text
    }
}

/// The first digit of a status code.
public enum StatusClass: Int, MetricLabel {
    case success, redirect, clientError, serverError

    init(code: Int) {
        switch code {
        case ..<300: self = .success
        case ..<400: self = .redirect
        case ..<500: self = .clientError
        default: self = .serverError
        }
    }

    public var label: String {
        switch self {
        case .success: "2xx"
        case .redirect: "3xx"
        case .clientError: "4xx"
        case .serverError: "5xx"
        }
    }
}

/// Why the server itself refused a request.
public enum RejectReason: Int, MetricLabel {
    /// Not HTTP/1.x, or not as RFC 9112 demands.
    case malformed
    /// A limit on target, headers or body.
    case tooLarge
    /// The head or body did not come in time.
    case timeout
    /// `CONNECT` or an absolute target: this is no forward proxy.
    case proxying
    /// A method, coding or expectation that the server does not know.
    case unsupported
}
