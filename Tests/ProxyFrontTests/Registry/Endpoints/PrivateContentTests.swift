import ChunkStore
import Content
import ProxyFront
import Synchronization
import Testing

@Suite struct PrivateContentTests {
    private let image = TestImage("private", layerSizes: [200_000])
    private static let node = UpstreamCredential.basic(user: "node", password: "pw")
    private static let alice = UpstreamCredential.basic(user: "alice", password: "secret")
    private let insider: Headers = ["Authorization": "insider"]
    private let client: Headers = ["Authorization": "alice"]
    private let stranger: Headers = ["Authorization": "mallory"]

    private func onPrivate(
        _ secret: UpstreamCredential, _ body: (RegistryNode, StandInRegistry) async throws -> Void
    ) async throws {
        let registry = StandInRegistry(nodeCredential: Self.node)
        registry.change("quay.io/corp/app") { shelf in
            image.add(to: &shelf, tags: ["1"])
            shelf.secret = secret
        }
        try await RegistryNode.running(
            registry, try .with { $0.access = ScriptedAccess(insiders: ["insider"]) }
        ) { try await body($0, registry) }
    }

    private var paths: [String] {
        [
            "/v2/quay.io/corp/app/manifests/1", "/v2/quay.io/corp/app/manifests/\(image.digest)",
            "/v2/quay.io/corp/app/blobs/\(image.layerDigest())",
        ]
    }

