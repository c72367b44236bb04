import Content
import ProxyFront
import Testing

/// Targets that are asked for again are answered out of what was made of them the first time.
@Suite("Targets that are asked for again") struct RepeatedTargetTests {
    private let ours = TestImage("ours", layerSizes: [1000])
    private let theirs = TestImage("theirs", layerSizes: [2000])

    @Test("the same path of another registry is another image, however often both are asked for")
    func namespaces() async throws {
        let registry = StandInRegistry()
        registry.change("docker.io/team/app") { ours.add(to: &$0, tags: ["1"]) }
        registry.change("quay.io/team/app") { theirs.add(to: &$0, tags: ["1"]) }
        try await RegistryNode.running(registry) { node in
            for _ in 0..<3 {
                for (host, image) in [("docker.io", ours), ("quay.io", theirs)] {
                    let got = await node.ask("/v2/team/app/manifests/1?ns=\(host)")
                    #expect(got.body == image.manifest)
                    #expect(got.headers["Docker-Content-Digest"] == "\(image.digest)")
                    #expect(got.headers["OCI-Namespace"] == host)
                }
            }
        }
    }

    @Test("a tag that has moved is answered with the new digest in every header")
    func moved() async throws {
        let registry = StandInRegistry()
        registry.change("docker.io/library/app") { ours.add(to: &$0, tags: ["1"]) }
        try await RegistryNode.running(registry) { node in
            for _ in 0..<3 { #expect(await node.ask("/v2/app/manifests/1").body == ours.manifest) }
            registry.change("docker.io/library/app") { theirs.add(to: &$0, tags: ["1"]) }
            node.clock.advance(seconds: 100_000)
            for _ in 0..<3 {
                let got = await node.ask("/v2/app/manifests/1")
                #expect(got.body == theirs.manifest)
                #expect(got.headers["Docker-Content-Digest"] == "\(theirs.digest)")
                #expect(got.headers["ETag"] == "\"\(theirs.digest)\"")
            }
        }
    }

    @Test("a crowd that comes while a blob becomes held asks upstream once, latecomers included")
    func crowd() async throws {
        let image = TestImage("crowd", layerSizes: (0..<20).map { 100_000 + $0 })
        let registry = StandInRegistry()
        registry.change("docker.io/library/app") { image.add(to: &$0, tags: ["1"]) }
        try await RegistryNode.running(registry) { node in
            for layer in image.layers.indices {
                let path = "/v2/app/blobs/\(image.layerDigest(layer))"
                await withTaskGroup(of: Bool.self) { group in
                    for _ in 0..<32 {
                        group.addTask { await node.ask(path).body == image.layers[layer] }
                    }
                    for await isRight in group { #expect(isRight) }
                }
            }
            #expect(registry.count("GET blob") == image.layers.count)
            #expect(registry.count("HEAD blob") == 0)
        }
    }
}
