import Synchronization

/// What went wrong when asking an upstream.
public enum UpstreamError: Int, MetricLabel {
    /// No connection: refused, unreachable, name not found, TLS failed.
    case connect
    /// Nothing came within the time-out.
    case timeout
    /// The connection broke in the middle of an answer.
    case cut
    /// The answer's status was 5xx.
    case status
    /// The bytes did not match their digest or checksum.
    case mismatch
    /// Not asked, because its circuit breaker is open.
    case refused
}

/// Requests, latency and errors of one upstream.
public final class UpstreamMetrics: Sendable {
    public let requests = Counter("edgenode_upstream_requests_total", "Requests sent, by upstream.")
    public let bytes = Counter("edgenode_upstream_bytes_total", "Body bytes received, by upstream.")
    public let latency = Histogram(
        "edgenode_upstream_first_byte_seconds", "Time from request to the answer's head, by upstream.")
    public let errors = LabelledCounter<UpstreamError>(
        "edgenode_upstream_errors_total", "Failed requests, by upstream and kind.", label: "kind")
    /// 1 while its circuit breaker lets requests through.
    public let healthy = Gauge(
        "edgenode_upstream_healthy", "1 while requests are let through to the upstream, 0 while not.")

    init() { healthy.set(1) }
}

/// The metrics of each upstream by its configured name. Names are bounded: the first 63 get series of their
/// own, all others share one named `other`.
public final class UpstreamMetricsFamily: Metric {
    static let maximumNames = 64
    static let otherName = "other"

    private let members = Mutex<[String: UpstreamMetrics]>([:])

    public init() {}

    /// The metrics of an upstream; ask once and keep them.
    public subscript(name: String) -> UpstreamMetrics {
        members.withLock { members in
            if let known = members[name] { return known }
            let key = members.count < Self.maximumNames - 1 ? name : Self.otherName
            if let other = members[key] { return other }
            let new = UpstreamMetrics()
            members[key] = new
            return new
        }
    }

    public func render(into text: inout String) {
        let members = members.withLock { $0 }.sorted { $0.key < $1.key }
        guard !members.isEmpty else { return }
        func series(
            _ name: String, _ help: String, _ kind: String, _ line: (String, UpstreamMetrics) -> String
        ) {
            MetricText.head(name, help, kind: kind, into: &text)
            for (upstream, metrics) in members {
                text += line("upstream=\"\(MetricText.escaped(upstream))\"", metrics)
            }
        }
        func scalar(_ metric: KeyPath<UpstreamMetrics, Counter>) {
            guard let first = members.first?.value[keyPath: metric] else { return }
            series(first.name, first.help, "counter") {
                "\(first.name){\($0)} \($1[keyPath: metric].value)\n"
            }
        }
        scalar(\.requests)
        scalar(\.bytes)
        if let gauge = members.first?.value.healthy {
            series(gauge.name, gauge.help, "gauge") { "\(gauge.name){\($0)} \($1.healthy.value)\n" }
        }
        if let errors = members.first?.value.errors {
            series(errors.name, errors.help, "counter") { upstream, metrics in
                UpstreamError.allCases.map {
                    "\(errors.name){\(upstream),kind=\"\($0.label)\"} \(metrics.errors.value($0))\n"
                }.joined()
            }
        }
        if let latency = members.first?.value.latency {
            series(latency.name, latency.help, "histogram") { upstream, metrics in
                var lines = ""
                metrics.latency.renderSeries(labels: upstream, into: &lines)
                return lines
            }
        }
    }
}
