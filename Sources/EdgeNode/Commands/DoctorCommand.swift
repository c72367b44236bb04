import ArgumentParser
import Foundation

package struct DoctorCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract:
            "Look for what is wrong: disk, key, clock, certificate, upstreams, the ways to other nodes.",
        discussion: """
            With a node running it tries UDP and TCP to every member and has each member try the way back, \
            with datagrams of the usual and of the largest size. Changes nothing. Exits with 1 when \
            something is marked PROBLEM.

            EXAMPLES
              edgenode doctor
              edgenode doctor --json
            """)

    @Flag(name: .long, help: "Print what was found as JSON.") package var json = false
    @Flag(name: .long, help: "Leave the upstreams alone.") package var offline = false
    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() async throws {
        let (configuration, file) = try options.load()
        var findings = [Finding.good("configuration", file ?? "none: these are the defaults")]
        let machine = MachineChecks(configuration: configuration)
        findings += machine.disk()
        let (key, keyFindings) = machine.key()
        findings += keyFindings
        findings += machine.clock()
        let cluster = ClusterChecks(configuration: configuration, key: key)
        findings += cluster.papers()
        findings += await node(configuration, machine, cluster)
        if !offline { findings += await UpstreamChecks.findings(configuration) }
        try show(findings)
    }

    /// The running node, or what its absence lets one look at.
    private func node(
        _ configuration: Configuration, _ machine: MachineChecks, _ cluster: ClusterChecks
    ) async -> [Finding] {
        do {
            guard let running = try RunFile.read(from: DataFolder(configuration.node.dataDirectory).runFile)
            else { return await absent(machine, cluster) }
            return try await present(NodeClient(running), running, cluster)
        } catch is NodeClient.Unreachable {
            return await absent(machine, cluster)
        } catch {
            return [.bad("node", "\(error)")]
        }
    }

    private func absent(_ machine: MachineChecks, _ cluster: ClusterChecks) async -> [Finding] {
        var findings = [Finding.warning("node", "none runs with this data folder", "edgenode run")]
        findings += await machine.addresses()
        if cluster.isInCluster { findings += await cluster.seeds(except: []) }
        return findings
    }

    private func present(
        _ client: NodeClient, _ running: RunFile, _ cluster: ClusterChecks
    ) async throws -> [Finding] {
        let status = try await client.status().report.node
        var findings: [Finding] = []
        if let reason = status.notReadyBecause {
            findings.append(.bad("node", "it runs, but is not ready: \(reason)"))
        } else {
            findings.append(.good("node", "version \(status.version) runs as process \(running.process)"))
        }
        if status.version != Version.text {
            findings.append(
                .warning(
                    "node", "it runs version \(status.version), this command is \(Version.text)",
                    "restart it"))
        }
        findings += status.alarms.map { .bad("alarm", $0, "see the node's log") }
        guard try await client.cluster() != nil else {
            if cluster.isInCluster {
                findings.append(.bad("cluster", "the node runs without it", "restart the node"))
            }
            return findings
        }
        let trials = try await client.trials()
        findings += ClusterChecks.findings(trials)
        findings += await cluster.seeds(except: Set(trials.map(\.address)))
        return findings
    }

    private func show(_ findings: [Finding]) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            Terminal.show(String(decoding: try encoder.encode(findings), as: UTF8.self))
        } else {
            for line in Finding.lines(findings) { Terminal.show(line) }
        }
        let count = findings.count { $0.verdict == .bad }
        guard count == 0 else {
            throw CommandFailure(.incomplete, "\(count) \(count == 1 ? "problem" : "problems") found")
        }
    }
}
