import Foundation
import Testing

/// The modules that the go command tests itself with: bad zips, bad names, +incompatible, retractions, toolchains.
@Suite("The go command's own test modules", .timeLimit(.minutes(5)))
struct CorpusTests {
    @Test(
        "pass through unchanged, status and error bodies included, and what was held stays when the upstream goes"
    )
    func passThrough() async throws {
        let paths = try Self.paths()
        try #require(paths.count > 900)
        try await withSite(.corpus) { site in
            let base = try site.upstream.proxy("corpus").url
            var original: [String: HTTPAnswer] = [:]
            for path in paths {
                let direct = try await fetch(base + path)
                original[path] = direct
                let through = try await fetch(site.node.url + path)
                #expect(through.status == direct.status, "\(path): \(through.text)")
                // One path of the corpus is invalid on purpose: the node says so itself and asks nobody.
                let same = through.body == direct.body || path.hasPrefix("/example.com/invalidpath/v1/")
                #expect(same, "\(path) came out changed: \(through.text.prefix(200))")
            }
            try await site.stopUpstream()
            for path in paths where original[path]?.status == 200 {
                let through = try await fetch(site.node.url + path)
                #expect(through.status == 200, "\(path) with the upstream gone: \(through.text)")
                let same = through.body == original[path]?.body
                #expect(same, "\(path) changed when the upstream went")
            }
        }
    }

    @Test(
        "serve the go command: retractions, capitals, +incompatible and commits",
        arguments: ["1.26.6", "1.27.3"])
    func client(release: String) async throws {
        try await withSite(.corpus) { site in
            for direct in [true, false] {
                let client =
                    try direct ? site.directClient(release, of: "corpus") : site.client(release)
                let listed = try await client.run([
                    "list", "-m", "-versions", "-retracted", "example.com/retract",
                ])
                #expect(listed.text.contains("v1.0.0-bad"), "\(listed.text)")
                let got = try await client.run([
                    "get", "rsc.io/QUOTE@v1.5.2", "rsc.io/breaker@v2.0.0+incompatible",
                ])
                #expect(got.succeeded, "\(got.text)")
                let commit = try await client.run(["list", "-m", "rsc.io/quote@23179ee8a569"])
                #expect(commit.text == "rsc.io/quote v1.5.1\n")  // that revision is tagged
                let bad = try await client.run(["mod", "download", "rsc.io/badzip@v1.0.0"])
                #expect(!bad.succeeded, "a bad zip is the client's to refuse")
            }
        }
    }

    /// Every file of every version, every list and @latest, and paths that no proxy can answer. The archives are named
    /// with the escaped path, slashes as underscores, and the escaped version.
    static func paths() throws -> [String] {
        var paths: [String] = []
        var modules: Set<String> = []
        for file in try FileManager.default.contentsOfDirectory(atPath: Project.corpus).sorted() {
            guard file.hasSuffix(".txt"), let cut = file.range(of: "_v", options: .backwards) else {
                continue
            }
            let module = file[..<cut.lowerBound].replacingOccurrences(of: "_", with: "/")
            let version = file[cut.lowerBound...].dropFirst().dropLast(".txt".count)
            modules.insert(module)
            paths += ["info", "mod", "zip"].map { "/\(module)/@v/\(version).\($0)" }
        }
        for module in modules.sorted() { paths += ["/\(module)/@v/list", "/\(module)/@latest"] }
        return paths + [
            "/rsc.io/quote/@v/v9.9.9.info", "/rsc.io/quote/@v/v9.9.9.mod", "/rsc.io/quote/@v/v9.9.9.zip",
            "/rsc.io/nothing/@v/list", "/rsc.io/nothing/@latest", "/rsc.io/quote/@v/nobranch.info",
            "/rsc.io/quote/@v/dd9747d19b04.info",
        ]
    }
}
