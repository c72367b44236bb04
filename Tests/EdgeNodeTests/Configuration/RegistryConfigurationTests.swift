import EdgeNode
import ProxyFront
import Testing

@Suite("The registries of a configuration")
struct RegistryConfigurationTests {
    private func registry(_ text: String) throws -> RegistrySettings {
        try Configuration.parse(text, environment: ["HOME": "/h"]).configuration.registry
    }

    private func upstream(_ host: String, _ settings: RegistrySettings) throws -> RegistryUpstream {
        try #require(settings.entries.first { $0.upstream.host.text == host }?.upstream)
    }

    @Test("are the public ones when it says nothing, Docker Hub being what bare names mean")
    func nothing() throws {
        let settings = try registry("")
        #expect(settings.defaultHost == .dockerHub)
        let hub = try upstream("docker.io", settings)
        #expect(hub.endpoints.map(\.description) == ["https://registry-1.docker.io/"])
        #expect(hub.addsLibrary)
        #expect(hub.aliases.map(\.text).contains("index.docker.io"))
        #expect(hub.freshFor == .seconds(300))
        let others = settings.entries.map(\.upstream).filter { $0.host != .dockerHub }
        #expect(others.count > 10)
        for other in others {
            #expect(other.endpoints.map(\.description) == ["https://\(other.host)/"])
            #expect(!other.addsLibrary)
            #expect(other.credential == nil)
        }
        #expect(Set(settings.entries.map(\.upstream.host)).count == settings.entries.count)
    }

