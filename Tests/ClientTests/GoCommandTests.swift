import Foundation
import Testing

/// Debian's old go and two current ones at their daily work.
@Suite("The go command through a node", .timeLimit(.minutes(15)))
struct GoCommandTests {
    @Test(
        "downloads, gets, lists and installs: online, with the upstream gone, and after a restart without it",
        arguments: GoClient.releases)
    func daily(release: String) async throws {
        try await withSite(.modules) { site in
            try await work(site, release)
            try await site.stopUpstream()
            try await work(site, release)
            try await site.restartNode()
            try await work(site, release)
        }
    }

    /// Everything with clients that have never fetched anything.
    private func work(_ site: Site, _ release: String) async throws {
        let program = try site.client(release, example: true)
        let downloaded = try await program.run(["mod", "download"])
        try #require(downloaded.succeeded, "\(downloaded.text)")
        #expect(try sameFiles(program.downloads, Project.tree("1.27.3")) >= 3 * 53)

        let module = try site.client(release)
        let got = try await module.run([
            "get", "github.com/BurntSushi/toml@v1.2.0", "github.com/Masterminds/semver/v3@latest",
            "github.com/gofrs/uuid@v4.3.1+incompatible",
        ])
        #expect(got.succeeded, "\(got.text)")
        let requirements = try module.read("go.mod")
        #expect(requirements.contains("github.com/BurntSushi/toml v1.2.0"))
        #expect(requirements.contains("github.com/Masterminds/semver/v3 v3.2.0"))
        #expect(requirements.contains("github.com/gofrs/uuid v4.3.1+incompatible"))

        let listed = try await module.run(["list", "-m", "-versions", "golang.org/x/sys"])
        #expect(listed.text == "golang.org/x/sys v0.3.0 v0.39.0 v0.45.0\n")

        let installed = try await module.run([
            "install", "google.golang.org/protobuf/cmd/protoc-gen-go@v1.28.1",
        ])
        #expect(installed.succeeded, "\(installed.text)")
        #expect(FileManager.default.isExecutableFile(atPath: module.binaries + "/protoc-gen-go"))
    }

    @Test("asks for what does not exist and is told so in the upstream's words")
    func absent() async throws {
        try await withSite(.modules) { site in
            let outcome = try await site.client("1.27.3").run(["get", "github.com/nobody/nothing@v1.0.0"])
            #expect(!outcome.succeeded)
            #expect(outcome.text.contains("404"))
            #expect(outcome.text.contains("not found: /github.com/nobody/nothing/@v/v1.0.0.info"))
        }
    }

    @Test("a warmed go.sum is enough to build with the upstream gone")
    func warm() async throws {
        try await withSite(.modules) { site in
            let before = try site.directClient("1.27.3", of: "modules", example: true)
            let prepared = try await before.run(["list", "-deps", "."])
            try #require(prepared.succeeded, "\(prepared.text)")
            let warmed = try await site.node.command(["warm", before.directory + "/go.sum"])
            try #require(warmed.code == 0, "\(warmed.text)")
            try await site.stopUpstream()

            let program = try site.client("1.27.3", example: true)
            let built = try await program.run(["build", "-o", "modules", "."], seconds: 600)
            try #require(built.succeeded, "\(built.text)")
            let directory = program.directory
            let says = try await blocking {
                let process = try ChildProcess(directory + "/modules", [])
                _ = try process.wait(seconds: 30)
                return process.text
            }
            #expect(says.contains("53 modules, all at work"))
        }
    }

    /// Compares every module file below `downloads` with the tree's and gives their number.
    private func sameFiles(_ downloads: String, _ tree: String) throws -> Int {
        let names = try FileManager.default.subpathsOfDirectory(atPath: downloads)
            .filter { $0.hasSuffix(".mod") || $0.hasSuffix(".zip") || $0.hasSuffix(".info") }
        for name in names {
            let bytes = FileManager.default.contents(atPath: "\(downloads)/\(name)")
            #expect(
                bytes == FileManager.default.contents(atPath: "\(tree)/\(name)"), "\(name) came out changed")
        }
        return names.count
    }
}
