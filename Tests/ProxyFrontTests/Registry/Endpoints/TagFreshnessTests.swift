import ChunkStore
import Content
import ProxyFront
import Testing

@Suite struct TagFreshnessTests {
    private let image = TestImage("one")
    private let next = TestImage("two")
    private let tag = "/v2/app/manifests/1"
    private let name = "docker.io/library/app:1"

    private func onImage(
        _ change: (inout RegistryNode.Settings) throws -> Void = { _ in },
        _ body: (RegistryNode, StandInRegistry) async throws -> Void
    ) async throws {
        let registry = StandInRegistry()
        registry.change("docker.io/library/app") { image.add(to: &$0, tags: ["1"]) }
        try await RegistryNode.running(registry, try .with(change)) { try await body($0, registry) }
    }

    @Test func aColdTagCostsOneRequestWhoeverAsksFirst() async throws {
        try await onImage { node, registry in
            let head = await node.ask(tag, .head)
            #expect(head.status == 200)
            #expect(head.headers["Docker-Content-Digest"] == "\(image.digest)")
            #expect(await node.ask("/v2/app/manifests/\(image.digest)").body == image.manifest)
            #expect(await node.ask(tag).body == image.manifest)
            #expect(registry.asked == ["GET \(name) anonymous"])
        }
    }

    @Test func aFreshTagIsAnsweredOnTheEventLoop() async throws {
        try await onImage { node, registry in
            _ = await node.ask(tag)
            node.clock.advance(seconds: 299)
            let (response, isNow) = await node.response(tag)
            #expect(isNow)
            #expect(response.servedFrom == .local)
            #expect(registry.asked.count == 1)
        }
    }

    @Test func aTagPastItsTimeIsCheckedByHeadAndFreshAgain() async throws {
        try await onImage { node, registry in
            _ = await node.ask(tag)
            registry.forgetAsked()
            node.clock.advance(seconds: 301)
            let got = await node.ask(tag)
            #expect(got.body == image.manifest)
            #expect(got.headers["Warning"] == nil)
            #expect(registry.asked == ["HEAD \(name) anonymous"])
            #expect(await node.response(tag).isNow)
        }
    }

