import ArgumentParser
import Foundation
import ProxyFront

package struct StatusCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how the running node is: what it holds, what it served, how its upstreams are.",
        discussion: """
            Exits with 69 when no node answers, with 1 when it answers but is not ready.

            EXAMPLES
              edgenode status
              edgenode status --json | jq .node.store
            """)

    @Flag(help: "Print the status API's answer as it is.")
    package var json = false
    @OptionGroup package var place: NodePlace
    package init() {}

    package func run() async throws {
        let (report, text) = try await place.client().status()
        if json {
            Terminal.show(text.trimmingCharacters(in: .newlines))
        } else {
            for line in StatusTable.lines(report) { Terminal.show(line) }
        }
        if let reason = report.node.notReadyBecause {
            throw CommandFailure(.incomplete, "the node is not ready: \(reason)")
        }
    }
}

/// Which running node a command asks.
package struct NodePlace: ParsableArguments {
    @Option(
        help: ArgumentHelp("Ask the node at this URL instead of the one on this machine.", valueName: "url"))
    package var url: String?
    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    func client() throws -> NodeClient {
        try url.map { NodeClient(base: $0.hasSuffix("/") ? String($0.dropLast()) : $0) }
            ?? NodeClient.front(of: try options.load().configuration)
    }
}
