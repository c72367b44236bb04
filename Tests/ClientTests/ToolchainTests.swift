import Foundation
import Testing

/// A go command that fetches another release of itself; the checksum database is mandatory for that.
@Suite("Toolchain switching through a node", .timeLimit(.minutes(5)))
struct ToolchainTests {
    @Test("go 1.26.6 becomes 1.27.3 where a module wants it, also with the upstream gone")
    func switching() async throws {
        let plan = SitePlan(trees: ["modules": Project.tree("1.27.3"), "toolchain": Project.toolchainTree]) {
            let modules = try $0.proxy("modules")
            let toolchain = try $0.proxy("toolchain")
            return Node.Plan(
                upstreams: "\(modules.url),\(toolchain.url)",
                databases: [.init(toolchain, patterns: ["golang.org/toolchain"]), .init(modules)],
                settings: Node.Plan.quick)
        }
        try await withSite(plan) { site in
            try await switchRelease(site)
            try await site.stopUpstream()
            try await switchRelease(site)
            try await site.restartNode()
            try await switchRelease(site)
        }
    }

    private func switchRelease(_ site: Site) async throws {
        let client = try site.client("1.26.6")
        try client.write("go.mod", "module client.test/m\n\ngo 1.26.0\n\ntoolchain go1.27.3\n")
        let outcome = try await client.run(["version"], settings: ["GOTOOLCHAIN": "auto"])
        #expect(outcome.text.contains("go version go1.27.3 linux/amd64"), "\(outcome.text)")
    }
}
