import Foundation
import Testing

/// A node that mirrors the lab's registry through a relay, for as long as a test runs.
struct RegistrySite: Sendable {
    let lab: ContainerLab
    private(set) var upstream: Relay
    private(set) var node: Node
    /// What stands between clients and node, where the plan says so.
    let front: Relay?

    /// Where the node's upstream listens.
    static let upstreamAddress = "127.0.0.1:5002"

    func stopUpstream() async throws { try await upstream.stop() }

    mutating func startUpstream() async throws { upstream = try await upstream.restarted() }

    mutating func restartNode() async throws {
        try await node.stop()
        node = try await node.restarted()
    }

    /// A client that holds nothing pulls `image`; it must get it whole, and from the node alone.
    func pull(
        _ image: TestImage, with kind: ContainerClientKind, as name: String? = nil,
        architecture: String = "amd64", sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let client = try await lab.client(kind)
        let pull = try await client.pull(name ?? image.name, architecture: architecture)
        let isWhole = try await client.holds(image, architecture)
        let what = "\(kind) pulls \(name ?? image.name) for \(architecture)"
        #expect(pull.succeeded && isWhole, "\(what): \(pull.text)", sourceLocation: sourceLocation)
        let elsewhere = try await lab.fallbacks().map { "\($0.method) \($0.path)" }
        // The client's end of the story is in its daemon's log, the node's in its own.
        let story =
            elsewhere == []
            ? "" : "\(lab.daemonLog(of: kind).suffix(4000))\n\(node.process.text.suffix(4000))"
        #expect(elsewhere == [], "\(what): \(pull.text)\n\(story)", sourceLocation: sourceLocation)
        try await lab.forgetFallbacks()
    }

    /// Fetches the manifests of an image, after which its layers are served.
    func open(_ image: TestImage) async throws {
        let accept = [
            "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
            "application/vnd.docker.distribution.manifest.v2+json",
        ]
        for reference in [image.tag] + image.platforms.map(\.digest) {
            let answer = try await fetch(
                "/v2/\(image.repository)/manifests/\(reference)",
                headers: ["Accept": accept.joined(separator: ", ")])
            guard answer.status == 200 else {
                throw TestFailure("\(image.name): \(answer.status) \(answer.text)")
            }
        }
    }

    /// What the upstream was asked for, HEADs and pings apart.
    func fetched() async throws -> [String] {
        try await upstream.log().filter { $0.method != "HEAD" && $0.path != "/v2/" }.map {
            "\($0.method) \($0.path)\($0.range.isEmpty ? "" : " " + $0.range)"
        }
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
    /// The address of the object store behind the registry.
    var store = "127.0.0.2:0"
    /// Whether a relay counts what clients ask of the node.
    var hasFront = false

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
        address: RegistrySite.upstreamAddress, store: plan.store, target: ContainerLab.registry,
        synthetic: plan.synthetic)
    let upstream = try await Relay.start(relay, in: lab.network)
    let node = try await Node.start(
        plan.node, in: try lab.scratch.folder("node"), network: lab.network,
        port: plan.hasFront ? 5003 : ContainerLab.mirrorPort)
    var front: Relay?
    if plan.hasFront {
        front = try await Relay.start(.init(address: ContainerLab.mirror, target: node.url), in: lab.network)
    }
    try await lab.forgetFallbacks()
    var site = RegistrySite(lab: lab, upstream: upstream, node: node, front: front)
    var failure: (any Error)?
    do { try await body(&site) } catch {
        failure = TestFailure("\(error)\nthe node says: \(site.node.process.text.suffix(4000))")
    }
    try await front?.stop()
    try await site.node.stop()
    try await site.upstream.stop()
    if let failure { throw failure }
}
