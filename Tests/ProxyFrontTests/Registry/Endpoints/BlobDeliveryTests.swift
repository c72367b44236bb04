import ChunkStore
import Content
import ProxyFront
import Testing

@Suite struct BlobDeliveryTests {
    private static let large = TestImage("large", layerSizes: [6 << 20])
    private let image = TestImage("small", layerSizes: [300_000])

    private func path(_ image: TestImage, _ name: String = "app") -> String {
        "/v2/\(name)/blobs/\(image.layerDigest())"
    }

    private func on(
        _ image: TestImage, mirrors: [String] = ["stand-in"],
        _ change: (inout RegistryNode.Settings) throws -> Void = { _ in },
        _ body: (RegistryNode, StandInRegistry) async throws -> Void
    ) async throws {
        let registry = StandInRegistry(mirrors: mirrors)
        registry.change("docker.io/library/app") { image.add(to: &$0, tags: ["1"]) }
        try await RegistryNode.running(registry, try .with(change)) { try await body($0, registry) }
    }

    @Test func sixteenColdClientsCostOneGet() async throws {
        try await on(image) { node, registry in
            let gate = FaultUpstream.Gate()
            registry.fail { $0.gate = gate }
            let bodies = await withTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<16 { group.addTask { await node.ask(path(image)).body } }
                try? await waitUntil { registry.count("GET blob") > 0 }
                gate.open()
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(bodies.allSatisfy { $0 == image.layers[0] })
            #expect(registry.count("GET blob") == 1)
        }
    }

    @Test func twoRepositoriesThatListABlobShareItsTransfer() async throws {
        try await on(image) { node, registry in
            registry.change("quay.io/team/app") { image.add(to: &$0, tags: ["1"]) }
            _ = await node.ask("/v2/app/manifests/1")
            _ = await node.ask("/v2/quay.io/team/app/manifests/1")
            let gate = FaultUpstream.Gate()
            registry.fail { $0.gate = gate }
            let first = Task { await node.ask(path(image)) }
            try await waitUntil { registry.count("GET blob") == 1 }
            let second = Task { await node.ask(path(image, "quay.io/team/app")) }
            try await waitUntil { node.delivery.underWay.contains { $0.readers == 2 } }
            gate.open()
            #expect(await first.value.body == image.layers[0])
            #expect(await second.value.body == image.layers[0])
            try await node.waitUntilQuiet()
            #expect(registry.count("GET blob") == 1)
            registry.goDown()
            for name in ["app", "quay.io/team/app"] {
                #expect(await node.ask(path(image, name)).body == image.layers[0])
            }
        }
    }

    @Test func aHeldPublicBlobIsLinkedWhereAManifestListsItAndVouchedForWhereNoneDoes() async throws {
        try await on(image) { node, registry in
            try await node.pull("app", "1", image)
            registry.change("quay.io/team/app") { image.add(to: &$0, tags: ["1"]) }
            registry.forgetAsked()
            #expect(await node.ask(path(image, "quay.io/team/app")).body == image.layers[0])
            #expect(registry.asked == ["HEAD blob quay.io/team/app@\(image.layerDigest()) anonymous"])
            registry.change("localhost:5000/x") { image.add(to: &$0, tags: ["1"]) }
            _ = await node.ask("/v2/localhost:5000/x/manifests/1")
            registry.forgetAsked()
            #expect(await node.ask(path(image, "localhost:5000/x")).body == image.layers[0])
            #expect(registry.asked.isEmpty)
        }
    }

    @Test func aWrongBodyNeverCompletesAndIsNeverKept() async throws {
        try await on(image) { node, registry in
            registry.fail { $0.liars = ["stand-in"] }
            let got = await node.ask(path(image))
            #expect(!got.isComplete)
            #expect(got.body.count <= image.layers[0].count - Int(Holdback.limit))
            try await node.waitUntilQuiet()
            let kept = try await node.store.object(image.layerDigest())
            #expect(kept?.size == nil)
            #expect(node.metrics.mismatches.value >= 1)
            #expect(node.audit.events.contains { $0.action == .policy && $0.origin == "stand-in" })
            registry.fail { $0.liars = [] }
            #expect(await node.ask(path(image)).body == image.layers[0])
        }
    }

    @Test func whoLiedOnceIsAskedLastTheNextTime() async throws {
        try await on(image, mirrors: ["liar", "honest"]) { node, registry in
            registry.fail { $0.liars = ["liar"] }
            #expect(await !node.ask(path(image)).isComplete)
            try await node.waitUntilHeld("oci/docker.io/library/app@\(image.layerDigest())")
            #expect(await node.ask(path(image)).body == image.layers[0])
            #expect(registry.asked.contains { $0.contains("from honest") })
        }
    }

