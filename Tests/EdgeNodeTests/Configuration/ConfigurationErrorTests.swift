import EdgeNode
import Testing

@Suite("Mistakes in a configuration")
struct ConfigurationErrorTests {
    struct Mistake: CustomTestStringConvertible, Sendable {
        var text: String
        var line: Int
        /// A part of the message that names the thing, and one that says what to do.
        var says: [String]
        var testDescription: String { "\(says[0]) in \(text.debugDescription)" }

        init(_ text: String, line: Int, says: String...) {
            self.text = text
            self.line = line
            self.says = says
        }
    }

    static let mistakes = [
        Mistake("[store]\ncapacity = \"50 gigs\"", line: 2, says: "store.capacity", "\"50 gigs\"", "GiB"),
        Mistake("[store]\n\n# a comment\ncapasity = 1", line: 4, says: "store.capasity", "\"capacity\"?"),
        Mistake("[stroe]\ncapacity = 1", line: 1, says: "stroe", "\"store\"?"),
        Mistake("capacity = 1\n[node]", line: 1, says: "capacity", "under [store]"),
        Mistake("store = 5", line: 1, says: "store", "[store]"),
        Mistake("[store]\nhigh_water = 1.5", line: 2, says: "store.high_water", "1.5", "at most 1"),
        Mistake("[store]\nhigh_water = \"a\"", line: 2, says: "store.high_water", "a number such as"),
        Mistake("[store]\nhigh_water = 0.5\nlow_water = 0.6", line: 3, says: "store.low_water", "below"),
        Mistake("[store]\nhigh_water = 0.5", line: 1, says: "store.low_water", "below"),
        Mistake("[store]\ncapacity = \"1 MiB\"", line: 2, says: "store.capacity", "64 MiB"),
        Mistake("[store]\nfold_after = 7", line: 2, says: "store.fold_after", "\"7s\""),
        Mistake("[store]\nfold_after = \"7 days\"", line: 2, says: "store.fold_after", "\"7 days\"", "90d"),
        Mistake("[store]\nmax_unused = { \"go/*\" = \"x\" }", line: 2, says: "store.max_unused", "go/*"),
        Mistake("[store]\nmax_unused = \"90d\"", line: 2, says: "store.max_unused", "{ \"go/*\" = \"90d\" }"),
        Mistake("[store.max_unused]\n\"go/*\" = \"1s\"", line: 2, says: "store.max_unused", "out of range"),
        Mistake("[node]\nlisten = []", line: 2, says: "node.listen", "at least one"),
        Mistake("[node]\nlisten = \"localhost\"", line: 2, says: "node.listen", "no port"),
        Mistake("[node]\nlisten = [\"[::1]:4890\", \"::1:80\"]", line: 2, says: "node.listen", "brackets"),
        Mistake("[node]\nlisten = [\"a:70000\"]", line: 2, says: "node.listen", "65535"),
        Mistake("[node]\nlisten = [1]", line: 2, says: "node.listen", "strings only"),
        Mistake("[node]\ndata_dir = \"data\"", line: 2, says: "node.data_dir", "absolute"),
        Mistake("[node]\ndata_dir = 5", line: 2, says: "node.data_dir", "in quotes"),
        Mistake(
            "[tls]\ncertificate_file = \"/a.pem\"", line: 2, says: "tls.certificate_file", "private_key_file"),
        Mistake("[limits]\nconnections = 0", line: 2, says: "limits.connections", "1 to 1000000"),
        Mistake("[limits]\nconnections = 1.5", line: 2, says: "limits.connections", "whole number"),
        Mistake("[limits]\nheader_size = \"2 MiB\"", line: 2, says: "limits.header_size", "at most 1 MiB"),
        Mistake("[go]\nupstreams = \"proxy.golang.org\"", line: 2, says: "go.upstreams", "https://"),
        Mistake("[go]\nupstreams = \"https://a,direct\"", line: 2, says: "go.upstreams", "direct"),
        Mistake("[upstream]\nproxy = \"https://a:1\"", line: 2, says: "upstream.proxy", "http://"),
        Mistake("[upstream]\nproxy_user = \"a\"", line: 2, says: "upstream.proxy_user", "go together"),
        Mistake("[upstream]\nca_files = [\"a\"]", line: 2, says: "upstream.ca_files", "absolute"),
        Mistake("[go]\nupstreams = \"https://a?b\"", line: 2, says: "go.upstreams", "query"),
        Mistake("[go]\nupstreams = \"https://\"", line: 2, says: "go.upstreams", "no host"),
        Mistake("[go]\nfresh_for = true", line: 2, says: "go.fresh_for", "span of time"),
        Mistake("[go]\ninclude = [\"[a\"]", line: 2, says: "go.include", "[a", "GOPRIVATE"),
        Mistake("[go]\n\nexclude = [\"re:(\"]", line: 3, says: "go.exclude", "re:("),
        Mistake("[go]\nprivate = [1]", line: 2, says: "go.private", "strings only"),
        Mistake("[[go.upstream]]\nuser = \"a\"", line: 1, says: "go.upstream.url", "missing"),
        Mistake(
            "[[go.upstream]]\nurl = \"https://a\"", line: 2, says: "go.upstream.url", "no upstream",
            "https://proxy.golang.org"),
        Mistake(
            "[go]\nupstreams = \"https://a\"\n[[go.upstream]]\nurl = \"https://a\"\nuser = \"me\"", line: 5,
            says: "go.upstream.user", "go together"),
        Mistake(
            "[go]\nupstreams = \"https://a\"\n[[go.upstream]]\nurl = \"https://a\"\npasword_file = \"/x\"",
            line: 5,
            says: "go.upstream.pasword_file", "\"password_file\"?"),
        Mistake("[[sumdb]]\nkey = \"a+b+c\"", line: 1, says: "sumdb.name", "missing"),
        Mistake("[[sumdb]]\nname = \"sum.example\"", line: 1, says: "sumdb.key", "missing"),
        Mistake("[[sumdb]]\nname = \"a\"\nkey = \"a+1+2\"", line: 3, says: "sumdb.key"),
        Mistake(
            "[[sumdb]]\nname = \"b\"\nkey = \"a+538acce4+AYccl2spVISqVZac5S4vpTQb1Hi5yGy5mw3dYlGzQfb5\"",
            line: 3,
            says: "sumdb.key", "\"b\""),
        Mistake(
            "[[sumdb]]\nname = \"sum.golang.org\"\n[[sumdb]]\nname = \"sum.golang.org\"", line: 4,
            says: "sumdb.name", "twice"),
        Mistake("[sumdb]\nname = \"a\"", line: 1, says: "sumdb", "[[sumdb]]"),
        Mistake("[log]\nlevel = \"loud\"", line: 2, says: "log.level", "\"warning\""),
        Mistake("[audit]\nkeep = -1", line: 2, says: "audit.keep", "0 to 1000"),
        Mistake("[metrics]\nenabled = \"yes\"", line: 2, says: "metrics.enabled", "true or false"),
        Mistake("[metrics]\nenabled = 1979-05-27", line: 2, says: "metrics.enabled", "true or false"),
        Mistake("[node]\nlisten = [\"a:1\"", line: 2, says: ""),
        Mistake("[node]\n[node]", line: 2, says: ""),
        Mistake("[node]\ndata_dir = \"/\0\"", line: 2, says: "zero byte"),
    ]

