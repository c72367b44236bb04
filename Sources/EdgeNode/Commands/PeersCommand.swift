import ArgumentParser
import Foundation

package struct PeersCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "peers",
        abstract: "Who is in the cluster, how near, what each holds, and what moved between.",
        discussion: """
            EXAMPLES
              edgenode peers
              edgenode peers --json
            """)

    @Flag(name: .long, help: "Print the answer as JSON.") package var json = false
    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() async throws { try await Self.show(options, json: json) }

    static func show(_ options: ConfigurationOptions, json: Bool) async throws {
        let report = try await report(options)
        guard !json else {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return Terminal.show(String(decoding: try encoder.encode(report), as: UTF8.self))
        }
        for line in table(report) { Terminal.show(line) }
    }

    static func report(_ options: ConfigurationOptions) async throws -> ClusterLine {
        let configuration = try options.load().configuration
        let file = DataFolder(configuration.node.dataDirectory).runFile
        guard let running = try RunFile.read(from: file) else {
            throw CommandFailure(
                .unavailable, "no node runs with this data folder; start it with: edgenode run")
        }
        guard let report = try await NodeClient(running).cluster() else {
            throw CommandFailure(
                .unavailable,
                "this node is in no cluster; make one with `edgenode cluster init`, or join one with `edgenode join`"
            )
        }
        return report
    }

    static func table(_ report: ClusterLine) -> [String] {
        var rows = [["NODE", "ADDRESS", "ZONE", "STATE", "RTT", "HOLDS", "IN", "OUT", "ROLES"]]
        rows.append([
            short(report.node) + " *", report.address, report.zone, "this node", "", "\(report.holds)", "",
            "",
            report.roles.joined(separator: ","),
        ])
        for peer in report.peers {
            rows.append([
                short(peer.node), peer.address, peer.zone,
                peer.state + (peer.blamedFor == nil ? "" : " (blamed)"),
                peer.roundTrip.map { String(format: "%.1f ms", $0) } ?? "-", "\(peer.holds)",
                ByteSize.text(Int64(clamping: peer.bytesIn)), ByteSize.text(Int64(clamping: peer.bytesOut)),
                peer.roles.joined(separator: ","),
            ])
        }
        var lines = TextTable.lines(rows)
        for peer in report.peers {
            if let what = peer.blamedFor { lines.append("\(short(peer.node)) is to blame: \(what)") }
            if let days = peer.expiresInDays, days < 30 {
                lines.append("the certificate of \(short(peer.node)) ends in \(days) days; invite it again")
            }
        }
        for one in report.refused ?? [] { lines.append("\(short(one.node)) is refused: \(one.reason)") }
        return lines
    }

    private static func short(_ node: String) -> String {
        String(node.split(separator: ":").last?.prefix(12) ?? "")
    }
}
