import Foundation
import Testing

/// Real answers of the public checksum database, under its real key.
@Suite("The real checksum database through a node", .timeLimit(.minutes(5)))
struct ChecksumDatabaseTests {
    static let name = "sum.golang.org"
    static let key = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"

    @Test("verifies, and serves fresh reference clients when the database is gone and the node has restarted")
    func reference() async throws {
        let lookups = try Self.lookups()
        try #require(lookups.count == 54)
        try await withRealDatabase { site in
            #expect(try await verified(lookups.map(\.module), site) == Set(lookups.map(\.line)))
            try await site.stopUpstream()
            #expect(try await verified(lookups.map(\.module).reversed(), site) == Set(lookups.map(\.line)))
            try await site.restartNode()
            #expect(try await verified(lookups.map(\.module), site) == Set(lookups.map(\.line)))
        }
    }

    @Test("convinces the go command of a go.mod's sum, also offline", arguments: GoClient.releases)
    func goCommand(release: String) async throws {
        try await withRealDatabase { site in
            for online in [true, false] {
                if !online { try await site.stopUpstream() }
                let client = try GoClient(
                    release, proxy: site.node.url, database: Self.name, scratch: site.scratch)
                try client.write(
                    "go.mod",
                    "module client.test/m\n\ngo 1.19\n\nrequire github.com/jtolds/gls v4.20.0+incompatible\n")
                let outcome = try await client.run(["list", "-m", "all"])
                #expect(outcome.succeeded, "\(outcome.text)")
                #expect(try client.read("go.sum").contains("h1:QJZ7F/aHp+rZTRtaJ1ow/lLfFfVYBRgL+9YlvaHOwJU="))
            }
        }
    }

    @Test("a lie about a go.mod is refused, and the go command gets an error instead of the lie")
    func lie() async throws {
        try await withRealDatabase(mod: "module github.com/jtolds/gls\n\ngo 1.1\n") { site in
            let answer = try await fetch(site.node.url + "/github.com/jtolds/gls/@v/v4.20.0+incompatible.mod")
            #expect(answer.status >= 400)
            #expect(answer.text.contains("github.com/jtolds/gls"))
        }
    }

    /// A node with the real key, whose database is the recorded one, and an upstream with one module that it knows:
    /// its go.mod is the one that every proxy makes up for a module that has none.
    private func withRealDatabase(
        mod: String = "module github.com/jtolds/gls\n", _ body: (inout Site) async throws -> Void
    ) async throws {
        let modules = try Scratch()
        let versions = modules.path + "/github.com/jtolds/gls/@v"
        try FileManager.default.createDirectory(atPath: versions, withIntermediateDirectories: true)
        let base = versions + "/v4.20.0+incompatible"
        try mod.write(toFile: base + ".mod", atomically: true, encoding: .utf8)
        try #"{"Version":"v4.20.0+incompatible"}"#.write(
            toFile: base + ".info", atomically: true, encoding: .utf8)
        let plan = SitePlan(trees: ["modules": modules.path], statics: ["recorded": Project.checksumData]) {
            let recorded = ($0.statics["recorded"] ?? "") + "/\(Self.name)"
            return Node.Plan(
                upstreams: try $0.proxy("modules").url,
                databases: [.init(name: Self.name, key: Self.key, url: recorded)], settings: Node.Plan.quick)
        }
        try await withSite(plan, body)
        withExtendedLifetime(modules) {}
    }

    /// What the reference client believes after asking the node.
    private func verified(_ modules: [String], _ site: Site) async throws -> Set<String> {
        let url = "\(site.node.url)/sumdb/\(Self.name)"
        let list = try site.scratch.folder("list") + "/modules"
        try modules.map { $0 + "\n" }.joined().write(toFile: list, atomically: true, encoding: .utf8)
        return try await blocking {
            let process = try ChildProcess(
                Project.tool("sumcheck"), ["-url", url, "-key", Self.key, "-list", list])
            let code = try process.wait(seconds: 120)
            guard code == 0 else { throw TestFailure("sumcheck: \(process.text)") }
            return Set(process.text.split(separator: "\n").map(String.init))
        }
    }

    /// The recorded lookups: the module version asked for, and the go.sum line of its zip.
    static func lookups() throws -> [(module: String, line: String)] {
        let folder = "\(Project.checksumData)/\(name)/lookup"
        return try FileManager.default.subpathsOfDirectory(atPath: folder).sorted().compactMap { path in
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(path)") else { return nil }
            let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
            let words = lines[1].split(separator: " ")
            return ("\(words[0])@\(words[1])", String(lines[1]))
        }
    }
}