    @Test("each is reported with its line, its key and what to do", arguments: mistakes)
    func mistake(_ mistake: Mistake) throws {
        let error = try #require(throws: ConfigurationError.self) {
            try Configuration.parse(mistake.text, environment: ["HOME": "/home/me"], file: "c.toml")
        }
        #expect(error.issues.count == 1, "\(error)")
        #expect(error.issues.first?.source == .line(mistake.line), "\(error)")
        for part in mistake.says where !part.isEmpty { #expect(error.description.contains(part), "\(error)") }
        #expect(error.description.hasPrefix("c.toml:\(mistake.line): "), "\(error)")
    }

    @Test("all mistakes are reported at once, in the order of their lines")
    func several() throws {
        let text = "[log]\nlevel = 1\n\n[store]\ncapacity = true\nfold_afer = \"1d\"\n"
        let error = try #require(throws: ConfigurationError.self) {
            try Configuration.parse(text, environment: ["HOME": "/h", "EDGENODE_GO_FRESH_FOR": "soon"])
        }
        #expect(
            error.issues.map(\.key) == ["log.level", "store.capacity", "store.fold_afer", "go.fresh_for"])
        #expect(error.issues.last?.source == .environment("EDGENODE_GO_FRESH_FOR"))
    }

    @Test("credentials in a URL are refused without being repeated")
    func secretInURL() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try Configuration.parse(
                "[go]\nupstreams = \"https://me:hunter2@a.example\"", environment: ["HOME": "/h"])
        }
        #expect(!error.description.contains("hunter2"))
        #expect(error.description.contains("netrc"))
    }

    @Test("without a home there is no default data folder")
    func noHome() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try Configuration.parse("", environment: [:])
        }
        #expect(error.issues.map(\.key) == ["node.data_dir"])
        #expect(throws: Never.self) {
            try Configuration.parse("[node]\ndata_dir = \"/srv/edge\"", environment: [:])
        }
    }

    @Test(
        "lines are found past comments, strings over several lines, arrays and inline tables",
        arguments: [
            "a", "'''\n[not]\n'''", "\"\"\"\nx = \\\"1\\\"\n\"\"\"\"", "\"#\\\"[\"",
        ])
    func positions(string: String) throws {
        let value = string == "a" ? "\"a\"" : string
        let head = "[upstream]\nno_proxy = [ # one\n  \"x,y\", '[[', # two ]\n  \(value),\n]\n"
        let lines = head.split(separator: "\n", omittingEmptySubsequences: false).count
        let text = head + "\"bad\" = { a = [1, { b = 2 }], c.d = 3 }\nbad2 = 1\n"
        let error = try #require(throws: ConfigurationError.self) {
            try Configuration.parse(text, environment: ["HOME": "/h"])
        }
        #expect(error.issues.map(\.source) == [.line(lines), .line(lines + 1)])
    }
}
