import ArgumentParser
import Foundation
import ProxyFront

package struct TopCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "top",
        abstract:
            "Watch the running node: what is served from where, what is fetched, what moves between nodes.",
        discussion: """
            Redraws itself until it is stopped (Ctrl-C). Where the output is no terminal, one report follows \
            the other.

            EXAMPLES
              edgenode top
              edgenode top --interval 10 --count 6 >report
            """)

    @Option(help: ArgumentHelp("Seconds between two looks.", valueName: "seconds"))
    package var interval = 2.0
    @Option(help: ArgumentHelp("End after so many looks.", valueName: "number"))
    package var count: Int?
    @OptionGroup package var place: NodePlace
    package init() {}

    package func validate() throws {
        guard interval >= 0.2, interval <= 3600 else {
            throw ValidationError("--interval takes 0.2 to 3600 seconds")
        }
        guard count ?? 1 > 0 else { throw ValidationError("--count takes 1 or more") }
    }

    package func run() async throws {
        let client = try place.client()
        let isTerminal = isatty(STDOUT_FILENO) == 1
        var last: (report: StatusReport, at: ContinuousClock.Instant)?
        var left = count ?? Int.max
        while true {
            let now = ContinuousClock.now
            let report = try await client.status().report
            let lines = TopTable.lines(
                report, before: last?.report, seconds: last.map { (now - $0.at) / .seconds(1) })
            // Home, each line with its rest cleared, then everything below.
            Terminal.show(
                isTerminal
                    ? "\u{1b}[H" + lines.map { $0 + "\u{1b}[K" }.joined(separator: "\n") + "\n\u{1b}[J"
                    : lines.joined(separator: "\n") + "\n")
            last = (report, now)
            left -= 1
            guard left > 0 else { return }
            try await Task.sleep(for: .seconds(interval))
        }
    }
}

/// Two looks at a node as a table of what moved between them.
package enum TopTable {
    /// - Parameters:
    ///   - before: the look before; nil = this is the first one, so there are no rates yet.
    ///   - seconds: between the two.
    package static func lines(_ report: StatusReport, before: StatusReport?, seconds: Double?) -> [String] {
        let (node, traffic) = (report.node, report.traffic)
        // A node that was started again counts from 0.
        let before = before.flatMap { $0.node.uptimeSeconds <= node.uptimeSeconds ? $0 : nil }
        func rate(_ now: Int, _ then: Int?) -> String {
            guard let then, let seconds, seconds > 0 else { return "-" }
            return ByteSize.rounded(Int64(Double(max(0, now - then)) / seconds)) + "/s"
        }
        var lines = [
            "edgenode \(node.version), up \(DurationText.text(.seconds(node.uptimeSeconds)))"
                + (node.notReadyBecause.map { ", NOT READY: \($0)" } ?? ""),
            "\(traffic.connections) connections, \(traffic.requestsInFlight) requests, hit rate "
                + (traffic.hitRate.map { "\(($0 * 1000).rounded() / 10) %" } ?? "-")
                + ", saved \(ByteSize.rounded(Int64(traffic.bytesSaved)))",
            "store \(ByteSize.rounded(node.store.bytes))"
                + (node.store.capacity > 0 ? " of \(ByteSize.rounded(node.store.capacity))" : "")
                + ", \(node.store.objects) objects, \(node.store.references) names", "",
        ]
        var rows = [["FROM", "ANSWERS", "ANSWERS/S", "BYTES", "BYTES/S"]]
        for share in traffic.bySource {
            let then = before?.traffic.bySource.first { $0.source == share.source }
            let answers = then.flatMap { then in
                seconds.map { String(format: "%.1f", Double(max(0, share.answers - then.answers)) / $0) }
            }
            rows.append([
                share.source, "\(share.answers)", answers ?? "-", ByteSize.rounded(Int64(share.bytes)),
                rate(share.bytes, then?.bytes),
            ])
        }
        lines += TextTable.lines(rows)
        if let peers = node.peers {
            rows = [["MEMBER", "ADDRESS", "ZONE", "STATE", "RTT", "IN", "IN/S", "OUT", "OUT/S"]]
            for peer in peers {
                let then = before?.node.peers?.first { $0.node == peer.node }
                rows.append([
                    String(peer.node.split(separator: ":").last?.prefix(12) ?? ""), peer.address, peer.zone,
                    peer.state, peer.roundTripMilliseconds.map { String(format: "%.1f ms", $0) } ?? "-",
                    ByteSize.rounded(Int64(clamping: peer.receivedBytes)),
                    rate(Int(clamping: peer.receivedBytes), then.map { Int(clamping: $0.receivedBytes) }),
                    ByteSize.rounded(Int64(clamping: peer.sentBytes)),
                    rate(Int(clamping: peer.sentBytes), then.map { Int(clamping: $0.sentBytes) }),
                ])
            }
            lines += [""] + TextTable.lines(rows)
        }
        if !node.inFlight.isEmpty {
            rows = [["FETCHING", "HAS", "OF", "RATE", "READERS"]]
            for flight in node.inFlight {
                let then = before?.node.inFlight.first { $0.name == flight.name }
                rows.append([
                    flight.name, ByteSize.rounded(flight.receivedBytes),
                    flight.totalBytes.map(ByteSize.rounded) ?? "?",
                    rate(Int(flight.receivedBytes), then.map { Int($0.receivedBytes) }), "\(flight.readers)",
                ])
            }
            lines += [""] + TextTable.lines(rows)
        }
        let down = node.upstreams.filter { !$0.isHealthy }
        if !down.isEmpty { lines += [""] + down.map { "upstream DOWN  \($0.url) \($0.detail)" } }
        if !node.alarms.isEmpty { lines += [""] + node.alarms.map { "ALARM  \($0)" } }
        return lines
    }
}
