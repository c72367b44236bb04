import ChunkStore
import Content
import PeerExchange
import ProxyFront
import Testing

/// Images between nodes: digests from peers, tags by upstream's word, privacy by repository.
@Suite("Images from peers") struct ImagePeersTests {
    private let image = TestImage("peers", layerSizes: [300_000, 3000])
    private static let secret = UpstreamCredential.basic(user: "node", password: "pw")
    private let insider: Headers = ["Authorization": "insider"]

    private func nodes(
        _ count: Int, on mesh: PeerMesh, _ registry: StandInRegistry, with started: [RegistryNode] = [],
        _ body: ([RegistryNode]) async throws -> Void
    ) async throws {
        guard started.count < count else { return try await body(started) }
        let number = started.count + 1
        let settings = try RegistryNode.Settings.with {
            $0.access = ScriptedAccess(insiders: ["insider"])
            $0.peers = { _ in mesh.reach(of: number) }
        }
        try await RegistryNode.running(registry, settings) { node in
            mesh.add(number, node.store, [node.delivery])
            try await nodes(count, on: mesh, registry, with: started + [node], body)
        }
    }

    private func cluster(
        _ count: Int, secret: UpstreamCredential? = nil,
        _ body: (PeerMesh, StandInRegistry, [RegistryNode]) async throws -> Void
    ) async throws {
        let registry = StandInRegistry(nodeCredential: Self.secret)
        registry.change("quay.io/team/app") { shelf in
            image.add(to: &shelf, tags: ["1"])
            shelf.secret = secret
        }
        let mesh = PeerMesh()
        try await nodes(count, on: mesh, registry) { try await body(mesh, registry, $0) }
    }

    @Test func theSecondNodeAsksUpstreamOnlyWhatTheTagStandsFor() async throws {
        try await cluster(2) { mesh, registry, nodes in
            try await nodes[0].pull("quay.io/team/app", "1", image)
            registry.forgetAsked()
            let sent = registry.sent
            try await nodes[1].pull("quay.io/team/app", "1", image)
            #expect(registry.asked == ["HEAD quay.io/team/app:1 anonymous"])
            #expect(registry.sent == sent)
        }
    }

    @Test func aBlobOfAPeerIsServedAsAPeers() async throws {
        try await cluster(2) { mesh, registry, nodes in
            try await nodes[0].pull("quay.io/team/app", "1", image)
            let path = "/v2/quay.io/team/app/blobs/\(image.layerDigest())"
            #expect(await nodes[1].response(path).0.servedFrom == .peer)
            let manifest = "/v2/quay.io/team/app/manifests/\(image.digest)"
            #expect(await nodes[1].response(manifest).0.servedFrom == .peer)
        }
    }

    @Test func whenUpstreamDiesAPeerBringsTheRest() async throws {
        try await cluster(2) { mesh, registry, nodes in
            let path = "/v2/quay.io/team/app/blobs/\(image.layerDigest())"
            mesh.change(1) { $0.isStopped = true }
            _ = await nodes[0].ask(path)
            try await nodes[0].waitUntilQuiet()
            let gate = FaultUpstream.Gate()
            registry.fail {
                $0.cutAfter = 100_000
                $0.cuts = 1
                $0.gate = gate
            }
            async let got = nodes[1].ask(path)
            try await waitUntil { registry.count("GET blob quay.io/team/app@\(image.layerDigest())") == 2 }
            mesh.change(1) { $0.isStopped = false }
            gate.open()
            #expect(await got.body == image.layers[0])
            #expect(registry.count("GET blob") == 2)
            #expect(mesh.given(by: 1) == 1)
        }
    }

    @Test func aLyingPeersManifestIsNotServedAndItIsNamed() async throws {
        try await cluster(2) { mesh, registry, nodes in
            try await nodes[0].pull("quay.io/team/app", "1", image)
            mesh.change(1) { $0.lies = true }
            let got = await nodes[1].ask("/v2/quay.io/team/app/manifests/1")
            #expect(got.body == image.manifest)
            #expect(mesh.blamed.count == 1)
            let path = "/v2/quay.io/team/app/blobs/\(image.layerDigest())"
            let first = await nodes[1].ask(path)
            #expect(!first.isComplete)
            let second = await nodes[1].ask(path)
            #expect(second.isComplete && second.body == image.layers[0])
        }
    }

    // MARK: tags

    @Test(arguments: [1, 2]) func tagsFollowTwoNodesThatAgree(holders: Int) async throws {
        try await cluster(3) { mesh, registry, nodes in
            for node in nodes.prefix(holders) { try await node.pull("quay.io/team/app", "1", image) }
            registry.goDown()
            let got = await nodes[2].ask("/v2/quay.io/team/app/manifests/1")
            #expect((got.status == 200) == (holders == 2))
            if holders == 2 {
                #expect(got.body == image.manifest && got.headers["Warning"] != nil)
                try await nodes[2].pull("quay.io/team/app", "1", image)
                // A tag by others' word is nobody's statement.
                let identity = mesh.identity(of: 1)
                let content = StoreContent(
                    store: nodes[2].store, deliveries: [], logger: .init(label: "test"))
                let name = try ReferenceName("oci/quay.io/team/app:1")
                #expect(await content.statement(for: name, for: identity) == nil)
            }
        }
    }

    @Test func aResolverAloneIsBelieved() async throws {
        try await cluster(2) { mesh, registry, nodes in
            try await nodes[0].pull("quay.io/team/app", "1", image)
            mesh.change(1) { $0.roles = .resolver }
            registry.goDown()
            try await nodes[1].pull("quay.io/team/app", "1", image)
        }
    }

