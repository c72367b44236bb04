import Content
import ProxyFront
import Synchronization
import Testing

@Suite struct RegistryManifestTests {
    private static let image = "application/vnd.oci.image.manifest.v1+json"
    private static let index = "application/vnd.oci.image.index.v1+json"
    private static let text = #"{"schemaVersion":2,"layers":[],"config":null}"#
    private static let bytes = Array(text.utf8)

    @Test(arguments: DigestAlgorithm.allCases)
    func bytesAskedForByDigestAreThose(algorithm: DigestAlgorithm) async throws {
        var content = RegistryServer.Content()
        let digest = content.add(Self.bytes, "app:latest", algorithm)
        try await RegistryServer.serving(content) { registry, server in
            try await TestRegistryClient.running([server.url]) { node in
                let found = try await node.manifest("app", "\(digest)")
                #expect(found.bytes == Self.bytes)
                #expect(found.facts.digest == digest)
                #expect(found.facts.origin == server.url.dropFirst("http://".count))
                registry.change { $0.manifests["app:\(digest)"]?.bytes += Array(" ".utf8) }
                guard case .unusable = await failure({ try await node.manifest("app", "\(digest)") }) else {
                    Issue.record("other bytes must not pass for \(digest)")
                    return
                }
                #expect(node.metrics.render().contains("kind=\"mismatch\"} 1"))
            }
        }
    }

    @Test func aTagWhoseBytesAreNotThoseAnnouncedIsRefused() async throws {
        var content = RegistryServer.Content()
        let other = Digest(of: Array("other".utf8))
        content.instead = { asked in
            [
                .send(
                    .answer(
                        200, Self.bytes, ["Docker-Content-Digest: \(other)", "Content-Type: \(Self.image)"]))
            ]
        }
        try await RegistryServer.serving(content) { _, server in
            try await TestRegistryClient.running([server.url]) { node in
                guard case .unusable = await failure({ try await node.manifest("app") }) else {
                    Issue.record("the bytes are not \(other)")
                    return
                }
            }
        }
    }

