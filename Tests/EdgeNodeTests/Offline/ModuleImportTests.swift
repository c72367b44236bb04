import Content
import EdgeNode
import Foundation
import ProxyFront
import Testing

@Suite("Modules from trees and module caches", .timeLimit(.minutes(5)))
struct ModuleImportTests {
    private func tree(_ files: [String: [UInt8]], in node: OfflineNode, _ name: String = "tree") throws
        -> String
    {
        let path = node.folder.path + "/" + name
        try TestImage.write(files, below: path)
        return path
    }

    static let bases = ["", "cache/download/", "pkg/mod/cache/download/"]

    @Test(
        "come in from a proxy's files, a module cache and an archive of either", arguments: bases,
        [false, true])
    func trees(base: String, isTar: Bool) async throws {
        let modules = [TestModule("example.com/m", "v1.0.0"), TestModule("example.com/m/v2", "v2.1.0-rc.1")]
        var files = modules.reduce(into: [String: [UInt8]]()) { $0.merge($1.tree) { $1 } }
        // What else lies about in a module cache.
        files["example.com/m/@v/list"] = Array("v1.0.0\n".utf8)
        files["example.com/m/@v/v1.0.0.lock"] = []
        files["example.com/m/@v/v1.0.0.ziphash"] = Array(modules[0].h1.utf8)
        files["example.com/m/@v/master.info"] = Array(#"{"Version":"v1.0.0"}"#.utf8)
        files = Dictionary(uniqueKeysWithValues: files.map { (base + $0.key, $0.value) })
        let node = try await OfflineNode("sumdb = []")
        let path = try isTar ? node.write(TestImage.tar(files), to: "t.tar") : tree(files, in: node)
        let summary = try await node.take(path)
        #expect(summary.refused == [])
        #expect(summary.stored == 6 && summary.pinnedCount == 4)
        for module in modules {
            let zip = try #require(try await node.reference("go/\(module.name).zip"))
            #expect(zip.h1 == module.h1 && zip.verified == .pinnedAtFirstSight && zip.access == .private)
            #expect(zip.contentType == "application/zip")
            #expect(try await node.bytes(zip.digest) == module.zip)
            #expect(try await node.reference("go/\(module.name).mod") != nil)
            #expect(try await node.reference("go/\(module.name).info") != nil)
        }
        let again = try await node.take(path)
        #expect(again.stored == 0 && again.held == 6 && again.pinnedCount == 0)
        #expect(node.audit.events.filter { $0.reason?.contains("first sum seen") == true }.count == 4)
    }

    @Test("are public where the operator says so, and never where the configuration says private")
    func access() async throws {
        let (open, closed) = (TestModule("example.com/m", "v1.0.0"), TestModule("corp.example/m", "v1.0.0"))
        let files = open.tree.merging(closed.tree) { $1 }
        let node = try await OfflineNode("sumdb = []\n[go]\nprivate = [\"corp.example\"]\n")
        try await node.take(try tree(files, in: node), isPublic: true)
        #expect(try await node.reference("go/example.com/m@v1.0.0.zip")?.access == .public)
        #expect(try await node.reference("go/corp.example/m@v1.0.0.zip")?.access == .private)
    }

    @Test("that no record proves wait for their database; what is proven or pinned is never replaced")
    func unverified() async throws {
        let (module, other) = (
            TestModule("example.com/m", "v1.0.0"), TestModule("example.com/m", "v1.0.0", "package other\n")
        )
        // The public database answers for it, and nothing of it is held.
        let node = try await OfflineNode()
        let summary = try await node.take(try tree(module.tree, in: node))
        #expect(summary.refused == [] && summary.unverified == 2 && summary.pinnedCount == 0)
        #expect(try await node.reference("go/example.com/m@v1.0.0.zip")?.verified == .unverified)
        // Neither has a proof: the first stays.
        #expect(try await node.take(try tree(other.tree, in: node, "other")).refusedCount == 1)
        #expect(try await node.reference("go/example.com/m@v1.0.0.zip")?.h1 == module.h1)
        let pinned = try await OfflineNode("sumdb = []")
        try await pinned.take(try tree(module.tree, in: pinned))
        let refused = try await pinned.take(try tree(other.tree, in: pinned, "other"))
        #expect(refused.refusedCount == 1 && refused.refused[0].contains(other.h1))
        // The pin outlives the file.
        let zip = try #require(try await pinned.reference("go/example.com/m@v1.0.0.zip"))
        try await pinned.store.remove(zip.digest, because: "the test says so")
        let later = try await pinned.take(pinned.folder.path + "/other")
        #expect(later.refusedCount == 1 && later.refused[0].contains("pinned at first sight"))
        #expect(try await pinned.reference("go/example.com/m@v1.0.0.zip") == nil)
        #expect(pinned.audit.events.contains { $0.reason?.contains("SECURITY ERROR") == true })
    }

    @Test("that are damaged are refused file by file")
    func damaged() async throws {
        let module = TestModule("example.com/m", "v1.0.0")
        let base = "example.com/m/@v/v1.0.0"
        for (name, bytes, word) in [
            (".zip", Array(module.zip.dropLast(10)), "no module zip"),
            (".zip", Array("PK".utf8), "no module zip"),
            (".zip", TestModule("example.com/other", "v1.0.0").zip, ""),
            (".ziphash", Array("h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".utf8), "it should be"),
            (".info", Array("<html>".utf8), "no JSON"),
            (".info", Array(#"{"Version":"v1.0.1"}"#.utf8), "about version"),
            (".mod", Array("<html>".utf8), "HTML"),
        ] {
            var files = module.tree
            files[base + name] = bytes
            let node = try await OfflineNode("sumdb = []")
            let summary = try await node.take(try tree(files, in: node))
            if word.isEmpty {
                // Odd, and the client's to judge: its sum is what it is.
                #expect(summary.refused == [])
            } else {
                #expect(
                    summary.refused.count == 1 && summary.refused[0].contains(word),
                    "\(name): \(summary.refused)")
                #expect(summary.stored == 2)
            }
        }
    }

    @Test("do not bring along what their symbolic links point at")
    func symbolicLinks() async throws {
        let node = try await OfflineNode("sumdb = []")
        var files = TestModule("example.com/m", "v1.0.0").tree
        files["example.com/m/@v/v1.0.0.mod"] = nil
        let path = try tree(files, in: node)
        try FileManager.default.createSymbolicLink(
            atPath: path + "/example.com/m/@v/v1.0.0.mod", withDestinationPath: node.folder.path + "/node.key"
        )
        try await node.take(path)
        #expect(try await node.reference("go/example.com/m@v1.0.0.mod") == nil)
    }

    // MARK: the recorded public database

    static let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Data/sumdb/sum.golang.org").path

    /// A module whose go.mod is known word for word, with the records and tiles of the real database beside it.
    private func recorded(mod: String, in node: OfflineNode) throws -> String {
        let version = "v4.20.0+incompatible"
        let path = try tree(
            [
                "cache/download/github.com/jtolds/gls/@v/\(version).mod": Array(mod.utf8),
                "cache/download/github.com/jtolds/gls/@v/\(version).info": Array(
                    #"{"Version":"\#(version)"}"#.utf8),
            ], in: node)
        try FileManager.default.createDirectory(
            atPath: path + "/cache/download/sumdb", withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: Self.data, toPath: path + "/cache/download/sumdb/sum.golang.org")
        return path
    }

    @Test("are verified by the records that lie beside them, and then public; bundles carry the proof on")
    func verified() async throws {
        let node = try await OfflineNode()
        let summary = try await node.take(try recorded(mod: "module github.com/jtolds/gls\n", in: node))
        #expect(summary.refused == [])
        let name = "go/github.com/jtolds/gls@v4.20.0+incompatible.mod"
        let held = try #require(try await node.reference(name))
        #expect(held.verified == .verified && held.access == .public)
        #expect(held.h1 == "h1:QJZ7F/aHp+rZTRtaJ1ow/lLfFfVYBRgL+9YlvaHOwJU=")
        // To a node that trusts the signer and proves the records for itself.
        let bundle = try await node.export(
            ExportRequest(modFiles: ["github.com/jtolds/gls@v4.20.0+incompatible"]))
        let target = try await OfflineNode(trusting: [node.key.id])
        #expect(try await target.take(try target.write(bundle, to: "b")).refused == [])
        #expect(try await target.reference(name)?.verified == .verified)
        #expect(
            try await target.reference(
                "sumdb/sum.golang.org/lookup/github.com/jtolds/gls@v4.20.0+incompatible") != nil)
        #expect(try await target.reference("sumdb/sum.golang.org/served") != nil)
        // The target can carry it on in its turn, proof included.
        let onwards = try await OfflineNode(trusting: [target.key.id])
        let second = try await target.export(
            ExportRequest(modFiles: ["github.com/jtolds/gls@v4.20.0+incompatible"]))
        #expect(try await onwards.take(try onwards.write(second, to: "b")).refused == [])
        #expect(try await onwards.reference(name)?.verified == .verified)
    }

    @Test("that contradict their record are refused")
    func contradiction() async throws {
        let node = try await OfflineNode()
        let summary = try await node.take(
            try recorded(mod: "module github.com/jtolds/gls\n\ngo 1.1\n", in: node))
        #expect(summary.refusedCount == 1 && summary.refused[0].contains("SECURITY ERROR"))
        #expect(try await node.reference("go/github.com/jtolds/gls@v4.20.0+incompatible.mod") == nil)
    }

    @Test("find no proof in records of another key, or that were altered")
    func forged() async throws {
        let node = try await OfflineNode()
        let path = try recorded(mod: "module github.com/jtolds/gls\n", in: node)
        let lookup =
            path + "/cache/download/sumdb/sum.golang.org/lookup/github.com/jtolds/gls@v4.20.0+incompatible"
        let text = try String(contentsOfFile: lookup, encoding: .utf8)
        let altered = text.replacingOccurrences(of: "/go.mod h1:Q", with: "/go.mod h1:R")
        #expect(altered != text)
        try altered.write(toFile: lookup, atomically: true, encoding: .utf8)
        let summary = try await node.take(path)
        #expect(summary.notes.contains { $0.contains("gls@v4.20.0+incompatible") })
        #expect(
            try await node.reference("go/github.com/jtolds/gls@v4.20.0+incompatible.mod")?.verified
                == .unverified)
        #expect(
            try await node.reference("sumdb/sum.golang.org/lookup/github.com/jtolds/gls@v4.20.0+incompatible")
                == nil)
    }
}
