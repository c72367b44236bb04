import ChunkStore
import Content
import ProxyFront
import Testing

@Suite struct OfflineTests {
    private let image = TestImage("offline", layerSizes: [100_000, 300])

    private func pulled(_ directory: String, _ registry: StandInRegistry) async throws {
        registry.change("docker.io/library/app") { image.add(to: &$0, tags: ["1", "2"]) }
        try await RegistryNode.running(registry, try .with { $0.directory = directory }) { node in
            try await node.pull("app", "1", image)
        }
    }

    @Test func whatWasPulledIsPulledAgainWithoutUpstreamAfterARestart() async throws {
        let directory = TestNode.temporaryDirectory()
        defer { TestNode.remove(directory) }
        let registry = StandInRegistry()
        try await pulled(directory, registry)
        registry.goDown()
        registry.forgetAsked()
        try await RegistryNode.running(registry, try .with { $0.directory = directory }) { node in
            try await node.pull("app", "1", image)
            try await node.pull("docker.io/library/app", "\(image.digest)", image)
            #expect(registry.asked.isEmpty)
            node.clock.advance(seconds: 100_000)
            try await node.pull("app", "1", image)
            let tags = await node.ask("/v2/app/tags/list")
            #expect(tags.text == #"{"name":"app","tags":["1"]}"#)
            #expect(tags.headers["Warning"]?.hasPrefix("299 - ") == true)
        }
    }

    @Test(
        arguments: [
            ("app/manifests/3", "ns=docker.io", 404, "MANIFEST_UNKNOWN"),
            ("app/manifests/3", nil, 503, "UNAVAILABLE"),
            ("other/blobs/sha256:\(String(repeating: "0", count: 64))", "ns=docker.io", 404, "BLOB_UNKNOWN"),
            ("other/blobs/sha256:\(String(repeating: "0", count: 64))", nil, 404, "BLOB_UNKNOWN"),
            ("other/tags/list", nil, 503, "UNAVAILABLE"),
        ] as [(String, String?, Int, String)])
    func whatIsNotHeldSaysWhy(path: String, query: String?, status: Int, code: String) async throws {
        let registry = StandInRegistry()
        registry.goDown()
        try await RegistryNode.running(registry) { node in
            let got = await node.ask("/v2/\(path)\(query.map { "?\($0)" } ?? "")")
            #expect(got.status == status)
            #expect(got.code == code)
            #expect(got.text.contains("connection refused"))
            if status == 503 { #expect(got.headers["Retry-After"] == "5") }
        }
    }

    @Test func aUsedUpRateLimitIsA404ForMirrorsAndNeverA429() async throws {
        let registry = StandInRegistry()
        registry.fail {
            $0.everything = .refused(UpstreamRefusal(upstream: "hub", status: 429, retryAfter: "77"))
        }
        try await RegistryNode.running(registry) { node in
            let mirrored = await node.ask("/v2/app/manifests/1?ns=docker.io")
            #expect(mirrored.status == 404)
            #expect(mirrored.text.contains("rate limit of hub is used up, for 77 more seconds"))
            let named = await node.ask("/v2/app/manifests/1")
            #expect(named.status == 503)
            #expect(named.code == "TOOMANYREQUESTS")
            #expect(named.headers["Retry-After"] == "77")
        }
    }

    @Test func listsAreServedAsLastSeenTogetherWithWhatIsHeld() async throws {
        let registry = StandInRegistry()
        registry.change("docker.io/library/app") { image.add(to: &$0, tags: ["1", "2"]) }
        try await RegistryNode.running(registry) { node in
            #expect(await node.ask("/v2/app/tags/list").text == #"{"name":"app","tags":["1","2"]}"#)
            #expect(await node.ask("/v2/app/tags/list").status == 200)
            #expect(registry.count("TAGS") == 1)
            registry.change("docker.io/library/app") { $0.tags["3"] = image.digest }
            _ = await node.ask("/v2/app/manifests/3")
            registry.goDown()
            node.clock.advance(seconds: 61)
            let got = await node.ask("/v2/app/tags/list")
            #expect(got.text == #"{"name":"app","tags":["1","2","3"]}"#)
            #expect(got.headers["Age"] == "61")
            #expect(got.headers["Warning"] != nil)
        }
    }

    @Test func heldManifestsWithASubjectAreReferrersWithoutUpstream() async throws {
        let signature = TestImage("s", layerSizes: [9], artifactType: "application/vnd.x", subject: image)
        let registry = StandInRegistry()
        registry.change("docker.io/library/app") { shelf in
            image.add(to: &shelf, tags: ["1"])
            signature.add(to: &shelf)
        }
        try await RegistryNode.running(registry) { node in
            _ = await node.ask("/v2/app/manifests/\(signature.digest)")
            registry.goDown()
            let got = await node.ask("/v2/app/referrers/\(image.digest)?artifactType=application/vnd.x")
            #expect(got.status == 200)
            let index = try Manifest(parsing: got.body)
            #expect(index.manifests.map(\.digest) == [signature.digest])
            #expect(index.manifests.first?.artifactType == "application/vnd.x")
            #expect(got.headers["Warning"]?.hasPrefix("299 - ") == true)
            #expect(await node.ask("/v2/app/referrers/\(signature.digest)").status == 200)
        }
    }
}