    @Test func aWrongSmallBodyIsAnErrorNotACut() async throws {
        let tiny = TestImage("tiny", layerSizes: [500])
        try await on(tiny) { node, registry in
            registry.fail { $0.liars = ["stand-in"] }
            let got = await node.ask(path(tiny))
            #expect(got.status == 404)
            #expect(got.text.contains("stand-in gave other bytes"))
        }
    }

    @Test func aBodyThatIsCutAgainAndAgainCompletes() async throws {
        try await on(Self.large) { node, registry in
            registry.fail { faults in
                faults.cutAfter = 1 << 20
                faults.cuts = 4
            }
            let got = await node.ask(path(Self.large))
            #expect(got.body == Self.large.layers[0])
            #expect(registry.count("GET blob") == 5)
            #expect(registry.sent == Self.large.layers[0].count, "no byte is fetched twice")
        }
    }

    @Test func aBodyThatWasCutGoesOnAfterARestartWhereItStopped() async throws {
        let directory = TestNode.temporaryDirectory()
        defer { TestNode.remove(directory) }
        let registry = StandInRegistry()
        let layer = Self.large.layers[0]
        registry.change("docker.io/library/app") { Self.large.add(to: &$0, tags: ["1"]) }
        try await RegistryNode.running(registry, try .with { $0.directory = directory }) { node in
            registry.fail { faults in
                faults.cutAfter = 4 << 20
                faults.cuts = 1
            }
            // Upstream is gone for good behind the cut.
            let gate = FaultUpstream.Gate()
            registry.fail { $0.gate = gate }
            let pull = Task { await node.ask(path(Self.large)) }
            try await waitUntil { registry.count("GET blob") == 1 }
            registry.goDown()
            gate.open()
            #expect(await !pull.value.isComplete)
            try await node.waitUntilQuiet()
        }
        registry.comeBack()
        registry.forgetAsked()
        try await RegistryNode.running(registry, try .with { $0.directory = directory }) { node in
            let got = await node.ask(path(Self.large))
            #expect(got.body == layer)
            #expect(registry.asked.first?.contains(" \(4 << 20)- from ") == true, "\(registry.asked)")
            #expect(registry.sent == layer.count)
        }
    }

    @Test func aFarRangeOfALargeColdBlobCostsAboutWhatItAsksFor() async throws {
        let lazy: (inout RegistryNode.Settings) throws -> Void = { $0.transfer.fillLimit = 1 << 20 }
        try await on(Self.large, lazy) { node, registry in
            let layer = Self.large.layers[0]
            let got = await node.ask(path(Self.large), headers: ["Range": "bytes=4000000-4099999"])
            #expect(got.status == 206)
            #expect(got.headers["Content-Range"] == "bytes 4000000-4099999/\(layer.count)")
            #expect(got.body == Array(layer[4_000_000..<4_100_000]))
            #expect(registry.sent <= 100_000 + 1)
            let end = await node.ask(path(Self.large), headers: ["Range": "bytes=-1000"])
            #expect(end.status == 206)
            #expect(end.body == Array(layer.suffix(1000)))
        }
    }

    @Test func aResumedPullOfAColdBlobIsFetchedWhole() async throws {
        let lazy: (inout RegistryNode.Settings) throws -> Void = { $0.transfer.fillLimit = 1 << 20 }
        try await on(Self.large, lazy) { node, _ in
            let layer = Self.large.layers[0]
            let got = await node.ask(path(Self.large), headers: ["Range": "bytes=2000000-"])
            #expect(got.status == 206)
            #expect(got.isComplete)
            #expect(got.body == Array(layer[2_000_000...]))
            try await node.waitUntilHeld("oci/docker.io/library/app@\(Self.large.layerDigest())")
        }
    }

    @Test func headOfAColdBlobFetchesNothing() async throws {
        try await on(image) { node, registry in
            let got = await node.ask(path(image), .head)
            #expect(got.status == 200)
            #expect(got.headers["Content-Length"] == "300000")
            #expect(registry.asked.allSatisfy { $0.hasPrefix("HEAD") })
        }
    }

    @Test func aFullDiskPassesABlobOnAndStillProvesIt() async throws {
        let full: (inout RegistryNode.Settings) throws -> Void = { $0.store = { $0.capacity = 100_000 } }
        try await on(image, full) { node, registry in
            #expect(await node.ask(path(image)).body == image.layers[0])
            registry.fail { $0.liars = ["stand-in"] }
            let got = await node.ask(path(image))
            #expect(!got.isComplete)
            let kept = try await node.store.object(image.layerDigest())
            #expect(kept?.size == nil)
        }
    }
}
