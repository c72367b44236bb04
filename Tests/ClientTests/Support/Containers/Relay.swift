import Foundation

/// The faulty wire: passes requests on to a registry or a node, fails and asks for credentials on request, and keeps a
/// log; see Tests/Upstream/cmd/relay.
final class Relay: Sendable {
    struct Plan: Sendable {
        /// Where it listens; both addresses are on loopback.
        var address: String
        /// Where blobs are redirected to.
        var store = "127.0.0.2:0"
        /// The URL that requests are passed on to.
        var target: String
        /// PEM files of a certificate and its key, for one that speaks TLS.
        var certificate: (file: String, key: String)?
        /// Images synthetic/<name> of one layer of so many bytes.
        var synthetic: [String: Int] = [:]
    }

    /// One request as the relay saw it.
    struct Entry: Decodable, Sendable {
        var at: Double
        var took: Double
        var method: String
        var path: String
        var query: String
        var range: String
        var agent: String
        var authorization: String
        var status: Int
        var bytes: Int
    }

    /// What the relay asks of those who come; see Tests/Upstream/gate.
    struct Gate: Encodable, Sendable {
        var scheme: String
        var users: [String: String] = [:]
        var `private` = ""
        var seconds = 0
        var uses = 0
        var accessToken = false
        var limit = 0
        var retryAfter = 0
    }

    let plan: Plan
    /// Of the wire, and of the store behind it.
    let url: String
    let store: String
    private let network: LoopbackNamespace
    private let process: ChildProcess

    private init(
        _ plan: Plan, _ network: LoopbackNamespace, _ process: ChildProcess, _ places: [String: String]
    ) {
        (self.plan, self.network, self.process) = (plan, network, process)
        url = "http://" + places["address", default: ""]
        store = "http://" + places["store", default: ""]
    }

    static func start(_ plan: Plan, in network: LoopbackNamespace) async throws -> Relay {
        try await blocking {
            var words = ["-listen", plan.address, "-store", plan.store, "-target", plan.target]
            for (name, size) in plan.synthetic { words += ["-synthetic", "\(name)=\(size)"] }
            if let (file, key) = plan.certificate { words += ["-certificate", file, "-key", key] }
            let process = try network.start(Project.tool("relay"), words)
            // It reads its synthetic layers first.
            let line = try process.outputLine(0, seconds: 120)
            guard let places = try? JSONDecoder().decode([String: String].self, from: Data(line.utf8)) else {
                throw TestFailure("the relay does not start: \(line)\n\(process.text)")
            }
            return Relay(plan, network, process, places)
        }
    }

    func stop() async throws { _ = try await blocking { try self.process.terminate() } }

    /// The same relay again, on the same addresses, without rules.
    func restarted() async throws -> Relay { try await Self.start(plan, in: network) }

    private func control(_ name: String, _ method: String, _ body: [UInt8] = []) async throws -> HTTPAnswer {
        let answer = try await fetch(url + "/_control/" + name, method: method, body: body, in: network)
        guard answer.status < 300 else { throw TestFailure("the relay refused \(name): \(answer.text)") }
        return answer
    }

    func set(_ faults: [Upstream.Fault]) async throws {
        _ = try await control("faults", "PUT", Array(try JSONEncoder().encode(faults)))
    }

    func set(_ gate: Gate) async throws {
        _ = try await control("gate", "PUT", Array(try JSONEncoder().encode(gate)))
    }

    func set(target: String) async throws { _ = try await control("target", "PUT", Array(target.utf8)) }

    /// Lifts all faults and opens the gate.
    func behave() async throws {
        _ = try await control("faults", "DELETE")
        _ = try await control("gate", "DELETE")
    }

    /// The requests since the start or the last `forget()`.
    func log() async throws -> [Entry] {
        try JSONDecoder().decode([Entry].self, from: Data(try await control("log", "GET").body))
    }

    func forget() async throws {
        _ = try await control("log", "DELETE")
        _ = try await control("requests", "DELETE")
    }

    /// Counts by path since the start or the last `forget()`.
    func counts() async throws -> [String: Upstream.Count] {
        try JSONDecoder().decode(
            [String: Upstream.Count].self, from: Data(try await control("requests", "GET").body))
    }
}
