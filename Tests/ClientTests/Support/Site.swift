import Foundation

/// An upstream and a node in front of it, each of which can come and go.
///
/// `withSite` keeps both alive while a test runs and ends them afterwards, whatever happened.
struct Site: Sendable {
    let scratch: Scratch
    private(set) var upstream: Upstream
    private(set) var node: Node
    /// GOSUMDB for clients of the node.
    let database: String

    /// A client with empty caches that fetches through the node.
    func client(_ release: String, example: Bool = false) throws -> GoClient {
        try GoClient(release, proxy: node.url, database: database, scratch: scratch, example: example)
    }

    /// A client with empty caches that fetches from one of the upstream's proxies.
    func directClient(_ release: String, of proxy: String, example: Bool = false) throws -> GoClient {
        let proxy = try upstream.proxy(proxy)
        return try GoClient(
            release, proxy: proxy.url, database: proxy.databaseKey, scratch: scratch, example: example)
    }

    func stopUpstream() async throws { try await upstream.stop() }

    mutating func startUpstream() async throws { upstream = try await upstream.restarted() }

    /// A service manager's restart.
    mutating func restartNode() async throws {
        try await node.stop()
        node = try await node.restarted()
    }

    /// A power cut and what follows it.
    mutating func killAndRestartNode() async throws {
        try await node.killAtOnce()
        node = try await node.restarted()
    }
}

/// What stands behind and in a site.
struct SitePlan: Sendable {
    /// Module trees of the upstream by name.
    var trees: [String: String] = [:]
    /// Recorded checksum databases of the upstream by name.
    var statics: [String: String] = [:]
    /// Where the go command's own test modules are, if the upstream serves them.
    var corpus: String?
    /// The node's configuration; clients use its first database.
    var node: @Sendable (Upstream) throws -> Node.Plan = { try .init(upstream: $0, proxy: "modules") }

    /// Real modules at one upstream.
    static let modules = SitePlan(trees: ["modules": Project.tree("1.27.3")])
    /// The go command's own test modules.
    static let corpus = SitePlan(corpus: Project.corpus) { try .init(upstream: $0, proxy: "corpus") }
}

/// Runs `body` with an upstream and a node in front of it.
func withSite(_ plan: SitePlan, _ body: (inout Site) async throws -> Void) async throws {
    let scratch = try Scratch()
    let upstream = try await Upstream.start(
        .init(
            state: try scratch.folder("state"), trees: plan.trees, statics: plan.statics, corpus: plan.corpus)
    )
    let nodePlan = try plan.node(upstream)
    let node = try await Node.start(nodePlan, in: try scratch.folder("node"))
    var site = Site(scratch: scratch, upstream: upstream, node: node, database: nodePlan.databases[0].key)
    do {
        try await body(&site)
    } catch {
        throw TestFailure("\(error)\nthe node says: \(site.node.process.text.suffix(4000))")
    }
}

extension Node.Plan {
    /// A node with one upstream and its database, and time-outs short enough for tests.
    init(upstream: Upstream, proxy name: String) throws {
        let proxy = try upstream.proxy(name)
        self.init(upstreams: proxy.url, databases: [.init(proxy)], settings: Self.quick)
    }

    static let quick = [
        "upstream": ["connect_timeout = \"2s\"", "first_byte_timeout = \"2s\"", "stall_timeout = \"3s\""]
    ]
}
