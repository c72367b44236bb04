/// The status report as one self-contained HTML page: no script, nothing loaded from elsewhere.
struct StatusPage {
    private let report: StatusReport

    init(_ report: StatusReport) { self.report = report }

    var html: String {
        let node = report.node
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>edgenode</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="refresh" content="10">
            <style>\(Self.style)</style></head><body>
            <h1>edgenode <small>\(Self.escaped(node.version)), up \(Self.duration(node.uptimeSeconds))</small></h1>
            \(readiness)
            \(alarms)
            <h2>Served</h2>
            \(served)
            <h2>Store</h2>
            \(store)
            <h2>Upstreams</h2>
            \(upstreams)
            \(peers)
            <h2>Images</h2>
            \(images)
            <h2>Being fetched</h2>
            \(inFlight)
            <p class="foot"><a href="/api/v1/status">JSON</a> <a href="/metrics">metrics</a></p>
            </body></html>

            """
    }

    private var readiness: String {
        guard let reason = report.node.notReadyBecause else { return "<p class=\"good\">Ready.</p>" }
        return "<p class=\"bad\">Not ready: \(Self.escaped(reason))</p>"
    }

    private var alarms: String {
        report.node.alarms.map { "<p class=\"bad\">\(Self.escaped($0))</p>" }.joined(separator: "\n")
    }

    private var served: String {
        let traffic = report.traffic
        let rows = traffic.bySource.map {
            [$0.source.replacing("_", with: " "), String($0.answers), Self.bytes(Int64($0.bytes))]
        }
        let rate = traffic.hitRate.map { "\(Int(($0 * 100).rounded())) %" } ?? "no answer yet"
        return Self.table(["from", "answers", "bytes"], rows)
            + """
            <p>Answered without upstream: \(rate). Bytes saved: \(Self.bytes(Int64(traffic.bytesSaved))).
            Unverified answers: \(traffic.unverified). Connections: \(traffic.connections), requests being
            answered: \(traffic.requestsInFlight).</p>
            """
    }

    private var store: String {
        let store = report.node.store
        let limit = store.capacity == 0 ? "no limit" : "of \(Self.bytes(store.capacity))"
        return """
            <p>\(Self.bytes(store.bytes)) (\(limit)), \(store.objects) objects, \(store.references) names,
            \(store.evictedObjects) objects evicted (\(Self.bytes(store.evictedBytes))).</p>
            """
    }

    private var upstreams: String {
        guard !report.node.upstreams.isEmpty else { return "<p>None configured.</p>" }
        return Self.table(
            ["name", "address", "state", ""],
            report.node.upstreams.map { [$0.name, $0.url, $0.isHealthy ? "up" : "down", $0.detail] })
    }

    /// Nothing for a node that is alone.
    private var peers: String {
        guard let peers = report.node.peers else { return "" }
        let rows = peers.map { peer in
            [
                peer.node, peer.zone, peer.state, peer.address,
                peer.roundTripMilliseconds.map { "\(($0 * 10).rounded() / 10) ms" } ?? "",
                String(peer.objects), Self.bytes(Int64(clamping: peer.receivedBytes)),
                Self.bytes(Int64(clamping: peer.sentBytes)),
                peer.lies == 0 ? "" : "lied \(peer.lies) times: \(peer.lastLie ?? "")",
            ]
        }
        let heads = ["node", "zone", "state", "address", "round trip", "objects", "received", "sent", ""]
        return "<h2>Peers</h2>\n" + (rows.isEmpty ? "<p>None yet.</p>" : Self.table(heads, rows))
    }

    private var images: String {
        guard !report.node.registries.isEmpty else { return "<p>None.</p>" }
        return Self.table(
            ["registry", "repositories", "tags", "bytes", "state"],
            report.node.registries.map {
                [
                    $0.name, String($0.held.repositories), String($0.held.tags), Self.bytes($0.held.bytes),
                    $0.words,
                ]
            })
    }

    private var inFlight: String {
        guard !report.node.inFlight.isEmpty else { return "<p>Nothing.</p>" }
        return Self.table(
            ["object", "received", "of", "readers"],
            report.node.inFlight.map {
                [
                    $0.name, Self.bytes($0.receivedBytes), $0.totalBytes.map(Self.bytes) ?? "unknown",
                    String($0.readers),
                ]
            })
    }

    private static func table(_ heads: [String], _ rows: [[String]]) -> String {
        let head = heads.map { "<th>\(escaped($0))</th>" }.joined()
        let body = rows.map { row in "<tr>\(row.map { "<td>\(escaped($0))</td>" }.joined())</tr>" }
        return "<table><tr>\(head)</tr>\n\(body.joined(separator: "\n"))</table>\n"
    }

    /// Text that cannot become markup.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.append(character)
            }
        }
        return escaped
    }

    /// With a unit that leaves one to four digits before the point.
    static func bytes(_ count: Int64) -> String {
        var value = Double(count)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1024 {
                return unit == "B" ? "\(count) B" : "\((value * 10).rounded() / 10) \(unit)"
            }
            value /= 1024
        }
        return "\((value * 10).rounded() / 10) TiB"
    }

    static func duration(_ seconds: Int) -> String {
        switch seconds {
        case ..<60: "\(seconds) s"
        case ..<3600: "\(seconds / 60) min"
        case ..<86_400: "\(seconds / 3600) h \(seconds / 60 % 60) min"
        default: "\(seconds / 86_400) d \(seconds / 3600 % 24) h"
        }
    }

    private static let style = """
        body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
        h1{font-size:1.4rem}h2{font-size:1.05rem;margin:1.5rem 0 .3rem}small{color:#777;font-weight:normal}
        table{border-collapse:collapse}td,th{padding:.15rem 1rem .15rem 0;text-align:left}
        th{font-weight:normal;color:#777}.good{color:#176b2c}.bad{color:#a01515}.foot{margin-top:2rem}
        @media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}a{color:#8ab4f8}}
        """
}
