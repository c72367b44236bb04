import EdgeNode
import Testing

@Suite("A configuration")
struct ConfigurationTests {
    static let home = ["HOME": "/home/me"]

    @Test("that says nothing listens on loopback and keeps data in the user's data folder")
    func nothing() throws {
        let configuration = try Configuration.parse("", environment: Self.home).configuration
        #expect(configuration.node.listen.map(\.isLoopback) == [true])
        #expect(configuration.node.dataDirectory == "/home/me/.local/share/edgenode")
        #expect(configuration.sumdbs == [.public])
        #expect(configuration.tls == nil)
    }

    @Test("takes the data folder that the service manager or the desktop names")
    func dataFolder() throws {
        var environment = Self.home
        environment["XDG_DATA_HOME"] = "/data"
        #expect(DataDirectory.standard(environment) == "/data/edgenode")
        environment["XDG_DATA_HOME"] = "relative"
        #expect(DataDirectory.standard(environment) == "/home/me/.local/share/edgenode")
        environment["STATE_DIRECTORY"] = "/var/lib/edgenode:/var/lib/other"
        #expect(DataDirectory.standard(environment) == "/var/lib/edgenode")
    }

    @Test("holds what the document says")
    func values() throws {
        let text = """
            [node]
            data_dir = "/srv/edge"
            listen = ["0.0.0.0:80", "[::1]:0"]
            [tls]
            certificate_file = "/tls/chain.pem"
            private_key_file = "/tls/key.pem"
            [store]
            capacity = "50 GiB"
            max_unused = { "go/example.com/b/*" = "90d", "go/example.com/a/*" = "1d" }
            [go]
            upstreams = "https://Corp.example/go/ | https://proxy.golang.org,http://127.0.0.1:8080"
            private = ["*.corp.example", "example.com/team"]
            [[go.upstream]]
            url = "https://corp.example/"
            user = "edge"
            password_file = "/secrets/password"
            [[go.upstream]]
            url = "http://127.0.0.1:8080/"
            token_file = "/secrets/token"
            [[sumdb]]
            name = "sum.golang.org"
            url = "https://proxy.golang.org/sumdb/sum.golang.org/"
            [[sumdb]]
            name = "sum.corp.example/go"
            key = "sum.corp.example/go+7c520d65+AYccl2spVISqVZac5S4vpTQb1Hi5yGy5mw3dYlGzQfb5"
            patterns = ["*.corp.example"]
            [log]
            format = "json"
            level = "warning"
            """
        let configuration = try Configuration.parse(text, environment: Self.home).configuration
        #expect(configuration.node.dataDirectory == "/srv/edge")
        #expect(configuration.node.listen.map(\.description) == ["0.0.0.0:80", "[::1]:0"])
        #expect(configuration.node.listen.map(\.isLoopback) == [false, true])
        #expect(configuration.tls?.keyFile == "/tls/key.pem")
        #expect(configuration.store.capacity == 50 << 30)
        #expect(configuration.store.maxUnused.map(\.pattern) == ["go/example.com/a/*", "go/example.com/b/*"])
        #expect(configuration.store.maxUnused.map(\.age) == [.seconds(86_400), .seconds(90 * 86_400)])
        #expect(
            configuration.go.upstreams.upstreams.map(\.name)
                == ["corp.example/go", "proxy.golang.org", "127.0.0.1:8080"])
        #expect(configuration.go.upstreams.entries.map(\.fallsBackOnAnyError) == [true, false, false])
        #expect(configuration.go.hosts.map(\.origin.port) == [443, 8080])
        #expect(configuration.go.hosts.map(\.user) == ["edge", nil])
        #expect(configuration.go.hosts.map(\.tokenFile) == [nil, "/secrets/token"])
        #expect(configuration.sumdbs[0].key == SumDBSettings.public.key)
        #expect(configuration.sumdbs[0].url.description == "https://proxy.golang.org/sumdb/sum.golang.org/")
        #expect(configuration.sumdbs[1].url.description == "https://sum.corp.example/go")
        #expect(configuration.log.format == .json)
        #expect(configuration.log.level == .warning)
    }

    @Test("without upstreams or databases says so")
    func offline() throws {
        let text = "sumdb = []\n[go]\nupstreams = \"off\"\n[audit]\nfile = \"\""
        let configuration = try Configuration.parse(text, environment: Self.home).configuration
        #expect(configuration.go.upstreams.entries.isEmpty)
        #expect(configuration.sumdbs.isEmpty)
        #expect(configuration.audit.file == nil)
    }

    @Test(
        "is overridden by the environment",
        arguments: [
            ("EDGENODE_NODE_LISTEN", "0.0.0.0:80, [::]:80"), ("EDGENODE_STORE_CAPACITY", "1 GiB"),
            ("EDGENODE_STORE_HIGH_WATER", "0.99"), ("EDGENODE_LIMITS_CONNECTIONS", "5"),
            ("EDGENODE_METRICS_ENABLED", "false"), ("EDGENODE_LOG_LEVEL", "debug"),
            ("EDGENODE_GO_FRESH_FOR", "5m"), ("EDGENODE_GO_UPSTREAMS", "http://a,http://b"),
            ("EDGENODE_GO_PRIVATE", "a.example,b.example"), ("EDGENODE_NODE_DATA_DIR", "/srv"),
        ])
    func environment(name: String, value: String) throws {
        var environment = Self.home
        let text = "[node]\nlisten = [\"127.0.0.1:1\"]\n[go]\nprivate = [\"c\"]\nupstreams = \"off\"\n"
        let before = try Configuration.parse(text, environment: environment)
        environment[name] = value
        let after = try Configuration.parse(text, environment: environment)
        #expect(before.configuration != after.configuration)
        #expect(before.variables.contains(name))
        switch name {
        case "EDGENODE_NODE_LISTEN":
            #expect(after.configuration.node.listen.map(\.description) == ["0.0.0.0:80", "[::]:80"])
        case "EDGENODE_GO_PRIVATE":
            #expect(after.configuration.go.private.patterns.map(\.text) == ["a.example", "b.example"])
        case "EDGENODE_METRICS_ENABLED": #expect(!after.configuration.metrics.enabled)
        case "EDGENODE_STORE_HIGH_WATER": #expect(after.configuration.store.highWater == 0.99)
        case "EDGENODE_GO_UPSTREAMS": #expect(after.configuration.go.upstreams.entries.count == 2)
        default: break
        }
    }

    @Test(
        "refuses variables of its own prefix that name nothing",
        arguments: [
            ("EDGENODE_STORE_CAPACTIY", "EDGENODE_STORE_CAPACITY"), ("EDGENODE_XYZZY", "<SECTION>_<KEY>"),
            ("EDGENODE_SUMDB_KEY", "unset"),
        ])
    func unknownVariable(name: String, remedy: String) throws {
        var environment = Self.home
        environment[name] = "1"
        let error = try #require(throws: ConfigurationError.self) {
            try Configuration.parse("", environment: environment)
        }
        #expect(error.issues.count == 1)
        #expect(error.description.contains(name))
        #expect(error.description.contains(remedy), "\(error)")
    }

    @Test("does not mind the variable that names its file, nor those of others")
    func otherVariables() throws {
        let environment = [
            "HOME": "/h", "EDGENODE_CONFIG": "/etc/x.toml", "EDGE_NODE": "1", "GOPROXY": "off",
        ]
        #expect(throws: Never.self) { try Configuration.parse("", environment: environment) }
    }
}