    @Test func aTagThatMovedCostsAHeadAndAGetOfTheNewDigest() async throws {
        try await onImage { node, registry in
            _ = await node.ask(tag)
            registry.forgetAsked()
            registry.change("docker.io/library/app") { next.add(to: &$0, tags: ["1"]) }
            #expect(await node.ask(tag).body == image.manifest, "it is fresh")
            node.clock.advance(seconds: 301)
            #expect(await node.ask(tag).body == next.manifest)
            #expect(
                registry.asked == [
                    "HEAD \(name) anonymous", "GET docker.io/library/app@\(next.digest) anonymous",
                ])
            #expect(await node.ask("/v2/app/manifests/\(image.digest)").status == 200)
        }
    }

    @Test func aTagThatMovesBackCostsAHeadOnly() async throws {
        try await onImage { node, registry in
            _ = await node.ask(tag)
            registry.change("docker.io/library/app") { next.add(to: &$0, tags: ["1"]) }
            node.clock.advance(seconds: 301)
            _ = await node.ask(tag)
            registry.change("docker.io/library/app") { $0.tags["1"] = image.digest }
            registry.forgetAsked()
            node.clock.advance(seconds: 301)
            #expect(await node.ask(tag).body == image.manifest)
            #expect(registry.asked == ["HEAD \(name) anonymous"])
        }
    }

    @Test func thirtyTwoClientsOfAStaleTagCauseOneHead() async throws {
        try await onImage { node, registry in
            _ = await node.ask(tag)
            registry.forgetAsked()
            node.clock.advance(seconds: 301)
            let bodies = await withTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<32 { group.addTask { await node.ask(tag).body } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(bodies.allSatisfy { $0 == image.manifest })
            #expect(registry.asked == ["HEAD \(name) anonymous"])
        }
    }

    @Test(arguments: [
        StandInRegistry.down, .timeout(upstream: "stand-in", phase: .connecting, after: .seconds(3)),
        .resting(upstream: "stand-in", retryIn: .seconds(60)),
        .refused(UpstreamRefusal(upstream: "stand-in", status: 429, retryAfter: "60")),
        .refused(UpstreamRefusal(upstream: "stand-in", status: 503)),
        .unusable(upstream: "stand-in", reason: "no HTTP"),
    ])
    func aTagIsServedAsLastSeenWhileUpstreamCannotBeAsked(failure: UpstreamFailure) async throws {
        try await onImage { node, registry in
            _ = await node.ask(tag)
            node.clock.advance(seconds: 1000)
            registry.fail { $0.everything = failure }
            let got = await node.ask(tag)
            #expect(got.status == 200)
            #expect(got.body == image.manifest)
            #expect(got.headers["Age"] == "1000")
            #expect(got.headers["Warning"]?.hasPrefix("299 - \"served as last seen: ") == true)
            #expect(node.metrics.stale.value == 1)
            registry.comeBack()
            #expect(await node.ask(tag).headers["Warning"] == nil)
        }
    }

    @Test func aTagThatIsGoneUpstreamIsGoneHereAndStaysSoOffline() async throws {
        try await onImage { node, registry in
            _ = await node.ask(tag)
            registry.change("docker.io/library/app") { $0.tags = [:] }
            node.clock.advance(seconds: 301)
            let got = await node.ask(tag)
            #expect(got.status == 404)
            #expect(got.code == "MANIFEST_UNKNOWN")
            registry.goDown()
            node.clock.advance(seconds: 301)
            #expect(await node.ask(tag).status != 200)
            #expect(await node.ask("/v2/app/manifests/\(image.digest)").status == 200)
        }
    }

    @Test(arguments: ["oci/docker.io/library/app:1", "oci/docker.io/*"])
    func aPinnedTagNeverMoves(pattern: String) async throws {
        try await onImage { node, registry in
            _ = await node.ask(tag)
            try await node.store.pin(pattern)
            registry.change("docker.io/library/app") { next.add(to: &$0, tags: ["1"]) }
            registry.forgetAsked()
            node.clock.advance(seconds: 100_000)
            let got = await node.ask(tag)
            #expect(got.body == image.manifest)
            #expect(got.headers["Warning"] == nil)
            #expect(registry.asked.isEmpty)
            try await node.store.unpin(pattern)
            #expect(await node.ask(tag).body == next.manifest)
        }
    }

    @Test func patternsOfRepositoryAndTagHaveSpansOfTheirOwn() async throws {
        let spans: (inout RegistryNode.Settings) throws -> Void = { settings in
            settings.upstreams[0].freshFor = .seconds(10)
            settings.upstreams[0].freshness = [("library/app:1*", .seconds(1000)), ("*:latest", .zero)]
        }
        try await onImage(spans) { node, registry in
            registry.change("docker.io/library/app") { $0.tags["latest"] = image.digest }
            for (path, seconds, asks) in [("1", 999, 1), ("latest", 0, 2)] as [(String, Int64, Int)] {
                _ = await node.ask("/v2/app/manifests/\(path)")
                node.clock.advance(seconds: seconds)
                _ = await node.ask("/v2/app/manifests/\(path)")
                #expect(registry.asked.count { $0.contains(":\(path) ") } == asks)
            }
        }
    }

    @Test func aTypeThatTheClientDoesNotTakeIsAskedForUpstreamAndServedAsItIsOffline() async throws {
        try await onImage { node, registry in
            _ = await node.ask(tag)
            registry.forgetAsked()
            let other: Headers = ["Accept": MediaType.dockerList]
            #expect(await node.ask(tag, headers: other).status == 200)
            #expect(registry.asked == ["HEAD \(name) anonymous"])
            registry.goDown()
            #expect(await node.ask(tag, headers: other).body == image.manifest)
        }
    }

    @Test func aMissIsRememberedForAWhile() async throws {
        try await onImage { node, registry in
            for _ in 0..<3 { #expect(await node.ask("/v2/app/manifests/2").status == 404) }
            #expect(registry.asked.count == 1)
        }
    }

    @Test func oneFailureOfUpstreamIsNotTheClients() async throws {
        try await onImage { node, registry in
            registry.fail { $0.hiccups = 1 }
            #expect(await node.ask(tag).body == image.manifest)
        }
    }

    @Test func aPageThatIsNoManifestIsNeitherServedNorKept() async throws {
        try await onImage { node, registry in
            let portal = Array("<html>Log in to the network</html>".utf8)
            registry.change("docker.io/library/app") { shelf in
                shelf.manifests[Digest(of: portal)] = .init(type: "text/html", bytes: portal)
                shelf.tags["1"] = Digest(of: portal)
            }
            let got = await node.ask(tag)
            #expect(got.status == 502)
            #expect(got.code == "UNKNOWN")
            let kept = try await node.store.totals().references
            #expect(kept == 0)
        }
    }

    @Test func bytesThatAreNotThoseOfTheirDigestAreNeitherServedNorKept() async throws {
        try await onImage { node, registry in
            registry.change("docker.io/library/app") { shelf in
                shelf.manifests[image.digest] = .init(type: image.type, bytes: next.manifest)
            }
            for path in [tag, "/v2/app/manifests/\(image.digest)"] {
                let got = await node.ask(path)
                #expect(got.status == 502)
                #expect(!got.body.elementsEqual(next.manifest))
            }
            let kept = try await node.store.totals().references
            #expect(kept == 0)
            #expect(node.metrics.mismatches.value == 2)
            #expect(node.audit.events.contains { $0.action == .policy && $0.origin == "stand-in" })
        }
    }

    @Test func aManifestLargerThanAPackTakesIsKeptToo() async throws {
        let small: (inout RegistryNode.Settings) throws -> Void = { $0.store = { $0.smallObjectLimit = 64 } }
        try await onImage(small) { node, registry in
            _ = await node.ask(tag)
            registry.goDown()
            #expect(await node.ask(tag).body == image.manifest)
            let link = try await node.store.reference(
                ReferenceName("oci/docker.io/library/app@\(image.digest)"))
            #expect(link != nil)
        }
    }
}
