import Foundation
import Testing

/// From a node with an upstream to one that has none, by files alone.
@Suite("Modules carried to a site without a network", .timeLimit(.minutes(10)))
struct OfflineTests {
    @Test("build a program there, their sums checked; a second bundle carries only what is new")
    func bundles() async throws {
        try await withSite(.modules) { site in
            let near = try site.client("1.27.3", example: true)
            let loaded = try await near.run(["list", "-deps", "."])
            try #require(loaded.succeeded, "\(loaded.text)")
            let sums = near.directory + "/go.sum"
            // Of some modules only the go.mod was asked for; a go.sum says of which.
            let warmed = try await site.node.command(["warm", sums])
            try #require(warmed.code == 0, "\(warmed.text)")
            let folder = try site.scratch.folder("carried")

            // Beside the running node, and the same once more without it.
            let exported = try await site.node.command(["export", "-o", folder + "/one", "--go-sum", sums])
            try #require(exported.code == 0, "\(exported.text)")
            let key = try await site.node.command(["key"])
            let signer = key.text.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["one"])

            var far = try await farNode(site)
            let refused = try await far.command(["import", folder + "/one"])
            #expect(refused.code != 0 && refused.text.contains(signer), "\(refused.text)")
            let imported = try await far.command(["import", "--trust", signer, folder + "/one"])
            try #require(imported.code == 0, "\(imported.text)")
            try await build(["list", "-deps", "."], from: far, site)
            // What came in while the node ran is there after a restart, and after one more import without the node.
            try await far.stop()
            let again = try await far.command(["import", "--trust", signer, folder + "/one"])
            #expect(again.code == 0 && again.text.contains(" 0 objects came in"), "\(again.text)")
            far = try await far.restarted()
            try await build(["list", "-deps", "."], from: far, site)

            let inventory = try await far.command(["inventory", "-o", folder + "/inventory"])
            try #require(inventory.code == 0, "\(inventory.text)")
            let module = "golang.org/x/sys@v0.45.0"
            let fetched = try await site.node.command(["warm", module])
            try #require(fetched.code == 0, "\(fetched.text)")
            try await site.stopUpstream()
            let more = try await site.node.command([
                "export", "-o", folder + "/two", "--go-sum", sums, "--inventory", folder + "/inventory",
                module,
            ])
            try #require(more.code == 0 && more.text.contains("left out"), "\(more.text)")
            #expect(try size(folder + "/two") < size(folder + "/one") / 2)
            let second = try await far.command(["import", "--trust", signer, folder + "/two"])
            try #require(second.code == 0, "\(second.text)")
            let client = try GoClient(
                "1.27.3", proxy: far.url, database: site.database, scratch: site.scratch)
            let got = try await client.run(["mod", "download", module])
            #expect(got.succeeded, "\(got.text)")
            try await far.stop()
        }
    }

    @Test("come out of a go command's own cache as well, proof and all", arguments: GoClient.releases)
    func moduleCache(release: String) async throws {
        try await withSite(.modules) { site in
            let client = try site.client(release, example: true)
            let downloaded = try await client.run(["mod", "download"])
            try #require(downloaded.succeeded, "\(downloaded.text)")
            let far = try await farNode(site)
            let imported = try await far.command(["import", client.downloads])
            try #require(imported.code == 0, "\(imported.text)")
            #expect(!imported.text.contains("pinned"), "\(imported.text)")
            try await build(["mod", "download"], from: far, site)
            try await far.stop()
        }
    }

    /// A node that asks nobody, with the key of the upstream's checksum database.
    private func farNode(_ site: Site) async throws -> Node {
        let known = site.node.plan.databases[0]
        let database = Node.Database(name: known.name, key: known.key, url: "http://127.0.0.1:9")
        return try await Node.start(
            .init(upstreams: "off", databases: [database]), in: try site.scratch.folder("far"))
    }

    /// Has a client that knows nothing fetch the example's modules, their sums checked against the database.
    private func build(_ words: [String], from node: Node, _ site: Site) async throws {
        let client = try GoClient(
            "1.27.3", proxy: node.url, database: site.database, scratch: site.scratch, example: true)
        let outcome = try await client.run(words)
        try #require(outcome.succeeded, "\(outcome.text)")
    }

    private func size(_ path: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    }
}
