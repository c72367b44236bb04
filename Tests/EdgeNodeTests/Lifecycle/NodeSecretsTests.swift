import EdgeNode
import Foundation
import ProxyFront
import Testing

@Suite("Secrets in files")
struct NodeSecretsTests {
    private func secrets(_ text: String) throws -> NodeSecrets {
        try NodeSecrets.read(for: try Configuration.parse(text, environment: ["HOME": "/h"]).configuration)
    }

    private func upstream(_ lines: String) -> String {
        "[go]\nupstreams = \"https://a.example/go\"\n[[go.upstream]]\nurl = \"https://a.example\"\n\(lines)\n"
    }

    @Test("are the first line of the file, given to their own upstream")
    func password() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("  hunter2\r\nnot this\n", to: "password")
        let secrets = try secrets(upstream("user = \"me\"\npassword_file = \"\(file)\""))
        let origin = UpstreamOrigin(scheme: .https, host: "a.example")
        #expect(secrets.credentials.credential(for: origin) == .basic(user: "me", password: "hunter2"))
        #expect(secrets.credentials.credential(for: UpstreamOrigin(scheme: .http, host: "a.example")) == nil)
    }

    @Test("may be tokens, netrc entries and the proxy's password")
    func others() throws {
        let folder = try TemporaryFolder()
        let token = try folder.write("tok\n", to: "token")
        let netrc = try folder.write("machine b.example login u password p\n", to: "netrc")
        let proxy = try folder.write("secret", to: "proxy")
        let secrets = try secrets(
            upstream("token_file = \"\(token)\"")
                + "[upstream]\nnetrc_file = \"\(netrc)\"\nproxy = \"http://proxy:3128\"\n"
                + "proxy_user = \"edge\"\nproxy_password_file = \"\(proxy)\"\nno_proxy = [\".lan\"]\n")
        let here = UpstreamOrigin(scheme: .https, host: "a.example")
        let there = UpstreamOrigin(scheme: .https, host: "b.example")
        #expect(secrets.credentials.credential(for: here) == .bearer(token: "tok"))
        #expect(secrets.credentials.credential(for: there) == .basic(user: "u", password: "p"))
        #expect(secrets.proxy?.credential == .basic(user: "edge", password: "secret"))
        #expect(secrets.proxy?.serves(UpstreamOrigin(scheme: .https, host: "x.lan")) == false)
    }

    @Test("authenticate the node at a registry, one's own or a shipped one")
    func registries() throws {
        let folder = try TemporaryFolder()
        let password = try folder.write("p\n", to: "password")
        let token = try folder.write("t\n", to: "token")
        let secrets = try secrets(
            """
            [[registry.upstream]]
            name = "docker.io"
            credential_helper = "pass"
            [[registry.upstream]]
            name = "quay.io"
            user = "me"
            password_file = "\(password)"
            [[registry.upstream]]
            name = "a.example"
            token_file = "\(token)"
            """)
        let hosts = try ["quay.io", "a.example"].map { try RegistryHost($0) }
        #expect(
            secrets.registries == [
                .dockerHub: .helper(name: "pass", server: "https://index.docker.io/v1/"),
                hosts[0]: .fixed(.basic(user: "me", password: "p")),
                hosts[1]: .fixed(.bearer(token: "t")),
            ])
        let exposed = try folder.write("key", to: "key", mode: 0o644)
        let failure = try #require(throws: CommandFailure.self) {
            try self.secrets(
                "[[registry.upstream]]\nname = \"a.example\"\nclient_certificate_file = \"\(token)\"\n"
                    + "client_key_file = \"\(exposed)\"")
        }
        #expect(failure.status == .noPermission)
        #expect(failure.message.hasPrefix("registry.upstream.client_key_file: "))
    }

    @Test("may stand in a docker config.json, but a registry's own count first")
    func dockerConfig() throws {
        let folder = try TemporaryFolder()
        let token = try folder.write("t\n", to: "token")
        let docker = try folder.write(
            """
            {"auths": {"quay.io": {"auth": "bWU6cA=="}, "https://index.docker.io/v1/": {"auth": "eW91OnE="}},
             "credHelpers": {"ghcr.io": "pass"}}
            """, to: "config.json")
        let settings = "[registry]\ndocker_config = \"\(docker)\"\n"
        let entry = "[[registry.upstream]]\nname = \"quay.io\"\ntoken_file = \"\(token)\"\n"
        let (quay, ghcr) = (try RegistryHost("quay.io"), try RegistryHost("ghcr.io"))
        #expect(
            try secrets(settings + entry).registries == [
                .dockerHub: .fixed(.basic(user: "you", password: "q")), quay: .fixed(.bearer(token: "t")),
                ghcr: .helper(name: "pass", server: "ghcr.io"),
            ])
        #expect(try secrets(settings).registries[quay] == .fixed(.basic(user: "me", password: "p")))

        let bad = try folder.write("{\"auths\": {\"quay.io\": {\"auth\": \"c2VjcmV0\"}}}", to: "bad.json")
        let failure = try #require(throws: CommandFailure.self) {
            try secrets("[registry]\ndocker_config = \"\(bad)\"\n")
        }
        #expect(failure.message.hasPrefix("registry.docker_config: \(bad): "))
        #expect(!failure.message.contains("c2VjcmV0"))
    }

    @Test("are refused when everybody may read them, with the remedy")
    func exposed() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("tok", to: "token", mode: 0o644)
        let failure = try #require(throws: CommandFailure.self) {
            try secrets(upstream("token_file = \"\(file)\""))
        }
        #expect(failure.status == .noPermission)
        #expect(failure.message.contains("chmod o-rwx \(file)"))
    }

    @Test("that are missing or empty are named by their key")
    func missing() throws {
        let folder = try TemporaryFolder()
        let empty = try folder.write("\n", to: "empty")
        for (file, status) in [
            (folder.path + "/none", CommandFailure.Status.noInput), (empty, .configuration),
        ] {
            let failure = try #require(throws: CommandFailure.self) {
                try secrets(upstream("token_file = \"\(file)\""))
            }
            #expect(failure.status == status)
            #expect(failure.message.hasPrefix("go.upstream.token_file: "))
            #expect(failure.message.contains(file))
        }
    }
}