    @Test func onesOwnLastAnswerComesBeforeTheWordOfOthers() async throws {
        let newer = TestImage("newer", layerSizes: [1000])
        try await cluster(3) { mesh, registry, nodes in
            try await nodes[2].pull("quay.io/team/app", "1", image)
            registry.change("quay.io/team/app") { newer.add(to: &$0, tags: ["1"]) }
            for node in nodes.prefix(2) { try await node.pull("quay.io/team/app", "1", newer) }
            registry.goDown()
            nodes[2].clock.advance(seconds: 100_000)
            #expect(await nodes[2].ask("/v2/quay.io/team/app/manifests/1").body == image.manifest)
        }
    }

    @Test func whatUpstreamSaysWhileOthersAreAskedIsNotWrittenOver() async throws {
        let newer = TestImage("newer", layerSizes: [1000])
        try await cluster(3) { mesh, registry, nodes in
            for node in nodes.prefix(2) { try await node.pull("quay.io/team/app", "1", image) }
            registry.change("quay.io/team/app") { newer.add(to: &$0, tags: ["1", "2"]) }
            try await nodes[2].pull("quay.io/team/app", "2", newer)
            registry.goDown()
            let (store, name) = (nodes[2].store, try ReferenceName("oci/quay.io/team/app:1"))
            let said = try #require(try await store.reference(ReferenceName("oci/quay.io/team/app:2")))
            mesh.change(3) { faults in
                faults.meanwhile = {
                    var own = said
                    own.name = name
                    try? await store.setReference(own)
                }
            }
            #expect(await nodes[2].ask("/v2/quay.io/team/app/manifests/1").status == 200)
            #expect(try await store.reference(name)?.digest == said.digest)
            mesh.change(3) { $0.meanwhile = nil }
            #expect(await nodes[2].ask("/v2/quay.io/team/app/manifests/1").body == newer.manifest)
        }
    }

    @Test(arguments: [false, true]) func whatUpstreamConfirmsIsNoLongerTheWordOfOthers(moves: Bool)
        async throws
    {
        let newer = TestImage("newer", layerSizes: [1000])
        try await cluster(3) { mesh, registry, nodes in
            for node in nodes.prefix(2) { try await node.pull("quay.io/team/app", "1", image) }
            registry.goDown()
            try await nodes[2].pull("quay.io/team/app", "1", image)
            let (store, name) = (nodes[2].store, try ReferenceName("oci/quay.io/team/app:1"))
            #expect(try await store.reference(name)?.origin.hasPrefix("peer ") == true)
            registry.comeBack()
            if moves {
                // The manifest comes from a peer, the tag's new word from upstream.
                registry.change("quay.io/team/app") { newer.add(to: &$0, tags: ["1", "2"]) }
                try await nodes[0].pull("quay.io/team/app", "2", newer)
                let link = "/v2/quay.io/team/app/manifests/\(newer.digest)"
                #expect(await nodes[2].ask(link).status == 200)
            }
            nodes[2].clock.advance(seconds: 100_000)
            let wanted = moves ? newer.manifest : image.manifest
            #expect(await nodes[2].ask("/v2/quay.io/team/app/manifests/1").body == wanted)
            #expect(try await store.reference(name)?.origin.hasPrefix("peer ") == false)
        }
    }

    // MARK: private

    @Test func aPrivateLayerStaysWithItsRepositoryAndItsRole() async throws {
        try await cluster(2, secret: Self.secret) { mesh, registry, nodes in
            try await nodes[0].pull("quay.io/team/app", "1", image, headers: insider)
            mesh.change(2) { $0.roles = .private }
            let layer = image.layerDigest()
            let paths = [
                "/v2/quay.io/team/app/blobs/\(layer)", "/v2/quay.io/team/app/manifests/\(image.digest)",
                "/v2/quay.io/team/app/manifests/1", "/v2/quay.io/other/app/blobs/\(layer)",
                "/v2/quay.io/other/app/manifests/\(image.digest)",
            ]
            for isDown in [false, true] {
                if isDown { registry.goDown() }
                for path in paths { #expect(await nodes[1].ask(path).status != 200, "\(path)") }
                for path in paths.suffix(2) {
                    #expect(await nodes[1].ask(path, headers: insider).status != 200, "\(path)")
                }
            }
            registry.comeBack()
            let sent = registry.sent
            try await nodes[1].pull("quay.io/team/app", "1", image, headers: insider)
            #expect(registry.sent == sent)
        }
    }

    @Test func aNodeWithoutTheRoleIsDeniedPrivateContent() async throws {
        try await cluster(2, secret: Self.secret) { mesh, registry, nodes in
            try await nodes[0].pull("quay.io/team/app", "1", image, headers: insider)
            let digest = image.layerDigest()
            let link = try ReferenceName("oci/quay.io/team/app@\(digest)")
            for ask in [ContentAsk(.blob(digest), under: link), ContentAsk(.reference(link))] {
                guard case .denied = await mesh.find(ask, at: 1, for: 2) else {
                    Issue.record("\(ask) was not denied")
                    continue
                }
            }
            guard case .notHeld = await mesh.find(ContentAsk(.blob(digest)), at: 1, for: 2) else {
                Issue.record("private content was found without its name")
                return
            }
            mesh.change(2) { $0.roles = .private }
            guard case .held = await mesh.find(ContentAsk(.blob(digest), under: link), at: 1, for: 2) else {
                Issue.record("the role was not enough")
                return
            }
        }
    }
}
