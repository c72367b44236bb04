import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A node under test: the real binary, with a data folder that outlives its restarts.
final class Node: Sendable {
    /// What the node is told.
    struct Plan: Sendable {
        /// As GOPROXY: URLs joined by `,` or `|`.
        var upstreams: String
        var databases: [Database]
        /// More lines for sections, by the section's name.
        var settings: [String: [String]] = [:]
        /// Registries, each as the lines of its table.
        var registries: [[String]] = []
    }

    struct Database: Sendable {
        var name: String
        var key: String
        var url: String
        var patterns = ["*"]

        init(_ proxy: Upstream.Proxy, patterns: [String] = ["*"]) {
            self.init(
                name: proxy.databaseName, key: proxy.databaseKey, url: proxy.databaseURL, patterns: patterns)
        }

        init(name: String, key: String, url: String, patterns: [String] = ["*"]) {
            (self.name, self.key, self.url, self.patterns) = (name, key, url, patterns)
        }
    }

    let plan: Plan
    let folder: String
    /// The network that the node lives in; nil = that of the tests themselves.
    let network: LoopbackNamespace?
    let port: UInt16
    let process: ChildProcess
    var url: String { "http://127.0.0.1:\(port)" }

    private init(
        _ plan: Plan, _ folder: String, _ network: LoopbackNamespace?, _ port: UInt16, _ process: ChildProcess
    ) {
        (self.plan, self.folder, self.network, self.port, self.process) = (
            plan, folder, network, port, process
        )
    }

    /// Starts a node whose data stand in `folder` and waits until it answers.
    static func start(
        _ plan: Plan, in folder: String, network: LoopbackNamespace? = nil, port wanted: UInt16? = nil
    ) async throws -> Node {
        try await blocking(in: network) {
            let port = try wanted ?? freePort()
            let file = folder + "/cluster.toml"
            try plan.document(dataFolder: folder + "/data", port: port)
                .write(toFile: file, atomically: true, encoding: .utf8)
            let words = [Project.node, "run", "--config", file]
            let inside = network?.entering(words) ?? words
            let process = try ChildProcess(
                inside[0], Array(inside.dropFirst()),
                environment: ["HOME": folder, "PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"])
            let node = Node(plan, folder, network, port, process)
            try node.waitUntilAnswering()
            return node
        }
    }

    private func waitUntilAnswering() throws {
        let deadline = Date(timeIntervalSinceNow: 30)
        while true {
            if (try? HTTPAnswer.get(url + "/healthz", seconds: 5))?.status == 200 { return }
            guard process.isRunning, Date() < deadline else {
                throw TestFailure("the node does not answer (\(process.ending)): \(process.text)")
            }
            usleep(20_000)  // the only sign of readiness is an answer
        }
    }

    /// Ends the node as a service manager does.
    @discardableResult
    func stop() async throws -> Int32 { try await blocking { try self.process.terminate() } }

    /// Ends the node as a power cut does to its process.
    func killAtOnce() async throws {
        try await blocking {
            try self.process.signal(SIGKILL)
            _ = try self.process.wait(seconds: 20)
        }
    }

    /// A new process on the same data.
    func restarted() async throws -> Node {
        try await Self.start(plan, in: folder, network: network, port: network == nil ? nil : port)
    }

    /// Runs another command of the same binary with the same configuration.
    func command(_ words: [String], seconds: Double = 120) async throws -> (code: Int32, text: String) {
        try await blocking { [folder] in
            let process = try ChildProcess(
                Project.node, words + ["--config", folder + "/cluster.toml"],
                environment: ["HOME": folder, "PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"])
            return (try process.wait(seconds: seconds), process.text)
        }
    }
}

extension Node.Plan {
    /// The configuration file.
    func document(dataFolder: String, port: UInt16) -> String {
        var sections: [String: [String]] = settings
        sections["node", default: []] += ["data_dir = \"\(dataFolder)\"", "listen = [\"127.0.0.1:\(port)\"]"]
        sections["go", default: []] += ["upstreams = \"\(upstreams)\""]
        var text = ""
        for (name, lines) in sections.sorted(by: { $0.key < $1.key }) {
            text += "[\(name)]\n" + lines.map { $0 + "\n" }.joined() + "\n"
        }
        for database in databases {
            text += """
                [[sumdb]]
                name = "\(database.name)"
                key = "\(database.key)"
                url = "\(database.url)"
                patterns = [\(database.patterns.map { "\"\($0)\"" }.joined(separator: ", "))]


                """
        }
        for lines in registries {
            text += "[[registry.upstream]]\n" + lines.map { $0 + "\n" }.joined() + "\n"
        }
        return text
    }
}
