import EdgeNode
import Testing

@Suite("The files of container clients")
struct MirrorSettingsTests {
    static let corp = """
        [[registry.upstream]]
        name = "corp.lan:5000"
        url = "http://corp.lan:5000"
        aliases = ["images.corp"]
        """

    private func settings(
        _ text: String = corp, base: String, registries: [String] = ["docker.io", "corp.lan:5000"],
        ca: String? = nil
    ) throws -> MirrorSettings {
        try MirrorSettings(
            try Configuration.parse(text, environment: ["HOME": "/h"]).configuration, base: base,
            registries: registries, authorityFile: ca)
    }

    private func files(_ client: ContainerClient, base: String, ca: String? = nil) throws -> [ClientFile] {
        try settings(base: base, ca: ca).files(for: client)
    }

    @Test("tell docker of the mirror, and that it is insecure where it is")
    func docker() throws {
        #expect(
            try files(.docker, base: "http://edge:4890/") == [
                ClientFile(
                    path: "/etc/docker/daemon.json",
                    text: """
                        {
                          "registry-mirrors": ["http://edge:4890"],
                          "insecure-registries": ["edge:4890"]
                        }

                        """)
            ])
        let simple = "{\n  \"registry-mirrors\": [\"https://edge\"]\n}\n"
        #expect(try files(.docker, base: "https://edge:443").map(\.text) == [simple])
        #expect(try files(.docker, base: "http://127.0.0.1:1")[0].text.contains("insecure") == false)
    }

    @Test("give containerd one hosts.toml for each registry")
    func containerd() throws {
        #expect(
            try files(.containerd, base: "http://edge:4890") == [
                ClientFile(
                    path: "/etc/containerd/certs.d/docker.io/hosts.toml",
                    text: """
                        # /etc/containerd/certs.d/docker.io/hosts.toml
                        server = "https://registry-1.docker.io"

                        [host."http://edge:4890"]
                          capabilities = ["pull", "resolve"]

                        """),
                ClientFile(
                    path: "/etc/containerd/certs.d/corp.lan:5000/hosts.toml",
                    text: """
                        # /etc/containerd/certs.d/corp.lan:5000/hosts.toml
                        server = "http://corp.lan:5000"

                        [host."http://edge:4890"]
                          capabilities = ["pull", "resolve"]

                        """),
            ])
        let secure = try files(.containerd, base: "https://edge", ca: "/etc/ssl/edge \"1\".pem")
        #expect(
            secure[0].text.hasSuffix(
                "[host.\"https://edge\"]\n  capabilities = [\"pull\", \"resolve\"]\n"
                    + "  ca = \"/etc/ssl/edge \\\"1\\\".pem\"\n"))
    }

    @Test(
        "tell podman and CRI-O by the path which registry is meant",
        arguments: [ContainerClient.podman, .criO])
    func podman(client: ContainerClient) throws {
        #expect(
            try files(client, base: "http://edge:4890") == [
                ClientFile(
                    path: "/etc/containers/registries.conf.d/edgenode.conf",
                    text: """
                        # /etc/containers/registries.conf.d/edgenode.conf

                        [[registry]]
                        prefix = "docker.io"
                        location = "docker.io"

                        [[registry.mirror]]
                        location = "edge:4890/docker.io"
                        insecure = true

                        [[registry]]
                        prefix = "corp.lan:5000"
                        location = "corp.lan:5000"
                        insecure = true

                        [[registry.mirror]]
                        location = "edge:4890/corp.lan:5000"
                        insecure = true

                        """)
            ])
        let secure = try files(client, base: "https://edge:8443")[0].text
        #expect(secure.contains("location = \"edge:8443/docker.io\"\n\n[[registry]]"))
    }

    @Test("give BuildKit the mirror's own table")
    func buildkit() throws {
        #expect(
            try files(.buildkit, base: "http://edge:4890") == [
                ClientFile(
                    path: "/etc/buildkit/buildkitd.toml",
                    text: """
                        # /etc/buildkit/buildkitd.toml

                        [registry."docker.io"]
                          mirrors = ["edge:4890"]

                        [registry."corp.lan:5000"]
                          mirrors = ["edge:4890"]
                          http = true

                        [registry."edge:4890"]
                          http = true

                        """)
            ])
        let secure = try files(.buildkit, base: "https://edge", ca: "/ca.pem")[0].text
        #expect(secure.hasSuffix("[registry.\"edge\"]\n  ca = [\"/ca.pem\"]\n"))
        #expect(try !files(.buildkit, base: "https://edge")[0].text.contains("[registry.\"edge\"]"))
    }

    @Test("give k3s a registries.yaml")
    func k3s() throws {
        #expect(
            try files(.k3s, base: "https://[fd00::1]:4890", ca: "/ca.pem") == [
                ClientFile(
                    path: "/etc/rancher/k3s/registries.yaml",
                    text: """
                        # /etc/rancher/k3s/registries.yaml
                        mirrors:
                          "docker.io":
                            endpoint:
                              - "https://[fd00::1]:4890"
                          "corp.lan:5000":
                            endpoint:
                              - "https://[fd00::1]:4890"
                              - "http://corp.lan:5000"
                        configs:
                          "[fd00::1]:4890":
                            tls:
                              ca_file: "/ca.pem"

                        """)
            ])
    }

    @Test("name every registry that the configuration knows, under each of its names")
    func every() throws {
        let names = try settings(base: "http://edge", registries: []).registries.map(\.name.text)
        #expect(names.contains("quay.io"))
        #expect(names.suffix(2) == ["corp.lan:5000", "images.corp"])
        #expect(!names.contains("index.docker.io"))
        #expect(names.filter { $0 == "docker.io" }.count == 1)
    }

    @Test(
        "are refused for what clients cannot use",
        arguments: [
            ("http://edge/path", "docker.io", nil, "top of a host"),
            ("edge:4890", "docker.io", nil, "https://"),
            ("http://edge", "nowhere.example", nil, "no registry of this node"),
            ("http://edge", "docker.io", "/ca.pem", "plain http"),
            ("https://edge", "docker.io", "ca.pem", "absolute"),
            ("https://me:secret@edge", "docker.io", nil, "--url"),
        ] as [(String, String, String?, String)])
    func refused(base: String, registry: String, ca: String?, says: String) throws {
        let failure = try #require(throws: CommandFailure.self) {
            try settings(base: base, registries: [registry], ca: ca)
        }
        #expect(failure.status == .usage)
        #expect(failure.message.contains(says), "\(failure)")
        #expect(!failure.message.contains("secret"))
    }

    @Test("come with notes on what is to be done besides")
    func notes() throws {
        let local = try settings(base: "http://127.0.0.1:4890")
        for client in ContainerClient.allCases {
            #expect(local.notes(for: client).contains { $0.contains("--url") })
            #expect(try settings(base: "http://edge").notes(for: client).allSatisfy { !$0.contains("--url") })
        }
        let other = try settings("[registry]\ndefault = \"quay.io\"", base: "http://edge", registries: [])
        #expect(other.notes(for: .docker).contains { $0.contains("registry.default") })
        let secure = try settings(base: "https://edge:1", ca: "/ca.pem")
        #expect(secure.notes(for: .podman).contains { $0.contains("/etc/containers/certs.d/edge:1/ca.crt") })
        #expect(secure.notes(for: .docker).contains { $0.contains("/etc/docker/certs.d/edge:1/ca.crt") })
    }

    @Test("are written where they belong, and never over what somebody else wrote")
    func install() throws {
        let folder = try TemporaryFolder()
        let file = try files(.k3s, base: "http://edge")[0]
        #expect(try file.install(below: folder.path) == .written)
        #expect(try folder.read("etc/rancher/k3s/registries.yaml") == file.text)
        #expect(try file.install(below: folder.path + "/") == .unchanged)
        let other = ClientFile(path: file.path, text: "mirrors: {}\n")
        let failure = try #require(throws: CommandFailure.self) { try other.install(below: folder.path) }
        #expect(failure.message.contains("merge by hand"))
        #expect(try folder.read("etc/rancher/k3s/registries.yaml") == file.text)
    }
}
