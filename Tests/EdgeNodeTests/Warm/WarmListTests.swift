import EdgeNode
import ProxyFront
import Testing

@Suite("The list of files to warm")
struct WarmListTests {
    static let hash = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

    @Test("takes whole modules and bare go.mod files from a go.sum, each once")
    func sums() throws {
        let text = """
            example.com/a v1.0.0 \(Self.hash)
            example.com/a v1.0.0/go.mod \(Self.hash)
            example.com/B v0.1.0/go.mod \(Self.hash)
            example.com/a v1.0.0 \(Self.hash)
            """
        var list = WarmList()
        list.add(try GoSum(parsing: text))
        #expect(
            list.items.map(\.target) == [
                "/example.com/a/@v/v1.0.0.info", "/example.com/a/@v/v1.0.0.mod",
                "/example.com/a/@v/v1.0.0.zip",
                "/example.com/!b/@v/v0.1.0.mod",
            ])
    }

    @Test("takes what a go.mod requires, replacements in the place of what they replace")
    func goMod() throws {
        let text = """
            module example.com/main
            go 1.26
            require (
                example.com/a v1.0.0
                example.com/b v1.2.0 // indirect
                example.com/c v1.3.0
            )
            replace example.com/b => example.com/fork v1.2.1
            replace example.com/c v1.3.0 => ../c
            """
        var list = WarmList()
        list.add(try GoModFile(parsing: text))
        let zips = list.items.map(\.description).filter { $0.hasSuffix(".zip") }
        #expect(zips == ["example.com/a@v1.0.0.zip", "example.com/fork@v1.2.1.zip"])
    }

    @Test("follows the module graph where a module is older than graph pruning, and below it everywhere")
    func graph() throws {
        func parse(_ go: String, _ module: String) throws -> GoModFile {
            try GoModFile(parsing: "module m\n\(go)\nrequire \(module) v1.0.0\n")
        }
        func targets(_ file: GoModFile, whole: Bool) -> [String] {
            var list = WarmList()
            list.addGraph(of: file, whole: whole)
            return list.items.map(\.target)
        }
        let below = ["/example.com/a/@v/v1.0.0.mod"]
        #expect(targets(try parse("go 1.17", "example.com/a"), whole: false).isEmpty)
        #expect(targets(try parse("go 1.17", "example.com/a"), whole: true) == below)
        #expect(targets(try parse("go 1.16", "example.com/a"), whole: false) == below)
        #expect(targets(try parse("", "example.com/a"), whole: false) == below)
        #expect(targets(try parse("go 2.0", "example.com/a"), whole: false).isEmpty)

        var list = WarmList()
        list.add(try parse("go 1.26", "example.com/a"))
        let module = try #require(
            list.items.compactMap { item in
                if case .graph(let module, let whole) = item, !whole { module } else { nil }
            }.first)
        #expect("\(module)" == "example.com/a@v1.0.0")
        #expect(list.items.count == 3)
    }

    @Test(
        "takes modules with a version, a query or nothing",
        arguments: [
            (
                "example.com/a@v1.0.0",
                [
                    "/example.com/a/@v/v1.0.0.info", "/example.com/a/@v/v1.0.0.mod",
                    "/example.com/a/@v/v1.0.0.zip",
                ]
            ),
            ("example.com/A", ["/example.com/!a/@latest"]),
            ("example.com/a@latest", ["/example.com/a/@latest"]),
            ("example.com/a@main", ["/example.com/a/@v/main.info"]),
        ])
    func modules(text: String, targets: [String]) throws {
        var list = WarmList()
        try list.add(parsing: text)
        #expect(list.items.map(\.target) == targets)
    }

    @Test(
        "refuses what is no module",
        arguments: ["", "@v1.0.0", "a b@v1.0.0", "example.com/a@", "../x@v1.0.0"])
    func bad(text: String) throws {
        var list = WarmList()
        let failure = try #require(throws: CommandFailure.self) { try list.add(parsing: text) }
        #expect(failure.status == .usage)
        #expect(failure.message.contains("module@version"))
        #expect(list.items.isEmpty)
    }
}
