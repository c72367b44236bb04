import EdgeNode
import Foundation
import ProxyFront
import Testing

@Suite("The program as a registry mirror", .serialized)
struct RegistryProcessTests {
    /// A node that knows one registry, and nobody else.
    private func node(registry: String, at url: String) throws -> (node: NodeProcess, config: String) {
        let node = try NodeProcess()
        let text = """
            [registry]
            public = false
            default = "\(registry)"
            fresh_for = "1d"
            [[registry.upstream]]
            name = "\(registry)"
            url = "\(url)"
            library = true
            """
        return (node, try node.folder.write(text + "\n", to: "c.toml"))
    }

    @Test("takes no pushes, knows no registry that it was not told of, and answers the clients' ping")
    func front() async throws {
        let (node, config) = try node(registry: "demo.example", at: "http://127.0.0.1:1")
        let (process, url) = try await node.start("--config", config)
        #expect(try await NodeProcess.get(url + "/v2/").status == 200)
        #expect(try await NodeProcess.get(url + "/v2").status == 200)
        let other = try await NodeProcess.get(url + "/v2/a/manifests/1?ns=other.example")
        #expect(other.status == 404)
        #expect(other.body.contains("registry.upstream"), "\(other.body)")
        let push = try await ChildProcess.run(
            "/usr/bin/curl",
            ["-s", "-w", "%{http_code}", "-X", "POST", url + "/v2/library/a/blobs/uploads/"])
        #expect(push.output.contains("UNSUPPORTED"))
        #expect(push.output.hasSuffix("405"))
        process.signal(SIGTERM)
        #expect(try await process.wait().status == 0)
    }

    @Test("warms an image, pins it, tells of it, and serves it when its registry is gone, restart included")
    func warm() async throws {
        let image = try TestImage()
        // One node is the registry of the other: it holds the image and asks nobody.
        let (registry, registryConfig) = try node(registry: "demo.example", at: "http://127.0.0.1:1")
        let layout = registry.folder.path + "/layout"
        try TestImage.write(image.layout(annotations: [:]), below: layout)
        let imported = try await registry.run(
            "import", "--config", registryConfig, "--public", "--as", "demo.example/library/app:1", layout)
        #expect(imported.status == 0, "\(imported.errors)")
        let (upstream, upstreamURL) = try await registry.start("--config", registryConfig)

        let (node, config) = try node(registry: "demo.example", at: upstreamURL)
        let (first, url) = try await node.start("--config", config)
        let warmed = try await node.run(
            "warm", "--config", config, "--pin", "--all-platforms", "demo.example/app:1")
        #expect(warmed.status == 0, "\(warmed.errors)")
        #expect(warmed.output.hasPrefix("8 files are held, "), "\(warmed.output)")
        #expect(warmed.output.hasSuffix("; 0 failed\n"), "\(warmed.output)")
        let pins = try await node.run("pins", "--config", config)
        #expect(pins.output == "oci/demo.example/library/app:1\n")
        let missing = try await node.run("warm", "--config", config, "demo.example/none:1")
        #expect(missing.status == 1)
        #expect(missing.errors.contains("edgenode: demo.example/none:1: "), "\(missing.errors)")
        let before = try await NodeProcess.get(url + "/v2/library/app/manifests/1?ns=demo.example")
        #expect(before.status == 200)

        upstream.signal(SIGTERM)
        _ = try await upstream.wait()
        first.signal(SIGTERM)
        _ = try await first.wait()
        let (second, again) = try await node.start("--config", config)
        let after = try await NodeProcess.get(again + "/v2/demo.example/app/manifests/1")
        #expect(after.status == 200)
        #expect(after.body == before.body)
        let offline = try await node.run(
            "warm", "--config", config, "--all-platforms", "oci:demo.example/app:1")
        #expect(offline.output == warmed.output, "\(offline.errors)")

        let status = try await node.run("status", "--config", config)
        #expect(status.output.contains("demo.example: 1 repositories, 1 tags"), "\(status.output)")
        let json = try await NodeProcess.get(again + "/api/v1/status").body
        let report = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        let states = (report?["node"] as? [String: Any])?["registries"] as? [[String: Any]]
        #expect((states?.first?["held"] as? [String: Any])?["tags"] as? Int == 1)
        #expect(try await NodeProcess.get(again + "/metrics").body.contains("\nedgenode_image_tags 1\n"))
        second.signal(SIGTERM)
        _ = try await second.wait()
    }
}
