import ProxyFront

/// A status report as a table for people.
enum StatusTable {
    static func lines(_ report: StatusReport) -> [String] {
        let node = report.node
        var rows: [(String, String)] = [
            ("node", "edgenode \(node.version), up \(uptime(node.uptimeSeconds))"),
            ("ready", node.notReadyBecause.map { "no: \($0)" } ?? "yes"),
            (
                "store",
                "\(ByteSize.rounded(node.store.bytes))"
                    + (node.store.capacity > 0 ? " of \(ByteSize.rounded(node.store.capacity))" : "")
                    + ", \(node.store.objects) objects, \(node.store.references) names"
            ),
            ("evicted", "\(node.store.evictedObjects) objects, \(ByteSize.rounded(node.store.evictedBytes))"),
            (
                "hit rate",
                report.traffic.hitRate.map { "\(($0 * 1000).rounded() / 10) %" } ?? "nothing served yet"
            ),
            ("saved", ByteSize.rounded(Int64(report.traffic.bytesSaved))),
            (
                "clients",
                "\(report.traffic.connections) connections, \(report.traffic.requestsInFlight) requests in flight"
            ),
        ]
        for share in report.traffic.bySource where share.answers > 0 {
            rows.append(
                ("from \(share.source)", "\(share.answers) answers, \(ByteSize.rounded(Int64(share.bytes)))"))
        }
        if report.traffic.unverified > 0 {
            rows.append(
                ("unverified", "\(report.traffic.unverified) answers before a checksum database could vouch"))
        }
        for upstream in node.upstreams {
            let detail = upstream.detail.isEmpty ? "" : ", \(upstream.detail)"
            rows.append(("upstream", "\(upstream.url) \(upstream.isHealthy ? "up" : "DOWN")\(detail)"))
        }
        for registry in node.registries {
            let held = registry.held
            rows.append(
                (
                    "images",
                    "\(registry.name): \(held.repositories) repositories, \(held.tags) tags,"
                        + " \(ByteSize.rounded(held.bytes)); \(registry.words)"
                ))
        }
        for flight in node.inFlight {
            let total = flight.totalBytes.map { " of \(ByteSize.rounded($0))" } ?? ""
            rows.append(
                (
                    "fetching",
                    "\(flight.name): \(ByteSize.rounded(flight.receivedBytes))\(total), \(flight.readers) readers"
                ))
        }
        for alarm in node.alarms { rows.append(("ALARM", alarm)) }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { $0.0 + String(repeating: " ", count: width - $0.0.count + 2) + $0.1 }
    }

    private static func uptime(_ seconds: Int) -> String {
        // Three days and a half need no seconds.
        let unit = seconds >= 86_400 ? 3600 : seconds >= 3600 ? 60 : 1
        return DurationText.text(.seconds(seconds / unit * unit))
    }
}
