import Foundation
import ProxyFront
import Testing

@Suite struct GoSumTests {
    private static let hash = "h1:Ew5y5CtcAAQeTVKUVFrE7EwHMrTO6BggtEj8BZSjZ3A="

    @Test func `a go.sum file gives its lines, modules and hashes`() throws {
        let sum = try GoSum(
            parsing: """
                rsc.io/quote v1.5.2 \(Self.hash)
                rsc.io/quote v1.5.2/go.mod h1:ofsJ4zx2QAuIP/NO/NAh1ig6R1Fb18/GI7RVMwz7kAY=\r

                rsc.io/future v1.0.0/go.mod h2:whatever
                \tgithub.com/BurntSushi/toml   v1.0.0/go.mod \(Self.hash)
                """)
        let quote = ModuleIdentity(path: try ModulePath("rsc.io/quote"), version: try ModuleVersion("v1.5.2"))
        #expect(sum.lines.count == 3)
        #expect(
            sum.modules.map(\.description) == ["rsc.io/quote@v1.5.2", "github.com/BurntSushi/toml@v1.0.0"])
        #expect(sum.modulesWithZips == [quote])
        #expect(sum.hashes(of: quote, .zip).map(\.description) == [Self.hash])
        #expect(sum.lines[0].description == "rsc.io/quote v1.5.2 \(Self.hash)")
        #expect(sum.lines[1].description.hasPrefix("rsc.io/quote v1.5.2/go.mod h1:ofs"))
    }

    @Test func `real go.sum lines are read and written byte for byte`() throws {
        let file = RealSumDB.directory.deletingLastPathComponent().appending(path: "gosum/real.sum")
        let text = try String(contentsOf: file, encoding: .utf8)
        let sum = try GoSum(parsing: text)
        #expect(sum.lines.map { "\($0)\n" }.joined() == text)
        #expect(sum.lines.count > 1000)
        // Retagged upstream: two sums of one name.
        let tempfile = ModuleIdentity(
            path: try ModulePath("github.com/folbricht/tempfile"), version: try ModuleVersion("v0.0.1"))
        #expect(sum.hashes(of: tempfile, .zip).count == 2)
    }

    @Test(arguments: [
        "rsc.io/quote v1.5.2", "rsc.io/quote v1.5.2 h1:short=", "rsc.io/quote latest \(hash)",
        "quote v1.0.0 \(hash)",
        "rsc.io/quote v1.5.2 \(hash) extra", "rsc.io/quote v1.5.2 nohash",
        "rsc.io/quote v1.5.2/go.mod/go.mod \(hash)",
        "rsc.io/quote v1.5.2 h1:Ew5y5CtcAAQeTVKUVFrE7EwHMrTO6BggtEj8BZSjZ3B=",
    ])
    func `a line that cannot be read is named by its number`(line: String) {
        #expect {
            try GoSum(parsing: "rsc.io/a v1.0.0 \(Self.hash)\n\n\(line)\n", file: "x/go.sum")
        } throws: { error in
            (error as? GoFileError)?.line == 3 && "\(error)".hasPrefix("x/go.sum:3: ")
        }
    }

    @Test func `the sum of a go.mod file is the reference's`() {
        // The empty file's line is "<hex of SHA-256 of nothing>  go.mod\n".
        #expect(ModuleHash.goMod(Array("module 9fans.net/go\n\ngo 1.13\n".utf8)).description.hasPrefix("h1:"))
        #expect(ModuleHash.goMod([UInt8]()).description == "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=")
    }

    @Test func `a go.mod file gives what it asks for`() throws {
        let file = try GoModFile(
            parsing: """
                // A comment.
                module "example.com/app/v2" // deprecated

                go 1.26.0
                toolchain go1.26.6

                require golang.org/x/net v0.34.0
                require (
                \tgithub.com/BurntSushi/toml v1.4.0 // indirect
                \trsc.io/quote `v1.5.2`// indirect; for the test
                \trsc.io/branch master
                \trsc.io/local v1.0.0
                )
                exclude rsc.io/quote v1.5.0
                retract [v1.0.0, v1.9.9]
                replace (
                \trsc.io/quote => example.com/quote v1.0.0
                \trsc.io/quote v1.5.2 => example.com/other v1.1.0
                \trsc.io/local => ../local
                )
                ignore ./node_modules
                """)
        #expect(file.module == "example.com/app/v2")
        #expect(file.goVersion == "1.26.0")
        #expect(file.toolchain == "go1.26.6")
        #expect(file.requirements.map(\.isIndirect) == [false, true, true, false, false])
        #expect(file.requirements.map(\.line) == [7, 9, 10, 11, 12])
        #expect(
            file.wanted.map { "\($0.path) \($0.version)" } == [
                "golang.org/x/net v0.34.0", "github.com/BurntSushi/toml v1.4.0", "example.com/other v1.1.0",
                "rsc.io/branch master",
            ])
    }

    @Test(arguments: [
        ("module a.b\nrequire x v1.0.0\n", 2), ("require (\n\tgolang.org/x/net v1.0.0\n", 1),
        ("\n\nrequire golang.org/x/net\n", 3),
        ("module \"a.b\n", 1), ("module a b c\n", 1), ("replace a.b/c => d\n", 1),
        ("replace a.b/c d.e/f v1.0.0\n", 1),
        ("require (\n) x\n", 2),
    ])
    func `a go.mod that cannot be read is an error with its line`(text: String, line: Int) {
        #expect { try GoModFile(parsing: text) } throws: { ($0 as? GoFileError)?.line == line }
    }
}