    @Test("hold what the document says")
    func values() throws {
        let settings = try registry(
            """
            [registry]
            default = "Registry.Corp.example:5000"
            fresh_for = "1m"
            miss_for = "2m"
            fill_limit = "1 MiB"
            docker_config = "/root/.docker/config.json"
            [[registry.upstream]]
            name = "registry.corp.example:5000"
            url = ["http://10.0.0.1:5000", "https://mirror.example/hub"]
            aliases = ["corp", "localhost:5000"]
            rewrites = ["base/* -> platform/base/*", "old->new/name"]
            library = true
            token_hosts = ["Auth.example"]
            user = "edge"
            password_file = "/secrets/password"
            pass_credentials = false
            fresh_for = "5s"
            freshness = { "*:*" = "1h", "base/*:latest" = "1s", "base/*:v*" = "1d" }
            ca_files = ["/ca.pem"]
            client_certificate_file = "/c.pem"
            client_key_file = "/k.pem"
            """)
        #expect(settings.defaultHost?.text == "registry.corp.example:5000")
        #expect(settings.missFor == .seconds(120))
        #expect(settings.fillLimit == 1 << 20)
        #expect(settings.dockerConfig == "/root/.docker/config.json")
        let corp = try upstream("registry.corp.example:5000", settings)
        #expect(corp.endpoints.map(\.description) == ["http://10.0.0.1:5000/", "https://mirror.example/hub"])
        #expect(corp.aliases.map(\.text) == ["corp", "localhost:5000"])
        #expect(
            corp.rewrites == [
                RepositoryRewrite(from: "base/*", to: "platform/base/*"),
                RepositoryRewrite(from: "old", to: "new/name"),
            ])
        #expect(corp.addsLibrary)
        #expect(corp.tokenHosts == ["auth.example"])
        #expect(!corp.passesCredentials)
        #expect(corp.freshFor == .seconds(5))
        #expect(corp.freshness.map(\.pattern) == ["base/*:latest", "base/*:v*", "*:*"])
        #expect(corp.freshness.map(\.span) == [.seconds(1), .seconds(86_400), .seconds(3600)])
        #expect(corp.caFiles == ["/ca.pem"])
        #expect(corp.clientCertificateFile == "/c.pem")
        #expect(corp.clientKeyFile == "/k.pem")
        #expect(
            settings.entries.last?.secret == .password(user: "edge", file: "/secrets/password"))
        #expect(try upstream("quay.io", settings).freshFor == .seconds(60))
    }

    @Test("need no address where the name is one")
    func standardAddress() throws {
        let settings = try registry(
            "[[registry.upstream]]\nname = \"a.example\"\n[[registry.upstream]]\nname = \"[::1]:5000\"")
        #expect(try upstream("a.example", settings).endpoints.map(\.description) == ["https://a.example/"])
        #expect(try upstream("[::1]:5000", settings).endpoints.map(\.description) == ["https://[::1]:5000/"])
    }

    @Test("that are public change only where an entry says so")
    func shipped() throws {
        let settings = try registry(
            "[[registry.upstream]]\nname = \"docker.io\"\ntoken_file = \"/t\"\nfresh_for = \"1h\"")
        let hub = try upstream("docker.io", settings)
        #expect(hub.endpoints.map(\.description) == ["https://registry-1.docker.io/"])
        #expect(hub.addsLibrary)
        #expect(hub.freshFor == .seconds(3600))
        #expect(settings.entries.first?.secret == .token(file: "/t"))
        #expect(settings.entries.filter { $0.upstream.host == .dockerHub }.count == 1)
    }

    @Test("are only those listed when the public ones are turned off")
    func noPublic() throws {
        let settings = try registry(
            "[registry]\npublic = false\n[[registry.upstream]]\nname = \"a.example\"\ncredential_helper = \"x\""
        )
        #expect(settings.entries.map(\.upstream.host.text) == ["a.example"])
        #expect(settings.entries.first?.secret == .helper(name: "x"))
        #expect(settings.defaultHost == nil)
        #expect(try registry("[registry]\ndefault = \"\"").defaultHost == nil)
        #expect(try registry("[registry]\ndefault = \"index.docker.io\"").defaultHost == .dockerHub)
    }

    static let entry = "[[registry.upstream]]\nname = \"a.example\"\n"
    static let mistakes = [
        ConfigurationErrorTests.Mistake(
            "[registry]\ndefault = \"dokcer.io\"", line: 2, says: "registry.default", "\"docker.io\"?"),
        .init(
            "[registry]\npublic = false\ndefault = \"quay.io\"", line: 3, says: "registry.default",
            "[[registry.upstream]]"),
        .init("[registry]\nfreshfor = \"1s\"", line: 2, says: "registry.freshfor", "\"fresh_for\"?"),
        .init("[registry]\ndocker_config = \"~/x\"", line: 2, says: "registry.docker_config", "absolute"),
        .init(
            "[registry]\nupstream = \"quay.io\"", line: 2, says: "registry.upstream", "[[registry.upstream]]"),
        .init(
            "[[registry.upstream]]\nurl = \"https://a\"", line: 1, says: "registry.upstream.name", "quay.io"),
        .init(
            "[[registry.upstream]]\nname = \"https://a\"", line: 2, says: "registry.upstream.name",
            "without https://"),
        .init("[[registry.upstream]]\nname = \"a/b\"", line: 2, says: "registry.upstream.name", "host"),
        .init(entry + "url = \"a.example\"", line: 3, says: "registry.upstream.url", "https://"),
        .init(entry + "url = []", line: 3, says: "registry.upstream.url", "at least one"),
        .init(entry + "url = \"\"", line: 3, says: "registry.upstream.url", "leave it out"),
        .init(entry + "url = \"https://a/v2/\"", line: 3, says: "registry.upstream.url", "/v2"),
        .init(entry + "url = \"https://a/?x\"", line: 3, says: "registry.upstream.url", "query"),
        .init(entry + "aliases = [\"a b\"]", line: 3, says: "registry.upstream.aliases", "a b"),
        .init(
            entry + "aliases = [\"quay.io\"]", line: 3, says: "registry.upstream.aliases",
            "already means quay.io"),
        .init(
            "[[registry.upstream]]\nname = \"index.docker.io\"", line: 2, says: "registry.upstream.name",
            "another name of docker.io"),
        .init(
            entry + "[[registry.upstream]]\nname = \"a.example\"", line: 4, says: "registry.upstream.name",
            "twice"),
        .init(entry + "rewrites = [\"a/*\"]", line: 3, says: "registry.upstream.rewrites", "from -> to"),
        .init(entry + "rewrites = [\"a -> b/*\"]", line: 3, says: "registry.upstream.rewrites", "nothing"),
        .init(entry + "rewrites = [\"A/* -> b/*\"]", line: 3, says: "registry.upstream.rewrites", "A/"),
        .init(entry + "token_hosts = [\"https://x\"]", line: 3, says: "registry.upstream.token_hosts"),
        .init(entry + "user = \"me\"", line: 3, says: "registry.upstream.user", "go together"),
        .init(entry + "password_file = \"/p\"", line: 3, says: "registry.upstream.password_file", "together"),
        .init(
            entry + "token_file = \"/p\"\ncredential_helper = \"x\"", line: 4,
            says: "registry.upstream.credential_helper", "one of"),
        .init(
            entry + "credential_helper = \"/bin/x\"", line: 3, says: "registry.upstream.credential_helper",
            "docker-credential-"),
        .init(entry + "fresh_for = 5", line: 3, says: "registry.upstream.fresh_for", "\"5s\""),
        .init(
            entry + "freshness = { \"a\" = \"1s\" }", line: 3, says: "registry.upstream.freshness",
            "repository:tag"),
        .init(entry + "freshness = { \"a:b\" = \"x\" }", line: 3, says: "registry.upstream.freshness", "a:b"),
        .init(entry + "freshness = \"1h\"", line: 3, says: "registry.upstream.freshness", "library/*:latest"),
        .init(
            entry + "client_key_file = \"/k\"", line: 3, says: "registry.upstream.client_key_file",
            "go together"),
        .init(entry + "ca_file = [\"/k\"]", line: 3, says: "registry.upstream.ca_file", "\"ca_files\"?"),
    ]

    @Test("that are written wrongly are reported with line, key and remedy", arguments: mistakes)
    func mistake(_ mistake: ConfigurationErrorTests.Mistake) throws {
        try ConfigurationErrorTests().mistake(mistake)
    }

    @Test("take their settings from the environment too")
    func environment() throws {
        let parsed = try Configuration.parse(
            "",
            environment: [
                "HOME": "/h", "EDGENODE_REGISTRY_PUBLIC": "false", "EDGENODE_REGISTRY_DEFAULT": "",
                "EDGENODE_REGISTRY_FRESH_FOR": "1d",
            ])
        #expect(parsed.configuration.registry.entries.isEmpty)
        #expect(parsed.configuration.registry.freshFor == .seconds(86_400))
    }
}