    /// Nobody but `allowed` gets anything.
    private func expectClosed(_ node: RegistryNode, to outsiders: [Headers]) async {
        for path in paths {
            for headers in outsiders {
                for method in [HTTPMethod.get, .head] {
                    let got = await node.ask(path, method, headers: headers)
                    #expect(got.status != 200, "\(method) \(path)")
                    if method == .get { #expect(got.text.count < 1000) }
                }
            }
        }
    }

    @Test func whatTheNodesRulesGiveIsGivenToNobodyElse() async throws {
        try await onPrivate(Self.node) { node, registry in
            try await node.pull("quay.io/corp/app", "1", image, headers: insider)
            #expect(registry.asked.allSatisfy { $0.hasSuffix(" node") })
            await expectClosed(node, to: [[:], stranger, client])
            registry.goDown()
            await expectClosed(node, to: [[:], stranger, client])
            try await node.pull("quay.io/corp/app", "1", image, headers: insider)
        }
    }

    @Test func whoHasACredentialOfTheRegistryIsProvenThere() async throws {
        try await onPrivate(Self.alice) { node, registry in
            try await node.pull("quay.io/corp/app", "1", image, headers: client)
            await expectClosed(node, to: [[:], stranger])
            registry.forgetAsked()
            try await node.pull("quay.io/corp/app", "1", image, headers: client)
            #expect(registry.count("GET") == 0, "what is held is not fetched again")
            registry.goDown()
            try await node.pull("quay.io/corp/app", "1", image, headers: client)
            await expectClosed(node, to: [[:], stranger])
        }
    }

    @Test func aCredentialIsNeededNoLongerWhenTheRepositoryIsOpened() async throws {
        try await onPrivate(Self.node) { node, registry in
            try await node.pull("quay.io/corp/app", "1", image, headers: insider)
            registry.change("quay.io/corp/app") { $0.secret = nil }
            registry.forgetAsked()
            try await node.pull("quay.io/corp/app", "1", image)
            #expect(registry.count("GET") == 0)
            #expect(registry.asked.allSatisfy { $0.hasPrefix("HEAD") && $0.hasSuffix("anonymous") })
        }
    }

    @Test func whatIsAddedToARepositoryThatWasClosedIsNotOpen() async throws {
        try await onPrivate(Self.node) { node, registry in
            registry.change("quay.io/corp/app") { $0.secret = nil }
            try await node.pull("quay.io/corp/app", "1", image)
            let secret = TestImage("secret", layerSizes: [1000])
            registry.change("quay.io/corp/app") { shelf in
                secret.add(to: &shelf, tags: ["2"])
                shelf.secret = Self.node
            }
            try await node.pull("quay.io/corp/app", "2", secret, headers: insider)
            for path in ["manifests/2", "manifests/\(secret.digest)", "blobs/\(secret.layerDigest())"] {
                for headers in [[:], stranger] as [Headers] {
                    #expect(await node.ask("/v2/quay.io/corp/app/\(path)", headers: headers).status == 401)
                }
            }
        }
    }

    @Test func aTransferThatNeedsACredentialIsJoinedByNobodyElse() async throws {
        try await onPrivate(Self.node) { node, registry in
            _ = await node.ask(paths[0], headers: insider)
            let gate = FaultUpstream.Gate()
            registry.fail { $0.gate = gate }
            let path = paths[2]
            let inside = Task { await node.ask(path, headers: insider) }
            try await waitUntil { registry.count("GET blob") == 1 }
            for headers in [[:], stranger, client] as [Headers] {
                #expect(await node.ask(path, headers: headers).status == 401)
            }
            gate.open()
            #expect(await inside.value.body == image.layers[0])
        }
    }

    @Test func aBlobIsNotServedUnderAnotherRepositorysName() async throws {
        try await onPrivate(Self.node) { node, registry in
            try await node.pull("quay.io/corp/app", "1", image, headers: insider)
            registry.change("quay.io/open/thing") { $0.tags = [:] }
            let path = "/v2/quay.io/open/thing/blobs/\(image.layerDigest())"
            #expect(await node.ask(path).code == "BLOB_UNKNOWN")
            #expect(await node.ask("/v2/quay.io/open/thing/manifests/\(image.digest)").status == 404)
            // A manifest that lists it proves nothing: anybody can write one.
            let thief = TestImage("thief", layerSizes: [], sharedLayers: image.layers)
            registry.change("quay.io/open/thing") { shelf in
                thief.add(to: &shelf, tags: ["1"])
                shelf.blobs = [:]
            }
            #expect(await node.ask("/v2/quay.io/open/thing/manifests/1").status == 200)
            #expect(await node.ask(path).status == 404)
        }
    }

    @Test func clientsOfAnOpenRepositoryShareOneCopyWhateverTheyBring() async throws {
        let registry = StandInRegistry()
        registry.change("docker.io/library/app") { image.add(to: &$0, tags: ["1"]) }
        try await RegistryNode.running(registry) { node in
            try await node.pull("app", "1", image, headers: client)
            #expect(registry.asked.allSatisfy { $0.hasSuffix("anonymous") })
            registry.forgetAsked()
            for headers in [client, stranger, [:]] {
                try await node.pull("app", "1", image, headers: headers)
            }
            #expect(registry.asked.isEmpty)
        }
    }

    @Test func aRefusalNamesTheRemedyWhereThereIsOne() async throws {
        try await onPrivate(Self.node) { node, _ in
            let got = await node.ask(paths[0])
            #expect(got.status == 401)
            #expect(got.code == "UNAUTHORIZED")
            #expect(got.headers["WWW-Authenticate"] == "Basic realm=\"edgenode\"")
            for event in node.audit.events { #expect(!"\(event)".contains("secret")) }
        }
    }

    @Test(arguments: [false, true])
    func whatTheRulesOfTheNodeForbidIsRefusedWithTheReason(isSlow: Bool) async throws {
        let registry = StandInRegistry()
        registry.change("quay.io/corp/app") { image.add(to: &$0, tags: ["1"]) }
        let access = ScriptedAccess(forbidden: ["quay.io/corp/app"], isSlow: isSlow)
        try await RegistryNode.running(registry, try .with { $0.access = access }) { node in
            let got = await node.ask(paths[0])
            #expect(got.status == 403)
            #expect(got.code == "DENIED")
            #expect(got.text.contains("kept from everybody"))
            #expect(registry.asked.isEmpty)
            #expect(node.audit.events.contains { $0.action == .deny })
        }
    }

    @Test func thePolicyDecidesByNameBeforeAndByDigestAfterUpstreamIsAsked() async throws {
        let registry = StandInRegistry()
        registry.change("quay.io/corp/app") { image.add(to: &$0, tags: ["1", "latest"]) }
        let digest = image.digest
        let policy = ScriptedPolicy { subject in
            guard case .image(_, let tag, let found) = subject else { return false }
            return tag?.text == "latest" || found == digest
        }
        try await RegistryNode.running(registry, try .with { $0.policy = policy }) { node in
            let latest = await node.ask("/v2/quay.io/corp/app/manifests/latest")
            #expect(latest.status == 403)
            #expect(latest.code == "DENIED")
            #expect(latest.text.contains("the policy says no"))
            #expect(registry.asked.isEmpty)
            for _ in 0..<2 { #expect(await node.ask("/v2/quay.io/corp/app/manifests/1").status == 403) }
            #expect(await node.ask("/v2/quay.io/corp/app/manifests/\(digest)").status == 403)
            #expect(await node.ask("/v2/quay.io/corp/app/blobs/\(image.layerDigest())").status == 200)
        }
    }
}
