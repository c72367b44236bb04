import Foundation

/// A node that mirrors the lab's registry through a relay, for as long as a test runs.
struct RegistrySite: Sendable {
    let lab: ContainerLab
    private(set) var upstream: Relay
    private(set) var node: Node

    /// Where the node's upstream listens.
    static let upstreamAddress = "127.0.0.1:5002"

    func stopUpstream() async throws { try await upstream.stop() }

    mutating func startUpstream() async throws { upstream = try await upstream.restarted() }

    mutating func restartNode() async throws {
        try await node.stop()
        node = try await node.restarted()
    }

    /// GET or HEAD of a path at the node.
    func fetch(
        _ path: String, method: String = "GET", headers: [String: String] = [:], seconds: Double = 60
    ) async throws -> HTTPAnswer {
        try await lab.fetch(node.url + path, method: method, headers: headers, seconds: seconds)
    }
}

/// What a `RegistrySite` is made of.
struct RegistrySitePlan: Sendable {
    /// More lines for the table of docker.io.
    var registry = ["fresh_for = \"0s\""]
    /// More lines for sections of the node's configuration.
    var settings: [String: [String]] = [:]
    var synthetic: [String: Int] = [:]

    fileprivate var node: Node.Plan {
        let table = ["name = \"docker.io\"", "url = [\"http://\(RegistrySite.upstreamAddress)\"]"]
        return Node.Plan(
            upstreams: "off", databases: [],
            settings: settings.merging(Node.Plan.quick) { $0 + $1 }, registries: [table + registry])
    }
}

/// Runs `body` with a node in the lab; whatever happens, node and relay have ended afterwards.
func withRegistrySite(
    _ plan: RegistrySitePlan = .init(), _ body: (inout RegistrySite) async throws -> Void
) async throws {
    guard let lab = ContainerLab.current else { throw TestFailure("this suite has no lab") }
    let relay = Relay.Plan(
        address: RegistrySite.upstreamAddress, target: ContainerLab.registry, synthetic: plan.synthetic)
    let upstream = try await Relay.start(relay, in: lab.network)
    let node = try await Node.start(
        plan.node, in: try lab.scratch.folder("node"), network: lab.network, port: ContainerLab.mirrorPort)
    try await lab.forgetFallbacks()
    var site = RegistrySite(lab: lab, upstream: upstream, node: node)
    var failure: (any Error)?
    do { try await body(&site) } catch {
        failure = TestFailure("\(error)\nthe node says: \(site.node.process.text.suffix(4000))")
    }
    try await site.node.stop()
    try await site.upstream.stop()
    if let failure { throw failure }
}
