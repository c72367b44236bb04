import Foundation

/// The stand-in upstream: module proxies with checksum databases and static files, with faults on request.
final class Upstream: Sendable {
    /// What to serve; `state` keeps the databases' keys and logs over a restart.
    struct Plan: Sendable {
        var state: String
        var trees: [String: String] = [:]
        var statics: [String: String] = [:]
        var corpus: String?
        /// Made-up versions that each database begins with: more than 256 give full tiles.
        var padding = 600
        var port: UInt16 = 0
    }

    struct Proxy: Decodable, Sendable {
        var url: String
        var databaseName: String
        var databaseKey: String
        var databaseURL: String
    }

    /// How often a path was asked for.
    struct Count: Decodable, Sendable, Equatable {
        var requests: Int
        var gets: Int
        var heads: Int
        var ranges: Int
        var open: Int
        var mostOpen: Int
        var bytes: Int
    }

    /// What goes wrong for the requests whose whole path matches a regular expression; see Tests/Upstream/faults.
    struct Fault: Encodable, Sendable {
        var path: String
        var action: String
        var method = ""
        var at = 0
        var status = 0
        var body = ""
        var headers: [String: String] = [:]
        var location = ""
        var bytesPerSecond = 0
        var times = 0
    }

    private struct Description: Decodable {
        var url: String
        var proxies: [String: Proxy]
        var statics: [String: String]
    }

    let plan: Plan
    let url: String
    let proxies: [String: Proxy]
    let statics: [String: String]
    private let process: ChildProcess

    private init(_ plan: Plan, _ process: ChildProcess, _ description: Description) {
        self.plan = plan
        self.process = process
        url = description.url
        proxies = description.proxies
        statics = description.statics
    }

    static func start(_ plan: Plan) async throws -> Upstream {
        try await blocking {
            var arguments = ["-state", plan.state, "-padding", String(plan.padding)]
            arguments += ["-listen", "127.0.0.1:\(plan.port)"]
            for (name, folder) in plan.trees { arguments += ["-tree", "\(name)=\(folder)"] }
            for (name, folder) in plan.statics { arguments += ["-static", "\(name)=\(folder)"] }
            if let corpus = plan.corpus { arguments += ["-corpus", corpus] }
            let process = try ChildProcess(Project.tool("upstream"), arguments)
            let line = try process.outputLine(0)
            guard let description = try? JSONDecoder().decode(Description.self, from: Data(line.utf8)) else {
                throw TestFailure("the upstream does not start: \(line)\n\(process.text)")
            }
            return Upstream(plan, process, description)
        }
    }

    func proxy(_ name: String) throws -> Proxy {
        guard let proxy = proxies[name] else { throw TestFailure("the upstream has no proxy \(name)") }
        return proxy
    }

    func stop() async throws { _ = try await blocking { try self.process.terminate() } }

    /// The same upstream again, on the same port, with the same keys and logs.
    func restarted() async throws -> Upstream {
        var plan = plan
        plan.port = UInt16(url.split(separator: ":").last ?? "") ?? 0
        return try await Self.start(plan)
    }

    func set(_ faults: [Fault]) async throws {
        let body = Array(try JSONEncoder().encode(faults))
        let answer = try await fetch(url + "/_control/faults", method: "PUT", body: body)
        guard answer.status == 204 else { throw TestFailure("faults refused: \(answer.text)") }
    }

    func liftFaults() async throws { _ = try await fetch(url + "/_control/faults", method: "DELETE") }

    /// Counts by decoded path since the start or the last `forgetCounts()`.
    func counts() async throws -> [String: Count] {
        let answer = try await fetch(url + "/_control/requests")
        return try JSONDecoder().decode([String: Count].self, from: Data(answer.body))
    }

    func forgetCounts() async throws { _ = try await fetch(url + "/_control/requests", method: "DELETE") }
}

/// `HTTPAnswer.get` off the test runner's pool.
func fetch(
    _ url: String, method: String = "GET", body: [UInt8] = [], headers: [String: String] = [:],
    seconds: Double = 60, in network: LoopbackNamespace? = nil
) async throws -> HTTPAnswer {
    try await blocking(in: network) {
        try HTTPAnswer.get(url, method: method, body: body, headers: headers, seconds: seconds)
    }
}