    private static let types: [(told: String?, text: String, type: String?)] = [
        (image, text, image),
        ("\(image); charset=utf-8", text, image),
        (image, #"{"mediaType":"\#(image)","layers":[]}"#, image),
        ("text/plain", #"{"mediaType":"\#(image)","layers":[]}"#, image),
        ("application/json", #"{"schemaVersion":2,"manifests":[]}"#, index),
        (nil, #"{"schemaVersion":2,"config":{},"layers":[]}"#, image),
        ("application/vnd.other", #"{"x":1}"#, "application/vnd.other"),
        (image, #"{"mediaType":"\#(index)","manifests":[]}"#, nil),
        (image, #"{"manifests":[],"layers":[]}"#, nil),
        ("text/html", "<html>log in</html>", nil),
        (image, "[]", nil),
    ]

    @Test(arguments: types.indices)
    func aManifestIsWhatItIsCalledAndCallsItself(row: Int) async throws {
        let (told, text, type) = Self.types[row]
        var content = RegistryServer.Content()
        content.instead = { _ in [.send(.answer(200, text, told.map { ["Content-Type: \($0)"] } ?? []))] }
        try await RegistryServer.serving(content) { _, server in
            try await TestRegistryClient.running([server.url]) { node in
                guard let type else {
                    guard case .unusable = await failure({ try await node.manifest("app") }) else {
                        Issue.record("\(text) as \(told ?? "nothing") must be refused")
                        return
                    }
                    return
                }
                let found1 = try await node.manifest("app").facts.mediaType
                #expect(found1 == type)
            }
        }
    }

    @Test func whatAClientTakesIsAskedForInOneLine() async throws {
        var content = RegistryServer.Content()
        content.add(Self.bytes, "app:latest")
        try await RegistryServer.serving(content) { _, server in
            try await TestRegistryClient.running([server.url]) { node in
                _ = try await node.client.head(
                    .tag(.latest), of: node.repository("app"), accept: ["a/b", "c/d"], as: .anonymous)
                #expect(server.asked.last?.headers["accept"] == "a/b, c/d")
                #expect(server.asked.last?.method == "HEAD")
                _ = try await node.head("app")
                #expect(server.asked.last?.headers["accept"] == MediaType.manifests.joined(separator: ", "))
            }
        }
    }

    @Test func theNextEndpointIsAskedUnlessTheFirstKnowsBetter() async throws {
        var good = RegistryServer.Content()
        let digest = good.add(Self.bytes, "app:latest")
        try await RegistryServer.serving(good) { _, second in
            var bad = RegistryServer.Content()
            bad.instead = { asked in
                asked.path.hasSuffix("missing")
                    ? nil : [.send(.answer(200, "wrong", ["Content-Type: \(Self.image)"]))]
            }
            try await RegistryServer.serving(bad) { broken, first in
                try await TestRegistryClient.running([first.url, second.url]) { node in
                    let found2 = try await node.manifest("app", "\(digest)").bytes
                    #expect(found2 == Self.bytes)
                    broken.change { $0.instead = { _ in [.send(.answer(500, "down"))] } }
                    let found3 = try await node.head("app").digest
                    #expect(found3 == digest)
                    broken.change { $0.instead = { _ in nil } }
                    let asked = second.asked.count
                    let failed1 = await failure { try await node.head("app", "missing") }
                    #expect(failed1?.isNotFound == true)
                    #expect(second.asked.count == asked)
                    #expect(
                        try node.client.blob(digest, of: node.repository("app"), as: .anonymous).count == 2)
                }
            }
        }
    }

    @Test func aConnectionThatEndsAsItIsUsedAgainIsNoFailure() async throws {
        var content = RegistryServer.Content()
        content.add(Self.bytes, "app:latest")
        content.instead = { $0.count == 2 ? [.close] : nil }
        try await RegistryServer.serving(content) { _, server in
            try await TestRegistryClient.running([server.url]) { node in
                _ = try await node.head("app")
                _ = try await node.head("app")
                #expect(server.asked.count == 3)
            }
        }
    }

    @Test func anUnknownRegistryIsNotAsked() async throws {
        try await TestRegistryClient.running(["http://127.0.0.1:1"]) { node in
            let stranger = try Repository(try RegistryHost("other.test"), try RepositoryName("app"))
            #expect(!node.client.isAsked(stranger.registry))
            #expect(node.client.blob(Digest(of: []), of: stranger, as: .anonymous).isEmpty)
            guard
                case .unreachable = await failure({
                    try await node.client.head(.tag(.latest), of: stranger, accept: [], as: .anonymous)
                })
            else {
                Issue.record("nothing is known of it")
                return
            }
        }
    }

    @Test func aDeadRegistryRests() async throws {
        let port = try await FaultUpstream.serving { _ in
            []
        } _: {
            $0.port
        }
        var breaker = CircuitBreaker.Configuration()
        (breaker.firstRest, breaker.longestRest) = (.seconds(3600), .seconds(3600))
        try await TestRegistryClient.running(["http://127.0.0.1:\(port)"], breaker: breaker) { node in
            let host = try RegistryHost("registry.test")
            #expect(node.client.isAsked(host))
            let failed2 = await failure { try await node.head("app") }
            #expect(failed2 != nil)
            #expect(!node.client.isAsked(host))
            #expect(node.client.status.map(\.isAsked) == [false])
        }
    }

    /// Nothing else may be asked of it than tags that are held, and these are asked for only while it is asked.
    @Test func aRegistryThatHasRestedIsAskedAgainAndFound() async throws {
        let isDead = Mutex(true)
        try await FaultUpstream.serving { _ in
            isDead.withLock { $0 } ? [.reset] : [.send(.answer(404, "{}"))]
        } _: { upstream in
            var breaker = CircuitBreaker.Configuration()
            breaker.firstRest = .milliseconds(1)
            try await TestRegistryClient.running([upstream.url], breaker: breaker) { node in
                let host = try RegistryHost("registry.test")
                #expect(await failure { try await node.head("app") } != nil)
                try await waitUntil { node.client.isAsked(host) }
                isDead.withLock { $0 = false }
                try await waitUntil {
                    guard case .refused(_)? = await failure({ try await node.head("app") }) else {
                        return false
                    }
                    return true
                }
                #expect(node.client.isAsked(host))
            }
        }
    }
}
